"""Hugging Face configurations, read into the parts of a model record.

Configurations of different families say the same thing under different keys and leave out what
their class fixes. `Config` looks keys up under all their names and remembers which it was asked
for, so that the rest can be reported; `model_families` holds what the classes fix.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias, cast

from weir.answers.models.families import FAMILIES, IGNORED, IGNORED_ENDINGS, Family
from weir.catalog.architecture import Attention, FeedForward, Shape
from weir.core.errors import InputError

NO_MIXER: Final = Attention(kind="none")
NO_BLOCK: Final = FeedForward(kind="none")

Json: TypeAlias = Any  # any value that JSON can hold


class Config:
    """A configuration that remembers which of its keys were asked for."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        if not isinstance(raw, Mapping):
            raise InputError(
                f"the configuration is a {type(raw).__name__}, not a JSON object; give the "
                "config.json of a Hugging Face model repository"
            )
        inner = raw.get("text_config")
        self.raw: Mapping[str, Any] = raw
        self.values: Mapping[str, Any] = inner if isinstance(inner, Mapping) else raw
        self.used: set[str] = set()
        kind = self.values.get("model_type", raw.get("model_type"))
        if not isinstance(kind, str):
            raise InputError(
                "the configuration has no 'model_type', so its family is unknown; give the "
                "config.json of a Hugging Face model repository"
            )
        self.model_type: str = kind
        self.known = kind in FAMILIES
        self.family = FAMILIES.get(kind, Family())

    def get(self, *names: str, default: Json = None) -> Json:
        """The first of the named keys that is present and not null."""
        found = default
        for name in reversed(names):
            if name in self.values:
                self.used.add(name)
                found = self.values[name] if self.values[name] is not None else found
        return found

    def need(self, *names: str) -> int:
        """A positive integer under one of the names.

        Raises:
            InputError: None of them holds one.
        """
        value = self.get(*names)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(
                f"key '{names[0]}' of the configuration is {value!r}; a positive integer is needed "
                f"to build the model (also read: {', '.join(names[1:]) or 'no other name'})"
            )
        return value

    def whole(self, *names: str, default: int = 0) -> int:
        """A non-negative integer under one of the names, or the default.

        Raises:
            InputError: The value is neither.
        """
        value = self.get(*names, default=default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise InputError(f"key '{names[0]}' of the configuration is {value!r}, not an integer")
        return value

    def flag(self, *names: str, default: bool = False) -> bool:
        """A truth value under one of the names, or the default."""
        return bool(self.get(*names, default=default))

    @property
    def unmapped(self) -> tuple[str, ...]:
        """Keys that no part of the record was made from and that are not known to be harmless."""
        return tuple(
            key
            for key, value in self.values.items()
            if key not in self.used
            and key not in IGNORED
            and not key.endswith(IGNORED_ENDINGS)
            and value not in (None, False, 0, {}, [])
        )


def read_shape(config: Config) -> Shape:
    """The trunk: widths, embeddings, norms, number formats."""
    family = config.family
    context = config.get("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
    positions = 0
    if family.positions_offset is not None and isinstance(context, int):
        positions = context + family.positions_offset
    weights, experts = _formats(config)
    return Shape(
        hidden=config.need("hidden_size", "n_embd", "d_model", "n_embed"),
        vocabulary=config.need("vocab_size"),
        tied_embeddings=config.flag("tie_word_embeddings", default=family.tied),
        positions=positions,
        norm=family.norm,
        final_norms=family.final_norms,
        max_context=context if isinstance(context, int) else None,
        weight_format=weights,
        expert_weight_format=experts,
        draft_layers=config.whole(
            "num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_layers"
        ),
    )


WeightFormat = Literal["bf16", "fp16", "fp8", "fp4", "int4", "int8", "fp32"]
ExpertFormat = Literal["bf16", "fp16", "fp8", "fp4", "int4", "int8"]


def _formats(config: Config) -> tuple[WeightFormat, ExpertFormat | None]:
    """Number format of the weights, and of routed experts where it differs."""
    dtype = str(config.get("torch_dtype", "dtype", default=config.raw.get("torch_dtype", "")))
    plain = {"float16": "fp16", "float32": "fp32"}.get(dtype.removeprefix("torch."), "bf16")
    weights = cast("WeightFormat", plain)
    quantization = config.get("quantization_config", default=config.raw.get("quantization_config"))
    if not isinstance(quantization, Mapping):
        return weights, None
    method = str(quantization.get("quant_method", ""))
    if method == "mxfp4":
        return weights, "fp4"
    if method == "fp8":
        return "fp8", "fp4" if config.get("expert_dtype") == "fp4" else None
    if str(quantization.get("format", "")).startswith("mxfp4"):
        return weights, "fp4"
    if "pack-quantized" in str(quantization.get("format", "")):
        return weights, "int4"
    return weights, None


def read_attention(config: Config) -> Attention:
    """The full attention of the model; multi-head latent attention where there is a latent."""
    if config.get("kv_lora_rank"):
        return _read_mla(config)
    family = config.family
    hidden = config.need("hidden_size", "n_embd", "d_model", "n_embed")
    heads = config.need("num_attention_heads", "n_head", "n_heads")
    head_dim = config.whole("head_dim", "attention_head_dim") or hidden // heads
    if config.get("qk_nope_dim"):
        head_dim = config.need("qk_nope_dim") + config.whole("qk_rope_dim")
    bias = config.flag("attention_bias", "qkv_bias", "use_qkv_bias", default=family.qkv_bias)
    own = bias if family.output_bias is None else family.output_bias
    norm_type = config.get("qk_norm_type")
    qk_norm = family.qk_norm
    asked = config.get("use_qk_norm", "qk_layernorm")
    if asked is not None and config.model_type not in {"llama4_text", "minimax_m3"}:
        full = norm_type == "per_layer"
        qk_norm = ("full" if full else "per_head") if asked else "none"
    value_dim = config.whole("v_head_dim", "v_channels") or None
    return Attention(
        kind="gqa",
        heads=heads,
        kv_heads=_kv_heads(config, heads),
        head_dim=head_dim,
        value_head_dim=None if value_dim == head_dim else value_dim,
        bias=bias,
        output_bias=own,
        qk_norm=qk_norm,
        sinks=family.sinks,
        extra_parameters=_learned_sinks(config, head_dim, value_dim or head_dim),
        output_gate=config.flag(
            "attn_output_gate", "attention_output_gate", default=config.model_type == "qwen3_next"
        ),
    )


def _learned_sinks(config: Config, head_dim: int, value_dim: int) -> int:
    """Parameters of key-value pairs that stand before every sequence."""
    tokens = config.whole("param_sink_number")
    values = value_dim if config.flag("param_sink_with_value") else 0
    return tokens * config.whole("num_key_value_heads") * (head_dim + values)


def _kv_heads(config: Config, heads: int) -> int:
    if config.get("multi_query") and not config.get("new_decoder_architecture"):
        return 1
    return config.whole("num_key_value_heads", "num_kv_heads", "n_head_kv") or heads


def _read_mla(config: Config) -> Attention:
    config.get("num_key_value_heads", "head_dim", "attention_bias")
    return Attention(
        kind="mla",
        heads=config.need("num_attention_heads"),
        value_head_dim=config.need("v_head_dim"),
        q_lora_rank=config.whole("q_lora_rank"),
        kv_lora_rank=config.need("kv_lora_rank"),
        qk_nope_head_dim=config.need("qk_nope_head_dim"),
        qk_rope_head_dim=config.need("qk_rope_head_dim"),
        output_gate=config.flag("mla_use_output_gate"),
        sparse_top_k=config.whole("index_topk"),
        indexer_heads=config.whole("index_n_heads"),
        indexer_head_dim=config.whole("index_head_dim"),
    )


def read_dense(config: Config) -> FeedForward:
    """The block without experts."""
    family = config.family
    hidden = config.need("hidden_size", "n_embd", "d_model", "n_embed")
    width = config.whole(
        "dense_intermediate_size",
        "intermediate_size_mlp",
        "intermediate_size",
        "ffn_hidden_size",
        "ffn_dim",
        "n_inner",
    )
    return FeedForward(
        kind="gated" if family.gated else "plain",
        intermediate=width or config.whole("expansion_ratio", default=4) * hidden,
        bias=config.flag("mlp_bias", default=family.mlp_bias),
    )


EXPERT_KEYS: Final = (
    "n_routed_experts",
    "num_experts",
    "num_local_experts",
    "moe_num_experts",
)


def read_experts(config: Config) -> FeedForward | None:
    """The mixture of experts; None where the model has none."""
    experts = _first(config.get(*EXPERT_KEYS, default=0))
    if not experts:
        return None
    family = config.family
    width = _first(
        config.get("moe_intermediate_size", "expert_intermediate_size", "intermediate_size")
    )
    per_token = config.get(
        "num_experts_per_tok", "num_experts_per_token", "top_k_experts", "moe_k", "moe_topk"
    )
    shared, shared_width = _shared_experts(config, width)
    return FeedForward(
        kind="gated" if family.gated else "plain",
        bias=family.mlp_bias,
        experts=experts,
        experts_per_token=_first(per_token),
        expert_intermediate=width,
        shared_experts=shared,
        shared_intermediate=0 if shared_width == width else shared_width,
        shared_gate=family.shared_gate and shared > 0,
        router_bias=config.flag(
            "use_routing_bias",
            "use_moe_router_bias",
            "moe_use_aux_free",
            "router_enable_expert_bias",
        )
        or family.router_bias,
        latent=config.whole("moe_latent_size", "routed_expert_hidden_size"),
    )


def _shared_experts(config: Config, width: int) -> tuple[int, int]:
    """Number of shared experts and the width of each."""
    total = config.get(
        "shared_expert_intermediate_size",
        "moe_shared_expert_intermediate_size",
        "shared_intermediate_size",
        "share_expert_dim",
        default=0,
    )
    count = _first(config.get("n_shared_experts", "num_shared_experts", "num_shared_expert"))
    count = _first(config.get("moe_num_shared_experts", default=count))
    if config.model_type == "llama4_text":
        return 1, width
    if config.model_type == "gemma4_text":
        return 1, config.need("intermediate_size")
    if total:
        return max(count, 1), total
    return count, width if count else 0


def _first(value: object) -> int:
    """An integer, or the largest of a list that names one a layer."""
    if isinstance(value, list | tuple):
        numbers = [item for item in value if isinstance(item, int)]
        return max(numbers, default=0)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def read_linear(config: Config) -> Attention:
    """Linear attention of a hybrid (Gated DeltaNet, Kimi Delta Attention, Lightning)."""
    kimi = config.get("linear_attn_config")
    if isinstance(kimi, Mapping):
        heads, dim = int(kimi["num_heads"]), int(kimi["head_dim"])
        return Attention(
            kind="linear",
            variant="kimi_delta",
            key_heads=heads,
            key_head_dim=dim,
            value_heads=heads,
            value_head_dim=dim,
            conv_kernel=int(kimi["short_conv_kernel_size"]),
            gate_rank=0 if kimi.get("use_full_rank_gate") else dim,
        )
    if config.model_type.startswith("minimax"):
        heads, dim = config.need("num_attention_heads"), config.need("head_dim")
        return Attention(
            kind="linear",
            variant="lightning",
            key_heads=heads,
            key_head_dim=dim,
            value_heads=heads,
            value_head_dim=dim,
        )
    return Attention(
        kind="linear",
        key_heads=config.need("linear_num_key_heads"),
        key_head_dim=config.need("linear_key_head_dim"),
        value_heads=config.need("linear_num_value_heads"),
        value_head_dim=config.need("linear_value_head_dim"),
        conv_kernel=config.need("linear_conv_kernel_dim"),
    )


def read_mamba(config: Config) -> Attention:
    """State-space mixer of a hybrid."""
    config.get("use_conv_bias")
    return Attention(
        kind="mamba2",
        value_heads=config.need("mamba_num_heads"),
        value_head_dim=config.need("mamba_head_dim"),
        conv_kernel=config.need("conv_kernel"),
        state_size=config.need("ssm_state_size"),
        groups=config.need("n_groups"),
    )
