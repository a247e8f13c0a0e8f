"""Decode attention: one new token of each sequence reads its cache once.

The work is split over sequences, key heads and pieces of the context so that all cores have some.
One kernel lets a block serve all query heads of a key head with the matrix unit; another, for one
head or for very many, serves each query head by itself with ordinary arithmetic.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.perf.kernels.attention import KEY_STEP, KEYS_AND_VALUES, PRODUCTS
from weir.perf.kernels.cost import (
    COMPUTE,
    FLOP_PER_MAC,
    LAUNCH,
    MEMORY,
    Cost,
    cost,
    sizes,
)
from weir.perf.kernels.efficiency import Efficiency, overlapped, parameter, silicon, widening
from weir.perf.kernels.formats import BF16_BYTES, cache_bytes
from weir.perf.kernels.streams import stream_s
from weir.perf.machine import Machine, rate

Array = NDArray[np.float64]

DECODE: Final = "attention_decode"
# The format of the general kernels.
REFERENCE: Final = "bf16"
# Of many pieces of `KEY_STEP` tokens as many are made as the root of so many times their number.
PIECES_OF_MANY: Final = 8.0


@dataclass(frozen=True)
class DecodeParameters:
    """What is learned about decode attention.

    Attributes:
        launch_s: Fixed time of a call.
        memory_efficiency: Share of the memory bandwidth that streaming the cache reaches.
        core_bytes_per_clock: What one core streams on its own.
        single_bytes_per_clock: The same where a block serves one query head: another kernel, with
            fewer bytes in flight.
        block_bytes_per_clock: What one block streams on its own, heads padded as the kernel holds
            them; a core works on several.
        cache_speedup: Bandwidth of the last-level cache over that of the memory.
        cache_share: Share of the last-level cache in which a context is found again.
        cache_sharpness: How sharply residency ends when the context outgrows the cache.
        group_limit: Query heads of a key head that one block still serves; above it every query
            head streams the context for itself.
        block_s: Fixed cost of one block of work: a sequence, a key head, a piece of the context.
        row_bytes_per_clock: Rate at which a block fetches its padded query rows, adds up the
            partial sums of its threads and writes them.
        single_block_s: The same of a block with one query head, which another kernel may serve.
        step_s: Latency of one step of `KEY_STEP` keys.
        split_from_tokens: Shortest context that is split at all.
        split_min_tokens: Shortest piece of the context that a split makes.
        wave_target: Most blocks for each core that the kernel for groups splits contexts into; 0
            for one that splits until every core has a block.
        fill_factor: The kernel for groups is taken where this times the number of pieces of
            `KEY_STEP` tokens reaches the number of cores.
        split_max: Most pieces of a split.
        grouped_split_max: The same where a block serves several query heads.
        skip_s: Time of a core to find that one step of keys lies before the window.
        skip_most: Such steps of a core at which half of them come for free.
        window_combine_s: Added by a window in a context long enough to be split: its pieces before
            the window are launched and combined all the same.
        special_values: Values of the queries of a key head that the kernel made for a format still
            holds; larger groups go to the kernel of the reference format.
        combine_s: Fixed cost of combining the pieces of a split.
        piece_s: Added to it by each piece.
        ramp_s: Time from the start over which streaming reaches half of its rate.
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
    single_bytes_per_clock: float = parameter("bytes/clock", 1.0, 1e9, per="generation format")
    block_bytes_per_clock: float = parameter("bytes/clock", 1.0, 1e9, per="generation format")
    cache_speedup: float = parameter("1", 1.0, 20.0)
    cache_share: float = parameter("1", 0.01, 1.5, per="generation")
    cache_sharpness: float = parameter("1", 1.0, 10.0)
    group_limit: float = parameter("1", 1.0, 1024.0, per="fixed")
    block_s: float = parameter("s", 0.0, 1e-4, per="generation format")
    row_bytes_per_clock: float = parameter("bytes/clock", 0.1, 1e9, per="generation format")
    single_block_s: float = parameter("s", 0.0, 1e-4, per="generation format")
    step_s: float = parameter("s", 0.0, 1e-4, per="generation format")
    split_from_tokens: float = parameter("1", 1.0, 1e5, per="fixed")
    split_min_tokens: float = parameter("1", 16.0, 8192.0, per="generation")
    wave_target: float = parameter("1", 0.0, 64.0, per="generation fixed format")
    fill_factor: float = parameter("1", 1.0, 1e9, per="generation fixed format")
    split_max: float = parameter("1", 1.0, 1024.0, per="generation fixed format")
    grouped_split_max: float = parameter("1", 1.0, 1024.0, per="generation fixed format")
    skip_s: float = parameter("s", 0.0, 1e-5, per="generation format")
    skip_most: float = parameter("1", 1.0, 1e4)
    window_combine_s: float = parameter("s", 0.0, 1e-4, per="generation format")
    special_values: float = parameter("1", 1.0, 1e9, per="generation fixed")
    ramp_s: float = parameter("s", 0.0, 2e-5, per="generation")
    combine_s: float = parameter("s", 0.0, 1e-4, per="generation format")
    piece_s: float = parameter("s", 0.0, 1e-5, per="generation")
    matrix_efficiency: float = parameter("1", 0.02, 1.2, per="generation format")
    core_flop_per_clock: float = parameter("FLOP/clock", 16.0, 1e9, per="generation format")
    query_rows: float = parameter("1", 1.0, 128.0, per="generation fixed")
    serial_share: float = parameter("1", 0.0, 1.0)
    interval_log: float = parameter("1", 0.0, 3.0, per="fixed format")


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
    seen, skipped = kv, np.zeros(())
    if np.any(window > 0.0):
        seen = np.where(window > 0.0, np.minimum(kv, window + KEY_STEP), kv)
        skipped = kv - seen
    p = eff.of(DecodeParameters, DECODE, machine.generation, kv_dtype)
    group = heads / kv_heads
    grouped = (group > 1.0) & (group <= p.group_limit)
    if p.wave_target > 0.0:
        # Too few pieces are left to the kernel for one head (TensorRT-LLM, decoderXQAImplJIT.cpp,
        # mayHavePerfGain).
        work = batch * kv_heads * np.maximum(np.floor(kv / KEY_STEP), 1.0)
        grouped = grouped & (work * p.fill_factor >= np.asarray(silicon(machine, eff).cores))
    copies = np.where(grouped, kv_heads, heads)
    rows = np.where(grouped, np.ceil(group / p.query_rows) * p.query_rows, 1.0)
    # Kernels hold heads in powers of two.
    wide = np.exp2(np.ceil(np.log2(dim)))
    key_bytes = KEYS_AND_VALUES * dim * cache_bytes(kv_dtype)
    streams = Streams(
        blocks=batch * copies, tokens=seen, token_bytes=key_bytes,
        token_flop=PRODUCTS * FLOP_PER_MAC * rows * wide,
        cached_bytes=batch * kv_heads * seen * key_bytes, pool_bytes=pool,
        other_bytes=KEYS_AND_VALUES * batch * heads * dim * BF16_BYTES,
        flop=PRODUCTS * FLOP_PER_MAC * batch * heads * seen * dim,
        grouped=grouped, padding=wide / dim, row_bytes=rows * wide * BF16_BYTES, skipped=skipped,
        special=group * dim <= p.special_values,
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
        grouped: Whether a block serves several query heads.
        padding: Width of a head as the kernel holds it over its size.
        row_bytes: Query rows of a block, padded.
        arithmetic: Number format of the arithmetic.
        skipped: Tokens before the window.
        special: Whether the kernel made for the format serves the group.
    """

    blocks: Array
    tokens: Array
    token_bytes: Array
    token_flop: Array
    cached_bytes: Array
    pool_bytes: Array
    other_bytes: Array
    flop: Array
    row_bytes: Array | float
    arithmetic: str = "bf16"
    grouped: NDArray[np.bool_] | bool = True
    padding: Array | float = 1.0
    skipped: Array | float = 0.0
    special: NDArray[np.bool_] | bool = True


def fixed_s(
    eff: Efficiency, p: DecodeParameters, kernel: str, machine: Machine, streams: Streams
) -> Array:
    """Time of a block beside its keys: its queries, the sums of its threads, its result."""
    general = eff.of(DecodeParameters, kernel, machine.generation, REFERENCE)
    clock = np.asarray(silicon(machine, eff).clock_hz)

    def of(q: DecodeParameters) -> Array:
        block_s = np.where(streams.grouped, q.block_s, q.single_block_s)
        return block_s + streams.row_bytes / (q.row_bytes_per_clock * clock)

    return of(p) if np.all(streams.special) else np.where(streams.special, of(p), of(general))


def pieces(p: DecodeParameters, cores: Array, streams: Streams) -> Array:
    """Pieces of a context as the kernel for groups counts them.

    One of `KEY_STEP` tokens each, of many no more than what the final sum bears, and no more than
    fill all cores so many times (TensorRT-LLM, decoderXQAImplCommon.h, computeMultiBlockCount).

    Args:
        p: Parameters of the kernel.
        cores: Cores of the chip.
        streams: The work.
    """
    steps = np.floor((streams.tokens + streams.skipped) / KEY_STEP)
    some = np.minimum(steps, np.rint(np.sqrt(PIECES_OF_MANY * steps)))
    # As many of them as fill the cores that often: pieces over waves, and waves go with pieces.
    found: Array = np.floor(np.minimum(some, p.wave_target * cores / streams.blocks))
    return np.maximum(found, 1.0)


def split_of(p: DecodeParameters, cores: Array, streams: Streams) -> Array:
    """Pieces that the contexts are split into.

    Args:
        p: Parameters of the kernel.
        cores: Cores of the chip.
        streams: The work.
    """
    tokens, grouped = streams.tokens, streams.grouped
    counted = pieces(p, cores, streams) if p.wave_target > 0.0 else None
    if counted is not None and np.all(grouped):
        return counted
    limit: Array = np.asarray(p.split_max)
    if counted is None:
        limit = np.where(grouped, p.grouped_split_max, p.split_max)
    most = np.clip(tokens / p.split_min_tokens, 1.0, limit)
    most = np.where(tokens >= p.split_from_tokens, most, 1.0)
    split: Array = np.clip(cores / streams.blocks, 1.0, most)
    return split if counted is None else np.where(grouped, counted, split)


def windowed_s(p: DecodeParameters, cores: Array, streams: Streams) -> tuple[Array, Array]:
    """Time to find steps before a window, and what its pieces before it add to the call.

    Args:
        p: Parameters of the kernel.
        cores: Cores of the chip.
        streams: The work.
    """
    before = np.asarray(streams.skipped)
    if not np.any(before > 0.0):
        return np.zeros(()), np.zeros(())
    skipped = streams.blocks * before / (KEY_STEP * cores)
    idle = (before > 0.0) & (streams.tokens + before >= p.split_from_tokens)
    skip_s: Array = p.skip_s * skipped / (1.0 + skipped / p.skip_most)
    return skip_s, np.where(idle, p.window_combine_s, 0.0)


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
    dense: Array = np.asarray(rate(machine, streams.arithmetic))
    tokens = streams.tokens
    moved = streams.cached_bytes + streams.other_bytes
    grouped = streams.grouped
    split = split_of(p, cores, streams)
    load = streams.blocks * split / cores
    core_flop = np.minimum(dense * p.matrix_efficiency / cores, p.core_flop_per_clock * clock)
    matrix_s = streams.token_flop / core_flop
    core_bytes = np.where(grouped, p.core_bytes_per_clock, p.single_bytes_per_clock)
    token_s = np.maximum(matrix_s, streams.token_bytes / (core_bytes * clock))
    # All blocks of a core share it, and the steps of each wait for each other.
    taken = np.ceil(tokens / split / KEY_STEP) * KEY_STEP
    # The first block of a core begins while the call starts, so its fixed cost is hidden there.
    started = load * load / (1.0 + load)
    block_s = fixed_s(eff, p, kernel, machine, streams)
    skip_s, idle_s = windowed_s(p, cores, streams)
    shared = load * taken * token_s + started * block_s + skip_s
    alone = np.where(grouped, p.block_bytes_per_clock, p.single_bytes_per_clock)
    alone_s = streams.token_bytes * streams.padding / (alone * clock)
    chain = taken * np.maximum(np.maximum(matrix_s, alone_s), p.step_s / KEY_STEP)
    memory = stream_s(p, chip, moved, np.maximum(streams.pool_bytes, moved))
    memory = memory + np.minimum(memory, p.ramp_s)
    combine_s = np.where(split > 1.0, p.combine_s + p.piece_s * split, 0.0)
    launch = p.launch_s + idle_s + combine_s
    matrix = streams.blocks * tokens * matrix_s / cores
    parts = {
        COMPUTE: matrix,
        MEMORY: np.maximum(memory, shared - matrix),
        LAUNCH: np.maximum(launch, chain),
    }
    return cost(
        parts,
        launch + overlapped(np.maximum(shared, chain), memory, p.serial_share),
        p.interval_log + widening(eff, kernel, machine, **shapes),
        hardware_s=np.maximum(streams.flop / dense, moved / chip.bandwidth),
        flop=streams.flop,
        memory_bytes=moved,
    )
