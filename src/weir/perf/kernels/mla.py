"""Multi-head latent attention: all heads share one latent of keys and values per token.

Prefill works on keys and values expanded to heads; the expansion itself is a matrix product of its
own. Decode absorbs the expansion into the queries and reads the latent once for all heads, so it
has the arithmetic of a matrix product (arXiv:2405.04434, section 2.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.perf.kernels.attention import (
    KEY_STEP,
    KEYS_AND_VALUES,
    PrefillParameters,
    Prompt,
    Tiling,
    prefill_cost,
)
from weir.perf.kernels.cost import COMPUTE, FLOP_PER_MAC, LAUNCH, MEMORY, Cost, choose, cost, sizes
from weir.perf.kernels.decode import DecodeParameters, Streams, split_over_context
from weir.perf.kernels.efficiency import Efficiency, overlapped, parameter, silicon, widening
from weir.perf.kernels.formats import BF16_BYTES, cache_bytes
from weir.perf.kernels.streams import stream_s
from weir.perf.machine import Machine, rate

Array = NDArray[np.float64]

PREFILL: Final = "mla_prefill"
# Kernel and format that say how fast a generation computes exponentials.
ATTENTION_PREFILL: Final = "attention_prefill"
EXPONENTIALS_OF: Final = "bf16-bf16"
DECODE: Final = "mla_decode"
# Heads of keys and values without the rotary part are this share of the latent rank in the models
# that use the design: 128 of 512 (arXiv:2412.19437, section 4.2).
HEAD_SHARE_OF_RANK: Final = 0.25
# Cores of a pair that share one stream of keys.
PAIR: Final = 2.0
# Keys that one step of a block takes.
LATENT_STEP: Final = 64.0
# Keys of a piece that the choice between tiles reckons with.
PIECE_TOKENS: Final = 256.0
# What the format of a kernel on clusters of cores is called after.
CLUSTER: Final = "_cluster"


@dataclass(frozen=True)
class LatentParameters(DecodeParameters):
    """What is learned about decode over latents, beside what all decode attention has.

    The `single_` parameters are those of the kernel for few heads, where a generation has one.

    Attributes:
        few_heads: Most heads that the kernel for few heads always serves; 0 for no such kernel.
        few_rows: Heads that one of its blocks serves: more take several, each with its own stream.
        few_tokens: Longest piece of a context for which that kernel also serves more heads, as long
            as its blocks all find a core.
        pair_heads: Heads from which two cores share one stream of keys.
        value_columns: Columns of the values that one block sums up; wider ones take several blocks.
        cluster_heads: Heads that a format has a kernel of its own for; 0 for none.
        cluster_cores: Cores that share one block of that kernel.
        resident_blocks: Blocks that a core holds side by side while the others wait for their turn;
            0 where a scheduler deals out the work evenly.
        crowded: Time of a core with as many blocks as it holds over that of one block.
        wait_s: What a step of keys waits beside its matrix instructions where these block the
            threads that issue them.
        instruction_efficiency: Share of the dense rate of such matrix instructions.
    """

    few_heads: float = parameter("1", 0.0, 1024.0, per="generation fixed")
    few_rows: float = parameter("1", 1.0, 128.0, per="generation fixed")
    few_tokens: float = parameter("1", 0.0, 1e6, per="generation fixed")
    pair_heads: float = parameter("1", 1.0, 1e9, per="generation fixed")
    value_columns: float = parameter("1", 16.0, 4096.0, per="generation fixed")
    cluster_heads: float = parameter("1", 0.0, 1024.0, per="fixed format")
    cluster_cores: float = parameter("1", 1.0, 16.0, per="fixed format")
    resident_blocks: float = parameter("1", 0.0, 32.0, per="generation fixed format")
    crowded: float = parameter("1", 1.0, 32.0, per="generation")
    wait_s: float = parameter("s", 0.0, 1e-4, per="generation")
    instruction_efficiency: float = parameter("1", 0.1, 1.0, per="generation fixed format")


def mla_prefill(
    machine: Machine,
    eff: Efficiency,
    batch: ArrayLike,
    q_tokens: ArrayLike,
    kv_tokens: ArrayLike,
    heads: ArrayLike,
    *,
    kv_lora_rank: ArrayLike,
    rope_dim: ArrayLike,
    kv_dtype: str = "bf16",
    head_dim: ArrayLike | None = None,
) -> Cost:
    """Causal attention of new tokens over expanded keys and values.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        batch: Sequences.
        q_tokens: New tokens of each.
        kv_tokens: Tokens each may attend to at its end.
        heads: Heads on this chip.
        kv_lora_rank: Rank of the latent.
        rope_dim: Rotary part of a query and key.
        kv_dtype: Format of the cache.
        head_dim: Size of a head without the rotary part; a quarter of the rank if not given.

    Raises:
        InputError: A size is not positive.
        UnknownNameError: No such format.
    """
    batch, q, kv, heads, rank, rope = sizes(
        PREFILL, batch=batch, q_tokens=q_tokens, kv_tokens=kv_tokens, heads=heads,
        kv_lora_rank=kv_lora_rank, rope_dim=rope_dim,
    )  # fmt: skip
    (dim,) = sizes(PREFILL, head_dim=HEAD_SHARE_OF_RANK * rank if head_dim is None else head_dim)
    kv = np.maximum(kv, q)
    p = eff.of(PrefillParameters, PREFILL, machine.generation, kv_dtype)
    # One width of heads cannot tell exponentials from products; the units are those of attention.
    units = eff.of(PrefillParameters, ATTENTION_PREFILL, machine.generation, EXPONENTIALS_OF)
    p = replace(p, exponentials_per_clock=units.exponentials_per_clock)
    # Scores use the rotary part too, values do not.
    width = KEYS_AND_VALUES * dim + rope
    queries = batch * q * heads * (dim + rope) * BF16_BYTES
    expanded = batch * kv * heads * width * BF16_BYTES
    latent = batch * kv * (rank + rope) * cache_bytes(kv_dtype)
    prompt = Prompt(
        heads=batch * heads, q=q, kv=kv, window=np.zeros(()), pair_flop=FLOP_PER_MAC * width,
        tiling=Tiling(p.query_tile, p.row_granule),
        passed_bytes=queries + expanded,
        moved_bytes=queries + expanded + batch * q * heads * dim * BF16_BYTES + latent,
    )  # fmt: skip
    shapes = {"batch": batch, "q_tokens": q, "kv_tokens": kv, "heads": heads}
    form = arithmetic(machine, kv_dtype)
    return prefill_cost(machine, eff, p, PREFILL, prompt, form, shapes)


def mla_decode(
    machine: Machine,
    eff: Efficiency,
    batch: ArrayLike,
    kv_tokens: ArrayLike,
    heads: ArrayLike,
    *,
    kv_lora_rank: ArrayLike,
    rope_dim: ArrayLike,
    kv_dtype: str = "bf16",
    cache_pool_bytes: ArrayLike = np.inf,
) -> Cost:
    """Attention of one new token of each sequence to its latents, weights absorbed.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        batch: Sequences.
        kv_tokens: Tokens in the cache of each.
        heads: Heads on this chip.
        kv_lora_rank: Rank of the latent.
        rope_dim: Rotary part of a key.
        kv_dtype: Format of the cache.
        cache_pool_bytes: Bytes touched before the same context is read again; infinite in a model.

    Raises:
        InputError: A size is not positive.
        UnknownNameError: No such format.
    """
    batch, kv, heads, rank, rope = sizes(
        DECODE, batch=batch, kv_tokens=kv_tokens, heads=heads, kv_lora_rank=kv_lora_rank,
        rope_dim=rope_dim,
    )  # fmt: skip
    (pool,) = sizes(DECODE, cache_pool_bytes=cache_pool_bytes)
    call = Latents(batch, kv, heads, rank, rope, kv_dtype, pool)
    p = eff.of(LatentParameters, DECODE, machine.generation, kv_dtype)
    if p.resident_blocks <= 0.0:
        return evenly(machine, eff, p, call)
    found = in_rounds(machine, eff, p, call)
    if p.cluster_heads <= 0.0 or not np.any(heads == p.cluster_heads):
        return found
    cluster = eff.of(LatentParameters, DECODE, machine.generation, f"{kv_dtype}{CLUSTER}")
    return choose(heads == p.cluster_heads, in_rounds(machine, eff, cluster, call), found)


@dataclass(frozen=True)
class Latents:
    """One call of decode over latents.

    Attributes:
        batch: Sequences.
        kv: Tokens in the cache of each.
        heads: Heads.
        rank: Rank of the latent.
        rope: Rotary part of a key.
        kv_dtype: Format of the cache.
        pool_bytes: Bytes touched before the same context is read again.
    """

    batch: Array
    kv: Array
    heads: Array
    rank: Array
    rope: Array
    kv_dtype: str
    pool_bytes: Array

    @property
    def latent_bytes(self) -> Array:
        """Bytes of the latent of one token."""
        return (self.rank + self.rope) * cache_bytes(self.kv_dtype)

    @property
    def width(self) -> Array:
        """Multiply-adds of a head and a token: scores take the whole latent, values its rank."""
        return self.rank + self.rope + self.rank

    @property
    def flop(self) -> Array:
        """Arithmetic."""
        return FLOP_PER_MAC * self.batch * self.heads * self.kv * self.width

    @property
    def cached_bytes(self) -> Array:
        """Bytes of all contexts, each read once."""
        return self.batch * self.kv * self.latent_bytes

    @property
    def other_bytes(self) -> Array:
        """Queries and results."""
        return self.batch * self.heads * self.width * BF16_BYTES

    @property
    def shapes(self) -> Mapping[str, Array]:
        """Arguments by the names that calibration saw them under."""
        return {"batch": self.batch, "kv_tokens": self.kv, "heads": self.heads}


def evenly(machine: Machine, eff: Efficiency, p: LatentParameters, call: Latents) -> Cost:
    """Prices kernels that deal out pieces of the contexts evenly to all cores.

    A block serves as many heads as its tile has rows, so many heads read a latent repeatedly, but
    for a pair of cores that share one stream.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        p: Parameters of the kernel.
        call: The call.
    """
    few: NDArray[np.bool_] | bool = False
    rows: Array = np.asarray(p.query_rows)
    shared: Array = np.asarray(1.0)
    if p.few_heads > 0.0:
        few = takes_few(p, np.asarray(silicon(machine, eff).cores), call)
        rows = np.where(few, p.few_rows, p.query_rows)
        shared = np.where(~few & (call.heads >= p.pair_heads), PAIR, 1.0)
    streams = Streams(
        blocks=call.batch * np.ceil(call.heads / rows), tokens=call.kv,
        token_bytes=call.latent_bytes / shared,
        token_flop=FLOP_PER_MAC * rows * call.width,
        cached_bytes=call.cached_bytes, pool_bytes=call.pool_bytes, other_bytes=call.other_bytes,
        flop=call.flop, grouped=np.logical_not(few),
        row_bytes=np.minimum(call.heads, rows) * call.width * BF16_BYTES,
        arithmetic=arithmetic(machine, call.kv_dtype),
    )  # fmt: skip
    return split_over_context(machine, eff, p, DECODE, streams, call.shapes)


def takes_few(p: LatentParameters, cores: Array, call: Latents) -> NDArray[np.bool_]:
    """Whether the kernel for few heads serves a call.

    It serves few heads, and more of them while its blocks fill no more than all cores with pieces
    that are short (TensorRT-LLM, fmhaKernels.h, selectMlaGenerationKernel).

    Args:
        p: Parameters of the kernel.
        cores: Cores of the chip.
        call: The call.
    """
    blocks = call.batch * np.ceil(call.heads / p.few_rows)
    free = np.maximum(np.floor(cores / blocks), 1.0)
    pieces = np.minimum(np.ceil(call.kv / PIECE_TOKENS), free)
    short = (np.ceil(call.kv / pieces) <= p.few_tokens) & (blocks <= cores)
    found: NDArray[np.bool_] = (call.heads <= p.few_heads) | short
    return found


def in_rounds(machine: Machine, eff: Efficiency, p: LatentParameters, call: Latents) -> Cost:
    """Prices kernels whose blocks each walk a whole context, as many at a time as cores hold.

    A block sums up so many columns of the values and scores all keys for them anew. Its matrix
    instructions return their results before the threads go on, so that loads and exponentials of a
    step come on top of them (TensorRT-LLM, fmha_v2, tiled flash attention; the kernel for one
    number of heads puts a block on a cluster of cores instead, xqa, mla_sm120).

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        p: Parameters of the kernel.
        call: The call.
    """
    chip = silicon(machine, eff)
    cores = np.asarray(chip.cores)
    form = arithmetic(machine, call.kv_dtype)
    dense: Array = np.asarray(rate(machine, form))
    parts = np.ceil(call.rank / p.value_columns)
    blocks = call.batch * np.ceil(call.heads / p.query_rows) * parts * p.cluster_cores
    scores, values = call.rank + call.rope, call.rank / parts
    # Half of a cluster scores and half sums up: the slower half sets the pace.
    alone = p.cluster_cores <= 1.0
    columns = scores + values if alone else PAIR * np.maximum(scores, values) / p.cluster_cores
    token_flop = FLOP_PER_MAC * p.query_rows * columns
    token_s = token_flop * cores / (dense * p.instruction_efficiency)
    taken = np.ceil(call.kv / LATENT_STEP) * LATENT_STEP
    block_s = p.block_s + taken * (token_s + p.wait_s * np.asarray(chip.pace) / KEY_STEP)
    waiting = np.ceil(blocks / cores)
    full = np.floor(waiting / p.resident_blocks)
    rounds = full * p.crowded + (waiting - full * p.resident_blocks)
    busy = rounds * block_s
    moved = call.cached_bytes + call.other_bytes
    memory = stream_s(p, chip, moved, np.maximum(call.pool_bytes, moved))
    matrix = blocks / cores * taken * token_s
    launch = p.launch_s
    return cost(
        {COMPUTE: matrix, MEMORY: np.maximum(memory, busy - matrix), LAUNCH: launch},
        launch + overlapped(busy, memory, p.serial_share),
        p.interval_log + widening(eff, DECODE, machine, **call.shapes),
        hardware_s=np.maximum(call.flop / dense, moved / chip.bandwidth),
        flop=call.flop,
        memory_bytes=moved,
    )


def arithmetic(machine: Machine, kv_dtype: str) -> str:
    """Format of the products with a cache: its own where the chip computes in it, else bf16.

    Prompts take it too, keys and values converted (TensorRT-LLM, attentionOp.cpp, mFP8ContextMLA).
    """
    own = machine.dense_flop_per_s.get(kv_dtype)
    return "bf16" if own is None or np.any(np.isnan(own)) else kv_dtype
