"""How many parameters a language model has, uses for a token, and caches for a token.

Everything follows from the shape integers of its record (`weir.catalog.architecture`); published
totals are only compared with, never used. Counts are exact integers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.catalog.architecture import Attention, FeedForward, Layers, Shape

BYTES_BF16: Final = 2.0
BYTES_FP32: Final = 4.0

ActiveCounts = Literal["all", "no_input_embedding", "no_embeddings"]


class Architecture(Protocol):
    """What the formulas read of a model; `weir.catalog.entities.Model` is one."""

    @property
    def shape(self) -> Shape: ...  # noqa: D102 - the fields are those of the model record
    @property
    def attentions(self) -> Mapping[str, Attention]: ...  # noqa: D102
    @property
    def feed_forwards(self) -> Mapping[str, FeedForward]: ...  # noqa: D102
    @property
    def layers(self) -> tuple[Layers, ...]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class ParameterGroups:
    """Parameters of a whole model by what they do; the sum is the total.

    Attributes:
        input_embedding: Token embedding, with the learned position table where there is one.
        output_head: Projection to the vocabulary; 0 where it is the input embedding.
        attention: All mixers: attention, linear attention, state-space.
        dense_feed_forward: Feed-forward blocks without experts.
        routed_experts: Experts that a router chooses among.
        shared_experts: Experts that every token uses, with their gate.
        routers: Routers, and the projections around routed experts that work at another width.
        norms: Normalisations of the residual stream.
        extra: What the record states as extra.
    """

    input_embedding: int
    output_head: int
    attention: int
    dense_feed_forward: int
    routed_experts: int
    shared_experts: int
    routers: int
    norms: int
    extra: int

    @property
    def total(self) -> int:
        """Sum of all groups."""
        return sum(getattr(self, item.name) for item in fields(self))


def attention_parameters(attention: Attention, hidden: int) -> int:
    """Parameters of one mixer, without the normalisation before it.

    Args:
        attention: The kind.
        hidden: Width of the residual stream.
    """
    count = _BY_KIND.get(attention.kind)
    return attention.extra_parameters + (count(attention, hidden) if count else 0)


def _value_head_dim(attention: Attention) -> int:
    """Dimension of a value head; `head_dim` (`key_head_dim` of linear attention) if not given."""
    if attention.value_head_dim is not None:
        return attention.value_head_dim
    return attention.key_head_dim if attention.kind == "linear" else attention.head_dim


def _gqa_parameters(attention: Attention, hidden: int) -> int:
    """Multi-head, grouped-query and multi-query attention.

    Query (twice as wide with an output gate), key, value and output projections; biases of the
    first three (`bias`) and of the last (`output_bias`); query and key normalisation, one vector
    each a head dimension (`per_head`) or as wide as the projection (`full`); one sink logit a
    head. No key and value projection where another layer's cache is read; no value projection
    where the key serves. An indexer adds its query and key projections, a normalisation of its
    keys (two vectors) and one weight a head.
    """
    value_dim = _value_head_dim(attention)
    query_width = attention.heads * attention.head_dim
    key_width = attention.kv_heads * attention.head_dim
    value_width = attention.kv_heads * value_dim
    if attention.shares_cache:
        key_width = value_width = 0
    elif attention.value_is_key:
        value_width = 0
    projected = query_width * (2 if attention.output_gate else 1) + key_width + value_width
    mixed_width = attention.heads * value_dim
    count = hidden * projected + mixed_width * hidden
    count += projected if attention.bias else 0
    count += hidden if attention.output_bias else 0
    count += {
        "none": 0,
        "per_head": (1 if attention.shares_cache else 2) * attention.head_dim,
        "full": query_width + key_width,
    }[attention.qk_norm]
    count += attention.heads if attention.sinks else 0
    return count + _indexer_parameters(attention, hidden, query_input=hidden)


def _mla_parameters(attention: Attention, hidden: int) -> int:
    """Multi-head latent attention (arXiv:2405.04434, section 2.1).

    Query compression, its normalisation and expansion (or one plain query projection); the
    joint compression of keys and values together with the shared rotary key; its normalisation
    and expansion; the output projection; with an output gate, one projection from the hidden
    width to all value heads. The indexer of sparse attention (DeepSeek-V3.2) reads the compressed
    query.
    """
    value_dim = _value_head_dim(attention)
    rank = attention.q_lora_rank
    query_head = attention.qk_nope_head_dim + attention.qk_rope_head_dim
    query_width = attention.heads * query_head
    query = hidden * rank + rank + rank * query_width if rank else hidden * query_width
    latent = attention.kv_lora_rank
    compress = hidden * (latent + attention.qk_rope_head_dim) + latent
    expand = latent * attention.heads * (attention.qk_nope_head_dim + value_dim)
    mixed_width = attention.heads * value_dim
    gate = hidden * mixed_width if attention.output_gate else 0
    index = _indexer_parameters(attention, hidden, query_input=rank or hidden)
    return query + compress + expand + mixed_width * hidden + gate + index


def _indexer_parameters(attention: Attention, hidden: int, query_input: int) -> int:
    """Indexer of sparse attention (arXiv:2512.02556, section 2.1): query, key, head weights.

    The normalisation of its keys has two vectors.
    """
    dim = attention.indexer_head_dim
    if not attention.indexer_heads:
        return 0
    queries = query_input * attention.indexer_heads * dim
    return queries + hidden * dim + 2 * dim + hidden * attention.indexer_heads


def _linear_parameters(attention: Attention, hidden: int) -> int:
    """Linear attention with a matrix state.

    All variants: query, key, value and output projections, an output gate as wide as the values,
    and a short depthwise convolution without bias over queries, keys and values.

    - `gated_delta`: two more projections to the value heads (decay and step), a decay and a step
      bias a value head, an output normalisation of one value head.
    - `kimi_delta`: decay of every key channel through a projection of rank `gate_rank`, the output
      gate likewise (full width where the rank is 0), a step a head, a decay a head, a bias a
      channel, the same normalisation.
    - `lightning`: fixed decay; the normalisation spans all value heads.
    """
    value_dim = _value_head_dim(attention)
    key_width = attention.key_heads * attention.key_head_dim
    value_width = attention.value_heads * value_dim
    mixed = 2 * key_width + value_width
    count = hidden * mixed + value_width * hidden + mixed * attention.conv_kernel
    if attention.variant == "lightning":
        return count + hidden * value_width + value_width
    if attention.variant == "gated_delta":
        steps = 2 * (hidden + 1) * attention.value_heads
        return count + hidden * value_width + steps + value_dim
    decay_rank = attention.gate_rank or value_dim
    decay = hidden * decay_rank + decay_rank * key_width + key_width + attention.value_heads
    gate = (
        hidden * attention.gate_rank + attention.gate_rank * value_width
        if attention.gate_rank
        else hidden * value_width
    )
    return count + decay + gate + hidden * attention.value_heads + value_dim


def _mamba2_parameters(attention: Attention, hidden: int) -> int:
    """State-space mixer of Mamba-2 (arXiv:2405.21060, section 7).

    One input projection to gate, values, input and output matrices of every group and step sizes;
    a depthwise convolution with bias over values and matrices; decay, skip and step bias a head;
    a normalisation as wide as the values; the output projection.
    """
    inner = attention.value_heads * _value_head_dim(attention)
    matrices = 2 * attention.groups * attention.state_size
    project = hidden * (2 * inner + matrices + attention.value_heads)
    convolve = (inner + matrices) * (attention.conv_kernel + 1)
    return project + convolve + 3 * attention.value_heads + inner + inner * hidden


_BY_KIND: Final[dict[str, Callable[[Attention, int], int]]] = {
    "gqa": _gqa_parameters,
    "mla": _mla_parameters,
    "linear": _linear_parameters,
    "mamba2": _mamba2_parameters,
}


def _expert_parameters(block: FeedForward, outer: int, inner: int) -> int:
    """One feed-forward network between two widths: two matrices or three, and their biases."""
    ways_in = {"gated": 2, "plain": 1, "none": 0}[block.kind]
    matrices = (ways_in + 1) * outer * inner if block.kind != "none" else 0
    return matrices + (ways_in * inner + outer if block.bias and block.kind != "none" else 0)


@dataclass(frozen=True, slots=True)
class FeedForwardGroups:
    """Parameters of one feed-forward block by what they do.

    Attributes:
        dense: A block without experts.
        one_expert: One routed expert.
        experts: All routed experts.
        shared: Shared experts and their gate.
        router: Router with its bias, and the shared projections around experts of another width.
        extra: What the record states as extra.
    """

    dense: int = 0
    one_expert: int = 0
    experts: int = 0
    shared: int = 0
    router: int = 0
    extra: int = 0

    @property
    def total(self) -> int:
        """All parameters of the block."""
        return self.dense + self.experts + self.shared + self.router + self.extra


def feed_forward_groups(block: FeedForward, hidden: int) -> FeedForwardGroups:
    """Parameters of one feed-forward block, without the normalisation before it.

    A router is one row of the hidden width an expert, with one more number where it adds a bias
    (the correction bias of loss-free balancing counts). A shared gate is one row.

    Args:
        block: The kind.
        hidden: Width of the residual stream.
    """
    if not block.experts:
        dense = _expert_parameters(block, hidden, block.intermediate)
        return FeedForwardGroups(dense=dense, extra=block.extra_parameters)
    outer = block.latent or hidden
    one_expert = _expert_parameters(block, outer, block.expert_intermediate)
    shared_width = block.shared_intermediate or block.expert_intermediate
    shared = block.shared_experts * _expert_parameters(block, hidden, shared_width)
    router = hidden * block.experts + (block.experts if block.router_bias else 0)
    return FeedForwardGroups(
        one_expert=one_expert,
        experts=block.experts * one_expert,
        shared=shared + (hidden if block.shared_gate else 0),
        router=router + 2 * hidden * block.latent,
        extra=block.extra_parameters,
    )


def feed_forward_parameters(block: FeedForward, hidden: int) -> int:
    """All parameters of one feed-forward block; see `feed_forward_groups`."""
    return feed_forward_groups(block, hidden).total


def active_feed_forward_parameters(block: FeedForward, hidden: int) -> int:
    """Parameters of one feed-forward block that a token passes through."""
    groups = feed_forward_groups(block, hidden)
    idle = (block.experts - block.experts_per_token) * groups.one_expert
    return groups.total - idle


def norm_parameters(shape: Shape, count: int) -> int:
    """Parameters of `count` normalisations of the residual stream."""
    vectors = {"rms": 1, "layer": 2}[shape.norm]
    return count * vectors * shape.hidden


def embedding_parameters(shape: Shape) -> int:
    """Token embedding and, where there is one, the learned position table."""
    return (shape.vocabulary + shape.positions) * shape.hidden


def output_head_parameters(shape: Shape) -> int:
    """Projection to the vocabulary; 0 where it is the token embedding."""
    return 0 if shape.tied_embeddings else shape.vocabulary * shape.hidden


def parameter_groups(model: Architecture) -> ParameterGroups:
    """All parameters by what they do; without multi-token prediction layers and vision parts.

    Args:
        model: A model of the catalogue.
    """
    shape = model.shape
    attention = dense = experts = shared = routers = norms = 0
    extra = shape.extra_parameters
    for layer in model.layers:
        mixer = model.attentions[layer.attention]
        block = feed_forward_groups(model.feed_forwards[layer.feed_forward], shape.hidden)
        attention += layer.count * attention_parameters(mixer, shape.hidden)
        dense += layer.count * block.dense
        experts += layer.count * block.experts
        shared += layer.count * block.shared
        routers += layer.count * block.router
        extra += layer.count * block.extra
        norms += layer.count * norm_parameters(shape, layer.norms)
    return ParameterGroups(
        input_embedding=embedding_parameters(shape),
        output_head=output_head_parameters(shape),
        attention=attention,
        dense_feed_forward=dense,
        routed_experts=experts,
        shared_experts=shared,
        routers=routers,
        norms=norms + norm_parameters(shape, shape.final_norms),
        extra=extra,
    )


def total_parameters(model: Architecture) -> int:
    """All parameters of the language trunk.

    Tied embeddings count once; multi-token prediction layers, vision and audio parts do not count.
    """
    return parameter_groups(model).total


def active_parameters(model: Architecture, counts: ActiveCounts = "all") -> int:
    """Parameters that one token uses: the total without the routed experts it skips.

    Args:
        model: A model of the catalogue.
        counts: Which embeddings count. Publishers differ: `model.shape.active_counts` is the way
            of this model's own publisher. A tied matrix is never left out as input embedding,
            since the output needs all of it.
    """
    shape = model.shape
    active = total_parameters(model)
    for layer in model.layers:
        block = model.feed_forwards[layer.feed_forward]
        used = active_feed_forward_parameters(block, shape.hidden)
        active -= layer.count * (feed_forward_parameters(block, shape.hidden) - used)
    if counts == "no_embeddings":
        return active - embedding_parameters(shape) - output_head_parameters(shape)
    if counts == "no_input_embedding" and not shape.tied_embeddings:
        return active - embedding_parameters(shape)
    return active


def draft_parameters(model: Architecture) -> int:
    """Parameters of the multi-token prediction layers that the trunk does not share.

    Each is one more layer of the make of the last run, a projection from two hidden vectors to
    one and three normalisations (arXiv:2412.19437, section 2.2); embeddings are the trunk's.
    """
    shape, last = model.shape, model.layers[-1]
    mixer, block = model.attentions[last.attention], model.feed_forwards[last.feed_forward]
    layer = attention_parameters(mixer, shape.hidden) + feed_forward_parameters(block, shape.hidden)
    joined = 2 * shape.hidden * shape.hidden + norm_parameters(shape, last.norms + 3)
    return shape.draft_layers * (layer + joined)


def total_as_published(model: Architecture) -> int:
    """The total counted as the publisher counts: `shape.total_counts` and `vision_parameters`."""
    shape = model.shape
    total = total_parameters(model) + shape.vision_parameters
    if shape.total_counts.startswith("with_draft"):
        total += draft_parameters(model)
    if shape.total_counts.endswith("no_embeddings"):
        total -= embedding_parameters(shape) + output_head_parameters(shape)
    return total


def active_as_published(model: Architecture) -> int:
    """The active total counted as the publisher counts: `shape.active_counts`."""
    return active_parameters(model, model.shape.active_counts)


def cached_elements_per_token(attention: Attention) -> int:
    """Numbers that one layer keeps for one token of context, indexer keys not included.

    `gqa` keeps keys and values of its key-value heads; `mla` the latent and the rotary key, once
    for all heads; linear attention, state-space mixers and layers that read another layer's cache
    keep none.
    """
    if attention.shares_cache:
        return 0
    if attention.kind == "gqa":
        return attention.kv_heads * (attention.head_dim + _value_head_dim(attention))
    if attention.kind == "mla":
        return attention.kv_lora_rank + attention.qk_rope_head_dim
    return 0


def indexer_elements_per_token(attention: Attention) -> int:
    """Numbers that the indexer of one layer keeps for one token: one key for all its heads."""
    return attention.indexer_head_dim if attention.indexer_heads else 0


def state_elements(attention: Attention) -> tuple[int, int]:
    """Numbers that one layer keeps for a sequence whatever its length.

    Returns:
        Recurrent state (key by value dimension of every head; value dimension by state size of a
        state-space head), and convolution state (`conv_kernel` - 1 past inputs).
    """
    value_dim = _value_head_dim(attention)
    past = max(attention.conv_kernel - 1, 0)
    if attention.kind == "linear":
        value_width = attention.value_heads * value_dim
        key_width = attention.key_heads * attention.key_head_dim
        return value_width * attention.key_head_dim, past * (2 * key_width + value_width)
    if attention.kind == "mamba2":
        inner = attention.value_heads * value_dim
        matrices = 2 * attention.groups * attention.state_size
        return inner * attention.state_size, past * (inner + matrices)
    return 0, 0


def kv_cache_bytes(
    model: Architecture,
    context_tokens: ArrayLike,
    bytes_per_element: ArrayLike = BYTES_BF16,
    indexer_bytes_per_element: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Size of the attention cache of one sequence, before any sharding.

    A layer with a sliding window keeps at most the window. States that do not grow with the
    context are `state_bytes`.

    Args:
        model: A model of the catalogue.
        context_tokens: Tokens in the cache, any shape.
        bytes_per_element: Bytes of one cached number; broadcasts with `context_tokens`.
        indexer_bytes_per_element: The same for indexer keys; as above where not given.

    Returns:
        Bytes, in the broadcast shape.
    """
    tokens = np.asarray(context_tokens, dtype=np.float64)
    width = np.asarray(bytes_per_element, dtype=np.float64)
    index_width = width if indexer_bytes_per_element is None else indexer_bytes_per_element
    size = np.zeros(np.broadcast_shapes(tokens.shape, width.shape, np.shape(index_width)))
    for layer in model.layers:
        mixer = model.attentions[layer.attention]
        kept = np.minimum(tokens, mixer.window) if mixer.window else tokens
        per_token = cached_elements_per_token(mixer) * width
        per_token = per_token + indexer_elements_per_token(mixer) * np.asarray(index_width)
        size = size + layer.count * kept * per_token
    return size


