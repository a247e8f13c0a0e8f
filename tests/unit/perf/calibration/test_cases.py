import numpy as np
import pytest

from tests.unit.perf.kernels.machines import H100
from weir.catalog.calibration import load_efficiency
from weir.perf.calibration.cases import TABLES, spread_rows

EFFICIENCY = load_efficiency()


def columns(**values):
    count = max(len(value) for value in values.values())
    found = {name: np.asarray(value) for name, value in values.items()}
    return {**found, "latency": np.full(count, 1e-5)}


def cases(table, **values):
    return list(TABLES[table](columns(**values), H100, "h100", "trtllm"))


def test_rows_are_spread_and_the_choice_depends_on_nothing_but_the_count():
    assert spread_rows(5, 10).tolist() == [0, 1, 2, 3, 4]
    picked = spread_rows(10000, 100)
    assert len(set(picked.tolist())) == 100
    assert np.array_equal(picked, spread_rows(10000, 100))
    # No rhythm: every residue of a grid of 22 columns appears.
    assert len({index % 22 for index in spread_rows(10000, 500).tolist()}) == 22


def test_matrix_products_cycle_through_a_few_copies_of_their_weights():
    shapes = {
        "gemm_dtype": ["bfloat16"] * 3,
        "m": [16] * 3,
        "n": [512, 4096, 65536],
        "k": [4096] * 3,
    }
    (case,) = cases("gemm", version=["1.3.0rc20"] * 3, **shapes)
    copies = case.arguments["weight_pool_bytes"] / (2.0 * case.arguments["n"] * 4096)
    # Two copies of 34 MB exceed the cache of 50 MB; five copies of 4 MB do not, and stay in it.
    assert copies.tolist() == [5.0, 2.0, 1.0]
    (case,) = cases("gemm", version=["1.0.0"] * 3, **shapes)
    copies = case.arguments["weight_pool_bytes"] / (2.0 * case.arguments["n"] * 4096)
    assert copies.tolist() == [5.0, 5.0, 5.0]


def test_formats_become_cases_of_their_own_and_unknown_ones_are_left_out():
    found = cases(
        "gemm", gemm_dtype=["fp8", "bfloat16", "exotic"], m=[1, 2, 3], n=[64] * 3, k=[64] * 3
    )
    assert [(case.dtype, case.arguments["m"].tolist()) for case in found] == [
        ("bf16", [2.0]),
        ("fp8", [1.0]),
    ]


def test_decode_sees_the_past_and_itself():
    (case,) = cases(
        "generation_attention", kv_cache_dtype=["fp8"], batch_size=[4], step=[127], num_heads=[32],
        num_key_value_heads=[8], head_dim=[128], window_size=[0],
    )  # fmt: skip
    assert case.arguments["kv_tokens"].tolist() == [128.0]
    assert case.dtype == "fp8"
    assert np.isfinite(case.estimate(EFFICIENCY).time_s).all()


def test_experts_are_split_over_chips_and_routers_have_their_exponent():
    (case,) = cases(
        "moe", moe_dtype=["bfloat16"] * 2, num_tokens=[8, 8], hidden_size=[64, 64],
        inter_size=[128, 128], topk=[2, 2], num_experts=[16, 16], moe_tp_size=[4, 1],
        moe_ep_size=[2, 8], distribution=["balanced", "power_law_1.2"],
        kernel_source=["cutlass", "cutlass_nongated"],
    )  # fmt: skip
    assert case.arguments["intermediate"].tolist() == [32.0, 128.0]
    assert case.arguments["experts_local"].tolist() == [8.0, 2.0]
    assert case.arguments["skew"].tolist() == [0.0, 1.2]
    assert case.arguments["gated"].tolist() == [1.0, 0.0]
    # All eight experts here have a token, and each has three projections of 64 x 32 weights.
    assert case.arguments["weight_pool_bytes"][0] == 8 * 3 * 64 * 32 * 2


def test_collective_sizes_are_elements():
    (case,) = cases(
        "nccl", op_name=["alltoall"], nccl_dtype=["half"], message_size=[512], num_gpus=[8]
    )
    assert case.kernel == case.table == "all_to_all"
    assert case.arguments["message_bytes"].tolist() == [1024.0]


def test_all_reduce_of_the_library_has_parameters_of_its_own():
    (case,) = cases(
        "nccl", op_name=["all_reduce"], nccl_dtype=["int8"], message_size=[512], num_gpus=[2]
    )
    assert (case.kernel, case.table) == ("all_reduce", "all_reduce_library")


def test_rows_can_be_taken():
    (case,) = cases("gemm", gemm_dtype=["fp8"] * 3, m=[1, 2, 3], n=[64] * 3, k=[64] * 3)
    part = case.take(np.array([2]))
    assert part.arguments["m"].tolist() == [3.0]
    assert part.arguments["dtype"] == "fp8"
    assert part.measured_s.tolist() == pytest.approx([1e-5])
