"""The hardware columns that the kernel model reads: datasheet facts in SI, nothing learned."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.core.errors import MissingRateError

Column = float | NDArray[np.float64]

# Formats that run in the same arithmetic on every chip that publishes only one of the two rates.
_TWINS: Final = {"bf16": "fp16", "fp16": "bf16"}


@dataclass(frozen=True)
class Machine:
    """One chip, or an array of chips, as its datasheet describes it.

    Every number is a float or an array; arrays broadcast against the shapes of the operators, so
    one call prices one operator on a whole space of designs. Unknown is NaN. The memory bandwidth
    and the rate of the format in use are indispensable; what stands in for each other unknown is
    stated in `weir.perf.kernels.efficiency.Assumed`, and widens the interval of every estimate.

    Attributes:
        name: What to call it in messages.
        generation: Which learned traits apply, such as "hopper"; "generic" if none is known.
        dense_flop_per_s: Published dense rates by number format ("bf16", "fp8", "int8", …).
        memory_capacity_bytes: Device memory.
        memory_bandwidth_bytes_per_s: Published memory bandwidth.
        memory_type: "HBM3e", "GDDR6", …
        cores: Cores that take one tile of a matrix product each (SM, CU, AI core).
        boost_clock_hz: Highest sustained clock of the datasheet.
        last_level_cache_bytes: Cache shared by all cores.
        shared_memory_per_core_bytes: Scratchpad of one core.
        tdp_w: Board or module power limit.
        scale_up_bytes_per_s_per_direction: Link rate of one chip inside its scale-up domain, one
            direction; 0 without such links.
        scale_up_domain: Chips that reach each other over scale-up links; 1 without.
        scale_out_bytes_per_s_per_direction: Network rate of one chip, one direction.
        pcie_bytes_per_s_per_direction: Host link, one direction.
        rate_spread_log: Half the span of ln(rate) where of a dense rate only bounds are known; it
            widens the interval of every estimate.
    """

    name: str
    generation: str
    dense_flop_per_s: Mapping[str, Column]
    memory_capacity_bytes: Column
    memory_bandwidth_bytes_per_s: Column
    memory_type: str = ""
    cores: Column = float("nan")
    boost_clock_hz: Column = float("nan")
    last_level_cache_bytes: Column = float("nan")
    shared_memory_per_core_bytes: Column = float("nan")
    tdp_w: Column = float("nan")
    scale_up_bytes_per_s_per_direction: Column = float("nan")
    scale_up_domain: Column = float("nan")
    scale_out_bytes_per_s_per_direction: Column = float("nan")
    pcie_bytes_per_s_per_direction: Column = float("nan")
    rate_spread_log: Column = 0.0

    @property
    def unknown(self) -> tuple[str, ...]:
        """The numeric columns that hold an unknown value, in order of declaration."""
        numeric = [item.name for item in fields(self)[3:] if item.name != "memory_type"]
        return tuple(name for name in numeric if bool(np.any(np.isnan(getattr(self, name)))))


def rate(machine: Machine, dtype: str) -> Column:
    """Published dense rate of a number format, FLOP/s.

    BF16 and FP16 stand in for each other, because every chip that has both runs them at one rate.

    Raises:
        MissingRateError: The chip publishes no rate for the format.
    """
    rates = machine.dense_flop_per_s
    for name in (dtype, _TWINS.get(dtype, dtype)):
        value = rates.get(name)
        if value is not None and not bool(np.any(np.isnan(value))):
            return value
    known = ", ".join(sorted(name for name, value in rates.items() if not np.all(np.isnan(value))))
    raise MissingRateError(
        f"{machine.name} has no published dense rate for {dtype}; it has {known or 'none at all'}. "
        "Use one of those formats, or add the rate to the chip's record if a source states it."
    )


def known(value: Column, otherwise: float) -> Column:
    """A column with what is assumed in the place of every unknown value."""
    if isinstance(value, np.ndarray):
        return np.where(np.isnan(value), otherwise, value)
    return otherwise if np.isnan(value) else value


def unknown_share(*columns: ArrayLike) -> Column:
    """How many of the given columns are unknown, element by element."""
    total: Column = 0.0
    for column in columns:
        total = total + np.isnan(np.asarray(column, dtype=np.float64)).astype(np.float64)
    return total
