"""Which layer of a Hugging Face configuration has which mixer and which feed-forward block."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from weir.answers.models.config import (
    NO_BLOCK,
    NO_MIXER,
    Config,
    read_attention,
    read_dense,
    read_experts,
    read_linear,
    read_mamba,
)
from weir.catalog.architecture import Attention, FeedForward, Layers
from weir.core.errors import InputError

# A layer of the Nemotron-H family is one mixer or one block, written as one letter or word.
_SINGLE: Final[Mapping[str, tuple[str, str]]] = {
    "M": ("mamba", "none"),
    "mamba": ("mamba", "none"),
    "*": ("full", "none"),
    "attention": ("full", "none"),
    "-": ("none", "dense"),
    "mlp": ("none", "dense"),
    "E": ("none", "moe"),
    "moe": ("none", "moe"),
}
_SINGLE_READERS: Final[Mapping[str, Callable[[Config], Attention]]] = {
    "full": read_attention,
    "mamba": read_mamba,
}
_LAYER_TYPES: Final[Mapping[str, str]] = {
    "full_attention": "full",
    "attention": "full",
    "sliding_attention": "sliding",
    "chunked_attention": "sliding",
    "linear_attention": "linear",
}
_LLAMA4_FULL_EVERY: Final = 4
_NAS_ROUNDING: Final = 256
_GATED_SHARE: Final = (2, 3)


@dataclass(frozen=True)
class Plan:
    """The kinds a model uses and its layers in runs of equal make."""

    attentions: Mapping[str, Attention]
    feed_forwards: Mapping[str, FeedForward]
    layers: tuple[Layers, ...]


def plan_layers(config: Config) -> Plan:
    """Reads all layers.

    Raises:
        InputError: A layer names a kind that is not known, or a list has the wrong length.
    """
    singles = config.get("hybrid_override_pattern", "layers_block_type")
    if singles:
        return _plan_single_mixers(config, list(singles))
    blocks = config.get("block_configs")
    if blocks:
        return _plan_searched(config, blocks)
    count = config.need("num_hidden_layers", "n_layer", "n_layers", "num_layers")
    mixers = _mixer_keys(config, count)
    kinds = _feed_forward_keys(config, count)
    attentions = _mixers(config, set(mixers))
    blocks_by_key: dict[str, FeedForward] = {}
    if "dense" in kinds:
        blocks_by_key["dense"] = read_dense(config)
    experts = read_experts(config)
    if "moe" in kinds and experts is not None:
        blocks_by_key["moe"] = experts
    return _assemble(config, attentions, blocks_by_key, list(zip(mixers, kinds, strict=True)))


def _assemble(
    config: Config,
    attentions: Mapping[str, Attention],
    blocks: Mapping[str, FeedForward],
    order: Sequence[tuple[str, str]],
) -> Plan:
    norms = _norms(config)
    runs = Counter(order)
    layers = tuple(
        Layers(count=count, attention=mixer, feed_forward=block, norms=norms)
        for (mixer, block), count in runs.items()
    )
    return Plan(attentions, blocks, layers)


def _norms(config: Config) -> int:
    """Normalisations of the hidden width in one layer."""
    if config.flag("sandwich_norm"):
        return 2 * config.family.norms
    if config.get("parallel_attn"):
        return 2 if config.get("new_decoder_architecture") else 1
    if config.model_type == "gemma4_text" and config.get("enable_moe_block"):
        # The block and its parallel experts each have their own before and after.
        return config.family.norms + 3
    return config.family.norms


def _plan_single_mixers(config: Config, letters: Sequence[str]) -> Plan:
    """Nemotron-H: every layer is a mixer or a block, with one normalisation."""
    config.get("num_hidden_layers")
    unknown = sorted({letter for letter in letters if letter not in _SINGLE})
    if unknown:
        raise InputError(
            f"the layer pattern has {', '.join(map(repr, unknown))}; known are "
            f"{', '.join(map(repr, _SINGLE))}"
        )
    order = [_SINGLE[letter] for letter in letters]
    attentions: dict[str, Attention] = {}
    for key in dict.fromkeys(mixer for mixer, _ in order):
        reader = _SINGLE_READERS.get(key)
        attentions[key] = reader(config) if reader else NO_MIXER
    blocks: dict[str, FeedForward] = {}
    for _, block in order:
        if block == "none":
            blocks["none"] = NO_BLOCK
        elif block == "dense":
            blocks["dense"] = read_dense(config)
        else:
            blocks["moe"] = read_experts(config) or NO_BLOCK
    return _assemble(config, attentions, blocks, order)


def _plan_searched(config: Config, blocks: Sequence[Mapping[str, Any]]) -> Plan:
    """Models made by architecture search: every layer states its own widths or drops a part.

    A multiplier m of the block means 2/3 · m · hidden, rounded up to a multiple of 256.
    """
    config.get("num_hidden_layers", "num_key_value_heads", "intermediate_size", "mlp_bias")
    base = read_attention(config)
    hidden = config.need("hidden_size")
    attentions: dict[str, Attention] = {}
    feed_forwards: dict[str, FeedForward] = {}
    order = []
    for block in blocks:
        mixer, wide = block["attention"], block["ffn"]
        if mixer.get("no_op"):
            key, attention = "none", NO_MIXER
        else:
            kv_heads = base.heads // int(mixer["n_heads_in_group"])
            key, attention = f"kv{kv_heads}", replace(base, kv_heads=kv_heads)
        if wide.get("no_op"):
            width_key, feed_forward = "none", NO_BLOCK
        else:
            above, below = _GATED_SHARE
            exact = int(above * float(wide["ffn_mult"]) * hidden / below)
            width = -(-exact // _NAS_ROUNDING) * _NAS_ROUNDING
            width_key = f"dense{width}"
            feed_forward = FeedForward(kind="gated", intermediate=width)
        attentions[key] = attention
        feed_forwards[width_key] = feed_forward
        order.append((key, width_key))
    return _assemble(config, attentions, feed_forwards, order)


def _mixer_keys(config: Config, count: int) -> list[str]:
    """One key a layer: full, sliding, linear, or full with the index or cache of another layer."""
    if config.get("kv_lora_rank") and not config.get("linear_attn_config"):
        kinds = config.get("indexer_types", default=["full"] * count)
        _same_length("indexer_types", kinds, count)
        config.get("index_topk_freq", "index_skip_topk_offset")
        return ["full" if kind == "full" else "full_shared_index" for kind in kinds]
    kimi = config.get("linear_attn_config")
    if isinstance(kimi, Mapping):
        full = set(kimi["full_attn_layers"])
        return ["full" if index + 1 in full else "linear" for index in range(count)]
    if config.flag("use_cla"):
        share = config.need("cla_share_factor")
        return ["full_shared_cache" if index % share else "full" for index in range(count)]
    types = config.get("layer_types")
    if types:
        config.get("full_attention_interval", "sliding_window_pattern")
        _same_length("layer_types", types, count)
        unknown = sorted(set(types) - set(_LAYER_TYPES))
        if unknown:
            raise InputError(
                f"layer_types has {', '.join(unknown)}; known are {', '.join(_LAYER_TYPES)}"
            )
        return [_LAYER_TYPES[kind] for kind in types]
    flags = config.get("attn_type_list")
    if flags:
        _same_length("attn_type_list", flags, count)
        return ["full" if flag else "linear" for flag in flags]
    flags = config.get("hybrid_layer_pattern")
    if flags:
        _same_length("hybrid_layer_pattern", flags, count)
        return ["sliding" if flag else "full" for flag in flags]
    return _by_interval(config, count)


def _by_interval(config: Config, count: int) -> list[str]:
    every = config.whole("full_attention_interval")
    if every:
        return ["linear" if (index + 1) % every else "full" for index in range(count)]
    window = config.get(config.family.window_key)
    if not window or config.get("use_sliding_window") is False:
        return ["full"] * count
    if config.model_type == "llama4_text":
        config.get("no_rope_layers", "attention_chunk_size")
        config.get("intermediate_size_mlp")
        return ["sliding" if (i + 1) % _LLAMA4_FULL_EVERY else "full" for i in range(count)]
    every = config.whole("sliding_window_pattern", default=config.family.full_every)
    if every:
        return ["sliding" if (index + 1) % every else "full" for index in range(count)]
    return ["sliding"] * count


def _same_length(key: str, values: Sequence[Any], count: int) -> None:
    if len(values) != count:
        raise InputError(f"'{key}' has {len(values)} entries for {count} layers; one each")


def _mixers(config: Config, keys: set[str]) -> dict[str, Attention]:
    """The kinds behind the keys, the full one first."""
    full = read_attention(config)
    if config.model_type == "gemma4_text":
        full = _global_gemma4(config, full)
    found: dict[str, Attention] = {"full": full} if "full" in keys else {}
    if "full_shared_index" in keys:
        found["full_shared_index"] = replace(full, indexer_heads=0, indexer_head_dim=0)
    if "full_shared_cache" in keys:
        found["full_shared_cache"] = replace(full, shares_cache=True)
    if "sliding" in keys:
        found["sliding"] = _sliding(config)
    if "linear" in keys:
        found["linear"] = read_linear(config)
    return found


def _sliding(config: Config) -> Attention:
    """Attention within a window, with its own heads where the configuration names them."""
    base = read_attention(config)
    head_dim = config.whole("swa_head_dim") or base.head_dim
    value_dim = config.whole("swa_v_head_dim") or base.value_head_dim
    return replace(
        base,
        window=config.need(config.family.window_key),
        heads=config.whole("swa_num_attention_heads") or base.heads,
        kv_heads=config.whole("swa_num_key_value_heads") or base.kv_heads,
        head_dim=head_dim,
        value_head_dim=value_dim,
        sinks=base.sinks or config.flag("add_swa_attention_sink_bias"),
    )


def _global_gemma4(config: Config, base: Attention) -> Attention:
    return replace(
        base,
        head_dim=config.whole("global_head_dim") or base.head_dim,
        kv_heads=config.whole("num_global_key_value_heads") or base.kv_heads,
        value_is_key=config.flag("attention_k_eq_v"),
    )


def _feed_forward_keys(config: Config, count: int) -> list[str]:
    """One key a layer: dense or moe."""
    if read_experts(config) is None:
        return ["dense"] * count
    types = config.get("mlp_layer_types")
    if types:
        config.get("first_k_dense_replace", "moe_layer_freq")
        _same_length("mlp_layer_types", types, count)
        return ["dense" if kind == "dense" else "moe" for kind in types]
    frequency = config.get("moe_layer_freq", "decoder_sparse_step", "interleave_moe_layer_step")
    frequency = config.get("moe_layer_interval", default=frequency) or 1
    first = config.whole("first_k_dense_replace", "moe_layer_start_index", "moe_layer_num_skipped")
    if isinstance(frequency, list):
        _same_length("moe_layer_freq", frequency, count)
        return ["moe" if flag else "dense" for flag in frequency]
    last = config.whole("moe_layer_end_index", default=count - 1)
    skipped = set(config.get("mlp_only_layers", default=()))
    # Families that count the first block in begin a period with it; the others end one.
    offset = 0 if config.model_type.startswith(("deepseek", "kimi", "glm")) else 1
    return [
        "moe"
        if first <= index <= last and index not in skipped and (index + offset) % frequency == 0
        else "dense"
        for index in range(count)
    ]
