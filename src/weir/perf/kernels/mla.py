"""Multi-head latent attention: all heads share one latent of keys and values per token.

Prefill works on keys and values expanded to heads; the expansion itself is a matrix product of its
own. Decode absorbs the expansion into the queries and reads the latent once for all heads, so it
has the arithmetic of a matrix product (arXiv:2405.04434, section 2.1).
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from weir.perf.kernels.attention import KEYS_AND_VALUES, PrefillParameters, Prompt, prefill_cost
from weir.perf.kernels.cost import FLOP_PER_MAC, Cost, sizes
from weir.perf.kernels.decode import DecodeParameters, Streams, split_over_context
from weir.perf.kernels.efficiency import Efficiency
from weir.perf.kernels.formats import BF16_BYTES, cache_bytes
from weir.perf.machine import Machine

PREFILL: Final = "mla_prefill"
# Kernel and format that say how fast a generation computes exponentials.
ATTENTION_PREFILL: Final = "attention_prefill"
EXPONENTIALS_OF: Final = "bf16-bf16"
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
        passed_bytes=queries + expanded,
        moved_bytes=queries + expanded + batch * q * heads * dim * BF16_BYTES + latent,
    )  # fmt: skip
    shapes = {"batch": batch, "q_tokens": q, "kv_tokens": kv, "heads": heads}
    return prefill_cost(machine, eff, p, PREFILL, prompt, "bf16", shapes)


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
    streams = Streams(
        blocks=batch * np.ceil(heads / rows), tokens=kv, token_bytes=latent,
        token_flop=FLOP_PER_MAC * rows * width,
        cached_bytes=batch * kv * latent, pool_bytes=pool,
        other_bytes=batch * heads * width * BF16_BYTES,
        flop=FLOP_PER_MAC * batch * heads * kv * width,
        row_bytes=np.minimum(heads, rows) * width * BF16_BYTES,
        arithmetic=arithmetic(machine, kv_dtype),
    )  # fmt: skip
    shapes = {"batch": batch, "kv_tokens": kv, "heads": heads}
    return split_over_context(machine, eff, p, DECODE, streams, shapes)


def arithmetic(machine: Machine, kv_dtype: str) -> str:
    """Format of the products with a cache: its own where the chip computes in it, else bf16."""
    own = machine.dense_flop_per_s.get(kv_dtype)
    return "bf16" if own is None or np.any(np.isnan(own)) else kv_dtype
