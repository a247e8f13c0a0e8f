"""Robust non-linear least squares with bounds: Levenberg-Marquardt on a soft-L1 loss.

The loss 2 (sqrt(1 + r^2) - 1) grows like |r| for large residuals, so a few kernels that the model
does not describe cannot bend the parameters of all others. Every iteration solves the weighted
normal equations (Marquardt 1963) and clips the step to the bounds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_DAMPING_START: Final = 1e-2
_DAMPING_MAX: Final = 1e8
_DAMPING_UP: Final = 4.0
_DAMPING_DOWN: Final = 0.4
_STEP: Final = 2e-3
_TOLERANCE: Final = 1e-6


@dataclass(frozen=True)
class Fit:
    """Result of a fit.

    Attributes:
        x: Parameters.
        loss: Mean loss per residual.
        iterations: Jacobians computed.
    """

    x: Array
    loss: float
    iterations: int


def soft_l1(residuals: Array) -> float:
    """Mean soft-L1 loss."""
    return float(np.mean(2.0 * (np.sqrt(1.0 + residuals**2) - 1.0)))


def minimise(
    residuals: Callable[[Array], Array],
    start: Array,
    low: Array,
    high: Array,
    *,
    iterations: int = 60,
) -> Fit:
    """Minimises the soft-L1 loss of some residuals.

    Args:
        residuals: Residuals of a parameter vector, scaled so that 1 is where the loss bends.
        start: First guess.
        low: Lower bounds.
        high: Upper bounds.
        iterations: Most Jacobians to compute.
    """
    x = np.clip(start, low, high)
    current = residuals(x)
    loss = soft_l1(current)
    damping = _DAMPING_START
    done = 0
    for _ in range(iterations):
        done += 1
        slopes = _jacobian(residuals, x, current, low, high)
        weight = 1.0 / np.sqrt(1.0 + current**2)
        gradient = slopes.T @ (weight * current)
        normal = slopes.T @ (weight[:, None] * slopes)
        # A parameter at a bound that the gradient pushes further out stays where it is.
        free = ~(((x <= low) & (gradient > 0.0)) | ((x >= high) & (gradient < 0.0)))
        improved = False
        while damping < _DAMPING_MAX:
            trial = _step(x, gradient, normal, free, damping, low, high)
            found = residuals(trial)
            new = soft_l1(found)
            if new < loss:
                improved = True
                break
            damping *= _DAMPING_UP
        if not improved:
            break
        gain = (loss - new) / loss
        x, current, loss = trial, found, new
        damping *= _DAMPING_DOWN
        if gain < _TOLERANCE:
            break
    return Fit(x, loss, done)


def _step(
    x: Array,
    gradient: Array,
    normal: Array,
    free: NDArray[np.bool_],
    damping: float,
    low: Array,
    high: Array,
) -> Array:
    inner = normal[np.ix_(free, free)]
    diagonal = np.maximum(np.diag(inner), np.finfo(np.float64).tiny)
    step = np.zeros_like(x)
    step[free] = -np.linalg.lstsq(inner + damping * np.diag(diagonal), gradient[free], rcond=None)[
        0
    ]
    return np.clip(x + step, low, high)


def _jacobian(
    residuals: Callable[[Array], Array], x: Array, at: Array, low: Array, high: Array
) -> Array:
    slopes = np.empty((len(at), len(x)))
    for index in range(len(x)):
        size = _STEP * max(abs(x[index]), _STEP)
        if x[index] + size > high[index]:
            size = -size
        moved = x.copy()
        moved[index] = np.clip(x[index] + size, low[index], high[index])
        taken = moved[index] - x[index]
        slopes[:, index] = (residuals(moved) - at) / taken if taken else 0.0
    return slopes
