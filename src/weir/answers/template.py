"""An empty chip record that explains itself."""

import textwrap
from collections.abc import Iterable
from typing import Final

from pydantic import TypeAdapter, ValidationError

from weir.answers.models.importing import identifier_of
from weir.catalog.fields import CHIP_FIELDS, Field
from weir.catalog.schema import Identifier
from weir.core.errors import InputError

BLANK: Final = "?"  # not TOML: a fact that was made active and not filled in is refused

WIDTH: Final = 100

# The unit that data sheets of the field mostly print.
_USUAL_UNIT: Final = {
    "flop_per_s": "TFLOP/s",
    "bytes": "GiB",
    "bytes_per_s": "GB/s",
    "mm2": "mm2",
    "hz": "MHz",
    "w": "W",
    "tpp": "tpp",
    "tpp_per_mm2": "tpp/mm2",
}
_USUAL_UNIT_OF: Final = {
    "transistors": "billion",
    "last_level_cache": "MiB",
    "shared_memory_per_core": "KiB",
    "sram_total": "MiB",
}

_HEAD: Final = """\
## A chip of your own. The file is named {id}.toml and lies in a folder chips/, in the folder that
## you name with --data or in WEIR_DATA. Write only what you know: what is left out is unknown.
id = "{id}"
name = "{id}" # what people call it
designer = "unknown" # the company; some rules bind companies
{generations}
generation = "generic"
# aliases = [""] # other names it answers to
# ics_per_card = {blank} # integrated circuits on the card; the law counts each by itself
# note = "" # what a reader should know beside the numbers
# verified_on = {blank} # the day you compared the facts with their sources, YYYY-MM-DD

[facts]
## Make a line active by removing its "# ", and put what your source prints in place of {blank} or
## the empty quotes. The document behind "my-source" is a file sources/my-source.toml. A fact from
## memory has no sources and status = "recalled"; one that you worked out has status = "derived" or
## "estimated" and how = "…". A range has low and high in place of value.
"""


def checked_identifier(text: str) -> str:
    """The text, where it can name a record.

    Raises:
        InputError: It cannot; the message names the nearest that can.
    """
    try:
        return TypeAdapter(Identifier).validate_python(text)
    except ValidationError:
        near = identifier_of(text)
        hint = f", for example '{near}'" if near else ""
        raise InputError(
            f"'{text}' cannot be the id of a record; write small letters, digits, dots and "
            f"hyphens{hint}"
        ) from None


def chip_template(identifier: str, generations: Iterable[str]) -> str:
    """A chip record with every fact as a comment; it is valid as it stands, and says nothing.

    Args:
        identifier: Its id.
        generations: The families that may be named.

    Raises:
        InputError: The identifier cannot name a record.
    """
    families = f"Whose kernels it runs: {', '.join(sorted(generations))}."
    text = _HEAD.format(
        id=checked_identifier(identifier), generations=_comment(families), blank=BLANK
    )
    group = ""
    for field in CHIP_FIELDS.values():
        if field.group != group:
            group = field.group
            text += f"\n## --- {group} ---\n"
        text += _lines(field)
    return text


def _comment(text: str) -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent="## ", subsequent_indent="## ", break_on_hyphens=False
    )


def _lines(field: Field) -> str:
    choices = f"One of {', '.join(field.choices)}" if field.choices else ""
    parts = (part.rstrip(".") for part in (field.label, field.about, choices) if part)
    value = '""' if field.dimension == "text" else BLANK  # an empty text is refused too
    unit = _USUAL_UNIT_OF.get(field.key, _USUAL_UNIT.get(field.dimension, ""))
    printed = f', unit = "{unit}"' if unit else ""
    return (
        f"{_comment('. '.join(parts) + '.')}\n"
        f'# {field.key} = {{value = {value}{printed}, sources = ["my-source#page 1"]}}\n'
    )
