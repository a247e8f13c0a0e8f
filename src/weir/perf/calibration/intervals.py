"""Half widths of 80 % intervals from two levels of error: of a chip, and of a row on it.

The error of a row on a chip that no fit saw is the mean error of that chip plus what is the row's
own. Leaving chips out gives one mean error per chip, so few that their spread is itself uncertain:
Student's factor for as many chips takes the place of the normal one. It also contains what a new
generation changes; a new chip of a fitted generation errs by less, as much as two collections of
the same kernels on the same chip differ. Widths of independent errors add by their squares.

A format that was not measured on a generation errs by what leaving single chips out of the formats
shows, since how a format's kernels differ from those of the reference is learned from few chips.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Share of the rows that an interval holds.
INTERVAL: Final = 0.8
# Student's t at 80 %, two-sided, by degrees of freedom (Abramowitz and Stegun, table 26.10).
STUDENT: Final = (3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397)
NORMAL: Final = 1.282


@dataclass(frozen=True)
class HalfWidths:
    """Half widths of the 80 % interval of the logarithm of a time in one format.

    Attributes:
        of: By generation that was measured in the format.
        known: Typical of them.
        unseen: On generations that were not measured in the format.
    """

    of: Mapping[str, float]
    known: float
    unseen: float


def student(chips: int) -> float:
    """Two-sided 80 % factor of Student's distribution with as many degrees of freedom as chips."""
    return STUDENT[chips - 1] if chips <= len(STUDENT) else NORMAL


def chip_spread(unseen: Sequence[Array]) -> float:
    """Half width that mean errors of unseen chips have.

    Args:
        unseen: Errors of the rows of each chip under a fit that never saw it.
    """
    means = np.array([float(np.mean(errors)) for errors in unseen])
    return student(len(means)) * float(np.sqrt(np.mean(means**2)))


def row_width(errors: Array) -> float:
    """Half width of the rows of one chip about their mean error."""
    return float(np.quantile(np.abs(errors - np.mean(errors)), INTERVAL))


@dataclass(frozen=True)
class ChipLevel:
    """Half widths that whole chips err by.

    Attributes:
        known: Chips of a generation that was fitted.
        unseen: Chips of any other.
        chips: Chips of the reference format, over which its parameters average.
        formats: Errors of the rows of chips in formats that were fitted without them.
    """

    known: float
    unseen: float
    chips: int
    formats: tuple[Array, ...] = ()


def half_widths(errors: Mapping[str, Array], level: ChipLevel) -> HalfWidths:
    """Widths of a format on the generations that it was fitted on, and elsewhere.

    A mean over n chips has 1/n of the variance of a chip, so a format measured on fewer chips than
    the reference lacks the difference. What a new generation changes is no part of it: a format is
    fitted on each generation that it was measured on.

    Args:
        errors: Errors of the rows of each generation under the fit, in one format.
        level: What whole chips err by.
    """
    rows = {traits: row_width(found) for traits, found in errors.items()}
    whole = level.known**2 * (1.0 + max(1.0 / len(rows) - 1.0 / level.chips, 0.0))
    of = {traits: float(np.sqrt(row**2 + whole)) for traits, row in rows.items()}
    typical = float(np.mean(np.square(list(of.values()))))
    unseen = typical + level.unseen**2
    if len(level.formats) > 1:
        unseen = _rows(level.formats) + chip_spread(level.formats) ** 2
    return HalfWidths(of, known=float(np.sqrt(typical)), unseen=float(np.sqrt(unseen)))


def _rows(unseen: Sequence[Array]) -> float:
    """Mean square of the half widths of the rows of unseen chips."""
    return float(np.mean([row_width(errors) ** 2 for errors in unseen]))


def foreign_width(unseen: Sequence[Array], known: float) -> float:
    """What a chip of another generation adds, as a square, to the width of a known one.

    Args:
        unseen: Errors of the rows of each chip under a fit that never saw it.
        known: Width on generations that were fitted.
    """
    if not unseen:
        return known
    return float(np.sqrt(max(_rows(unseen) + chip_spread(unseen) ** 2 - known**2, 0.0)))
