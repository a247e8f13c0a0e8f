"""Feed-forward blocks: dense, and mixtures of experts with their exchange of tokens."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from weir.catalog.architecture import FeedForward
from weir.perf.formats import FORMATS, bytes_of
from weir.perf.operators import Array, Operator, Part, Work, collective, projection, streaming

_WAYS_IN: Final = {"gated": 2, "plain": 1}
# Router logits, top-k and the permutation of tokens by expert are separate small kernels.
_ROUTING_KERNELS: Final = 2


def feed_forward(block: FeedForward, work: Work, count: int) -> Iterator[Operator]:
    """The operators of `count` feed-forward layers of one kind."""
    if block.kind == "none":
        return
    if block.experts:
        yield from _mixture(block, work, count)
    else:
        yield from _dense(block, work, block.intermediate, Part.FEED_FORWARD, count)
        yield from _sum(work, count)


def _dense(
    block: FeedForward, work: Work, width: int, part: Part, count: int
) -> Iterator[Operator]:
    """Up (and gate), activation, down, on this chip's columns; without the sum over chips."""
    columns = max(width // work.layout.dense_tp, 1)
    ways, m, fmt = _WAYS_IN[block.kind], work.tokens, work.precision.weights
    yield projection(
        "up projection", work, m, ways * columns, work.hidden, part=part, fmt=fmt, count=count
    )
    base = bytes_of(work.precision.base)
    yield streaming("activation", m * ways * columns * base, m * columns * base, count)
    yield projection(
        "down projection", work, m, work.hidden, columns, part=part, fmt=fmt, count=count
    )


def _sum(work: Work, count: int) -> Iterator[Operator]:
    if work.layout.dense_tp > 1:
        message = work.tokens * work.hidden * bytes_of(work.precision.collectives)
        yield collective(
            "sum after feed-forward", "all_reduce", message, work.layout.dense_tp, count
        )


def _mixture(block: FeedForward, work: Work, count: int) -> Iterator[Operator]:
    layout, base = work.layout, work.precision.base
    width = block.latent or work.hidden
    yield projection(
        "router",
        work,
        work.tokens,
        block.experts,
        work.hidden,
        part=Part.EXPERTS,
        fmt=base,
        count=count,
    )
    logits = work.tokens * block.experts * bytes_of(base)
    yield streaming("top-k and permutation", logits, logits, _ROUTING_KERNELS * count)
    if block.latent:
        yield projection(
            "projections around experts",
            work,
            work.tokens,
            2 * block.latent,
            work.hidden,
            part=Part.EXPERTS,
            fmt=work.precision.weights,
            count=count,
        )
    yield from _dispatch(block, work, width, count)
    yield Operator(
        name="routed experts",
        part=Part.EXPERTS,
        kernel="moe_gemm",
        arguments={
            "tokens": _spread_tokens(block, work),
            "hidden": width,
            "intermediate": block.expert_intermediate // layout.moe_tp,
            "experts_local": block.experts // layout.ep,
            "experts": block.experts,
            "top_k": block.experts_per_token,
            "dtype": work.precision.experts,
            "skew": work.routing.skew,
            "placed": float(work.routing.is_placed),
            "gated": float(_WAYS_IN[block.kind] - 1),
        },
        count=count,
        weight_elements=(
            float(block.experts // layout.ep)
            * (_WAYS_IN[block.kind] + 1)
            * width
            * (block.expert_intermediate // layout.moe_tp)
        ),
        weight_format=work.precision.experts,
    )
    if block.shared_experts:
        inner = block.shared_intermediate or block.expert_intermediate
        yield from _dense(block, work, block.shared_experts * inner, Part.EXPERTS, count)
    yield from _combine(block, work, width, count)


def _spread_tokens(block: FeedForward, work: Work) -> Array:
    """Tokens whose perfectly even routing would touch as many experts as drawing at random does.

    The kernel spreads pairs over as many experts as there are pairs. Drawn at random, pairs fall on
    the same expert: local x (1 - (1 - top_k / experts)^tokens) distinct ones are expected. Few
    tokens only stream weights, so what counts is how many experts' weights they stream.
    """
    local = block.experts // work.layout.ep
    tokens = work.stage_tokens
    if work.routing.skew > 0.0:
        # The kernel's own power law says which experts are touched.
        return tokens
    share = block.experts_per_token / block.experts
    distinct = local * -np.expm1(tokens * np.log1p(-share)) if share < 1.0 else local
    even = np.minimum(local, tokens * share * local)
    return np.asarray(tokens * distinct / np.maximum(even, np.finfo(float).tiny))


def exchanges_tokens(work: Work) -> bool:
    """Whether tokens travel to experts (all-to-all) instead of being present on every chip."""
    return work.layout.dp > 1 and work.layout.moe_tp == 1


def _copies(block: FeedForward, work: Work) -> Array:
    """Copies of a chip's tokens that leave it, in tokens.

    A token goes once to each chip that holds one of its experts; with experts drawn evenly the
    expected number of distinct other chips is (ranks - 1)(1 - (1 - 1/ranks)^top_k).
    """
    ranks = work.layout.ep
    distinct = (ranks - 1) * (1 - (1 - 1 / ranks) ** block.experts_per_token)
    return np.ceil(work.tokens / work.layout.dense_tp) * distinct


def _dispatch(block: FeedForward, work: Work, width: int, count: int) -> Iterator[Operator]:
    layout = work.layout
    if layout.dp == 1:
        return
    if exchanges_tokens(work):
        # Tokens travel in the format the experts multiply in.
        fmt = work.precision.experts
        eight_bit = FORMATS[fmt].rate in {"fp8", "int8"}
        each = bytes_of("fp8" if eight_bit else work.precision.base)
        message = _copies(block, work) * width * each
        yield collective("dispatch to experts", "all_to_all", message, layout.ep, count)
        return
    message = work.stage_tokens * width * bytes_of(work.precision.base)
    yield collective("gather of tokens", "all_gather", message, layout.expert_group, count)


def _combine(block: FeedForward, work: Work, width: int, count: int) -> Iterator[Operator]:
    layout, travelling = work.layout, bytes_of(work.precision.collectives)
    if layout.dp == 1:
        yield from _sum(work, count)
        return
    if exchanges_tokens(work):
        message = _copies(block, work) * width * travelling
        yield collective("combine from experts", "all_to_all", message, layout.ep, count)
        if layout.dense_tp > 1:
            gathered = work.tokens * work.hidden * travelling
            yield collective("gather after combine", "all_gather", gathered, layout.dense_tp, count)
        return
    message = work.stage_tokens * width * travelling
    yield collective("scatter of results", "reduce_scatter", message, layout.expert_group, count)
