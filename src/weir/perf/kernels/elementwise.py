"""Kernels that only move data: norms, activations, rotation, conversion, sampling."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from weir.perf.kernels.cost import LAUNCH, MEMORY, Cost, cost, sizes
from weir.perf.kernels.efficiency import Efficiency, parameter, silicon, widening
from weir.perf.kernels.streams import missed_share
from weir.perf.machine import Machine

KERNEL: Final = "elementwise"


@dataclass(frozen=True)
class ElementwiseParameters:
    """What is learned about kernels that only move data.

    Attributes:
        launch_s: From one kernel to the next.
        memory_efficiency: Share of the memory bandwidth that streaming reaches.
        core_bytes_per_clock: Bytes that a core moves in a clock, wherever they come from.
        cache_share: Share of the last-level cache in which operands are found again.
        cache_sharpness: How sharply residency ends when operands outgrow the cache.
        interval_log: Half width of the 80 % interval of the logarithm of the time.
    """

    launch_s: float = parameter("s", 0.0, 1e-4, per="generation")
    memory_efficiency: float = parameter("1", 0.1, 1.0)
    core_bytes_per_clock: float = parameter("bytes/clock", 1.0, 1e9)
    cache_share: float = parameter("1", 0.01, 1.5, per="generation")
    cache_sharpness: float = parameter("1", 1.0, 10.0)
    interval_log: float = parameter("1", 0.0, 3.0, per="fixed format")


def elementwise(
    machine: Machine, eff: Efficiency, bytes_read: ArrayLike, bytes_written: ArrayLike
) -> Cost:
    """One kernel that reads and writes so many bytes.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        bytes_read: Bytes read.
        bytes_written: Bytes written.

    Raises:
        InputError: A size is negative.
    """
    read, written = sizes(
        KERNEL, allow_zero=True, bytes_read=bytes_read, bytes_written=bytes_written
    )
    p = eff.of(ElementwiseParameters, KERNEL, machine.generation)
    chip = silicon(machine, eff)
    moved = read + written
    missed = missed_share(p, chip, moved)
    drawn = moved / (np.asarray(chip.cores) * np.asarray(chip.clock_hz) * p.core_bytes_per_clock)
    streamed = moved * missed / (np.asarray(chip.bandwidth) * p.memory_efficiency)
    memory = np.maximum(drawn, streamed)
    return cost(
        {MEMORY: memory, LAUNCH: p.launch_s},
        p.launch_s + memory,
        p.interval_log + widening(eff, KERNEL, machine),
        hardware_s=moved / chip.bandwidth,
        memory_bytes=moved,
    )
