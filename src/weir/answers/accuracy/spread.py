"""The deviation that makes an interval hold what it says."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.perf.step import INTERVAL_DEVIATIONS

Array = NDArray[np.float64]

COVERAGE: Final = 0.8
_BISECTIONS: Final = 24
_WIDEST: Final = 3.0


def coverage_spread(error: Array, down: Array, up: Array) -> float:
    """The deviation that, added in squares to the widths, makes them hold the coverage.

    Args:
        error: Logarithms of measured over predicted.
        down: Logarithms of the estimate over the lower end.
        up: Logarithms of the upper end over the estimate.
    """
    low, high = 0.0, _WIDEST
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        extra = INTERVAL_DEVIATIONS * middle
        inside = (error <= np.hypot(up, extra)) & (error >= -np.hypot(down, extra))
        low, high = (low, middle) if np.mean(inside) >= COVERAGE else (middle, high)
    return high
