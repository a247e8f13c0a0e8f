"""Configurations become records with the counts of the stock, and say what they left out."""

import datetime as dt
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from weir.answers.models.importing import ImportedModel, identifier_of, import_config
from weir.catalog.query import Catalog
from weir.catalog.schema import ModelRecord, SourceRecord
from weir.core.errors import InputError
from weir.perf.parameters import (
    active_parameters,
    kv_cache_bytes,
    kv_cache_bytes_per_token,
    state_bytes,
    total_parameters,
)

CONFIGS = sorted((Path(__file__).resolve().parents[3] / "data" / "configs").glob("*.json"))
DAY = dt.date(2026, 11, 23)
LLAMA = {
    "model_type": "llama",
    "hidden_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "intermediate_size": 128,
    "vocab_size": 100,
}


def read(config: dict[str, Any], **keys: Any) -> ImportedModel:
    return import_config(config, accessed=DAY, **keys)


def with_keys(**keys: Any) -> ImportedModel:
    return read({**LLAMA, **keys})


@pytest.fixture(params=CONFIGS, ids=lambda path: path.stem)
def config_path(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_counts_equal_those_of_the_stock(config_path: Path, catalog: Catalog) -> None:
    imported = read(json.loads(config_path.read_text(encoding="utf-8")), name=config_path.stem)
    stocked = catalog.model(config_path.stem)
    assert total_parameters(imported) == total_parameters(stocked)
    assert active_parameters(imported) == active_parameters(stocked)
    assert kv_cache_bytes_per_token(imported) == kv_cache_bytes_per_token(stocked)
    assert kv_cache_bytes(imported, 1e5) == kv_cache_bytes(stocked, 1e5)
    assert state_bytes(imported) == state_bytes(stocked)


def test_every_key_of_a_known_family_is_understood(config_path: Path) -> None:
    imported = read(json.loads(config_path.read_text(encoding="utf-8")))
    assert imported.unmapped == ()


def test_records_pass_the_schema_and_read_back_the_same(config_path: Path) -> None:
    imported = read(json.loads(config_path.read_text(encoding="utf-8")), name=config_path.stem)
    record = ModelRecord.model_validate(tomllib.loads(imported.record_toml))
    source = SourceRecord.model_validate(tomllib.loads(imported.source_toml))
    assert record.id == imported.id == config_path.stem
    assert record.sources == (source.id,)
    assert source.accessed == DAY
    assert total_parameters(record) == total_parameters(imported)
    assert record.shape == imported.shape
    assert dict(record.attentions) == dict(imported.attentions)
    assert dict(record.feed_forwards) == dict(imported.feed_forwards)
    assert record.layers == imported.layers


def test_identifier() -> None:
    assert identifier_of("Qwen/Qwen3-8B") == "qwen3-8b"
    assert identifier_of("My model (v2)!") == "my-model-v2"


def test_quotes_and_letters_of_other_scripts_survive() -> None:
    imported = read(LLAMA, name='org/Modell "Größe" 大', organisation="机构")
    head = tomllib.loads(imported.record_toml)
    assert head["name"] == 'Modell "Größe" 大'
    assert head["organisation"] == "机构"


def test_an_unknown_key_is_reported_and_a_harmless_one_is_not() -> None:
    imported = with_keys(memory_layers=3, rope_theta=1e6, pad_token_id=7, not_used=None)
    assert imported.unmapped == ("memory_layers",)
    assert any("memory_layers" in warning for warning in imported.warnings)
    assert with_keys(rope_theta=1e6).warnings == ()


def test_an_unknown_family_is_read_with_a_warning() -> None:
    imported = with_keys(model_type="brand_new")
    assert total_parameters(imported) == total_parameters(read(LLAMA))
    assert "brand_new" in imported.warnings[0]


def test_a_multimodal_configuration_gives_its_language_part() -> None:
    imported = read(
        {"model_type": "outer", "text_config": LLAMA, "vision_config": {"hidden_size": 3}}
    )
    assert total_parameters(imported) == total_parameters(read(LLAMA))
    assert any("language part" in warning for warning in imported.warnings)


@pytest.mark.parametrize(
    ("dtype", "quantization", "expected"),
    [
        ("float16", None, ("fp16", None)),
        ("bfloat16", {"quant_method": "fp8"}, ("fp8", None)),
        ("bfloat16", {"quant_method": "mxfp4"}, ("bf16", "fp4")),
        ("bfloat16", {"format": "mxfp4-pack-quantized"}, ("bf16", "fp4")),
        ("bfloat16", {"format": "pack-quantized"}, ("bf16", "int4")),
    ],
)
def test_number_formats(
    dtype: str, quantization: dict[str, str] | None, expected: tuple[str, str | None]
) -> None:
    shape = with_keys(torch_dtype=dtype, quantization_config=quantization).shape
    assert (shape.weight_format, shape.expert_weight_format) == expected


def test_windows_on_some_layers() -> None:
    imported = with_keys(
        model_type="gemma3_text", sliding_window=16, sliding_window_pattern=2, head_dim=8
    )
    counts = {layer.attention: layer.count for layer in imported.layers}
    assert counts == {"sliding": 2, "full": 2}
    assert imported.attentions["sliding"].window == 16
    unused = with_keys(model_type="qwen2", sliding_window=16, use_sliding_window=False)
    assert set(unused.attentions) == {"full"}


def test_dense_layers_before_and_between_experts() -> None:
    moe = {"n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
    first = with_keys(model_type="deepseek_v3", first_k_dense_replace=1, moe_layer_freq=1, **moe)
    assert {run.feed_forward: run.count for run in first.layers} == {"dense": 1, "moe": 3}
    every = with_keys(model_type="qwen3_moe", decoder_sparse_step=2, **moe)
    assert {run.feed_forward: run.count for run in every.layers} == {"dense": 2, "moe": 2}
    listed = with_keys(model_type="mimo_v2_flash", moe_layer_freq=[0, 1, 1, 1], **moe)
    assert {run.feed_forward: run.count for run in listed.layers} == {"dense": 1, "moe": 3}


def test_layers_that_read_the_cache_of_another() -> None:
    imported = with_keys(model_type="hunyuan", use_cla=True, cla_share_factor=2)
    assert {run.attention: run.count for run in imported.layers} == {
        "full": 2,
        "full_shared_cache": 2,
    }
    assert 2 * kv_cache_bytes_per_token(imported) == kv_cache_bytes_per_token(read(LLAMA))


def test_layers_found_by_search_have_their_own_widths() -> None:
    def block(heads_in_group: int | None, multiplier: float) -> dict[str, Any]:
        attention = {"n_heads_in_group": heads_in_group, "no_op": heads_in_group is None}
        return {"attention": attention, "ffn": {"ffn_mult": multiplier, "no_op": False}}

    imported = with_keys(
        model_type="nemotron-nas",
        hidden_size=768,
        num_key_value_heads=None,
        block_configs=[block(4, 1.0), block(None, 1.1)],
    )
    assert imported.attentions["kv2"].kv_heads == 2
    # 2/3 · 1.0 · 768 = 512; 2/3 · 1.1 · 768 = 563, rounded up to 768
    assert set(imported.feed_forwards) == {"dense512", "dense768"}
    assert [run.attention for run in imported.layers] == ["kv2", "none"]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"model_type": None}, ["model_type", "config.json"]),
        ({"vocab_size": None}, ["vocab_size", "positive integer"]),
        ({"hidden_size": "wide"}, ["hidden_size", "'wide'"]),
        ({"layer_types": ["full_attention"]}, ["layer_types", "1 entries", "4 layers"]),
        ({"layer_types": ["odd"] * 4}, ["odd", "full_attention"]),
        ({"hybrid_override_pattern": "M?"}, ["'?'", "'M'"]),
        ({"num_key_value_heads": -1}, ["num_key_value_heads", "-1"]),
    ],
)
def test_bad_configurations_say_what_is_missing(keys: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        with_keys(**keys)
    for word in words:
        assert word in str(caught.value)


def test_a_configuration_must_be_an_object() -> None:
    with pytest.raises(InputError, match="JSON object"):
        import_config([1, 2], accessed=DAY)  # type: ignore[arg-type]
