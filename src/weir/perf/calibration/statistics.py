"""Accuracy of estimates against measurements, and the baselines they are compared with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.perf.calibration.cases import Case
from weir.perf.calibration.least_squares import minimise
from weir.perf.kernels.efficiency import Efficiency

Array = NDArray[np.float64]

# Rows above this are reported apart, because launch floors flatter the small ones.
LARGE_S: Final = 1e-4
_P90: Final = 0.9
_TWO_NUMBER_START: Final = (1e-5, 0.7)


@dataclass(frozen=True)
class Accuracy:
    """Errors of some estimates.

    Attributes:
        count: Rows.
        mape: Mean of the relative error |estimate - measured| / measured.
        mdape: Its median.
        p90: Its 90th percentile.
        bias: Mean of ln(estimate / measured); negative is optimistic.
        time_weighted: Sum of absolute errors over the sum of measured times.
    """

    count: int
    mape: float
    mdape: float
    p90: float
    bias: float
    time_weighted: float


def accuracy(estimate_s: Array, measured_s: Array) -> Accuracy:
    """Accuracy of estimates; all NaN without rows."""
    if not len(measured_s):
        nan = float("nan")
        return Accuracy(0, nan, nan, nan, nan, nan)
    error = np.abs(estimate_s / measured_s - 1.0)
    return Accuracy(
        count=len(measured_s),
        mape=float(np.mean(error)),
        mdape=float(np.median(error)),
        p90=float(np.quantile(error, _P90)),
        bias=float(np.mean(np.log(estimate_s / measured_s))),
        time_weighted=float(np.sum(np.abs(estimate_s - measured_s)) / np.sum(measured_s)),
    )


@dataclass(frozen=True)
class TwoNumbers:
    """The baseline: a fixed time and one share of the roofline, for a kernel and a format.

    Attributes:
        fixed_s: Fixed time.
        efficiency: Share of the roofline.
    """

    fixed_s: float
    efficiency: float

    def estimate(self, hardware_s: Array) -> Array:
        """Time from the roofline bound."""
        return self.fixed_s + hardware_s / self.efficiency


def two_numbers(cases: Sequence[Case], efficiency: Efficiency) -> TwoNumbers:
    """Fits the baseline to cases of one kernel and format, each case weighing the same."""
    hardware = [case.estimate(efficiency).hardware_s for case in cases]
    measured = [case.measured_s for case in cases]
    weight = np.concatenate([np.full(len(rows), len(rows) ** -0.5) for rows in measured])
    weight /= np.sqrt(np.mean(weight**2))
    bound, times = np.concatenate(hardware), np.concatenate(measured)

    def residuals(x: Array) -> Array:
        estimate: Array = np.exp(x[0]) + bound / np.exp(x[1])
        return weight * np.log(estimate / times)

    # A bend far below the residuals makes the loss the sum of absolute logarithms.
    scale = 1e-2
    found = minimise(
        lambda x: residuals(x) / scale,
        np.log(np.array(_TWO_NUMBER_START)),
        np.log(np.array([1e-7, 1e-3])),
        np.log(np.array([1e-2, 1.0])),
    )
    return TwoNumbers(float(np.exp(found.x[0])), float(np.exp(found.x[1])))
