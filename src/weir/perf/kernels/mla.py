"""Multi-head latent attention: all heads share one latent of keys and values per token.

Prefill works on keys and values expanded to heads; the expansion itself is a matrix product of its
own. Decode absorbs the expansion into the queries and reads the latent once for all heads, so it
has the arithmetic of a matrix product (arXiv:2405.04434, section 2.1).
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from weir.perf.kernels.attention import (
    KEY_STEP,
    KEYS_AND_VALUES,
    PRODUCTS,
    QUERY_TILE,
    DecodeParameters,
    PrefillParameters,
    split_over_context,
    streamed_s,
    visible_pairs,
)
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
from weir.perf.kernels.efficiency import Efficiency, overlapped, power_s, silicon, widening
from weir.perf.kernels.formats import BF16_BYTES, cache_bytes
from weir.perf.machine import Machine, rate

PREFILL: Final = "mla_prefill"
DECODE: Final = "mla_decode"
# Heads of keys and values without the rotary part are this share of the latent rank in the models
# that use the design: 128 of 512 (arXiv:2412.19437, section 4.2).
HEAD_SHARE_OF_RANK: Final = 0.25


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
    chip = silicon(machine, eff)
    dense = rate(machine, "bf16")
    none = np.zeros(())
    pairs = visible_pairs(q, kv, none)
    # Scores use the rotary part too, values do not.
    width = KEYS_AND_VALUES * dim + rope
    flop = FLOP_PER_MAC * batch * heads * pairs * width
    queries = batch * q * heads * (dim + rope) * BF16_BYTES
    expanded = batch * kv * heads * width * BF16_BYTES
    latent = batch * kv * (rank + rope) * cache_bytes(kv_dtype)
    moved = queries + expanded + batch * q * heads * dim * BF16_BYTES + latent

    per_core = np.asarray(dense) * p.matrix_efficiency / chip.cores
    pair_s = FLOP_PER_MAC * width / per_core + 1.0 / (
        p.exponentials_per_clock * np.asarray(chip.clock_hz)
    )
    tiles = batch * heads * np.ceil(q / QUERY_TILE)
    key_s = np.maximum(QUERY_TILE * pair_s, p.step_s / KEY_STEP)
    mean_s = (pairs / q + KEY_STEP / PRODUCTS) * key_s + p.tile_s
    longest_s = np.ceil(kv / KEY_STEP) * KEY_STEP * key_s + p.tile_s
    load = tiles / chip.cores
    matrix = np.maximum(load * mean_s, longest_s) + p.tail_share * np.minimum(load, 1.0) * longest_s
    around = p.write_passes * (queries + expanded)
    memory = streamed_s(p, chip, moved + around, moved)
    power = power_s(chip, flop, p.energy_j_s2_per_flop, p.idle_power_share)
    launch = p.launch_s + p.sequence_s * batch
    busy = np.maximum(overlapped(matrix, memory, p.serial_share), power)
    return cost(
        {COMPUTE: matrix, MEMORY: memory, LAUNCH: launch, POWER: power},
        launch + busy,
        p.interval_log + widening(eff, PREFILL, machine),
        hardware_s=np.maximum(flop / dense, moved / chip.bandwidth),
        flop=flop,
        memory_bytes=moved,
    )


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
    p = eff.of(DecodeParameters, DECODE, machine.generation, kv_dtype)
    (pool,) = sizes(DECODE, cache_pool_bytes=cache_pool_bytes)
    latent = (rank + rope) * cache_bytes(kv_dtype)
    # A block serves as many heads as its tile has rows, so many heads read a latent repeatedly.
    rows = p.query_rows
    # Scores take the whole latent, values its rank.
    width = rank + rope + rank
    return split_over_context(
        machine, eff, p, DECODE,
        blocks=batch * np.ceil(heads / rows), tokens=kv, token_bytes=latent,
        token_flop=FLOP_PER_MAC * rows * width,
        cached_bytes=batch * kv * latent, pool_bytes=pool,
        other_bytes=batch * heads * width * BF16_BYTES,
        flop=FLOP_PER_MAC * batch * heads * kv * width,
    )  # fmt: skip
