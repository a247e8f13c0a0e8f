"""Attention over keys and values of their own: multi-head, grouped-query and multi-query.

Prefill is a matrix product of query tiles with the keys each may see, and an exponential for every
pair of query and key. Decode reads the cache once; it is split over sequences, key heads and
pieces of the context so that all cores have work.
"""

from collections.abc import Mapping
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
from weir.perf.machine import Machine, rate

Array = NDArray[np.float64]

PREFILL: Final = "attention_prefill"
DECODE: Final = "attention_decode"
# Keys that one step of a tile takes.
KEY_STEP: Final = 128.0
# Scores and weighted values are one matrix product each.
PRODUCTS: Final = 2.0
# Keys and values.
KEYS_AND_VALUES: Final = 2.0


@dataclass(frozen=True)
class PrefillParameters:
    """What is learned about prefill attention.

    Attributes:
        launch_s: Fixed time of a call, with the kernels around it.
        sequence_s: Added per sequence of the batch: planning of ragged batches.
        matrix_efficiency: Share of the dense rate that a long tile reaches.
        exponentials_per_clock: Exponentials a core computes beside the matrix unit.
        memory_efficiency: Share of the memory bandwidth that streaming reaches.
        tile_s: Fixed cost of a query tile.
        step_s: Latency of one step of a tile over keys.
        tail_share: Share of the longest tile that the balance over cores leaves exposed.
        serial_share: Share of the shorter of arithmetic and memory time that does not overlap.
        write_passes: Passes over queries, keys and values by the kernels around: rotation, cache
            write, conversion.
        cache_speedup: Bandwidth of the last-level cache over that of the memory.
        cache_share: Share of the last-level cache in which operands are found again.
        cache_sharpness: How sharply residency ends when operands outgrow the cache.
        query_tile: Rows of queries that one tile holds.
        interval_log: Half width of the 80 % interval of the logarithm of the time.
    """

    launch_s: float = parameter("s", 0.0, 1e-3, per="generation format")
    sequence_s: float = parameter("s", 0.0, 1e-5, per="generation format")
    matrix_efficiency: float = parameter("1", 0.1, 1.2, per="generation format")
    exponentials_per_clock: float = parameter("1/clock", 0.5, 1e9, per="generation format")
    memory_efficiency: float = parameter("1", 0.1, 1.0)
    tile_s: float = parameter("s", 0.0, 1e-4, per="generation format")
    step_s: float = parameter("s", 0.0, 1e-4, per="generation format")
    tail_share: float = parameter("1", 0.0, 2.0)
    serial_share: float = parameter("1", 0.0, 1.0)
    write_passes: float = parameter("1", 0.0, 10.0, per="generation format")
    cache_speedup: float = parameter("1", 1.0, 20.0)
    cache_share: float = parameter("1", 0.01, 1.5, per="generation")
    cache_sharpness: float = parameter("1", 1.0, 10.0)
    query_tile: float = parameter("1", 16.0, 512.0, per="generation fixed")
    interval_log: float = parameter("1", 0.0, 3.0, per="fixed format")


