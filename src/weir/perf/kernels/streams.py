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


class Streaming(Protocol):
    """Parameters of what is streamed from memory through the last-level cache."""

    @property
    def memory_efficiency(self) -> float: ...  # noqa: D102 - the fields of the parameter classes
    @property
    def cache_speedup(self) -> float: ...  # noqa: D102
    @property
    def cache_share(self) -> float: ...  # noqa: D102
    @property
    def cache_sharpness(self) -> float: ...  # noqa: D102


def stream_s(p: Streaming, chip: Silicon, moved: Array, footprint: Array) -> Array:
    """Time to move bytes of which those that fit into the last-level cache come from there.

    Args:
        p: Parameters of the kernel.
        chip: The chip.
        moved: Bytes to move.
        footprint: Bytes touched before the same are touched again; infinite for none.
    """
    room = p.cache_share * np.asarray(chip.cache_bytes)
    missed = 1.0 - 1.0 / (1.0 + np.power(footprint / room, p.cache_sharpness))
    bandwidth = np.asarray(chip.bandwidth)
    seconds: Array = moved * (
        missed / (bandwidth * p.memory_efficiency) + (1.0 - missed) / (bandwidth * p.cache_speedup)
    )
    return seconds
