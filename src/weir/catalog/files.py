"""Reading data files: where the stock is, TOML and text, and what to say when that fails."""

import tomllib
from pathlib import Path
from typing import Any

from weir.core.errors import RecordError

STOCK = Path(__file__).resolve().parent.parent / "data"


def read_text(path: Path) -> str:
    """Reads a UTF-8 file, with or without a byte order mark.

    Raises:
        RecordError: The file cannot be opened or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RecordError(path, [f"cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise RecordError(
            path, [f"is not UTF-8 text (byte {error.start}); save it as UTF-8"]
        ) from None


def read_toml(path: Path) -> dict[str, Any]:
    """Reads one TOML file.

    Raises:
        RecordError: The file cannot be opened, is not UTF-8, or is not TOML.
    """
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise RecordError(path, [f"is not valid TOML: {error}"]) from None