@dataclass(frozen=True)
class DecodeParameters:
    """What is learned about decode attention.

    Attributes:
        launch_s: Fixed time of a call.
        memory_efficiency: Share of the memory bandwidth that streaming the cache reaches.
        core_bytes_per_clock: What one core streams on its own.
        cache_speedup: Bandwidth of the last-level cache over that of the memory.
        cache_share: Share of the last-level cache in which a context is found again.
        cache_sharpness: How sharply residency ends when the context outgrows the cache.
        group_limit: Query heads of a key head that one block still serves; above it every query
            head streams the context for itself.
        block_s: Fixed cost of one block of work: a sequence, a key head, a piece of the context.
        single_head_share: Fixed cost of a block with one query head over that of one with several,
            where another kernel serves it.
        step_s: Latency of one step of `KEY_STEP` keys.
        split_from_tokens: Shortest context that is split at all.
        split_min_tokens: Shortest piece of the context that a split makes.
        split_max: Most pieces of a split.
        combine_s: Fixed cost of combining the pieces of a split.
        ramp_bytes: Traffic at which streaming has reached three quarters of its rate.
        matrix_efficiency: Share of the dense rate reached on query rows padded to a tile.
        core_flop_per_clock: Arithmetic on padded rows that a core issues, where it is instructions
            and not the matrix unit that limit it.
        query_rows: Rows that the matrix unit pads the queries of one key head to.
        serial_share: Share of the shorter of arithmetic and memory time that does not overlap.
        interval_log: Half width of the 80 % interval of the logarithm of the time.
    """

    launch_s: float = parameter("s", 0.0, 1e-3, per="generation format")
    memory_efficiency: float = parameter("1", 0.1, 1.0, per="format")
    core_bytes_per_clock: float = parameter("bytes/clock", 1.0, 1e9, per="generation format")
    cache_speedup: float = parameter("1", 1.0, 20.0)
    cache_share: float = parameter("1", 0.01, 1.5, per="generation")
    cache_sharpness: float = parameter("1", 1.0, 10.0)
    group_limit: float = parameter("1", 1.0, 1024.0, per="fixed")
    block_s: float = parameter("s", 0.0, 1e-4, per="generation format")
    single_head_share: float = parameter("1", 0.05, 2.0, per="generation format")
    step_s: float = parameter("s", 0.0, 1e-4, per="generation format")
    split_from_tokens: float = parameter("1", 1.0, 1e5, per="fixed")
    split_min_tokens: float = parameter("1", 16.0, 8192.0, per="generation")
    split_max: float = parameter("1", 1.0, 1024.0, per="generation format")
    ramp_bytes: float = parameter("bytes", 1.0, 1e9, per="generation")
    combine_s: float = parameter("s", 0.0, 1e-4, per="generation format")
    matrix_efficiency: float = parameter("1", 0.02, 1.2, per="generation format")
    core_flop_per_clock: float = parameter("FLOP/clock", 16.0, 1e9, per="generation format")
    query_rows: float = parameter("1", 1.0, 128.0, per="generation fixed")
    serial_share: float = parameter("1", 0.0, 1.0)
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
    prompt = Prompt(
        heads=batch * heads, q=q, kv=kv, window=window,
        pair_flop=PRODUCTS * FLOP_PER_MAC * dim,
        passed_bytes=queries + cache, moved_bytes=KEYS_AND_VALUES * queries + cache,
    )  # fmt: skip
    shapes = {"batch": batch, "q_tokens": q, "kv_tokens": kv, "heads": heads, "head_dim": dim}
    return prefill_cost(machine, eff, p, PREFILL, prompt, dtype, shapes)


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
    """

    heads: Array
    q: Array
    kv: Array
    window: Array
    pair_flop: Array
    passed_bytes: Array
    moved_bytes: Array


def prefill_cost(
    machine: Machine,
    eff: Efficiency,
    p: PrefillParameters,
    kernel: str,
    prompt: Prompt,
    dtype: str,
    shapes: Mapping[str, Array],
) -> Cost:
    """Prices a prompt.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        p: Parameters of the kernel.
        kernel: Its name.
        prompt: What it works on.
        dtype: Format of the arithmetic.
        shapes: Arguments of the kernel, to widen the interval beyond what was fitted.
    """
    chip = silicon(machine, eff)
    dense: Array = np.asarray(rate(machine, kernel_format(dtype).rate))
    mean_keys = visible_pairs(prompt.q, prompt.kv, prompt.window) / prompt.q
    flop = prompt.pair_flop * prompt.heads * prompt.q * mean_keys
    matrix = tiles_s(p, chip, prompt, mean_keys, dense)
    around = p.write_passes * prompt.passed_bytes
    memory = streamed_s(p, chip, prompt.moved_bytes + around, prompt.moved_bytes)
    g = eff.of(GemmParameters, GEMM, machine.generation, dtype)
    power = power_s(chip, flop, g.energy_j_s2_per_flop, g.idle_power_share)
    launch = p.launch_s + p.sequence_s * shapes["batch"]
    busy = throttled(overlapped(matrix, memory, p.serial_share), power)
    return cost(
        {COMPUTE: matrix, MEMORY: memory, LAUNCH: launch, POWER: power},
        launch + busy,
        p.interval_log + widening(eff, kernel, machine, **shapes),
        hardware_s=np.maximum(flop / dense, prompt.moved_bytes / chip.bandwidth),
        flop=flop,
        memory_bytes=prompt.moved_bytes,
    )


def tiles_s(
    p: PrefillParameters, chip: Silicon, prompt: Prompt, mean_keys: Array, dense: Array
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
    """
    cores, window = np.asarray(chip.cores), prompt.window
    tile = np.minimum(p.query_tile, prompt.q)
    whole = np.ceil(prompt.kv / KEY_STEP) * KEY_STEP
    extent = mean_keys + np.where(window > 0.0, tile, tile / PRODUCTS)
    extent = np.minimum(np.maximum(extent, KEY_STEP), whole)
    longest = np.where(window > 0.0, np.minimum(whole, window + p.query_tile + KEY_STEP), whole)
    pair_s = prompt.pair_flop * cores / (dense * p.matrix_efficiency)
    exponential_s = 1.0 / (p.exponentials_per_clock * np.asarray(chip.clock_hz))
    key_s = np.maximum(p.query_tile * (pair_s + exponential_s), p.step_s / KEY_STEP)
    mean_s, longest_s = extent * key_s + p.tile_s, longest * key_s + p.tile_s
    load = prompt.heads * np.ceil(prompt.q / p.query_tile) / cores
    exposed = p.tail_share * np.minimum(load, 1.0) * longest_s
    seconds: Array = np.maximum(load * mean_s, longest_s) + exposed
    return seconds


