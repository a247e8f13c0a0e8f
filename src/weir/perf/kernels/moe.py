"""Routed experts: two grouped matrix products over the tokens that the router sent to each expert.

Every expert with tokens is a product of its own, cut into tiles: its tokens are rounded up to whole
tiles, and its weights are read once. Experts without tokens cost nothing, so few tokens read few
experts' weights. Most libraries pick the best height of tiles for the call, among those that they
were built with; some take it from the mean number of tokens per expert on the chip, counted as if
all tokens stayed on it (the ladder of 8 to 256 tokens in `computeSelectedTileN` of TensorRT-LLM and
FlashInfer), and then pay for whole tiles however few of their rows are tokens. All tiles of all
experts share the cores in waves: the inner steps of a tile overlap with the stream of weights, its
prologue and epilogue do not. Around the products the router sorts pairs of tokens and experts, and
kernels permute, activate and collect the tokens; they move data as element-wise kernels do.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.perf.kernels.cost import (
    COMPUTE,
    FLOP_PER_MAC,
    LAUNCH,
    MEMORY,
    POWER,
    Cost,
    cost,
    sizes,
)
from weir.perf.kernels.decode import DECODE, DecodeParameters
from weir.perf.kernels.efficiency import (
    Efficiency,
    Silicon,
    overlapped,
    parameter,
    power_roof_s,
    silicon,
    widening,
)
from weir.perf.kernels.elementwise import KERNEL as ELEMENTWISE
from weir.perf.kernels.elementwise import ElementwiseParameters
from weir.perf.kernels.formats import BF16_BYTES, KernelFormat, kernel_format
from weir.perf.kernels.routing import busiest_chip
from weir.perf.kernels.streams import cache_bytes_per_s, missed_share
from weir.perf.machine import Machine, rate

Array = NDArray[np.float64]

KERNEL: Final = "moe_gemm"
# Heights of tiles, in tokens, from which libraries pick the best.
BEST_TILES: Final = (16.0, 32.0, 64.0, 128.0)
# Arithmetic of kernels that widen weights, and what they widen.
WIDE: Final = "bf16"
EIGHT_BITS: Final = "fp8"


@dataclass(frozen=True)
class MoeParameters:
    """What is learned about routed experts.

    Attributes:
        launch_s: All launches of the library's call on an otherwise idle chip.
        launches: Kernels that are launched one by one where there is no such call.
        matrix_efficiency: Share of the dense rate that a full tile reaches at full power.
        memory_efficiency: Share of the memory bandwidth that streaming reaches.
        core_cache_bytes_per_clock: Bytes that a core draws from the last-level cache.
        cache_share: Share of the last-level cache that can hold a pool of weights.
        activation_cache_share: Share of the cache in which activations are found again.
        cache_sharpness: How sharply residency ends when the pool outgrows the cache.
        serial_share: Share of the shorter of matrix and memory time that does not overlap, which
            depends on how the cores are fed.
        energy_j_s2_per_flop: Energy of one operation, and what else the chip draws meanwhile, over
            the square of the clock.
        step_s: Latency of one element of the inner size in a tile's pipeline.
        tile_s: Fixed cost of a tile: prologue and epilogue.
        tile_columns: Columns of a tile.
        least_tile: Lowest tile, in tokens, of a library that picks the best height.
        lowest_tile: Lowest tile, in tokens, of a library that takes the height from the mean number
            of tokens per expert; 0 where it picks the best.
        highest_tile: Highest tile of such a library.
        widens: 1 where the kernel makes 16-bit numbers of 8-bit weights, to multiply them with
            16-bit activations, 0 where it multiplies what it reads.
        every_pair: 1 where the chip computes the pairs of the whole group and drops those of other
            chips' experts, 0 where it computes its own.
        expert_s: Fixed cost of an expert on the chip, with tokens or without.
        router_expert_s: Cost of an expert of the layer in the kernels that sort.
        pair_s: Cost of a pair of a token and an expert, on the chip or not, in the same kernels.
        permute_passes: Passes over the routed activations by the kernels between the products.
        token_passes: Passes over the tokens of the whole group by the kernels that route them and
            collect their results.
        interval_log: Half width of the 80 % interval of the logarithm of the time.
    """

    launch_s: float = parameter("s", 0.0, 2e-4, per="generation format")
    launches: float = parameter("1", 0.0, 100.0, per="fixed generation format")
    matrix_efficiency: float = parameter("1", 0.2, 1.1, per="generation format")
    memory_efficiency: float = parameter("1", 0.2, 1.0, per="generation format")
    core_cache_bytes_per_clock: float = parameter("bytes/clock", 4.0, 1e9)
    cache_share: float = parameter("1", 0.05, 1.5, per="generation")
    cache_sharpness: float = parameter("1", 1.0, 20.0)
    activation_cache_share: float = parameter("1", 0.001, 3.0)
    serial_share: float = parameter("1", 0.0, 1.0, per="generation format")
    energy_j_s2_per_flop: float = parameter("J s2/FLOP", 1e-33, 1e-29, per="generation format")
    step_s: float = parameter("s", 0.0, 2e-8, per="generation format")
    tile_s: float = parameter("s", 0.0, 2e-5, per="generation format")
    tile_columns: float = parameter("1", 16.0, 512.0, per="fixed generation format")
    least_tile: float = parameter("1", 1.0, 256.0, per="fixed generation format")
    lowest_tile: float = parameter("1", 0.0, 256.0, per="fixed generation format")
    highest_tile: float = parameter("1", 16.0, 512.0, per="fixed generation format")
    widens: float = parameter("1", 0.0, 1.0, per="fixed generation format")
    every_pair: float = parameter("1", 0.0, 1.0, per="fixed generation format")
    expert_s: float = parameter("s", 0.0, 1e-5, per="generation format")
    router_expert_s: float = parameter("s", 0.0, 1e-6, per="generation")
    pair_s: float = parameter("s", 0.0, 1e-8, per="generation")
    permute_passes: float = parameter("1", 0.0, 20.0, per="format")
    token_passes: float = parameter("1", 0.0, 40.0, per="format")
    interval_log: float = parameter("1", 0.0, 3.0, per="fixed format")


def moe_gemm(
    machine: Machine,
    eff: Efficiency,
    tokens: ArrayLike,
    hidden: ArrayLike,
    intermediate: ArrayLike,
    experts_local: ArrayLike,
    experts: ArrayLike,
    top_k: ArrayLike,
    *,
    dtype: str,
    skew: ArrayLike = 0.0,
    placed: ArrayLike = 0.0,
    gated: ArrayLike = 1.0,
    weight_pool_bytes: ArrayLike = np.inf,
) -> Cost:
    """All routed experts of one layer on one chip.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        tokens: Tokens that the router of the whole expert-parallel group sees.
        hidden: Width of the tokens.
        intermediate: Inner width of one expert on this chip.
        experts_local: Experts on this chip.
        experts: Experts of the layer.
        top_k: Experts of a token.
        dtype: Kernel format.
        skew: Exponent of the power law of expert loads; 0 for a balanced router.
        placed: 1 where experts are placed, and copied, so that chips have the same load.
        gated: 1 where the first product makes a gate and a value, 0 where it makes one.
        weight_pool_bytes: Weights that are read in turn before these come again. In a model that
            is all other layers, so the default is infinite and weights come from memory.

    Raises:
        InputError: A size is not positive.
        MissingRateError: The chip has no rate for the format.
        UnknownNameError: No such format.
    """
    tokens, hidden, inner, local, experts, top_k, pool = sizes(
        KERNEL, tokens=tokens, hidden=hidden, intermediate=intermediate,
        experts_local=experts_local, experts=experts, top_k=top_k,
        weight_pool_bytes=weight_pool_bytes,
    )  # fmt: skip
    skew, placed, gated = sizes(KERNEL, allow_zero=True, skew=skew, placed=placed, gated=gated)
    width = (1.0 + gated) * inner
    p, chip = eff.of(MoeParameters, KERNEL, machine.generation, dtype), silicon(machine, eff)
    mover = eff.of(ElementwiseParameters, ELEMENTWISE, machine.generation)
    load = busiest_chip(tokens, local, experts, top_k, skew, placed)
    rows = tokens * top_k if p.every_pair else load.rows
    group = _Group(
        load.rows, rows, load.active, _tile_rows(p, tokens * top_k / local),
        missed_share(p, chip, pool),
    )  # fmt: skip
    form = kernel_format(dtype)
    up = _product(machine, eff, p, form, group, width, hidden)
    down = _product(machine, eff, p, form, group, hidden, inner)
    between = p.permute_passes * _pass_s(p, mover, chip, rows * (hidden + width))
    between = between + p.token_passes * _pass_s(p, mover, chip, tokens * hidden)
    groups = p.expert_s * local + p.router_expert_s * experts
    launch = p.launch_s + p.launches * mover.launch_s + groups + p.pair_s * tokens * top_k
    shapes = {
        "tokens": tokens, "hidden": hidden, "intermediate": inner, "experts_local": local,
        "top_k": top_k,
    }  # fmt: skip
    return cost(
        {
            COMPUTE: up.matrix_s + down.matrix_s, MEMORY: up.memory_s + down.memory_s + between,
            LAUNCH: launch, POWER: up.power_s + down.power_s,
        },
        launch + up.busy_s + down.busy_s + between,
        p.interval_log + widening(eff, KERNEL, machine, **shapes),
        hardware_s=up.hardware_s + down.hardware_s,
        flop=up.flop + down.flop,
        memory_bytes=up.memory_bytes + down.memory_bytes,
        groups_s=groups,
    )  # fmt: skip


@dataclass(frozen=True)
class _Group:
    """The products of one call, equal but for what each expert gets.

    Attributes:
        needed: Pairs of a token and an expert of the chip.
        rows: Pairs that the kernel computes.
        active: Experts with at least one.
        heights: Tokens of a tile, one entry for each height that the library may pick.
        missed: Share of the weights that the last-level cache does not hold.
    """

    needed: Array
    rows: Array
    active: Array
    heights: tuple[Array, ...]
    missed: Array


@dataclass(frozen=True)
class _Product:
    """Times and amounts of one grouped product, without its launch."""

    matrix_s: Array
    memory_s: Array
    power_s: Array
    busy_s: Array
    hardware_s: Array
    flop: Array
    memory_bytes: Array


def _tile_rows(p: MoeParameters, mean: Array) -> tuple[Array, ...]:
    """Heights of tiles that the library may pick, given its mean of tokens per expert."""
    if p.lowest_tile:
        next_power_of_two = np.exp2(np.ceil(np.log2(mean)))
        return (np.clip(next_power_of_two, p.lowest_tile, p.highest_tile),)
    return tuple(np.full((), height) for height in BEST_TILES if height >= p.least_tile)


def _pass_s(
    p: MoeParameters, mover: ElementwiseParameters, chip: Silicon, elements: Array
) -> Array:
    """Time of one pass over activations, which the last-level cache holds where they fit."""
    moved = BF16_BYTES * elements
    bandwidth = np.asarray(chip.bandwidth)
    cold = moved / (moved + p.activation_cache_share * np.asarray(chip.cache_bytes))
    streamed = cold / (bandwidth * p.memory_efficiency)
    found = streamed + (1.0 - cold) / cache_bytes_per_s(chip, p.core_cache_bytes_per_clock)
    drawn = np.asarray(chip.cores) * np.asarray(chip.clock_hz) * mover.core_bytes_per_clock
    seconds: Array = moved * np.maximum(found, 1.0 / drawn)
    return seconds


def _product(
    machine: Machine,
    eff: Efficiency,
    p: MoeParameters,
    form: KernelFormat,
    group: _Group,
    n: Array,
    k: Array,
) -> _Product:
    """Products of every expert's tokens with its k x n weights."""
    chip, dense = silicon(machine, eff), np.asarray(rate(machine, form.rate))
    cores, bandwidth = np.asarray(chip.cores), np.asarray(chip.bandwidth)
    runs = KernelFormat(WIDE, form.weight_bytes, BF16_BYTES) if p.widens else form
    fed = np.asarray(rate(machine, runs.rate))
    weights = form.weight_bytes * group.active * n * k
    activations = group.rows * (runs.activation_bytes * k + BF16_BYTES * n)
    streamed = (weights * group.missed + activations) / (bandwidth * p.memory_efficiency)
    stream = np.maximum(
        streamed, (weights + activations) / cache_bytes_per_s(chip, p.core_cache_bytes_per_clock)
    )
    least_s: Array = np.asarray(p.step_s)
    if p.widens:
        # Instructions convert as many bytes in a clock as those of an 8-bit cache.
        converts = eff.of(DecodeParameters, DECODE, machine.generation, EIGHT_BITS)
        widened_per_s = converts.single_bytes_per_clock * np.asarray(chip.clock_hz)
        least_s = np.maximum(least_s, p.tile_columns / widened_per_s)
    steps, edges = _matrix_s(p, group, n, k, cores, fed * p.matrix_efficiency / cores, least_s)
    work = FLOP_PER_MAC * group.rows * n * k
    power = power_roof_s(
        eff, KERNEL, machine, chip, work, energy=p.energy_j_s2_per_flop, idle_share=0.0,
        peak_s=work / fed,
    )  # fmt: skip
    flop = FLOP_PER_MAC * group.needed * n * k
    moved = weights + group.needed * (form.activation_bytes * k + BF16_BYTES * n)
    return _Product(
        matrix_s=steps + edges,
        memory_s=stream,
        power_s=power,
        busy_s=np.maximum(overlapped(steps, stream, p.serial_share) + edges, power),
        hardware_s=np.maximum(flop / dense, moved / bandwidth),
        flop=flop,
        memory_bytes=moved,
    )


def _matrix_s(
    p: MoeParameters,
    group: _Group,
    n: Array,
    k: Array,
    cores: Array,
    core_flop_per_s: Array,
    least_s: Array,
) -> tuple[Array, Array]:
    """Time of the waves of tiles of all experts, of the best height: inner steps, and edges."""
    columns = np.ceil(n / p.tile_columns) * group.active
    each = group.rows / group.active
    steps: Array = np.full((), np.inf)
    edges: Array = np.full((), np.inf)
    for height in group.heights:
        step_s = np.maximum(FLOP_PER_MAC * p.tile_columns * height / core_flop_per_s, least_s)
        waves = np.ceil(np.ceil(each / height) * columns / cores)
        better = waves * (k * step_s + p.tile_s) < steps + edges
        steps = np.where(better, waves * k * step_s, steps)
        edges = np.where(better, waves * p.tile_s, edges)
    return steps, edges
