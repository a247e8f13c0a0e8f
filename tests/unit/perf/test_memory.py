from dataclasses import replace

import numpy as np
import pytest

from weir.catalog.query import Catalog
from weir.catalog.stack import load_stack
from weir.perf.formats import Precision
from weir.perf.memory import cache_per_sequence, memory, usable_bytes, weights_per_chip
from weir.perf.parallel import Layout
from weir.perf.parameters import kv_cache_bytes, total_parameters

BF16 = Precision("bf16", "bf16", "bf16")
FP8 = Precision("fp8_block", "fp8_block", "bf16")
CATALOG = Catalog()
MODELS = [model.id for model in CATALOG.models.all()]


@pytest.mark.parametrize("name", MODELS)
def test_one_chip_holds_every_parameter_once(name):
    model = CATALOG.model(name)
    weights, experts = weights_per_chip(model, Layout(), BF16)
    assert weights == pytest.approx(2.0 * total_parameters(model), rel=1e-9)
    assert 0 <= experts < weights


@pytest.mark.parametrize("name", MODELS)
def test_the_cache_of_one_chip_is_that_of_the_model(name):
    model = CATALOG.model(name)
    tokens = np.array([1.0, 100.0, 8192.0])
    cached = cache_per_sequence(model, Layout(), BF16, tokens)
    state = cache_per_sequence(model, Layout(), BF16, 0.0)
    assert cached - state == pytest.approx(kv_cache_bytes(model, tokens))


def test_deepseek_caches_70_272_bytes_a_token_on_every_tensor_parallel_chip():
    model = CATALOG.model("DeepSeek-R1")
    # (512 latent + 64 rotary) x 2 bytes x 61 layers; latents have no heads to split.
    for layout in (Layout(), Layout(tp=8), Layout(tp=16), Layout(dp=8, ep=8)):
        assert cache_per_sequence(model, layout, BF16, 1.0) == (512 + 64) * 2 * 61
    assert cache_per_sequence(model, Layout(cp=2), BF16, 2.0) == (512 + 64) * 2 * 61


def test_key_value_heads_split_until_there_is_one():
    model = CATALOG.model("Llama-3.1-70B")  # 8 key-value heads of 128, 80 layers
    whole = 2 * 8 * 128 * 80 * 2
    assert cache_per_sequence(model, Layout(tp=8), BF16, 1.0) == whole / 8
    assert cache_per_sequence(model, Layout(tp=16), BF16, 1.0) == whole / 8


def test_windowed_layers_keep_their_window():
    model = CATALOG.model("gpt-oss-120b")  # 18 layers of window 128, 18 of full attention
    per_token = 2 * 8 * 64 * 2
    assert cache_per_sequence(model, Layout(), BF16, 1000.0) == per_token * 18 * (128 + 1000)


def test_blocks_are_held_whole():
    model = CATALOG.model("Llama-3.1-8B")
    one_block = cache_per_sequence(model, Layout(), BF16, 16.0, block_tokens=16)
    assert cache_per_sequence(model, Layout(), BF16, 1.0, block_tokens=16) == one_block
    assert cache_per_sequence(model, Layout(), BF16, 17.0, block_tokens=16) == 2 * one_block


def test_expert_parallelism_and_tensor_parallelism_of_experts_hold_the_same():
    model = CATALOG.model("DeepSeek-R1")
    by_expert = weights_per_chip(model, Layout(tp=8, ep=8), FP8)
    by_width = weights_per_chip(model, Layout(tp=8), FP8)
    assert by_expert == pytest.approx(by_width)
    assert by_expert[1] == pytest.approx(256 * 3 * 7168 * 2048 * 58 / 8 * (1 + 4 / 16384))


def test_data_parallel_attention_copies_all_but_the_experts():
    model = CATALOG.model("DeepSeek-R1")
    whole, all_experts = weights_per_chip(model, Layout(), FP8)
    copied, experts = weights_per_chip(model, Layout(dp=8, ep=8), FP8)
    assert experts == pytest.approx(all_experts / 8)
    assert copied - experts == pytest.approx(whole - all_experts)


def test_pipeline_stages_hold_their_layers():
    model = CATALOG.model("Llama-3.1-70B")
    one, _ = weights_per_chip(model, Layout(), BF16)
    two, _ = weights_per_chip(model, Layout(pp=2), BF16)
    assert one / 2 <= two < one / 2 * 1.05


def test_the_largest_batch_fits_and_one_more_does_not():
    model, stack = CATALOG.model("Llama-3.1-70B"), load_stack("vllm")
    options = {"capacity_bytes": 80e9, "context_tokens": 4096.0}
    most = int(memory(model, Layout(tp=4), BF16, stack, sequences=1, **options).max_sequences)
    assert most > 1
    assert memory(model, Layout(tp=4), BF16, stack, sequences=most, **options).fits
    assert not memory(model, Layout(tp=4), BF16, stack, sequences=most + 1, **options).fits


def test_no_sequence_fits_where_the_weights_do_not():
    model = CATALOG.model("Llama-3.1-70B")
    held = memory(
        model,
        Layout(),
        BF16,
        load_stack("vllm"),
        80e9,
        sequences=1,
        context_tokens=1024,
    )
    assert held.max_sequences == 0
    assert not held.fits


def test_unknown_capacity_never_fits():
    model = CATALOG.model("Llama-3.1-8B")
    held = memory(
        model, Layout(), BF16, load_stack("vllm"), np.nan, sequences=1, context_tokens=1024
    )
    assert not held.fits


def test_a_share_of_what_is_free_leaves_the_weights_alone():
    stack, capacity, fixed = load_stack("trtllm"), 80e9, 60e9
    assert stack.is_of_free
    kept = 1.0 - stack.memory_fraction
    assert usable_bytes(stack, capacity, fixed) == pytest.approx(capacity - kept * 20e9)
    assert usable_bytes(stack, capacity, 90e9) == capacity
    assert usable_bytes(load_stack("vllm"), capacity, fixed) == pytest.approx(0.9 * capacity)


def test_one_chip_holds_more_cache_where_only_free_memory_is_shared():
    model, found = CATALOG.model("Llama-3.1-70B"), {}
    for name in ("trtllm", "vllm"):
        stack = replace(load_stack(name), reserve_bytes=2e9, chunk_tokens=1024)
        held = memory(
            model, Layout(), Precision("fp8", "fp8", "fp8"), stack, 85.9e9,
            sequences=1, context_tokens=1024,
        )  # fmt: skip
        found[name] = float(held.max_sequences)
    assert found["trtllm"] > 1.5 * found["vllm"] > 0