def streamed_s(
    p: "PrefillParameters | DecodeParameters", chip: Silicon, moved: Array, footprint: Array
) -> Array:
    """Time to move bytes of which those that fit into the last-level cache come from there."""
    room = p.cache_share * np.asarray(chip.cache_bytes)
    missed = 1.0 - 1.0 / (1.0 + np.power(footprint / room, p.cache_sharpness))
    bandwidth = np.asarray(chip.bandwidth)
    seconds: Array = moved * (
        missed / (bandwidth * p.memory_efficiency) + (1.0 - missed) / (bandwidth * p.cache_speedup)
    )
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


def attention_decode(
    machine: Machine,
    eff: Efficiency,
    batch: ArrayLike,
    kv_tokens: ArrayLike,
    heads: ArrayLike,
    kv_heads: ArrayLike,
    head_dim: ArrayLike,
    *,
    kv_dtype: str = "bf16",
    window: ArrayLike = 0.0,
    cache_pool_bytes: ArrayLike = np.inf,
) -> Cost:
    """Attention of one new token of each sequence to its cache.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        batch: Sequences.
        kv_tokens: Tokens in the cache of each.
        heads: Query heads on this chip.
        kv_heads: Key heads on this chip.
        head_dim: Size of a head.
        kv_dtype: Format of the cache.
        window: Sliding window in tokens; 0 for none.
        cache_pool_bytes: Bytes touched before the same context is read again. In a model that is
            all other layers, so the default is infinite and the context comes from memory.

    Raises:
        InputError: A size is not positive.
        UnknownNameError: No such format.
    """
    batch, kv, heads, kv_heads, dim = sizes(
        DECODE, batch=batch, kv_tokens=kv_tokens, heads=heads, kv_heads=kv_heads, head_dim=head_dim
    )
    (window,) = sizes(DECODE, allow_zero=True, window=window)
    (pool,) = sizes(DECODE, cache_pool_bytes=cache_pool_bytes)
    # A window ends inside a step of keys more often than not, so one step more is read.
    seen = np.where(window > 0.0, np.minimum(kv, window + KEY_STEP), kv)
    p = eff.of(DecodeParameters, DECODE, machine.generation, kv_dtype)
    group = heads / kv_heads
    copies = np.where(group > p.group_limit, heads, kv_heads)
    rows = np.where(group > p.group_limit, 0.0, np.ceil(group / p.query_rows) * p.query_rows)
    key_bytes = KEYS_AND_VALUES * dim * cache_bytes(kv_dtype)
    streams = Streams(
        blocks=batch * copies, tokens=seen, token_bytes=key_bytes,
        token_flop=PRODUCTS * FLOP_PER_MAC * rows * dim,
        cached_bytes=batch * kv_heads * seen * key_bytes, pool_bytes=pool,
        other_bytes=KEYS_AND_VALUES * batch * heads * dim * BF16_BYTES,
        flop=PRODUCTS * FLOP_PER_MAC * batch * heads * seen * dim,
        block_share=np.where((group > 1.0) & (group <= p.group_limit), 1.0, p.single_head_share),
    )  # fmt: skip
    shapes = {"batch": batch, "kv_tokens": kv, "heads": heads, "head_dim": dim}
    return split_over_context(machine, eff, p, DECODE, streams, shapes)


