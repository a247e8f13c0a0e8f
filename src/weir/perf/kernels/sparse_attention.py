"""DeepSeek Sparse Attention: an indexer scores the context, the best keys are kept, and attended.

Three kernels (arXiv:2512.02556, section 2.1). The indexer multiplies a few small query heads with
one key of every token of the context. The selection looks through the scores of each query for the
largest. Attention then gathers the latents of those keys, query by query, with absorbed weights, so
that its cost no longer grows with the context; in decoding it is that of `mla_decode` over as many
keys.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.perf.kernels.attention import visible_pairs
from weir.perf.kernels.cost import (
    COMPUTE,
    FLOP_PER_MAC,
    LAUNCH,
    MEMORY,
    Cost,
    choose,
    cost,
    sizes,
)
from weir.perf.kernels.efficiency import Efficiency, overlapped, parameter, silicon, widening
from weir.perf.kernels.formats import BF16_BYTES, cache_bytes, kernel_format
from weir.perf.kernels.linear_attention import FP32_BYTES
from weir.perf.kernels.mla import mla_prefill
from weir.perf.kernels.streams import StreamParameters, stream_s
from weir.perf.machine import Machine, rate

Array = NDArray[np.float64]

INDEXER_PREFILL: Final = "indexer_prefill"
INDEXER_DECODE: Final = "indexer_decode"
SELECTION: Final = "key_selection"
ATTENTION: Final = "sparse_mla"
# Rows of queries that a block of the indexer multiplies at once, and keys it takes in a step.
QUERY_ROWS: Final = 128.0
KEY_STEP: Final = 256.0
# Each key of the indexer comes with a scale; each selected key is stored as an index.
SCALE_BYTES: Final = 4.0
INDEX_BYTES: Final = 4.0
# Query heads that one block of sparse attention serves.
HEADS_OF_BLOCK: Final = 64.0


@dataclass(frozen=True)
class IndexerParameters(StreamParameters):
    """What is learned about the scores of an indexer.

    Attributes:
        matrix_efficiency: Share of the dense rate that it reaches; after each product the scores
            are weighted and summed over the heads.
        block_s: Fixed cost of a block of queries on one core.
    """

    matrix_efficiency: float = parameter("1", 0.05, 1.0, per="generation")
    block_s: float = parameter("s", 0.0, 1e-5, per="generation")


@dataclass(frozen=True)
class SelectionParameters(StreamParameters):
    """What is learned about the selection of keys.

    Attributes:
        block_s: Fixed cost of one query on one core.
        scores_per_clock: Scores that a core looks through in a clock.
    """

    block_s: float = parameter("s", 0.0, 1e-4, per="generation")
    scores_per_clock: float = parameter("1/clock", 0.01, 100.0, per="generation")


@dataclass(frozen=True)
class SparseParameters(StreamParameters):
    """What is learned about attention to selected keys.

    Attributes:
        matrix_efficiency: Share of the dense rate that it reaches while it gathers.
        query_heads: Heads that the heads of a query are padded to a multiple of.
    """

    matrix_efficiency: float = parameter("1", 0.05, 1.0, per="generation")
    query_heads: float = parameter("1", 1.0, 256.0, per="generation fixed")


def indexer_prefill(
    machine: Machine,
    eff: Efficiency,
    batch: ArrayLike,
    q_tokens: ArrayLike,
    kv_tokens: ArrayLike,
    heads: ArrayLike,
    head_dim: ArrayLike,
    *,
    dtype: str = "fp8",
) -> Cost:
    """Scores of new tokens with all tokens that each may see.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        batch: Sequences.
        q_tokens: New tokens of each.
        kv_tokens: Tokens each may see at its end, new ones included.
        heads: Heads of the indexer.
        head_dim: Size of a head.
        dtype: Format of queries and keys: "fp8", "bf16" or "int8".

    Raises:
        InputError: A size is not positive.
        MissingRateError: The chip has no rate for the format.
        UnknownNameError: No such format.
    """
    batch, q, kv, heads, dim = sizes(
        INDEXER_PREFILL, batch=batch, q_tokens=q_tokens, kv_tokens=kv_tokens, heads=heads,
        head_dim=head_dim,
    )  # fmt: skip
    kv = np.maximum(kv, q)
    p = eff.of(IndexerParameters, INDEXER_PREFILL, machine.generation, dtype)
    cores = np.asarray(silicon(machine, eff).cores)
    work = _scores(batch, q, kv, heads, dim, dtype)
    # A block of queries takes the keys in steps, up to the last that any of them sees.
    tile = np.maximum(np.floor(QUERY_ROWS / heads), 1.0)
    key_s = tile * work.pair_flop * cores / (_dense(machine, dtype) * p.matrix_efficiency)
    blocks = np.ceil(q / tile)
    whole = np.ceil(kv / KEY_STEP) * KEY_STEP
    keys = blocks * (kv + KEY_STEP / 2.0) - tile * blocks * (blocks - 1.0) / 2.0
    keys = np.minimum(keys, blocks * whole) * batch / cores
    matrix = np.maximum(keys, whole) * key_s + batch * blocks / cores * p.block_s
    shapes = {"batch": batch, "q_tokens": q, "kv_tokens": kv, "heads": heads}
    return _priced(machine, eff, p, INDEXER_PREFILL, work, matrix, work.moved, dtype, shapes)


def indexer_decode(
    machine: Machine,
    eff: Efficiency,
    batch: ArrayLike,
    kv_tokens: ArrayLike,
    heads: ArrayLike,
    head_dim: ArrayLike,
    *,
    tokens: ArrayLike = 1.0,
    dtype: str = "fp8",
    cache_pool_bytes: ArrayLike = np.inf,
) -> Cost:
    """Scores of the last tokens of each sequence with all tokens of its paged cache.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        batch: Sequences.
        kv_tokens: Tokens in the cache of each.
        heads: Heads of the indexer.
        head_dim: Size of a head.
        tokens: New tokens of each sequence, which share its keys.
        dtype: Format of queries and keys: "fp8", "bf16" or "int8".
        cache_pool_bytes: Bytes touched before the same keys are; infinite in a model.

    Raises:
        InputError: A size is not positive.
        MissingRateError: The chip has no rate for the format.
        UnknownNameError: No such format.
    """
    batch, kv, heads, dim, tokens, pool = sizes(
        INDEXER_DECODE, batch=batch, kv_tokens=kv_tokens, heads=heads, head_dim=head_dim,
        tokens=tokens, cache_pool_bytes=cache_pool_bytes,
    )  # fmt: skip
    kv = np.maximum(kv, tokens)
    p = eff.of(IndexerParameters, INDEXER_DECODE, machine.generation, dtype)
    work = _scores(batch, tokens, kv, heads, dim, dtype)
    # All cores share every context, so none waits for another's.
    matrix = work.pairs * work.pair_flop / (_dense(machine, dtype) * p.matrix_efficiency)
    matrix = matrix + batch * tokens / np.asarray(silicon(machine, eff).cores) * p.block_s
    shapes = {"batch": batch, "kv_tokens": kv, "heads": heads, "tokens": tokens}
    pool = np.maximum(pool, work.moved)
    return _priced(machine, eff, p, INDEXER_DECODE, work, matrix, pool, dtype, shapes)


@dataclass(frozen=True)
class _Work:
    """Pairs of a query and a key, arithmetic of one, and bytes moved once."""

    pairs: Array
    pair_flop: Array
    moved: Array


def _scores(batch: Array, q: Array, kv: Array, heads: Array, dim: Array, dtype: str) -> _Work:
    pairs = batch * visible_pairs(q, kv, np.zeros(()))
    keys = kv * (dim * cache_bytes(dtype) + SCALE_BYTES)
    queries = q * heads * (dim * cache_bytes(dtype) + FP32_BYTES)
    moved = batch * (keys + queries) + pairs * FP32_BYTES
    return _Work(pairs, FLOP_PER_MAC * heads * dim, moved)


def _dense(machine: Machine, dtype: str) -> Array:
    return np.asarray(rate(machine, kernel_format(dtype).rate), dtype=np.float64)


def _priced(
    machine: Machine,
    eff: Efficiency,
    p: StreamParameters,
    kernel: str,
    work: _Work,
    matrix: Array,
    footprint: Array,
    dtype: str,
    shapes: dict[str, Array],
) -> Cost:
    chip = silicon(machine, eff)
    flop = work.pairs * work.pair_flop
    memory = stream_s(p, chip, work.moved, footprint)
    return cost(
        {COMPUTE: matrix, MEMORY: memory, LAUNCH: p.launch_s},
        p.launch_s + overlapped(matrix, memory, p.serial_share),
        p.interval_log + widening(eff, kernel, machine, **shapes),
        hardware_s=np.maximum(flop / _dense(machine, dtype), work.moved / chip.bandwidth),
        flop=flop,
        memory_bytes=work.moved,
    )


def key_selection(
    machine: Machine,
    eff: Efficiency,
    batch: ArrayLike,
    q_tokens: ArrayLike,
    kv_tokens: ArrayLike,
    top_k: ArrayLike,
) -> Cost:
    """The largest scores of each query.

    Queries that see no more tokens than are kept look through none.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        batch: Sequences.
        q_tokens: New tokens of each.
        kv_tokens: Tokens each may see at its end, new ones included.
        top_k: Keys that are kept.

    Raises:
        InputError: A size is not positive.
    """
    batch, q, kv, top_k = sizes(
        SELECTION, batch=batch, q_tokens=q_tokens, kv_tokens=kv_tokens, top_k=top_k
    )
    kv = np.maximum(kv, q)
    p = eff.of(SelectionParameters, SELECTION, machine.generation)
    chip = silicon(machine, eff)
    cores, clock = np.asarray(chip.cores), np.asarray(chip.clock_hz)
    # Query i of q sees kv - q + i tokens; those beyond top_k tokens look through all they see.
    least = np.maximum(kv - q, top_k)
    rows = batch * np.clip(kv - least, 0.0, q)
    scores = rows * (np.maximum(kv, top_k) + least + 1.0) / 2.0
    score_s = 1.0 / (p.scores_per_clock * clock)
    longest = p.block_s + np.where(rows > 0.0, kv * score_s, 0.0)
    search = np.maximum((batch * q * p.block_s + scores * score_s) / cores, longest)
    moved = scores * FP32_BYTES + batch * q * np.minimum(kv, top_k) * INDEX_BYTES
    memory = stream_s(p, chip, moved, moved)
    shapes = {"batch": batch, "q_tokens": q, "kv_tokens": kv}
    return cost(
        {COMPUTE: search, MEMORY: memory, LAUNCH: p.launch_s},
        p.launch_s + overlapped(search, memory, p.serial_share),
        p.interval_log + widening(eff, SELECTION, machine, **shapes),
        hardware_s=moved / chip.bandwidth,
        memory_bytes=moved,
    )


def sparse_mla(
    machine: Machine,
    eff: Efficiency,
    batch: ArrayLike,
    q_tokens: ArrayLike,
    kv_tokens: ArrayLike,
    heads: ArrayLike,
    top_k: ArrayLike,
    *,
    kv_lora_rank: ArrayLike,
    rope_dim: ArrayLike,
    kv_dtype: str = "bf16",
) -> Cost:
    """Attention of every query to the latents of its selected keys, weights absorbed.

    The kernel takes as many keys as are kept at most, also where fewer are seen.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        batch: Sequences.
        q_tokens: New tokens of each.
        kv_tokens: Tokens each may see at its end, new ones included.
        heads: Query heads on this chip.
        top_k: Keys that are kept.
        kv_lora_rank: Rank of the latent.
        rope_dim: Rotary part of a key.
        kv_dtype: Format of the cache; the arithmetic is in 16 bits.

    Raises:
        InputError: A size is not positive.
        UnknownNameError: No such format.
    """
    batch, q, kv, heads, top_k, rank, rope = sizes(
        ATTENTION, batch=batch, q_tokens=q_tokens, kv_tokens=kv_tokens, heads=heads, top_k=top_k,
        kv_lora_rank=kv_lora_rank, rope_dim=rope_dim,
    )  # fmt: skip
    kv = np.maximum(kv, q)
    p = eff.of(SparseParameters, ATTENTION, machine.generation)
    cores = np.asarray(silicon(machine, eff).cores)
    # Scores take the whole latent, values its rank.
    width = rank + rope + rank
    latents = np.minimum(kv, q * top_k) * (rank + rope) * cache_bytes(kv_dtype)
    work = _Work(
        pairs=batch * q * heads * np.minimum(kv, top_k),
        pair_flop=FLOP_PER_MAC * width,
        moved=batch * (latents + q * heads * width * BF16_BYTES),
    )
    padded = np.ceil(heads / p.query_heads) * p.query_heads
    load = batch * q * np.ceil(padded / HEADS_OF_BLOCK) / cores
    block_flop = HEADS_OF_BLOCK * top_k * work.pair_flop
    block_s = block_flop * cores / (_dense(machine, "bf16") * p.matrix_efficiency)
    matrix = np.maximum(load, 1.0) * block_s
    shapes = {"batch": batch, "q_tokens": q, "kv_tokens": kv, "heads": heads}
    return _priced(machine, eff, p, ATTENTION, work, matrix, work.moved, "bf16", shapes)


def sparse_mla_prefill(
    machine: Machine,
    eff: Efficiency,
    batch: ArrayLike,
    q_tokens: ArrayLike,
    kv_tokens: ArrayLike,
    heads: ArrayLike,
    top_k: ArrayLike,
    *,
    kv_lora_rank: ArrayLike,
    rope_dim: ArrayLike,
    head_dim: ArrayLike,
    kv_dtype: str = "bf16",
) -> Cost:
    """Attention of a prompt: to selected keys where the context is longer than their number.

    A shorter context is attended to in full, over keys and values expanded to heads.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        batch: Sequences.
        q_tokens: New tokens of each.
        kv_tokens: Tokens each may see at its end, new ones included.
        heads: Query heads on this chip.
        top_k: Keys that are kept.
        kv_lora_rank: Rank of the latent.
        rope_dim: Rotary part of a key.
        head_dim: Size of a head without the rotary part.
        kv_dtype: Format of the cache.

    Raises:
        InputError: A size is not positive.
        UnknownNameError: No such format.
    """
    sparse = sparse_mla(
        machine, eff, batch, q_tokens, kv_tokens, heads, top_k,
        kv_lora_rank=kv_lora_rank, rope_dim=rope_dim, kv_dtype=kv_dtype,
    )  # fmt: skip
    whole = mla_prefill(
        machine, eff, batch, q_tokens, kv_tokens, heads,
        kv_lora_rank=kv_lora_rank, rope_dim=rope_dim, head_dim=head_dim, kv_dtype=kv_dtype,
    )  # fmt: skip
    return choose(np.asarray(kv_tokens) <= np.asarray(top_k), whole, sparse)
