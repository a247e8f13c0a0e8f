import numpy as np
import pytest

from weir.catalog.query import Catalog
from weir.core.errors import LayoutError
from weir.perf.arch import operators
from weir.perf.formats import Precision
from weir.perf.operators import Batch, Part
from weir.perf.parallel import Layout, is_legal

BF16 = Precision("bf16", "bf16", "bf16")
CATALOG = Catalog()
MODELS = [model.id for model in CATALOG.models.all()]


def matrix_flop(found):
    """Arithmetic of the matrix products with weights, on one chip."""
    total = 0.0
    for item in found:
        shape = item.arguments
        if item.kernel == "gemm" and item.weight_elements:
            product = shape["m"] * shape["n"] * shape["k"] * shape.get("batch", 1)
            total = total + item.count * 2.0 * product
        if item.kernel == "moe_gemm":
            pairs = shape["tokens"] * shape["top_k"] * shape["experts_local"] / shape["experts"]
            per_expert = item.weight_elements / shape["experts_local"]
            total = total + item.count * 2.0 * pairs * per_expert
    return total


@pytest.mark.parametrize("name", MODELS)
def test_a_prompt_costs_two_flop_for_each_active_weight_and_token(name):
    from weir.perf.parameters import active_parameters

    model = CATALOG.model(name)
    tokens = 512
    found = operators(
        model,
        Layout(),
        BF16,
        Batch(prefill_sequences=1, prefill_tokens=tokens, prefill_context=tokens),
    )
    head = next(item for item in found if item.part is Part.HEAD)
    # Logits are computed for the last token only; the embedding is a look-up.
    trunk = active_parameters(model, "no_embeddings") * tokens
    expected = 2.0 * (trunk + head.weight_elements)
    assert matrix_flop(found) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("layout", [Layout(tp=2), Layout(tp=4), Layout(tp=2, pp=2)])
def test_tensor_parallelism_shares_the_arithmetic(name, layout):
    model = CATALOG.model(name)
    if not is_legal(model, layout):
        pytest.skip("the layout does not divide the model")
    batch = Batch(prefill_sequences=1, prefill_tokens=256, prefill_context=256)
    whole = matrix_flop(operators(model, Layout(), BF16, batch))
    shared = matrix_flop(operators(model, layout, BF16, batch))
    # Compressions and routers are computed on every chip, so the share is a little over 1 / tp.
    assert whole / layout.tp * 0.999 <= shared <= whole / layout.tp * 1.25


def test_experts_see_the_tokens_of_all_data_parallel_groups():
    model = CATALOG.model("DeepSeek-R1")
    batch = Batch(decode_sequences=128, decode_context=1024)
    found = operators(model, Layout(dp=16, ep=16), BF16, batch)
    experts = next(item for item in found if item.kernel == "moe_gemm")
    assert experts.arguments["tokens"] == pytest.approx(128, rel=0.02)
    assert experts.arguments["experts_local"] == 16
    output = next(item for item in found if item.name == "output projection")
    assert output.arguments["m"] == 8


def test_tokens_travel_to_experts_only_between_data_parallel_groups():
    model = CATALOG.model("DeepSeek-R1")
    batch = Batch(decode_sequences=128, decode_context=1024)
    kernels = {x.kernel for x in operators(model, Layout(dp=16, ep=16), BF16, batch)}
    assert "all_to_all" in kernels
    assert "all_reduce" not in kernels
    kernels = {x.kernel for x in operators(model, Layout(tp=16, ep=16), BF16, batch)}
    assert "all_reduce" in kernels
    assert "all_to_all" not in kernels


def test_dispatch_sends_a_token_once_to_each_chip():
    model = CATALOG.model("DeepSeek-R1")
    batch = Batch(decode_sequences=256, decode_context=1024)
    found = operators(model, Layout(dp=2, ep=2), BF16, batch)
    dispatch = next(item for item in found if item.name == "dispatch to experts")
    # 128 tokens here, 8 experts each on two chips: almost every token has one on the other chip.
    sent = dispatch.arguments["message_bytes"] / (7168 * 2)
    assert sent == pytest.approx(128 * (1 - 0.5**8))


def test_one_chip_talks_to_nobody():
    for name in MODELS:
        found = operators(
            CATALOG.model(name), Layout(), BF16, Batch(decode_sequences=8, decode_context=100)
        )
        assert Part.COMMUNICATION not in {item.part for item in found}


def test_a_mixed_step_projects_prompt_and_decode_tokens_together():
    model = CATALOG.model("Llama-3.1-8B")
    batch = Batch(
        prefill_sequences=1,
        prefill_tokens=1000,
        prefill_context=1000,
        decode_sequences=24,
        decode_context=500,
    )
    found = operators(model, Layout(), BF16, batch)
    up = next(item for item in found if item.name == "up projection")
    assert up.arguments["m"] == 1024
    assert {"attention_prefill", "attention_decode"} <= {item.kernel for item in found}


def test_drafted_tokens_share_the_cache_of_their_sequence():
    model = CATALOG.model("Llama-3.1-8B")
    batch = Batch(decode_sequences=4, decode_context=500, decode_tokens=3)
    found = operators(model, Layout(), BF16, batch)
    attention = next(item for item in found if item.kernel == "attention_decode")
    assert attention.arguments["batch"] == 4
    assert attention.arguments["heads"] == 3 * 32
    up = next(item for item in found if item.name == "up projection")
    assert up.arguments["m"] == 12


