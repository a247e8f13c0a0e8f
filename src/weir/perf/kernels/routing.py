"""What a router leaves on the chip that is waited for: pairs of tokens and experts, active experts.

A balanced router spreads pairs evenly. Under a power law the loads of experts are spread like a
density x^-skew, and a group of chips waits for the one that happens to hold the largest sum. That
sum is the largest of as many draws as there are chips from a skewed distribution: the normal
quantile of the largest of n (Blom, 1958) corrected for skewness (Cornish and Fisher, 1938).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Loads lie between one and this share of all tokens,
MOST_OF_TOKENS: Final = 0.8
# or, where there are fewer pairs than experts, between these shares of a token.
FEW_LOADS: Final = (0.01, 2.0)
EXPONENT_GAP: Final = 1e-3
# Plotting position of the largest of n: (n - 3/8)/(n + 1/4).
_BLOM: Final = (0.375, 0.25)
# Quantiles of the normal distribution by those of Tukey's lambda distribution, at lambda 0.14.
_TUKEY: Final = (4.91, 0.14)
_CORNISH_FISHER: Final = 6.0
# Skewness is the third moment over this power of the variance.
_SKEWNESS: Final = 1.5


@dataclass(frozen=True)
class Load:
    """What the router leaves on the busiest chip.

    Attributes:
        rows: Pairs of a token and an expert on this chip.
        active: Experts on this chip with at least one token.
    """

    rows: Array
    active: Array


def busiest_chip(
    tokens: Array,
    local: Array,
    experts: Array,
    top_k: Array,
    skew: Array,
    placed: Array | float = 0.0,
) -> Load:
    """Rows and active experts on the chip with the most tokens.

    Args:
        tokens: Tokens of the whole group.
        local: Experts on a chip.
        experts: Experts of the layer.
        top_k: Experts of a token.
        skew: Exponent of the power law, 0 for balanced.
        placed: 1 where experts are placed, and copied, so that chips have the same load, 0 where a
            chip holds any of them.
    """
    even = tokens * top_k * local / experts
    rows, present = even, local
    if np.any(skew > 0.0):
        skewed_rows, skewed_present = _skewed(
            tokens, local, experts, top_k, skew, np.asarray(placed)
        )
        rows = np.where(skew > 0.0, skewed_rows, even)
        present = np.where(skew > 0.0, skewed_present, local)
    rows = np.maximum(rows, 1.0)
    return Load(rows, np.minimum(np.maximum(present, 1.0), rows))


def _skewed(
    tokens: Array, local: Array, experts: Array, top_k: Array, skew: Array, placed: Array
) -> tuple[Array, Array]:
    """Rows and experts with tokens on the busiest chip under a power law."""
    pairs = tokens * top_k
    mean_load = pairs / experts
    few = pairs <= experts
    low = np.where(few, FEW_LOADS[0], 1.0)
    high = np.where(few, FEW_LOADS[1], np.maximum(MOST_OF_TOKENS * tokens, FEW_LOADS[1]))
    # The law is singular at an exponent of one, where it is the logarithmic one.
    order = np.where(np.abs(skew - 1.0) < EXPONENT_GAP, 1.0 + EXPONENT_GAP, skew)
    total = _moment(0.0, low, high, order)
    mean, square, cube = (_moment(n, low, high, order) / total for n in (1.0, 2.0, 3.0))
    scale = mean_load / mean
    variance = (square - mean**2) * scale**2
    third = (cube - 3.0 * mean * square + 2.0 * mean**3) * scale**3
    score = _largest_score(experts / local)
    skewness = third / variance**_SKEWNESS / np.sqrt(local)
    corrected = np.maximum(score, score + (score**2 - 1.0) * skewness / _CORNISH_FISHER)
    spread = np.sqrt(variance * local * (1.0 - local / experts))
    one = 1.0 - order
    place = (experts - _BLOM[0]) / (experts + _BLOM[1])
    most = (low**one + (high**one - low**one) * place) ** (1.0 / one) * scale
    rows = pairs * local / experts + corrected * spread * (1.0 - placed)
    rows = np.minimum(rows, np.maximum(most, 1.0) * local)
    rows = np.minimum(np.minimum(rows, tokens * np.minimum(local, top_k)), pairs)
    # An expert whose share falls below one token has that share of a chance of one.
    edge = np.clip(1.0 / scale, low, high)
    touched = 1.0 - _moment(0.0, low, edge, order) / total
    touched = touched + _moment(1.0, low, edge, order) / total * scale
    # A chip with so many times the mean load has as many chances to touch each of its experts.
    chances = np.maximum(rows * experts / (pairs * local), 1.0)
    return rows, local * (1.0 - (1.0 - np.minimum(touched, 1.0)) ** chances)


def _moment(power: float, low: Array, high: Array, order: Array) -> Array:
    """Integral of x^(power - order) from low to high."""
    exponent = power + 1.0 - order
    # An order of two or three makes its own moment logarithmic.
    exponent = np.where(np.abs(exponent) < EXPONENT_GAP, EXPONENT_GAP, exponent)
    found: Array = (high**exponent - low**exponent) / exponent
    return found


def _largest_score(count: Array) -> Array:
    """Expected largest of `count` draws of the standard normal distribution, 0 for one."""
    place = (count - _BLOM[0]) / (count + _BLOM[1])
    found: Array = _TUKEY[0] * (place ** _TUKEY[1] - (1.0 - place) ** _TUKEY[1])
    return found
