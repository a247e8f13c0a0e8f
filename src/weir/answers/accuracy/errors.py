"""Errors of predictions against what was measured or printed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Errors of a group of predictions of one quantity.

    Attributes:
        count: Predictions.
        mape: Mean absolute percentage error.
        mdape: Median absolute percentage error.
        bias: Mean of the logarithm of predicted over measured.
        covered: Share of measurements inside the 80 % interval; NaN where there is none.
    """

    count: int
    mape: float
    mdape: float
    bias: float
    covered: float = np.nan


def errors(
    predicted: ArrayLike,
    measured: ArrayLike,
    interval: tuple[ArrayLike, ArrayLike] | None = None,
    *,
    sign: ArrayLike = 1.0,
) -> Accuracy:
    """Errors of predictions; all NaN without any.

    Args:
        predicted: Our values.
        measured: What they are compared with, in the same unit.
        interval: Lower and upper ends of our 80 % intervals, where there are any.
        sign: -1 where the bias is to be counted the other way, as that of a time is among speeds.
    """
    ours, theirs = np.asarray(predicted), np.asarray(measured)
    if not ours.size:
        return Accuracy(0, np.nan, np.nan, np.nan)
    covered = np.nan
    if interval is not None:
        low, high = (np.asarray(end) for end in interval)
        covered = float(np.mean((low <= theirs) & (theirs <= high)))
    error = np.abs(ours / theirs - 1.0)
    bias = float(np.mean(np.log(ours / theirs) * np.asarray(sign)))
    return Accuracy(ours.size, float(np.mean(error)), float(np.median(error)), bias, covered)