def test_context_parallelism_splits_the_context_and_sums_causal_work_evenly():
    model = CATALOG.model("Llama-3.1-8B")
    decode = operators(model, Layout(cp=4), BF16, Batch(decode_sequences=1, decode_context=4000))
    attention = next(item for item in decode if item.kernel == "attention_decode")
    assert attention.arguments["kv_tokens"] == 1000
    prefill = operators(
        model,
        Layout(cp=4),
        BF16,
        Batch(prefill_sequences=1, prefill_tokens=4000, prefill_context=4000),
    )
    shape = next(x for x in prefill if x.kernel == "attention_prefill").arguments
    # Causal pairs: q (kv - q / 2) on each of four ranks is a quarter of 4000^2 / 2.
    pairs = shape["q_tokens"] * (shape["kv_tokens"] - shape["q_tokens"] / 2)
    assert pairs == pytest.approx(4000**2 / 2 / 4)


def test_a_batch_may_be_a_grid():
    model = CATALOG.model("DeepSeek-R1")
    batch = Batch(
        decode_sequences=np.array([[1.0], [64.0]]), decode_context=np.array([100.0, 1000.0, 10000])
    )
    found = operators(model, Layout(tp=8), BF16, batch)
    attention = next(item for item in found if item.kernel == "mla_decode")
    assert np.broadcast_shapes(
        np.shape(attention.arguments["batch"]), np.shape(attention.arguments["kv_tokens"])
    ) == (2, 3)


def test_a_layout_that_does_not_divide_is_refused():
    with pytest.raises(LayoutError):
        operators(
            CATALOG.model("Llama-3.1-8B"),
            Layout(tp=7),
            BF16,
            Batch(decode_sequences=1, decode_context=1),
        )


def kernels_by_name(model, batch):
    found = operators(CATALOG.model(model), Layout(), BF16, batch)
    return {item.name: item for item in found}


def test_sparse_attention_scores_the_context_and_attends_to_the_keys_it_keeps():
    decoding = Batch(decode_sequences=8, decode_context=50000)
    found = kernels_by_name("deepseek-v3.2", decoding)
    assert found["indexer scores"].kernel == "indexer_decode"
    assert found["indexer scores"].arguments["kv_tokens"] == 50000
    assert found["key selection"].arguments["top_k"] == 2048
    assert found["decode attention"].arguments["kv_tokens"] == 2048
    prompt = Batch(prefill_sequences=1, prefill_tokens=4096, prefill_context=8192)
    found = kernels_by_name("deepseek-v3.2", prompt)
    assert found["prefill attention"].kernel == "sparse_mla_prefill"
    assert found["indexer scores"].kernel == "indexer_prefill"
    assert "key and value expansion" not in found


def test_the_indexer_computes_in_the_format_of_the_weights_down_to_eight_bits():
    batch = Batch(decode_sequences=8, decode_context=5000)
    for weights, expected in (("bf16", "bf16"), ("fp8", "fp8"), ("nvfp4", "fp8")):
        precision = Precision(weights, weights, "bf16")
        found = operators(CATALOG.model("deepseek-v3.2"), Layout(), precision, batch)
        scores = next(item for item in found if item.name == "indexer scores")
        assert scores.arguments["dtype"] == expected


def test_absorbed_weights_are_one_small_product_for_each_head():
    found = kernels_by_name("DeepSeek-R1", Batch(decode_sequences=8, decode_context=5000))
    queries, values = found["query absorption"], found["value expansion"]
    assert [queries.arguments[name] for name in ("batch", "n", "k")] == [128, 512, 128]
    assert [values.arguments[name] for name in ("batch", "n", "k")] == [128, 128, 512]
    assert queries.weight_elements + values.weight_elements == 128 * 512 * (128 + 128)


@pytest.mark.parametrize(
    ("model", "scan", "update"),
    [
        ("qwen3-next-80b-a3b", "linear_prefill", "linear_decode"),
        ("kimi-k3", "linear_prefill", "linear_decode"),
        ("nemotron-h-56b", "mamba_prefill", "mamba_decode"),
    ],
)
def test_mixers_with_a_state_scan_prompts_and_update_states(model, scan, update):
    prompt = Batch(prefill_sequences=2, prefill_tokens=512, prefill_context=512)
    found = kernels_by_name(model, prompt)
    assert found["chunked scan"].kernel == scan
    assert found["short convolution"].kernel == "convolution_prefill"
    found = kernels_by_name(model, Batch(decode_sequences=8, decode_context=5000))
    assert found["state update"].kernel == update
    assert found["short convolution"].arguments["batch"] == 8


def test_tensor_parallelism_shares_states_and_channels():
    batch = Batch(decode_sequences=8, decode_context=512)
    model = CATALOG.model("qwen3-next-80b-a3b")
    found = {item.name: item for item in operators(model, Layout(tp=2), BF16, batch)}
    assert found["state update"].arguments["value_heads"] == 16
    # Queries and keys of 16 heads of 128, values of 32, over two chips.
    assert found["short convolution"].arguments["channels"] == (2 * 16 + 32) * 128 / 2
