"""Prefill attention over keys and values: multi-head, grouped-query and multi-query.

It is a matrix product of query tiles with the keys each may see, and an exponential for every pair
of query and key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from weir.perf.kernels.efficiency import (
    Efficiency,
    Silicon,
    overlapped,
    parameter,
    power_s,
    silicon,
    throttled,
    widening,
)
from weir.perf.kernels.formats import BF16_BYTES, cache_bytes, kernel_format
from weir.perf.kernels.gemm import KERNEL as GEMM
from weir.perf.kernels.gemm import GemmParameters
from weir.perf.kernels.streams import stream_s
from weir.perf.machine import Machine, rate

Array = NDArray[np.float64]

PREFILL: Final = "attention_prefill"
# Keys that one step of a tile takes.
KEY_STEP: Final = 128.0
# Scores and weighted values are one matrix product each.
PRODUCTS: Final = 2.0
# Keys and values.
KEYS_AND_VALUES: Final = 2.0
# Where waits of a step are learned, and the columns of keys and values of a step there: the whole
# latent and half of its rank.
STEPS_OF: Final = "mla_decode"
STEPS_IN: Final = "bf16"
STEP_COLUMNS: Final = 832.0


@dataclass(frozen=True)
class PrefillParameters:
    """What is learned about prefill attention.

    Attributes:
        launch_s: Fixed time of a call, with the kernels around it.
        sequence_s: Added per sequence of the batch: planning of ragged batches.
        matrix_efficiency: Share of the dense rate that a long tile reaches.
        wide_head_share: Share of that and of the exponentials that is left where heads are as wide
            as `wide_head_dim`, since sums of that width fill the registers.
        wide_head_dim: Width of heads from which it is.
        exponentials_per_clock: Exponentials a core computes beside the matrix unit.
        memory_efficiency: Share of the memory bandwidth that streaming reaches.
        core_bytes_per_clock: Rate at which a core fetches queries and writes results of its tiles.
        tile_s: Fixed cost of a query tile.
        edge_s: Added where keys also begin inside a step, at a window.
        step_s: Latency of one step of a tile over keys.
        tail_share: Share of the longest tile that the balance over cores leaves exposed.
        serial_share: Share of the shorter of arithmetic and memory time that does not overlap.
        write_passes: Passes over queries, keys and values by the kernels around: rotation, cache
            write, conversion.
        cache_speedup: Bandwidth of the last-level cache over that of the memory.
        cache_share: Share of the last-level cache in which operands are found again.
        cache_sharpness: How sharply residency ends when operands outgrow the cache.
        query_tile: Rows of queries that one tile holds.
        row_granule: Rows that one matrix instruction takes: fewer queries leave whole ones out.
        pads_heads: 1 where heads are multiplied as wide as the next power of two, 0 where not.
        narrow_head_dim: Width of heads up to which tiles are so large that their sums overflow the
            registers; 0 for none.
        narrow_head_share: Share of the rates that is left there.
        narrow_query_tile: Rows of queries that one tile holds there, all of them worked on.
        stepwise_head_dim: Width of heads from which a kernel with one block a core walks the keys
            step by step, if the width is a power of two and there is no window.
        interval_log: Half width of the 80 % interval of the logarithm of the time.
    """

    launch_s: float = parameter("s", 0.0, 1e-3, per="generation format")
    sequence_s: float = parameter("s", 0.0, 1e-5, per="generation format")
    matrix_efficiency: float = parameter("1", 0.1, 1.2, per="generation format")
    wide_head_share: float = parameter("1", 0.1, 1.5, per="generation format")
    wide_head_dim: float = parameter("1", 64.0, 1024.0, per="fixed")
    exponentials_per_clock: float = parameter("1/clock", 0.5, 1e9, per="generation fixed")
    memory_efficiency: float = parameter("1", 0.6, 1.0)
    core_bytes_per_clock: float = parameter("bytes/clock", 0.5, 1e9, per="generation format")
    tile_s: float = parameter("s", 0.0, 1e-4, per="generation format")
    edge_s: float = parameter("s", 0.0, 1e-4, per="generation format")
    step_s: float = parameter("s", 0.0, 1e-4, per="generation format")
    tail_share: float = parameter("1", 0.0, 2.0)
    serial_share: float = parameter("1", 0.0, 1.0)
    write_passes: float = parameter("1", 0.0, 10.0, per="generation format")
    cache_speedup: float = parameter("1", 1.0, 20.0)
    cache_share: float = parameter("1", 0.01, 1.5, per="generation")
    cache_sharpness: float = parameter("1", 1.0, 10.0)
    query_tile: float = parameter("1", 16.0, 512.0, per="generation fixed")
    row_granule: float = parameter("1", 1.0, 512.0, per="generation fixed")
    pads_heads: float = parameter("1", 0.0, 1.0, per="generation fixed")
    narrow_head_dim: float = parameter("1", 0.0, 1024.0, per="generation fixed format")
    narrow_head_share: float = parameter("1", 0.02, 1.5, per="generation format")
    narrow_query_tile: float = parameter("1", 16.0, 512.0, per="generation fixed")
    stepwise_head_dim: float = parameter("1", 1.0, 1e9, per="generation fixed format")
    interval_log: float = parameter("1", 0.0, 3.0, per="fixed format")


def attention_prefill(
    machine: Machine,
    eff: Efficiency,
    batch: ArrayLike,
    q_tokens: ArrayLike,
    kv_tokens: ArrayLike,
    heads: ArrayLike,
    kv_heads: ArrayLike,
    head_dim: ArrayLike,
    *,
    dtype: str = "bf16",
    kv_dtype: str = "bf16",
    window: ArrayLike = 0.0,
) -> Cost:
    """Causal attention of new tokens to themselves and to what is cached.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        batch: Sequences.
        q_tokens: New tokens of each.
        kv_tokens: Tokens each may attend to at its end, new ones included.
        heads: Query heads on this chip.
        kv_heads: Key heads on this chip.
        head_dim: Size of a head.
        dtype: Format of the arithmetic, "bf16" or "fp8".
        kv_dtype: Format of the cache.
        window: Sliding window in tokens; 0 for none.

    Raises:
        InputError: A size is not positive.
        MissingRateError: The chip has no rate for the format.
        UnknownNameError: No such format.
    """
    batch, q, kv, heads, kv_heads, dim = sizes(
        PREFILL, batch=batch, q_tokens=q_tokens, kv_tokens=kv_tokens, heads=heads,
        kv_heads=kv_heads, head_dim=head_dim,
    )  # fmt: skip
    (window,) = sizes(PREFILL, allow_zero=True, window=window)
    kv = np.maximum(kv, q)
    p = eff.of(PrefillParameters, PREFILL, machine.generation, f"{dtype}-{kv_dtype}")
    queries = batch * q * heads * dim * BF16_BYTES
    cache = KEYS_AND_VALUES * batch * kv * kv_heads * dim * cache_bytes(kv_dtype)
    tiling = tiling_of(p, dim)
    if p.stepwise_head_dim <= np.max(dim):
        causal = (window <= 0.0) | (kv <= window)
        stepwise = (dim >= p.stepwise_head_dim) & (tiling.padding == 1.0) & causal
        tiling = replace(tiling, columns=KEYS_AND_VALUES * dim, stepwise=stepwise)
    prompt = Prompt(
        heads=batch * heads, q=q, kv=kv, window=window, tiling=tiling,
        pair_flop=PRODUCTS * FLOP_PER_MAC * dim,
        passed_bytes=queries + cache, moved_bytes=KEYS_AND_VALUES * queries + cache,
    )  # fmt: skip
    shapes = {"batch": batch, "q_tokens": q, "kv_tokens": kv, "heads": heads, "head_dim": dim}
    walks = bool(np.any(tiling.stepwise))
    steps = eff.of(Steps, STEPS_OF, machine.generation, STEPS_IN) if walks else None
    return prefill_cost(machine, eff, p, PREFILL, prompt, dtype, shapes, steps)


@dataclass(frozen=True)
class Tiling:
    """How heads of some width are cut into tiles of queries.

    Attributes:
        tile: Rows of queries that one tile holds.
        granule: Rows that one matrix instruction takes.
        slowed: Share of the rates that the width of heads leaves.
        padding: Width of a head as it is multiplied over its size.
        columns: Columns of keys and values together.
        stepwise: Whether a kernel walks the keys step by step, one block a core.
    """

    tile: Array | float
    granule: Array | float
    slowed: Array | float = 1.0
    padding: Array | float = 1.0
    columns: Array | float = 0.0
    stepwise: NDArray[np.bool_] | bool = False


def tiling_of(p: PrefillParameters, dim: Array) -> Tiling:
    """The tiles of heads of some width.

    Args:
        p: Parameters of the kernel.
        dim: Size of a head.
    """
    wide = np.exp2(np.ceil(np.log2(dim)))
    tile, granule = p.query_tile, p.row_granule
    slowed: Array = np.where(dim >= p.wide_head_dim, p.wide_head_share, 1.0)
    found = Tiling(tile, granule, slowed, padding=np.power(wide / dim, p.pads_heads))
    narrow = dim <= p.narrow_head_dim
    if not np.any(narrow):
        return found
    return replace(
        found, tile=np.where(narrow, p.narrow_query_tile, tile),
        granule=np.where(narrow, p.narrow_query_tile, granule),
        slowed=np.where(narrow, p.narrow_head_share, slowed),
    )  # fmt: skip


@dataclass(frozen=True)
class Prompt:
    """What one call of prefill attention works on.

    Attributes:
        heads: Independent heads: sequences times query heads.
        q: New tokens of each.
        kv: Tokens each may attend to at its end.
        window: Sliding window; 0 for none.
        pair_flop: Arithmetic of one pair of a query and a key.
        passed_bytes: Operands that the kernels around the call pass over.
        moved_bytes: Operands and results, each moved once.
        tiling: How its heads are cut into tiles.
    """

    heads: Array
    q: Array
    kv: Array
    window: Array
    pair_flop: Array
    passed_bytes: Array
    moved_bytes: Array
    tiling: Tiling


@dataclass(frozen=True)
class Steps:
    """What is learned, at decode over latents, about kernels that walk the keys step by step.

    Their matrix instructions return their results before the threads go on, so that loads and
    exponentials come on top, in proportion to the columns of a step.

    Attributes:
        block_s: Fixed cost of a block.
        wait_s: What a step waits beside its matrix instructions.
    """

    block_s: float = parameter("s", 0.0, 1e-4)
    wait_s: float = parameter("s", 0.0, 1e-4)


def prefill_cost(
    machine: Machine,
    eff: Efficiency,
    p: PrefillParameters,
    kernel: str,
    prompt: Prompt,
    dtype: str,
    shapes: Mapping[str, Array],
    steps: Steps | None = None,
) -> Cost:
    """Prices a prompt.

    Rotation, conversion and the write of the cache are kernels of their own that run before.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        p: Parameters of the kernel.
        kernel: Its name.
        prompt: What it works on.
        dtype: Format of the arithmetic.
        shapes: Arguments of the kernel, to widen the interval beyond what was fitted.
        steps: Where a kernel serves prompts step by step, its parameters.
    """
    chip = silicon(machine, eff)
    dense: Array = np.asarray(rate(machine, kernel_format(dtype).rate))
    mean_keys = visible_pairs(prompt.q, prompt.kv, prompt.window) / prompt.q
    flop = prompt.pair_flop * prompt.heads * prompt.q * mean_keys
    matrix = tiles_s(p, chip, prompt, mean_keys, dense, steps)
    byte_s = stream_s(p, chip, np.ones(()), prompt.moved_bytes)
    around = p.write_passes * prompt.passed_bytes * byte_s
    memory = prompt.moved_bytes * byte_s
    drawn = prompt.moved_bytes / (p.core_bytes_per_clock * np.asarray(chip.cores * chip.clock_hz))
    g = eff.of(GemmParameters, GEMM, machine.generation, dtype)
    power = power_s(chip, flop, g.energy_j_s2_per_flop, g.idle_power_share)
    launch = p.launch_s + p.sequence_s * shapes["batch"]
    busy = throttled(overlapped(matrix + drawn, memory, p.serial_share), power)
    return cost(
        {COMPUTE: matrix, MEMORY: memory + around, LAUNCH: launch, POWER: power},
        launch + around + busy,
        p.interval_log + widening(eff, kernel, machine, **shapes),
        hardware_s=np.maximum(flop / dense, prompt.moved_bytes / chip.bandwidth),
        flop=flop,
        memory_bytes=prompt.moved_bytes,
    )


def tiles_s(
    p: PrefillParameters,
    chip: Silicon,
    prompt: Prompt,
    mean_keys: Array,
    dense: Array,
    steps: Steps | None = None,
) -> Array:
    """Time of all tiles of queries over the keys they see.

    A tile works on every key that any of its queries sees: half a tile more than the mean query
    under a causal mask, a whole tile more under a window.

    Args:
        p: Parameters of the kernel.
        chip: The chip.
        prompt: What the call works on.
        mean_keys: Keys that a query sees on average.
        dense: Dense rate of the arithmetic.
        steps: Where a kernel serves prompts step by step, its parameters.
    """
    cores, window, cut = np.asarray(chip.cores), prompt.window, prompt.tiling
    tile = np.minimum(cut.tile, prompt.q)
    whole = np.ceil(prompt.kv / KEY_STEP) * KEY_STEP
    extent = mean_keys + np.where(window > 0.0, tile, tile / PRODUCTS)
    extent = np.minimum(np.maximum(extent, KEY_STEP), whole)
    longest = np.where(window > 0.0, np.minimum(whole, window + cut.tile + KEY_STEP), whole)
    pair_s = prompt.pair_flop * cut.padding * cores / (dense * p.matrix_efficiency)
    exponential_s = 1.0 / (p.exponentials_per_clock * np.asarray(chip.clock_hz))
    rows = np.minimum(np.ceil(prompt.q / cut.granule) * cut.granule, cut.tile)
    busy_s = rows * (pair_s + exponential_s) / cut.slowed
    key_s: Array = np.maximum(busy_s, p.step_s / KEY_STEP)
    tile_s: Array = p.tile_s + np.where((window > 0.0) & (prompt.kv > window), p.edge_s, 0.0)
    if steps is not None:
        wait_s = steps.wait_s * np.asarray(chip.pace) * cut.columns / (STEP_COLUMNS * KEY_STEP)
        step_s = cut.tile * prompt.pair_flop * cores / dense + wait_s
        key_s = np.where(cut.stepwise, step_s, key_s)
        # The last step of a tile is half empty on average.
        ends_s = steps.block_s + np.where(whole > KEY_STEP, step_s * KEY_STEP / PRODUCTS, 0.0)
        tile_s = np.where(cut.stepwise, ends_s, tile_s)
    mean_s = extent * key_s + tile_s
    longest_s = longest * key_s + tile_s
    load = prompt.heads * np.ceil(prompt.q / cut.tile) / cores
    exposed = p.tail_share * np.minimum(load, 1.0) * longest_s
    seconds: Array = np.maximum(load * mean_s, longest_s) + exposed
    return seconds


def visible_pairs(q: Array, kv: Array, window: Array) -> Array:
    """Pairs of a query and a key it may see, for one head of one sequence.

    Query i of q sees the kv - q cached tokens and i + 1 new ones, at most `window` of them all.
    """
    full = q * (kv - q) + q * (q + 1.0) / 2.0
    # Queries whose view is shorter than the window see what causality leaves them.
    short = np.clip(window - (kv - q), 0.0, q)
    limited = short * (kv - q) + short * (short + 1.0) / 2.0 + (q - short) * window
    return np.where(window > 0.0, np.minimum(full, limited), full)
