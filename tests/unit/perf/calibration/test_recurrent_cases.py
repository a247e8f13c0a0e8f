import numpy as np

from tests.unit.perf.kernels.machines import H100
from weir.catalog.calibration import load_efficiency
from weir.perf.calibration.recurrent_cases import TABLES

EFFICIENCY = load_efficiency()


def cases(table, count=1, **values):
    columns = {name: np.asarray([value] * count) for name, value in values.items()}
    columns["latency"] = np.full(count, 1e-5)
    return list(TABLES[table](columns, H100, "h100", "trtllm"))


def delta(source, framework="TRTLLM", version="1.3.0rc20", table="gdn"):
    return cases(
        table, kernel_source=source, framework=framework, version=version, batch_size=4,
        seq_len=512, d_conv=4, num_k_heads=16, head_k_dim=128, num_v_heads=32, head_v_dim=64,
    )  # fmt: skip


def test_the_reference_framework_convolves_keys_alone_and_others_queries_and_values_too():
    (case,) = delta("causal_conv1d_fn")
    assert case.kernel == "convolution_prefill"
    assert case.arguments["channels"].tolist() == [16 * 128]
    (case,) = delta("causal_conv1d_update", "SGLang", "0.5.14")
    assert case.kernel == "convolution_decode"
    assert case.arguments["channels"].tolist() == [2 * 16 * 128 + 32 * 64]
    (case,) = delta("causal_conv1d_update", "SGLang", "0.5.10")
    assert case.arguments["channels"].tolist() == [16 * 128]


def test_scans_and_updates_become_the_kernel_of_their_rule():
    (case,) = delta("chunk_gated_delta_rule")
    assert (case.kernel, case.dtype) == ("linear_prefill", "gated_delta")
    assert np.all(case.estimate(EFFICIENCY).time_s > 0.0)
    (case,) = delta("fused_recurrent_gated_delta_rule")
    assert (case.kernel, case.arguments["read_bytes"]) == ("linear_decode", 2.0)
    (case,) = delta("chunk_kda", table="kda")
    assert (case.kernel, case.dtype) == ("linear_prefill", "kimi_delta")


def test_kernels_that_do_several_things_at_once_are_left_out():
    assert delta("kda_fused_decode", table="kda") == []
    assert delta("something_new") == []


def test_the_convolution_of_mamba_takes_inputs_and_the_matrices_of_all_groups():
    (case,) = cases(
        "mamba2", kernel_source="causal_conv1d_fn", batch_size=1, seq_len=8, d_conv=4, nheads=64,
        head_dim=64, n_groups=8, d_state=128,
    )  # fmt: skip
    assert case.arguments["channels"].tolist() == [64 * 64 + 2 * 8 * 128]
    assert np.all(case.estimate(EFFICIENCY).time_s > 0.0)


def test_rows_of_one_kernel_from_two_tables_are_joined():
    (first,) = delta("causal_conv1d_fn")
    (second,) = cases(
        "mamba2", 2, kernel_source="causal_conv1d_fn", batch_size=1, seq_len=8, d_conv=4, nheads=64,
        head_dim=64, n_groups=8, d_state=128,
    )  # fmt: skip
    assert first.is_like(second)
    both = first.joined(second)
    assert both.arguments["channels"].tolist() == [2048, 6144, 6144]
    assert both.arguments["tokens"].tolist() == [512, 8, 8]
    expected = [*first.estimate(EFFICIENCY).time_s, *second.estimate(EFFICIENCY).time_s]
    assert both.estimate(EFFICIENCY).time_s.tolist() == expected