def kv_cache_bytes_per_token(
    model: Architecture,
    bytes_per_element: ArrayLike = BYTES_BF16,
    indexer_bytes_per_element: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Bytes that one more token adds to the cache while no window is full yet.

    It is the figure that publishers and calculators print. Past its window a windowed layer adds
    nothing more: use `kv_cache_bytes` with the context for sizes.
    """
    return kv_cache_bytes(model, 1.0, bytes_per_element, indexer_bytes_per_element)


def state_bytes(
    model: Architecture,
    state_bytes_per_element: ArrayLike = BYTES_FP32,
    convolution_bytes_per_element: ArrayLike = BYTES_BF16,
) -> NDArray[np.float64]:
    """Size of the states of linear attention and state-space layers of one sequence.

    Args:
        model: A model of the catalogue.
        state_bytes_per_element: Bytes of one number of a recurrent state; serving keeps them in
            fp32 unless told otherwise.
        convolution_bytes_per_element: The same for the short convolutions.
    """
    size = np.zeros(
        np.broadcast_shapes(
            np.shape(state_bytes_per_element), np.shape(convolution_bytes_per_element)
        )
    )
    for layer in model.layers:
        recurrent, convolution = state_elements(model.attentions[layer.attention])
        size = size + layer.count * (
            recurrent * np.asarray(state_bytes_per_element, dtype=np.float64)
            + convolution * np.asarray(convolution_bytes_per_element, dtype=np.float64)
        )
    return size
