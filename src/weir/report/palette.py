"""The colours of every page and picture: one meaning, one colour, in daylight and in the dark.

The four status colours are told apart by people with any common form of colour blindness and in a
grey print; a word always stands beside them, so that no meaning hangs on colour alone.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Tone(StrEnum):
    """What a coloured word, bar or point says about a transaction."""

    PLAIN = "plain"  # says nothing about the law
    NOT_REQUIRED = "not_required"  # no requirement found, on the facts given
    REQUIRED = "required"  # a licence is required
    UNKNOWN = "unknown"  # the facts do not decide it
    WARNING = "warning"  # prohibited, or warned against


TONE_WORDS: Final = {
    Tone.PLAIN: "not assessed",
    Tone.NOT_REQUIRED: "no requirement found",
    Tone.REQUIRED: "licence required",
    Tone.UNKNOWN: "unknown",
    Tone.WARNING: "prohibited or warned against",
}


@dataclass(frozen=True, slots=True)
class Ink:
    """One colour on white paper and its counterpart on a dark screen."""

    light: str
    dark: str


TONE_INKS: Final = {
    Tone.PLAIN: Ink("#9aa3ac", "#7f8a95"),
    Tone.NOT_REQUIRED: Ink("#0072b2", "#6cc4f5"),
    Tone.REQUIRED: Ink("#c8500a", "#f0914f"),
    Tone.UNKNOWN: Ink("#707070", "#c4c4c4"),
    Tone.WARNING: Ink("#5b1f52", "#b565a7"),
}

TEXT: Final = Ink("#1b1f23", "#e8eaed")
MUTED: Final = Ink("#58616b", "#a7b0b9")
RULE: Final = Ink("#c9ced4", "#474e56")
GRID: Final = Ink("#e7eaed", "#30363d")
PAPER: Final = Ink("#fefefe", "#15181c")
ACCENT: Final = Ink("#0b4f7d", "#7cc0ee")

# Where a paragraph applies: the stronger control is the deeper shade.
ZONE_STRONG: Final = Ink("#f6dccb", "#4a2f1f")
ZONE_LIGHT: Final = Ink("#fbf0e7", "#322720")
ZONE_TEXT: Final = Ink("#7d3206", "#e8b48f")

# Lines of one picture, in order of use; distinct to people with any colour vision.
SERIES_INKS: Final = (
    Ink("#0b4f7d", "#7cc0ee"),
    Ink("#b5482a", "#f09a7e"),
    Ink("#2f7d5b", "#6fcba2"),
    Ink("#7a5195", "#c3a0dd"),
    Ink("#8c6d00", "#dcbf55"),
    Ink("#4d5a66", "#b3bec9"),
    Ink("#a3326e", "#ec8fbd"),
    Ink("#217f8f", "#66c8d8"),
)

ALL_INKS: Final = (
    *TONE_INKS.values(),
    TEXT,
    MUTED,
    RULE,
    GRID,
    PAPER,
    ACCENT,
    ZONE_STRONG,
    ZONE_LIGHT,
    ZONE_TEXT,
    *SERIES_INKS,
)
