"""Energy and money: from the use of a chip's arithmetic and memory to joules and dollars."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.catalog.stack import Economics, Ownership, Power
from weir.core.units import KILO, MEGA, SECONDS_PER_DAY, SECONDS_PER_HOUR

Array = NDArray[np.float64]
DAYS_PER_YEAR = 365.25


def chip_power_w(
    power: Power, tdp_w: ArrayLike, compute_use: ArrayLike, memory_use: ArrayLike
) -> Array:
    """Power of a chip at load.

    Args:
        power: Shares of the thermal design power.
        tdp_w: Thermal design power; NaN where unknown, and then the result is NaN.
        compute_use: Arithmetic per second over the dense rate in use, 0 to 1.
        memory_use: Memory traffic per second over the bandwidth, 0 to 1.
    """
    share = (
        power.idle_share
        + power.compute_share * np.asarray(compute_use, dtype=np.float64)
        + power.memory_share * np.asarray(memory_use, dtype=np.float64)
    )
    return np.asarray(tdp_w, dtype=np.float64) * np.minimum(share, 1.0)


def facility_power_w(economics: Economics, chip_w: ArrayLike, tdp_w: ArrayLike) -> Array:
    """Power at the meter for one chip: the chip, its share of the host, and the building."""
    host = economics.host.share_of_chip_power * np.asarray(tdp_w, dtype=np.float64)
    return (np.asarray(chip_w, dtype=np.float64) + host) * economics.facility.pue


@dataclass(frozen=True, slots=True)
class HourlyPrice:
    """What an hour of one chip costs, and how that was found.

    Attributes:
        usd_per_hour: The price; NaN where neither an offer nor a price is known.
        includes_energy: A rental price already holds electricity.
        basis: The sentence that says so.
    """

    usd_per_hour: float
    includes_energy: bool
    basis: str


def ownership_usd_per_hour(ownership: Ownership, price_usd: float) -> float:
    """Straight-line hourly cost of a chip that was bought, without electricity."""
    hours = ownership.years * DAYS_PER_YEAR * SECONDS_PER_DAY / SECONDS_PER_HOUR
    return price_usd * (1.0 + ownership.surcharge) / (hours * ownership.hours_in_use)


def electricity_usd_per_hour(economics: Economics, facility_w: ArrayLike) -> Array:
    """Electricity of one chip for one hour."""
    rate = economics.facility.electricity_usd_per_kwh
    return np.asarray(facility_w, dtype=np.float64) / KILO * rate


def usd_per_million_tokens(usd_per_chip_hour: ArrayLike, tokens_per_s_per_chip: ArrayLike) -> Array:
    """Cost of a million tokens.

    Args:
        usd_per_chip_hour: All-in hourly cost of one chip.
        tokens_per_s_per_chip: Tokens that count, per second and chip.
    """
    with np.errstate(divide="ignore"):
        seconds = MEGA / np.asarray(tokens_per_s_per_chip, dtype=np.float64)
    return np.asarray(usd_per_chip_hour, dtype=np.float64) * seconds / SECONDS_PER_HOUR