@dataclass(frozen=True)
class Streams:
    """Blocks of work that each stream the context of one sequence.

    Attributes:
        blocks: Independent streams: sequences times key heads.
        tokens: Tokens of each.
        token_bytes: Bytes of one token of one stream.
        token_flop: Arithmetic on one token of one stream, padded rows included.
        cached_bytes: Bytes of all contexts, each read once.
        pool_bytes: Bytes touched before the same context is read again.
        other_bytes: Queries and results.
        flop: Useful arithmetic.
        block_share: Fixed cost of these blocks over that of blocks with a group of heads.
    """

    blocks: Array
    tokens: Array
    token_bytes: Array
    token_flop: Array
    cached_bytes: Array
    pool_bytes: Array
    other_bytes: Array
    flop: Array
    block_share: Array | float = 1.0


def split_over_context(
    machine: Machine,
    eff: Efficiency,
    p: DecodeParameters,
    kernel: str,
    streams: Streams,
    shapes: Mapping[str, Array],
) -> Cost:
    """Prices streams over contexts, split so that all cores have work.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        p: Parameters of the kernel.
        kernel: Its name.
        streams: The work.
        shapes: Arguments of the kernel, to widen the interval beyond what was fitted.
    """
    chip = silicon(machine, eff)
    cores, clock = np.asarray(chip.cores), np.asarray(chip.clock_hz)
    dense: Array = np.asarray(rate(machine, "bf16"))
    tokens = streams.tokens
    moved = streams.cached_bytes + streams.other_bytes
    most = np.clip(tokens / p.split_min_tokens, 1.0, p.split_max)
    most = np.where(tokens >= p.split_from_tokens, most, 1.0)
    split = np.clip(cores / streams.blocks, 1.0, most)
    load = streams.blocks * split / cores
    core_flop = np.minimum(dense * p.matrix_efficiency / cores, p.core_flop_per_clock * clock)
    matrix_s = streams.token_flop / core_flop
    token_s = np.maximum(matrix_s, streams.token_bytes / (p.core_bytes_per_clock * clock))
    # All blocks of a core share it; on top, the steps of one block wait for each other.
    taken = np.ceil(tokens / split / KEY_STEP) * KEY_STEP
    # The first block of a core begins while the call starts, so its fixed cost is hidden there.
    started = load * load / (1.0 + load)
    shared = load * taken * token_s + started * p.block_s * streams.block_share
    chain = np.maximum(taken * matrix_s, taken / KEY_STEP * p.step_s)
    ramp = 1.0 + p.ramp_bytes / (p.ramp_bytes + moved)
    memory = ramp * streamed_s(p, chip, moved, np.maximum(streams.pool_bytes, moved))
    launch = p.launch_s + np.where(split > 1.0, p.combine_s, 0.0)
    matrix = streams.blocks * tokens * matrix_s / cores
    return cost(
        {COMPUTE: matrix, MEMORY: np.maximum(memory, shared - matrix), LAUNCH: launch + chain},
        launch + chain + overlapped(shared, memory, p.serial_share),
        p.interval_log + widening(eff, kernel, machine, **shapes),
        hardware_s=np.maximum(streams.flop / dense, moved / chip.bandwidth),
        flop=streams.flop,
        memory_bytes=moved,
    )
