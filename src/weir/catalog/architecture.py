"""The make of a language model: plain records that the schema validates and formulas read.

They are standard dataclasses, so that the speed model can use them without the validator.
"""

from dataclasses import dataclass, fields
from typing import Any, Literal

STRICT: dict[str, Any] = {"extra": "forbid"}


class _NonNegative:
    """Refuses negative integers, which no part of an architecture can have."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for item in fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            if isinstance(value, int) and value < 0:
                raise ValueError(f"{item.name} is {value}; it cannot be negative")


@dataclass(frozen=True)
class Attention(_NonNegative):
    """One kind of attention, or of what stands in its place.

    `gqa` covers multi-head, grouped-query and multi-query attention; `mla` is multi-head latent
    attention (DeepSeek-V2, arXiv:2405.04434); `linear` is gated linear attention with a matrix
    state (Gated DeltaNet and its kin); `mamba2` is a state-space mixer (arXiv:2405.21060); `none`
    is a layer without a mixer.

    Attributes:
        heads: Query heads.
        kv_heads: Key and value heads of `gqa`.
        head_dim: Dimension of a query and key head of `gqa`.
        value_head_dim: Dimension of a value head; None where it equals `head_dim`.
        window: Sliding window in tokens; 0 for full attention.
        bias: Query, key and value projections add a bias.
        output_bias: The output projection adds a bias.
        qk_norm: Normalisation of queries and keys, per head or over the whole projection.
        sinks: One learned sink logit a head.
        output_gate: Queries come with a gate of the same width (doubles the query projection).
        q_lora_rank: `mla`: rank of the query compression; 0 for a plain query projection.
        kv_lora_rank: `mla`: rank of the cached latent.
        qk_nope_head_dim: `mla`: part of a query head without rotary position.
        qk_rope_head_dim: `mla`: rotary part, cached once for all heads.
        sparse_top_k: Keys that a token attends to after indexing; 0 for all.
        indexer_heads: Heads of the indexer of sparse attention.
        indexer_head_dim: Dimension of an indexer head; its keys are cached.
        key_heads: `linear`: key heads.
        key_head_dim: `linear`: dimension of a key head.
        value_heads: `linear`: value heads; `mamba2`: heads.
        conv_kernel: Width of the short convolution.
        state_size: `mamba2`: state per channel.
        groups: `mamba2`: groups that share the input and output matrices.
        extra_parameters: Parameters of a layer that the fields above do not explain.
        shares_cache: The layer reads the cache of another layer: it has neither key nor value
            projections and stores nothing.
        value_is_key: One projection serves as key and as value; both are cached, since only the
            key is rotated.
        variant: `linear`: `gated_delta` is Gated DeltaNet (arXiv:2412.06464), `kimi_delta` is Kimi
            Delta Attention (arXiv:2510.26692), `lightning` has a fixed decay a head
            (arXiv:2501.08313).
        gate_rank: `linear` of variant `kimi_delta`: rank of the decay and of the output gate.
    """

    kind: Literal["gqa", "mla", "linear", "mamba2", "none"]
    heads: int = 0
    kv_heads: int = 0
    head_dim: int = 0
    value_head_dim: int | None = None
    window: int = 0
    bias: bool = False
    output_bias: bool = False
    qk_norm: Literal["none", "per_head", "full"] = "none"
    sinks: bool = False
    output_gate: bool = False
    q_lora_rank: int = 0
    kv_lora_rank: int = 0
    qk_nope_head_dim: int = 0
    qk_rope_head_dim: int = 0
    sparse_top_k: int = 0
    indexer_heads: int = 0
    indexer_head_dim: int = 0
    key_heads: int = 0
    key_head_dim: int = 0
    value_heads: int = 0
    conv_kernel: int = 0
    state_size: int = 0
    groups: int = 0
    extra_parameters: int = 0
    shares_cache: bool = False
    value_is_key: bool = False
    variant: Literal["gated_delta", "kimi_delta", "lightning"] = "gated_delta"
    gate_rank: int = 0

    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class FeedForward(_NonNegative):
    """One kind of feed-forward block.

    Dense where `experts` is 0; otherwise a mixture of experts, of which a token uses
    `experts_per_token`, plus shared experts that every token uses.

    Attributes:
        kind: `gated` has three matrices (gate, up, down), `plain` two.
        intermediate: Inner width of a dense block.
        bias: The matrices add biases.
        experts: Routed experts.
        experts_per_token: Routed experts a token uses.
        expert_intermediate: Inner width of a routed expert.
        shared_experts: Experts every token uses.
        shared_intermediate: Inner width of one shared expert; 0 for that of a routed one.
        shared_gate: A one-row gate weighs the shared expert.
        router_bias: The router adds one bias an expert.
        latent: Width that routed experts work at, after one projection down and before one up that
            all of them share; 0 for the hidden width.
        extra_parameters: Parameters of a layer that the fields above do not explain.
    """

    kind: Literal["gated", "plain", "none"]
    intermediate: int = 0
    bias: bool = False
    experts: int = 0
    experts_per_token: int = 0
    expert_intermediate: int = 0
    shared_experts: int = 0
    shared_intermediate: int = 0
    shared_gate: bool = False
    router_bias: bool = False
    latent: int = 0
    extra_parameters: int = 0

    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Layers(_NonNegative):
    """`count` layers of the same make; the order of kinds changes no result.

    Attributes:
        count: How many.
        attention: Key into the model's attentions.
        feed_forward: Key into the model's feed-forward blocks.
        norms: Normalisations of the hidden width in one layer.
    """

    count: int
    attention: str
    feed_forward: str
    norms: int = 2

    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Shape(_NonNegative):
    """The trunk of a decoder-only transformer.

    Attributes:
        hidden: Width of the residual stream.
        vocabulary: Rows of the embedding as stored, padding included.
        tied_embeddings: Input and output embeddings are one matrix.
        positions: Rows of a learned position table; 0 for rotary or none.
        norm: `rms` has one vector a normalisation (also a layer normalisation without bias),
            `layer` two.
        final_norms: Normalisations outside the layers.
        max_context: Longest context the vendor states, in tokens.
        weight_format: Number format the weights are published in.
        expert_weight_format: Format of routed experts where it differs.
        draft_layers: Multi-token prediction layers, not part of the totals.
        total_counts: What the publisher's total takes in: the `trunk`, the trunk without its
            embeddings (`no_embeddings`), trunk and draft layers (`with_draft`), or both without the
            embeddings (`with_draft_no_embeddings`).
        active_counts: What the publisher's active total takes in: `all`, or everything except the
            input embedding (`no_input_embedding`) or both embeddings (`no_embeddings`).
        vision_parameters: Parameters of vision and audio parts; a publisher's total may take them
            in, the totals computed here leave them out.
        extra_parameters: Parameters that the fields do not explain.
        extra_parameters_why: What they are.
    """

    hidden: int
    vocabulary: int
    tied_embeddings: bool = False
    positions: int = 0
    norm: Literal["rms", "layer"] = "rms"
    final_norms: int = 1
    max_context: int | None = None
    weight_format: Literal["bf16", "fp16", "fp8", "fp4", "int4", "int8", "fp32"] = "bf16"
    expert_weight_format: Literal["bf16", "fp16", "fp8", "fp4", "int4", "int8"] | None = None
    draft_layers: int = 0
    total_counts: Literal["trunk", "no_embeddings", "with_draft", "with_draft_no_embeddings"] = (
        "trunk"
    )
    active_counts: Literal["all", "no_input_embedding", "no_embeddings"] = "all"
    vision_parameters: int = 0
    extra_parameters: int = 0
    extra_parameters_why: str | None = None

    __pydantic_config__ = STRICT
