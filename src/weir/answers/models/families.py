"""What the model classes behind Hugging Face configurations fix without a key of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

SINGLE_MIXER_NORMS: Final = 1
ALTERNATE: Final = 2


@dataclass(frozen=True)
class Family:
    """What a model class fixes without a key in the configuration.

    Attributes:
        tied: Embeddings are tied where the configuration is silent.
        gated: The feed-forward block has a gate.
        norm: Kind of normalisation.
        norms: Normalisations in a layer.
        final_norms: Normalisations outside the layers.
        qkv_bias: Query, key and value add biases where the configuration is silent.
        output_bias: So does the output projection; None to follow the others.
        mlp_bias: So do the matrices of the feed-forward block.
        qk_norm: Normalisation of queries and keys.
        sinks: One sink logit a head.
        router_bias: The router adds a bias.
        shared_gate: A gate weighs the shared expert.
        full_every: Every so-manieth layer is full attention, the others slide; 0 for all full.
        window_key: The key of the window.
        positions_offset: Extra rows of the learned position table; None for no table.
    """

    tied: bool = False
    gated: bool = True
    norm: Literal["rms", "layer"] = "rms"
    norms: int = 2
    final_norms: int = 1
    qkv_bias: bool = False
    output_bias: bool | None = None
    mlp_bias: bool = False
    qk_norm: Literal["none", "per_head", "full"] = "none"
    sinks: bool = False
    router_bias: bool = False
    shared_gate: bool = False
    full_every: int = 0
    window_key: str = "sliding_window"
    positions_offset: int | None = None


_DEEPSEEK = Family(router_bias=True)
_QWEN3 = Family(qk_norm="per_head")

FAMILIES: Final[Mapping[str, Family]] = {
    "llama": Family(),
    "mistral": Family(),
    "mistral3_text": Family(),
    "mixtral": Family(),
    "nemotron-nas": Family(),
    "llama4_text": Family(window_key="attention_chunk_size"),
    "qwen2": Family(qkv_bias=True, output_bias=False),
    "qwen2_moe": Family(qkv_bias=True, output_bias=False, shared_gate=True),
    "qwen3": _QWEN3,
    "qwen3_moe": _QWEN3,
    "qwen3_vl_text": _QWEN3,
    "qwen3_vl_moe_text": _QWEN3,
    "qwen3_next": Family(qk_norm="per_head", shared_gate=True),
    "qwen3_5_text": _QWEN3,
    "qwen3_5_moe_text": Family(qk_norm="per_head", shared_gate=True),
    "deepseek_v2": Family(),
    "deepseek_v3": _DEEPSEEK,
    "deepseek_v32": _DEEPSEEK,
    "glm_moe_dsa": _DEEPSEEK,
    "kimi_k2": _DEEPSEEK,
    "kimi_linear": _DEEPSEEK,
    "glm4_moe": Family(output_bias=False, router_bias=True),
    "gpt_oss": Family(qkv_bias=True, sinks=True, mlp_bias=True, router_bias=True),
    "minimax_m2": Family(router_bias=True),
    "minimax_m3": Family(router_bias=True, qk_norm="per_head"),
    "minimax_m1": Family(),
    "mimo": Family(qkv_bias=True, output_bias=False),
    "mimo_v2_flash": Family(router_bias=True),
    "nemotron_h": Family(gated=False, norms=SINGLE_MIXER_NORMS, router_bias=True),
    "gemma2": Family(tied=True, norms=4, full_every=ALTERNATE),
    "gemma3_text": Family(tied=True, norms=4, qk_norm="per_head", full_every=6),
    "gemma4_text": Family(tied=True, norms=4, qk_norm="per_head"),
    "hunyuan": Family(),
    "hunyuan_v1_moe": Family(qk_norm="per_head"),
    "PanguProMoE": Family(qkv_bias=True, output_bias=True),
    "dbrx": Family(),
    "cohere": Family(tied=True, norms=1, qk_norm="full"),
    "olmo2": Family(qk_norm="full"),
    "olmoe": Family(qk_norm="full"),
    "nemotron": Family(gated=False, norm="layer"),
    "step3p7": Family(),
    "ernie4_5": Family(),
    "ernie4_5_moe": Family(router_bias=True),
    "phi3": Family(),
    "falcon": Family(tied=True, gated=False, norm="layer"),
    "bloom": Family(
        tied=True, gated=False, norm="layer", final_norms=2, qkv_bias=True, mlp_bias=True
    ),
    "opt": Family(
        tied=True, gated=False, norm="layer", qkv_bias=True, mlp_bias=True, positions_offset=2
    ),
    "gpt2": Family(
        tied=True, gated=False, norm="layer", qkv_bias=True, mlp_bias=True, positions_offset=0
    ),
    "mpt": Family(tied=True, gated=False),
}

IGNORED_ENDINGS: Final = ("_token_id", "_token_index", "_dropout", "_pdrop", "_eps", "_epsilon")
_IGNORED_WORDS: Final = """
_attn_implementation _name_or_path activation_function activation_situ_beta
activation_situ_linear_beta apply_residual_connection_post_layernorm architectures
attention_chunk_size attention_value_scale attn_implementation attn_logit_softcapping
audio_config auto_map aux_loss_alpha bad_words_ids chunk_size do_sample dtype early_stopping
ep_size expand experts_per_token final_logit_softcapping forced_bos_token_id hidden_act
hidden_activation id2label ignore_index image_placeholder image_token_index
index_share_for_mtp_iteration index_topk_pattern indexer_rope_interleave init_method_std
initial_context_length initializer_range label2id language_model_only length_penalty
logits_soft_cap mamba_hidden_act mamba_ssm_cache_dtype mamba_ssm_dtype masked_softmax_fusion
max_length max_window_layers media_placeholder media_placeholder_token_id min_length
mla_use_nope mlp_hidden_act model_type moe_renormalize moe_router_activation_func
moe_router_dtype moe_router_scaling_factor moe_shared_expert_overlap
mtp_hybrid_override_pattern mtp_layers_block_type mtp_transformer_layers
mtp_use_dedicated_embeddings multimodal_projector_bias n_group no_repeat_ngram_size
norm_topk_prob num_beam_groups num_beams num_expert_group num_logits_to_keep num_mtp_modules
num_return_sequences original_max_position_embeddings output_attentions output_hidden_states
output_router_logits partial_rotary_factor partial_rotary_factors prefix pretraining_tp
problem_type projector_hidden_act qk_head_dim query_pre_attn_scalar repetition_penalty
rescale_prenorm_residual residual_in_fp32 return_dict rope_interleave rope_local_base_freq
rope_parameters rope_scaling rope_theta rope_type rotary rotary_dim rotary_emb rotary_pct
routed_scaling_factor router_aux_loss_coef router_jitter_noise scale_attn_weights
scoring_func seq_aux sliding_window_size slow_but_exact spatial_merge_size swa_rope_theta
swiglu_alpha swiglu_limit temperature time_step_floor time_step_limit time_step_max
time_step_min time_step_rank top_k top_p topk_group topk_method torch_dtype
transformers_version typical_p use_bidirectional_attention use_cache use_gemma_norm
use_grouped_topk use_mamba_kernels use_mrope use_mtp use_sliding_window vision_config
vision_feature_layer vocab_size_per_layer_input
"""
IGNORED: Final = frozenset(_IGNORED_WORDS.split())
