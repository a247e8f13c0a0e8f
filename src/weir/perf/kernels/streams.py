"""Operands that pass through the memory or, where they are few, through the last-level cache."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from weir.perf.kernels.efficiency import Silicon, parameter

Array = NDArray[np.float64]


@dataclass(frozen=True)
class StreamParameters:
    """What is learned about kernels that stream their operands.

    Attributes:
        launch_s: From the first kernel of a call to the next call on an otherwise idle chip.
        memory_efficiency: Share of the memory bandwidth that streaming reaches.
        cache_speedup: Bandwidth of the last-level cache over that of the memory.
        cache_share: Share of the last-level cache in which operands are found again.
        cache_sharpness: How sharply residency ends when operands outgrow the cache.
        serial_share: Share of the shorter of core and memory time that does not overlap.
        interval_log: Half width of the 80 % interval of the logarithm of the time.
    """

    launch_s: float = parameter("s", 0.0, 1e-3, per="generation format")
    memory_efficiency: float = parameter("1", 0.1, 1.0)
    cache_speedup: float = parameter("1", 1.0, 20.0)
    cache_share: float = parameter("1", 0.01, 2.0, per="generation")
    cache_sharpness: float = parameter("1", 1.0, 10.0, per="fixed")
    serial_share: float = parameter("1", 0.0, 1.0)
    interval_log: float = parameter("1", 0.0, 3.0, per="fixed format")


class Resident(Protocol):
    """Parameters of what stays in the last-level cache."""

    @property
    def cache_share(self) -> float: ...  # noqa: D102 - the fields of the parameter classes
    @property
    def cache_sharpness(self) -> float: ...  # noqa: D102


class Streaming(Resident, Protocol):
    """Parameters of what is streamed from memory through the last-level cache."""

    @property
    def memory_efficiency(self) -> float: ...  # noqa: D102
    @property
    def cache_speedup(self) -> float: ...  # noqa: D102


def missed_share(p: Resident, chip: Silicon, footprint: Array) -> Array:
    """Share of operands that the last-level cache does not hold already.

    Args:
        p: Parameters of the kernel.
        chip: The chip.
        footprint: Bytes touched before the same are touched again; infinite for none.
    """
    room = p.cache_share * np.asarray(chip.cache_bytes)
    missed: Array = 1.0 - 1.0 / (1.0 + np.power(footprint / room, p.cache_sharpness))
    return missed


def cache_bytes_per_s(chip: Silicon, bytes_per_clock: float) -> Array:
    """Bandwidth of the last-level cache to all cores, which is not below that of the memory.

    Args:
        chip: The chip.
        bytes_per_clock: What each core gets of it.
    """
    drawn = np.asarray(chip.cores) * np.asarray(chip.clock_hz) * bytes_per_clock
    found: Array = np.maximum(drawn, np.asarray(chip.bandwidth))
    return found


def stream_s(p: Streaming, chip: Silicon, moved: Array, footprint: Array) -> Array:
    """Time to move bytes of which those that fit into the last-level cache come from there.

    Args:
        p: Parameters of the kernel.
        chip: The chip.
        moved: Bytes to move.
        footprint: Bytes touched before the same are touched again; infinite for none.
    """
    missed = missed_share(p, chip, footprint)
    bandwidth = np.asarray(chip.bandwidth)
    seconds: Array = moved * (
        missed / (bandwidth * p.memory_efficiency) + (1.0 - missed) / (bandwidth * p.cache_speedup)
    )
    return seconds
