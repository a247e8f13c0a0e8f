"""The quantities the regulation defines, as intervals over arrays.

Every function takes and returns lower and upper bounds; an unknown quantity is [0, inf]. Quotations
are from the Technical Notes to ECCN 3A090 (15 CFR part 774, Supplement No. 1).
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.core.units import TERA

Bounds: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]

MATRIX_BITS: Final = 16  # the widest format in which accelerators publish the rate that counts


def known_or(low: ArrayLike, high: ArrayLike) -> Bounds:
    """Replaces NaN bounds, which mean "not published", by 0 and inf."""
    is_certain = low is high
    least, most = np.asarray(low, float), np.asarray(high, float)
    is_missing = np.isnan(least)
    if is_certain and not is_missing.any():
        return least, least
    return np.where(is_missing, 0.0, least), np.where(np.isnan(most), np.inf, most)


def tpp(
    rates_flop_per_s: Mapping[str, tuple[ArrayLike, ArrayLike]],
    bits: Mapping[str, int],
) -> Bounds:
    """Total processing performance, in the unit of the law (tera-operations/s times bits).

    "'Total processing performance' ('TPP') is 2 x 'MacTOPS' x 'bit length of the operation',
    aggregated over all processing units on the integrated circuit" (Note 1); 2 x MacTOPS "may
    correspond to the reported TOPS or FLOPS on a datasheet" (1.b); the bit length is "the largest
    bit-length of the inputs to the multiply operation" (1.c); where several bit lengths give
    different values "the highest 'TPP' value should be evaluated", at the "highest value the
    manufacturer claims" (Note 2); dense rates only (Note 3).

    A format without a rate is one for which nothing is claimed. Where no rate of at most 16 bits
    is known, the rates that are known bound the value from below only.

    Args:
        rates_flop_per_s: Dense rate of the whole circuit, lower and upper bound, by number format;
            NaN where nothing is published.
        bits: Bit length of the inputs by number format.

    Returns:
        Lower and upper bound.
    """
    if not rates_flop_per_s:
        return np.zeros(()), np.full((), np.inf)
    pairs = rates_flop_per_s.values()
    low = np.array([least for least, _ in pairs], float)
    scale = np.array([bits[dtype] / TERA for dtype in rates_flop_per_s])
    scale = scale.reshape(-1, *(1,) * (low.ndim - 1))
    counts = [bits[dtype] <= MATRIX_BITS for dtype in rates_flop_per_s]
    if all(least is most for least, most in pairs):
        is_claimed = ~np.isnan(low[counts]).all(axis=0)
        value = np.fmax.reduce(low * scale, axis=0, initial=0.0)
        return value, value if is_claimed.all() else np.where(is_claimed, value, np.inf)
    high = np.array([most for _, most in pairs], float)
    is_open, is_known = np.isnan(high), ~np.isnan(low)
    lowest = np.fmax.reduce(low * scale, axis=0, initial=0.0)
    upper = np.where(is_known & is_open, np.inf, high)
    highest = np.fmax.reduce(upper * scale, axis=0, initial=0.0)
    is_claimed = (is_known | ~is_open)[counts].any(axis=0)
    return lowest, np.where(is_claimed, highest, np.inf)


def performance_density(tpp_bounds: Bounds, area_mm2: Bounds, has_area: ArrayLike = True) -> Bounds:
    """Performance density in TPP per mm².

    "'Performance density' is 'TPP' divided by 'applicable die area' … measured in millimeters
    squared and includes all die area of logic dies manufactured with a process node that uses a
    non-planar transistor architecture" (Note 4).

    Args:
        tpp_bounds: TPP, lower and upper bound.
        area_mm2: Applicable die area, lower and upper bound; 0 and inf where unknown.
        has_area: False where no die is made on a non-planar node: the quotient is not defined
            then, and no density test can be met (0 is returned).

    Returns:
        Lower and upper bound.
    """
    (low_tpp, high_tpp), (low_area, high_area) = tpp_bounds, area_mm2
    if low_tpp is high_tpp and low_area is high_area and has_area is True and np.all(low_area > 0):
        value = low_tpp / low_area
        return value, value
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(np.isinf(high_area), 0.0, low_tpp / high_area)
        high = np.where(low_area > 0, high_tpp / low_area, np.inf)
    return np.where(has_area, low, 0.0), np.where(has_area, high, 0.0)


def io_rate(total: Bounds, links: Bounds, host: Bounds) -> Bounds:
    """Bidirectional transfer rate over all inputs and outputs but volatile memory, bytes/s.

    "an aggregate bidirectional transfer rate over all inputs and outputs of 600 Gbyte/s or more to
    or from integrated circuits other than volatile memories" (3A090.a of 2022).

    Args:
        total: The sum where a source has it; NaN where not.
        links: Scale-up links, both directions; NaN where unknown.
        host: Host interface, both directions; NaN where unknown.

    Returns:
        The stated total; else the sum of links and host where both are known; else the known one
        as a lower bound.
    """
    if total[0] is total[1] and not np.isnan(total[0]).any():
        return total
    low = np.where(np.isnan(total[0]), np.nan_to_num(links[0]) + np.nan_to_num(host[0]), total[0])
    high = np.where(np.isnan(total[1]), links[1] + host[1], total[1])
    return known_or(low, high)


def sum_of(left: Bounds, right: Bounds) -> Bounds:
    """The sum of two intervals."""
    low = left[0] + right[0]
    is_certain = left[0] is left[1] and right[0] is right[1]
    return low, low if is_certain else left[1] + right[1]
