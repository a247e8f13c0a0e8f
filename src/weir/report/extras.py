"""Libraries that only some formats need: imported late, named clearly when missing."""

import importlib
from types import ModuleType

from weir.core.errors import InputError


class MissingExtraError(InputError):
    """A format was asked for whose library is not installed; the message names the extra."""

    def __init__(self, wanted: str, library: str, extra: str) -> None:
        super().__init__(
            f"{wanted} needs the library {library}, which is not installed; "
            f"install it with: pip install 'chipweir[{extra}]'"
        )


def require(module: str, wanted: str, library: str, extra: str) -> ModuleType:
    """Imports a module of an optional library.

    Args:
        module: The module to import.
        wanted: What the user asked for, such as "an HTML page".
        library: The library as it is installed.
        extra: The extra of this distribution that brings it.

    Raises:
        MissingExtraError: The library is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A library that is there but broken is a different matter and says so itself.
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise MissingExtraError(wanted, library, extra) from None
