"""Yes, no and unknown over arrays and intervals.

Truth values are int8: 0 no, 1 unknown, 2 yes. With that order Kleene's strong logic is arithmetic:
"and" is the minimum, "or" the maximum, "not" the distance from 2. A comparison of an interval is
yes only if it holds at every point, no only if it holds at none: what is not known can never come
out as free.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

NO: Final = 0
UNKNOWN: Final = 1
YES: Final = 2

Truth: TypeAlias = "NDArray[np.int8] | int"
Numbers: TypeAlias = "NDArray[np.float64] | float"

_UNKNOWN: Final = np.int8(UNKNOWN)
_YES: Final = np.int8(YES)

BINARY_NOISE: Final = 1e-12  # relative; unit conversion may leave 2,399.999… for a printed 2,400


class Answer(StrEnum):
    """A truth value for people."""

    NO = "no"
    UNKNOWN = "unknown"
    YES = "yes"

    @classmethod
    def of(cls, value: int) -> "Answer":
        """The word for 0, 1 or 2."""
        return _ANSWERS[value]


_ANSWERS: Final = (Answer.NO, Answer.UNKNOWN, Answer.YES)
TRUTH_OF_WORD: Final = {"no": NO, "unknown": UNKNOWN, "contested": UNKNOWN, "yes": YES}


_RELATIONS: Final[dict[str, Callable[[Numbers, float, float], NDArray[np.bool_]]]] = {
    "ge": lambda value, below, _: np.greater_equal(value, below),
    "lt": lambda value, below, _: np.less(value, below),
    "gt": lambda value, _, above: np.greater(value, above),
    "le": lambda value, _, above: np.less_equal(value, above),
}


def both(left: Truth, right: Truth) -> Truth:
    """Kleene "and": the smaller of the two."""
    if isinstance(left, int):
        if left == YES or isinstance(right, int):
            return right if left == YES else min(left, right)
        return NO if left == NO else np.minimum(right, _UNKNOWN)
    if isinstance(right, int):
        return both(right, left)
    return np.minimum(left, right)


def either(left: Truth, right: Truth) -> Truth:
    """Kleene "or": the larger of the two."""
    if isinstance(left, int):
        if left == NO or isinstance(right, int):
            return right if left == NO else max(left, right)
        return YES if left == YES else np.maximum(right, _UNKNOWN)
    if isinstance(right, int):
        return either(right, left)
    return np.maximum(left, right)


def negate(value: Truth) -> Truth:
    """Kleene "not": yes and no change places, unknown stays."""
    if isinstance(value, int):
        return YES - value
    return np.subtract(_YES, value)


def compare(low: Numbers, high: Numbers, comparison: str, threshold: float) -> Truth:
    """Whether a quantity in [low, high] stands in the given relation to a threshold.

    Args:
        low: Lower bound, inclusive; 0 or -inf where unknown.
        high: Upper bound, inclusive; inf where unknown.
        comparison: "ge", "gt", "le" or "lt", exactly as the text has it.
        threshold: The number of the text, in the unit of the bounds.

    Returns:
        Yes where it holds on the whole interval, no where on no point of it, otherwise unknown.
    """
    noise = abs(threshold) * BINARY_NOISE
    if low is high:  # certain everywhere
        holds = _RELATIONS[comparison](low, threshold - noise, threshold + noise)
        truth = holds.view(np.int8)
        return truth + truth
    if comparison in {"ge", "lt"}:
        edge = threshold - noise
        above, below = np.greater_equal(low, edge), np.less(high, edge)
    else:
        edge = threshold + noise
        above, below = np.greater(low, edge), np.less_equal(high, edge)
    # above and below exclude each other, so 1 + above - below is 2, 0 or 1
    upward = np.add(above, 1, dtype=np.int8) - below.astype(np.int8)
    return upward if comparison in {"ge", "gt"} else negate(upward)


def at(value: Truth, row: int = 0) -> int:
    """One row of a truth value that may be one value for all rows."""
    if isinstance(value, int):
        return value
    return int(value[row]) if value.ndim else int(value)


def answer(value: Truth, row: int = 0) -> Answer:
    """One row of a truth value in words."""
    return Answer.of(at(value, row))
