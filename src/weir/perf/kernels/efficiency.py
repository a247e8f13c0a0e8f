"""Learned parameters of the kernel model: what each means, its unit, its bounds, and its value.

A kernel declares its parameters as a frozen dataclass whose fields are made by `parameter`. Values
live in `data/calibration/kernels.toml`, never here. A value is shared by all chips, or belongs to
a generation of chips (how their matrix units are fed), or to a number format, or to both. A chip
itself contributes nothing but its datasheet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.catalog.calibration import Efficiency
from weir.core.errors import InputError
from weir.perf.machine import Column, Machine, known, unknown_share

Array = NDArray[np.float64]

# The table of matrix products, which teaches what share of their rate chips sustain.
PRODUCTS: Final = "gemm"
# Power goes with this power of the clock, see `throttled`.
_CLOCKS_OF_POWER: Final = 3.0


def parameter(unit: str, low: float, high: float, per: str = "") -> float:
    """A field of a parameter class: its unit, its bounds and what may have a value of its own.

    Args:
        unit: SI unit; "1" for a plain number.
        low: Smallest value that means anything.
        high: Largest.
        per: Words among "generation" (a value for each trait set), "format" (a value for each
            number format), "fixed" (set by hand, not fitted) and "once" (a time that passes once a
            call or a tile, so a format adds to it; all else a format multiplies); empty for one
            value for all.
    """
    # What dataclasses make of it is a number; typing it so spares every class a cast.
    made: float = field(metadata={"unit": unit, "low": low, "high": high, "per": per.split()})
    return made


@dataclass(frozen=True)
class Silicon:
    """The columns of a machine with assumptions in the place of unknown facts.

    Attributes:
        cores: Cores.
        clock_hz: Clock.
        cache_bytes: Last-level cache.
        bandwidth: Memory bandwidth, bytes/s.
        tdp_w: Power limit; infinite where unknown, so that no power roof is drawn.
        pace: The clock that stands in for unknown ones over the chip's. Latencies that are counted
            in clocks are learned at that clock and scale with the pace.
    """

    cores: Column
    clock_hz: Column
    cache_bytes: Column
    bandwidth: Column
    tdp_w: Column
    pace: Column


def silicon(machine: Machine, efficiency: Efficiency) -> Silicon:
    """The columns the kernels use.

    Raises:
        InputError: The memory bandwidth is unknown.
    """
    if np.any(np.isnan(machine.memory_bandwidth_bytes_per_s)):
        raise InputError(
            f"{machine.name}: the memory bandwidth is unknown, so no kernel time can be estimated."
        )
    assumed = efficiency.assumed
    clock_hz = known(machine.boost_clock_hz, assumed.boost_clock_hz)
    return Silicon(
        cores=known(machine.cores, assumed.cores),
        clock_hz=clock_hz,
        cache_bytes=known(machine.last_level_cache_bytes, assumed.last_level_cache_bytes),
        bandwidth=machine.memory_bandwidth_bytes_per_s,
        tdp_w=known(machine.tdp_w, np.inf),
        pace=assumed.boost_clock_hz / clock_hz,
    )


def widening(
    efficiency: Efficiency, kernel: str, machine: Machine, dtype: str = "", /, **arguments: Array
) -> Column:
    """What to add to the interval of a kernel for what its calibration never saw.

    What a foreign generation and unknown facts add is independent of the spread that the kernel has
    anyway, so their squares add.

    Args:
        efficiency: Learned parameters.
        kernel: Key of its tables.
        machine: The chip: its generation may be foreign, its facts unknown.
        dtype: Kernel format, in which a known generation may run kernels that were not measured.
        arguments: Shapes by the names that calibration saw them under; they may lie outside.
    """
    shared, further = efficiency.tables[kernel].shared, efficiency.kin_interval_log
    squares = efficiency.assumed.interval_log**2 * unknown_share(
        machine.cores, machine.boost_clock_hz, machine.last_level_cache_bytes
    )
    squares = squares + np.square(machine.rate_spread_log)
    kin = 0.0
    traits = efficiency.traits(kernel, machine.generation)
    is_known = traits in (machine.generation, efficiency.kin_energy.get(machine.generation))
    if not is_known or efficiency.has_own_kernels(kernel, machine.generation, dtype):
        squares = squares + shared.get("foreign_interval_log", further["kin"]) ** 2
        kin = further.get(traits, 0.0)
    own = shared["interval_log"]
    return np.sqrt(own**2 + squares) - own + kin + _beyond(efficiency, kernel, arguments)


def _beyond(efficiency: Efficiency, kernel: str, arguments: Mapping[str, Array]) -> Column:
    """Widening for shapes outside those that were fitted, by doublings."""
    total: Column = 0.0
    for name, (low, high) in efficiency.tables[kernel].seen.items():
        value = arguments.get(name)
        if value is None or not value.size or (value.min() >= low and value.max() <= high):
            continue
        distance = np.log2(np.maximum(value, np.finfo(np.float64).tiny) / np.clip(value, low, high))
        total = total + np.abs(distance)
    return np.minimum(total * efficiency.assumed.beyond_log, efficiency.assumed.beyond_most_log)


def power_s(chip: Silicon, flop: Array, energy: float, idle_share: float) -> Array:
    """Time over which the power limit feeds the energy of some arithmetic at the full clock.

    The energy of an operation goes with the square of the supply voltage, and the voltage with the
    clock, so it is kept per square of the clock.

    Args:
        chip: The chip.
        flop: Operations.
        energy: Energy of one operation over the square of the clock.
        idle_share: Share of the power limit spent without arithmetic.
    """
    budget = np.asarray(chip.tdp_w) * (1.0 - idle_share)
    seconds: Array = flop * energy * np.square(np.asarray(chip.clock_hz)) / budget
    return seconds


def power_roof_s(
    efficiency: Efficiency,
    kernel: str,
    machine: Machine,
    chip: Silicon,
    flop: Array,
    *,
    energy: float,
    idle_share: float,
    peak_s: Array,
) -> Array:
    """`power_s` of products, also of a process that no calibration chip was made in.

    Of such a process the energy of the nearest known one, and the share of their rate that known
    chips sustain under their limits, are two guesses at one roof; it is their geometric mean.

    Args:
        efficiency: Learned parameters.
        kernel: Key of the kernel's table, whose traits serve the chip.
        machine: The chip or chips.
        chip: Its columns.
        flop: Operations.
        energy: Energy of one operation over the square of the clock.
        idle_share: Share of the power limit spent without arithmetic.
        peak_s: Time of the operations at the dense rate.
    """
    fed = power_s(chip, flop, energy, idle_share)
    if not efficiency.is_foreign(kernel, machine.generation):
        return fed
    sustained = efficiency.tables[PRODUCTS].shared["sustained_share"]
    guess: Array = np.sqrt(np.maximum(fed, peak_s) * peak_s / sustained**_CLOCKS_OF_POWER)
    return guess


def throttled(busy_s: Array, power_s: Array) -> Array:
    """Time of work whose clock falls until its power meets the limit.

    Power is energy per operation, which goes with the square of the clock, times operations a
    second, which go with the clock; so it falls with the third power of the clock, and work that
    would draw x times the limit takes the cube root of x longer.

    Args:
        busy_s: Time at the full clock.
        power_s: Time over which the limit feeds the energy that the work takes at the full clock.
    """
    excess = np.maximum(power_s / busy_s, 1.0)
    slowed: Array = busy_s * np.cbrt(excess)
    return slowed


def overlapped(first: Array, second: Array, serial: float) -> Array:
    """Time of two activities that overlap except for a share of the shorter one."""
    longer: Array = np.maximum(first, second)
    shorter: Array = np.minimum(first, second)
    return longer + serial * shorter


__all__ = [
    "Efficiency",
    "Silicon",
    "overlapped",
    "parameter",
    "power_roof_s",
    "power_s",
    "silicon",
    "throttled",
    "widening",
]
