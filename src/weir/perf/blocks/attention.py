"""Softmax attention: grouped-query and multi-head latent, with their projections."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from weir.catalog.architecture import Attention
from weir.perf.formats import FORMATS, bytes_of
from weir.perf.operators import (
    Array,
    Operator,
    Part,
    Work,
    collective,
    mixing,
    projection,
    streaming,
)

_PROJECTION: Final = Part.ATTENTION_PROJECTIONS


def kv_heads_per_chip(attention: Attention, tp: int) -> int:
    """Key-value heads one chip keeps; heads are copied where there are fewer than chips."""
    return max(attention.kv_heads // tp, 1)


def value_width(attention: Attention) -> int:
    """Dimension of a value head."""
    return attention.head_dim if attention.value_head_dim is None else attention.value_head_dim


def gqa(attention: Attention, work: Work, count: int) -> Iterator[Operator]:
    """Multi-head, grouped-query and multi-query attention of `count` layers."""
    tp = work.layout.tp
    heads, kv_heads = attention.heads // tp, kv_heads_per_chip(attention, tp)
    queries = heads * attention.head_dim * (2 if attention.output_gate else 1)
    keys = 0 if attention.shares_cache else kv_heads * attention.head_dim
    values = 0 if attention.shares_cache else kv_heads * value_width(attention)
    projected = queries + keys + (0 if attention.value_is_key else values)
    m, fmt = work.attention_tokens, work.precision.weights
    yield projection(
        "query, key and value projection",
        work,
        m,
        projected,
        work.hidden,
        part=_PROJECTION,
        fmt=fmt,
        count=count,
    )
    yield _rotate(work, projected, keys + values, count)
    yield from _indexer(attention, work, count, query_input=work.hidden)
    yield from _gqa_core(attention, work, heads, kv_heads, count)
    mixed = heads * value_width(attention)
    yield from _context_exchange(work, keys + values, mixed, count)
    yield from output_projection(work, attention.heads * value_width(attention), count)


def _gqa_core(
    attention: Attention, work: Work, heads: int, kv_heads: int, count: int
) -> Iterator[Operator]:
    top_k = attention.sparse_top_k
    shape = {
        "heads": heads,
        "kv_heads": kv_heads,
        "head_dim": attention.head_dim,
        "kv_dtype": work.precision.kv_cache,
        "window": attention.window,
    }
    if work.has_prefill:
        yield Operator(
            name="prefill attention",
            part=Part.ATTENTION,
            kernel="attention_prefill",
            arguments={
                **shape,
                "batch": work.prefill_sequences,
                "q_tokens": work.prefill_tokens,
                "kv_tokens": work.prefill_context,
                # Sparse attention looks at so many keys, wherever they are.
                "window": attention.window or top_k,
                "dtype": work.precision.base,
            },
            count=count,
        )
    if work.has_decode:
        context = np.minimum(work.decode_context, top_k) if top_k else work.decode_context
        yield Operator(
            name="decode attention",
            part=Part.ATTENTION,
            kernel="attention_decode",
            # Several tokens of one sequence share its cache: they act as more query heads.
            arguments={
                **shape,
                "heads": heads * work.decode_tokens,
                "batch": work.decode_sequences,
                "kv_tokens": context,
            },
            count=count,
        )


def mla(attention: Attention, work: Work, count: int) -> Iterator[Operator]:
    """Multi-head latent attention (arXiv:2405.04434) of `count` layers.

    Decoding absorbs the key expansion into the query and the value expansion into the output, so
    that attention reads the latent; prefill expands keys and values.
    """
    heads = attention.heads // work.layout.tp
    rank, latent, rope = attention.q_lora_rank, attention.kv_lora_rank, attention.qk_rope_head_dim
    m, fmt = work.attention_tokens, work.precision.weights
    query = heads * (attention.qk_nope_head_dim + rope)
    yield projection(
        "query and latent compression",
        work,
        m,
        (rank or query) + latent + rope,
        work.hidden,
        part=_PROJECTION,
        fmt=fmt,
        count=count,
    )
    if rank:
        yield projection(
            "query expansion", work, m, query, rank, part=_PROJECTION, fmt=fmt, count=count
        )
    if attention.output_gate:
        gate = heads * value_width(attention)
        yield projection(
            "output gate", work, m, gate, work.hidden, part=_PROJECTION, fmt=fmt, count=count
        )
    yield _rotate(work, query + latent + rope, latent + rope, count)
    yield from _indexer(attention, work, count, query_input=rank or work.hidden)
    yield from _mla_core(attention, work, heads, count)
    mixed = heads * value_width(attention)
    yield from _context_exchange(work, latent + rope, mixed, count)
    yield from output_projection(work, attention.heads * value_width(attention), count)


def _mla_core(attention: Attention, work: Work, heads: int, count: int) -> Iterator[Operator]:
    latent, nope = attention.kv_lora_rank, attention.qk_nope_head_dim
    expanded = heads * (nope + value_width(attention))
    top_k = attention.sparse_top_k
    fmt = work.precision.weights
    # The expansion is one stored matrix, whichever way a step uses it.
    stored = float(expanded) * latent
    if work.has_prefill and top_k:
        m = work.prefill_sequences * work.prefill_tokens
        yield from _absorption(attention, work, heads, m, 0.0 if work.has_decode else stored, count)
        yield _mla_prefill(attention, work, heads, count)
    elif work.has_prefill:
        rows = work.prefill_sequences * (work.prefill_cached + work.prefill_tokens)
        yield Operator(
            name="key and value expansion",
            part=_PROJECTION,
            kernel="gemm",
            arguments={"m": rows, "n": expanded, "k": latent, "dtype": fmt},
            count=count,
            weight_elements=0.0 if work.has_decode else stored,
            weight_format=fmt,
        )
        yield _mla_prefill(attention, work, heads, count)
    if work.has_decode:
        m = work.decode_sequences * work.decode_tokens
        yield from _absorption(attention, work, heads, m, stored, count)
        context = np.minimum(work.decode_context, top_k) if top_k else work.decode_context
        yield Operator(
            name="decode attention",
            part=Part.ATTENTION,
            kernel="mla_decode",
            arguments={
                "batch": work.decode_sequences,
                "kv_tokens": context,
                "heads": heads * work.decode_tokens,
                "kv_lora_rank": latent,
                "rope_dim": attention.qk_rope_head_dim,
                "kv_dtype": work.precision.kv_cache,
            },
            count=count,
        )


def _absorption(
    attention: Attention, work: Work, heads: int, m: Array, stored: float, count: int
) -> Iterator[Operator]:
    """Queries into the space of the latent and results out of it: one small product for each head.

    A short prompt of a model with sparse attention is expanded instead, at the same arithmetic.
    """
    latent, nope, value = (
        attention.kv_lora_rank, attention.qk_nope_head_dim, value_width(attention)
    )  # fmt: skip
    for name, n, k in (("query absorption", latent, nope), ("value expansion", value, latent)):
        yield Operator(
            name=name,
            part=_PROJECTION,
            kernel="gemm",
            arguments={"m": m, "n": n, "k": k, "batch": heads, "dtype": work.precision.base},
            count=count,
            weight_elements=stored * n * k / (latent * (nope + value)),
            weight_format=work.precision.weights,
        )


def _mla_prefill(attention: Attention, work: Work, heads: int, count: int) -> Operator:
    arguments = {
        "batch": work.prefill_sequences,
        "q_tokens": work.prefill_tokens,
        "kv_tokens": work.prefill_context,
        "heads": heads,
        "kv_dtype": work.precision.kv_cache,
        "kv_lora_rank": attention.kv_lora_rank,
        "rope_dim": attention.qk_rope_head_dim,
        "head_dim": attention.qk_nope_head_dim,
    }
    top_k = attention.sparse_top_k
    return Operator(
        name="prefill attention",
        part=Part.ATTENTION,
        kernel="sparse_mla_prefill" if top_k else "mla_prefill",
        arguments={**arguments, "top_k": top_k} if top_k else arguments,
        count=count,
    )


def _indexer(
    attention: Attention, work: Work, count: int, *, query_input: int
) -> Iterator[Operator]:
    """Indexer of sparse attention (arXiv:2512.02556, section 2.1): scores every cached token."""
    if not attention.indexer_heads:
        return
    heads, dim = attention.indexer_heads, attention.indexer_head_dim
    fmt = work.precision.weights
    yield projection(
        "indexer queries",
        work,
        work.attention_tokens,
        heads * dim,
        query_input,
        part=_PROJECTION,
        fmt=fmt,
        count=count,
    )
    yield projection(
        "indexer keys and head weights",
        work,
        work.attention_tokens,
        dim + heads,
        work.hidden,
        part=_PROJECTION,
        fmt=work.precision.base,
        count=count,
    )
    yield from _selection(attention, work, count)


# Arithmetic of the indexer by that of the weights: it follows them down to eight bits.
_INDEXER_FORMATS: Final = {"fp8": "fp8", "fp4": "fp8", "int8": "int8"}


def _selection(attention: Attention, work: Work, count: int) -> Iterator[Operator]:
    """Scores of the indexer over the context, and the choice of keys."""
    dtype = _INDEXER_FORMATS.get(FORMATS[work.precision.weights].rate, "bf16")
    shape = {
        "heads": attention.indexer_heads, "head_dim": attention.indexer_head_dim, "dtype": dtype,
    }  # fmt: skip
    if work.has_prefill:
        prompts = {
            "batch": work.prefill_sequences,
            "q_tokens": work.prefill_tokens,
            "kv_tokens": work.prefill_context,
        }
        yield mixing("indexer scores", "indexer_prefill", {**shape, **prompts}, count)
        yield _select(attention, prompts, count)
    if work.has_decode:
        tokens, context = work.decode_tokens, work.decode_context
        scored = {"batch": work.decode_sequences, "kv_tokens": context, "tokens": tokens}
        yield mixing("indexer scores", "indexer_decode", {**shape, **scored}, count)
        rows = {"batch": work.decode_sequences, "q_tokens": tokens, "kv_tokens": context}
        yield _select(attention, rows, count)


def _select(attention: Attention, rows: Mapping[str, Array], count: int) -> Operator:
    arguments = {**rows, "top_k": attention.sparse_top_k}
    return mixing("key selection", "key_selection", arguments, count)


def _rotate(work: Work, width: int, cached: int, count: int) -> Operator:
    """Rotary position, query and key normalisation and the write to the cache, in one kernel."""
    base = bytes_of(work.precision.base)
    moved = work.attention_tokens * width * base
    kept = work.attention_tokens * cached * bytes_of(work.precision.kv_cache)
    return streaming("rotary position and cache write", moved, moved + kept, count)


def _context_exchange(work: Work, cached: int, mixed: int, count: int) -> Iterator[Operator]:
    """What context parallelism exchanges: caches in prefill, partial results in decoding."""
    cp = work.layout.cp
    if cp == 1:
        return
    if work.has_prefill:
        message = work.prefill_sequences * work.prefill_context * cached
        yield collective(
            "cache gather over context ranks",
            "all_gather",
            message * bytes_of(work.precision.kv_cache),
            cp,
            count,
        )
    if work.has_decode:
        message = work.decode_sequences * work.decode_tokens * mixed
        yield collective(
            "partial results over context ranks",
            "all_to_all",
            message * bytes_of(work.precision.base),
            cp,
            count,
        )


def output_projection(work: Work, width: int, count: int) -> Iterator[Operator]:
    """From the heads back to the residual stream, and the sum over the chips that share it.

    Args:
        work: The step's work.
        width: Inputs of the whole projection, over all chips.
        count: Layers.
    """
    share = work.layout.dense_tp
    yield projection(
        "output projection",
        work,
        work.tokens,
        work.hidden,
        max(width // share, 1),
        part=_PROJECTION,
        fmt=work.precision.weights,
        count=count,
    )
    if share > 1:
        message = work.tokens * work.hidden * bytes_of(work.precision.collectives)
        yield collective("sum after attention", "all_reduce", message, share, count)
