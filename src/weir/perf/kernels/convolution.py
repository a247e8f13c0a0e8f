"""Short causal convolution over time, channel by channel, before linear attention and Mamba-2.

A prompt is worked on by one block of threads for each channel of each sequence, so short prompts of
many sequences cost blocks, not bytes. In decoding the last inputs of every channel are read and
written with the new one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.perf.kernels.cost import COMPUTE, FLOP_PER_MAC, LAUNCH, MEMORY, Cost, cost, sizes
from weir.perf.kernels.efficiency import Efficiency, overlapped, parameter, silicon, widening
from weir.perf.kernels.formats import BF16_BYTES
from weir.perf.kernels.streams import StreamParameters, stream_s
from weir.perf.machine import Machine

Array = NDArray[np.float64]

PREFILL: Final = "convolution_prefill"
DECODE: Final = "convolution_decode"


@dataclass(frozen=True)
class ConvolutionParameters(StreamParameters):
    """What is learned about short convolutions of single tokens.

    Attributes:
        block_s: Fixed cost, on one core, of one channel of one sequence.
    """

    block_s: float = parameter("s", 0.0, 1e-5, per="generation")


@dataclass(frozen=True)
class PromptConvolutionParameters(ConvolutionParameters):
    """What is learned about short convolutions of prompts.

    Attributes:
        core_bytes_per_clock: Bytes that a core moves while it convolves.
    """

    core_bytes_per_clock: float = parameter("bytes/clock", 1.0, 1e9, per="generation")


def convolution_prefill(
    machine: Machine,
    eff: Efficiency,
    batch: ArrayLike,
    tokens: ArrayLike,
    channels: ArrayLike,
    width: ArrayLike,
) -> Cost:
    """Convolution of new tokens.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        batch: Sequences.
        tokens: New tokens of each.
        channels: Channels on this chip.
        width: Taps of the convolution.

    Raises:
        InputError: A size is not positive.
    """
    batch, tokens, channels, width = sizes(
        PREFILL, batch=batch, tokens=tokens, channels=channels, width=width
    )
    # Inputs are read and results written; the last inputs are kept for decoding.
    moved = batch * channels * (2.0 * tokens + (width - 1.0)) * BF16_BYTES
    flop = FLOP_PER_MAC * batch * tokens * channels * width
    shapes = {"batch": batch, "tokens": tokens, "channels": channels}
    p = eff.of(PromptConvolutionParameters, PREFILL, machine.generation)
    chip = silicon(machine, eff)
    rate = p.core_bytes_per_clock * np.asarray(chip.clock_hz)
    busy = (batch * channels * p.block_s + moved / rate) / np.asarray(chip.cores)
    memory = stream_s(p, chip, moved, moved)
    return _cost(machine, eff, p, PREFILL, busy, memory, moved, flop, shapes)


def convolution_decode(
    machine: Machine,
    eff: Efficiency,
    batch: ArrayLike,
    channels: ArrayLike,
    width: ArrayLike,
    *,
    cache_pool_bytes: ArrayLike = np.inf,
) -> Cost:
    """Convolution of one new token of each sequence with the inputs before it.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        batch: New tokens, of one sequence or of several.
        channels: Channels on this chip.
        width: Taps of the convolution.
        cache_pool_bytes: Bytes touched before the same inputs are; infinite in a model.

    Raises:
        InputError: A size is not positive.
    """
    batch, channels, width, pool = sizes(
        DECODE, batch=batch, channels=channels, width=width, cache_pool_bytes=cache_pool_bytes
    )
    # Of each channel one input and one result, and the inputs before it read and written back.
    moved = 2.0 * batch * channels * width * BF16_BYTES
    flop = FLOP_PER_MAC * batch * channels * width
    shapes = {"batch": batch, "channels": channels}
    p = eff.of(ConvolutionParameters, DECODE, machine.generation)
    chip = silicon(machine, eff)
    busy = batch * channels * p.block_s / np.asarray(chip.cores)
    memory = stream_s(p, chip, moved, np.maximum(pool, moved))
    return _cost(machine, eff, p, DECODE, busy, memory, moved, flop, shapes)


def _cost(
    machine: Machine,
    eff: Efficiency,
    p: ConvolutionParameters,
    kernel: str,
    busy: Array,
    memory: Array,
    moved: Array,
    flop: Array,
    shapes: dict[str, Array],
) -> Cost:
    return cost(
        {COMPUTE: busy, MEMORY: memory, LAUNCH: p.launch_s},
        p.launch_s + overlapped(busy, memory, p.serial_share),
        p.interval_log + widening(eff, kernel, machine, **shapes),
        hardware_s=moved / np.asarray(machine.memory_bandwidth_bytes_per_s),
        flop=flop,
        memory_bytes=moved,
    )
