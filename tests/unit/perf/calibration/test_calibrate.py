from dataclasses import replace

import numpy as np

from tests.unit.perf.kernels.machines import H100, L40S
from weir.catalog.calibration import START, Table, load_efficiency, read_efficiency
from weir.perf.calibration.calibrate import (
    PLANS,
    fit_kernel,
    leave_formats_out,
    leave_one_out,
    with_format_kin,
)
from weir.perf.calibration.cases import Case
from weir.perf.calibration.fit import free_parameters

MACHINES = (H100, L40S, replace(L40S, name="A100", generation="ampere"))


def copies():
    """Element-wise calls on three generations, as the model times them."""
    moved = np.geomspace(1e4, 1e9, 12)
    for machine in MACHINES:
        arguments = {"bytes_read": moved, "bytes_written": moved}
        case = Case("elementwise", "", machine.name, "trtllm", machine, arguments, np.ones(12))
        yield replace(case, measured_s=case.estimate(load_efficiency()).time_s)


def test_a_chip_that_is_left_out_leaves_no_trace_in_any_kernel():
    for held in leave_one_out("elementwise", list(copies()), load_efficiency()):
        gone = next(item.generation for item in MACHINES if item.name == held.chip)
        for name, table in held.efficiency.tables.items():
            assert gone not in table.generation, name
            assert not [key for key in table.dtype if key.endswith(f"/{gone}")], name
        others = {item.generation for item in MACHINES} - {gone}
        assert others <= set(held.efficiency.tables["gemm"].generation)


def test_a_format_starts_where_it_is_told_to_on_each_generation():
    start = read_efficiency(START)
    told = start.tables["attention_decode"].dtype["fp8/ada"]
    assert told["grouped_split_max"] == 1.0
    arguments = {
        "batch": np.array([1.0, 2.0]), "kv_tokens": np.array([1e4, 2e4]),
        "heads": np.array([8.0, 8.0]), "kv_heads": np.array([1.0, 1.0]),
        "head_dim": np.array([128.0, 128.0]), "window": np.zeros(2), "cache_pool_bytes": 1.0,
    }  # fmt: skip
    cases = [
        Case("attention_decode", dtype, "L40S", "trtllm", L40S, {**arguments, "kv_dtype": dtype},
             np.array([1e-4, 2e-4]))
        for dtype in ("bf16", "fp8")
    ]  # fmt: skip
    found = fit_kernel("attention_decode", cases[:1], start)
    # Only a format that has cases is told where to start.
    assert not [key for key in found.tables["attention_decode"].dtype if "/" in key]
    found = fit_kernel("attention_decode", cases, start)
    assert found.tables["attention_decode"].dtype["fp8/ada"]["grouped_split_max"] < 2.0


def test_a_format_is_left_out_on_one_chip_at_a_time():
    start = read_efficiency(START)
    tokens = np.array([1e3, 1e4, 1e5, 1e6])
    ones = np.ones_like(tokens)
    arguments = {
        "batch": ones, "kv_tokens": tokens, "heads": 8.0 * ones, "kv_heads": ones,
        "head_dim": 128.0 * ones, "window": 0.0 * ones, "cache_pool_bytes": 1.0,
    }  # fmt: skip
    now = load_efficiency()
    cases = [
        Case("attention_decode", dtype, chip.name, "trtllm", chip,
             {**arguments, "kv_dtype": dtype}, ones)
        for chip in (H100, L40S) for dtype in ("bf16", "fp8")
    ]  # fmt: skip
    cases = [replace(case, measured_s=case.estimate(now).time_s) for case in cases]
    errors = list(leave_formats_out("attention_decode", cases, now, start))
    assert [len(rows) for rows in errors] == [4, 4]
    # The chip that is left out in a format shows: with it the fit is exact.
    assert min(np.max(np.abs(rows)) for rows in errors) > 0.01
    assert not list(leave_formats_out("attention_decode", cases[:3], now, start))


def test_what_a_kernel_never_reads_keeps_its_start():
    plan = PLANS["mla_decode"]
    names = {free.name for free in free_parameters(plan.kind, ["ada"], "bf16", "bf16", plan.idle)}
    assert not names & plan.idle
    assert "block_s" in names


def test_a_format_may_be_served_by_another_on_one_generation_alone():
    table = Table(
        {"launch_s": 1e-6, "step_s": 1e-9, "tile_s": 1e-7},
        {"ada": {"launch_s": 2e-6}},
        {"mxfp4": {}, "nvfp4": {"step_s": 2e-9}, "nvfp4/ada": {"tile_s": 3e-7},
         "mxfp4/blackwell-geforce": {"launch_s": 5e-6}},
    )  # fmt: skip
    known = load_efficiency()
    start = replace(
        known, tables={**known.tables, "gemm": table},
        kin_format={"gemm": {"mxfp4/blackwell-geforce": "nvfp4"}}, kin_kernels={},
    )  # fmt: skip
    found = with_format_kin(start).tables["gemm"].dtype
    # What is stated of the generation itself wins.
    assert found["mxfp4/blackwell-geforce"] == {"launch_s": 5e-6, "step_s": 2e-9, "tile_s": 3e-7}
    assert found["mxfp4"] == {}
    # Kernels of that format which it runs are served instead of those of its kin.
    others = Table(
        table.shared, table.generation, {**table.dtype, "nvfp4/blackwell": {"tile_s": 9e-7}}
    )
    borrowed = replace(
        start, tables={**start.tables, "gemm": others},
        kin_kernels={"blackwell-geforce": {"nvfp4": "blackwell"}},
    )  # fmt: skip
    found = with_format_kin(borrowed).tables["gemm"].dtype
    assert found["mxfp4/blackwell-geforce"] == {"launch_s": 5e-6, "step_s": 2e-9, "tile_s": 9e-7}


def test_kernels_that_read_how_fast_data_moves_are_fitted_after_that():
    order = list(PLANS)
    assert order.index("elementwise") < order.index("moe_gemm")
    assert order.index("attention_decode") < order.index("moe_gemm")


def test_a_format_that_the_matrix_unit_multiplies_keeps_the_share_of_its_rate():
    plan = PLANS["gemm"]
    assert "matrix_efficiency" not in plan.unfitted("bf16")
    assert "matrix_efficiency" in plan.unfitted("nvfp4")
    # Weights that the kernel expands cost it instructions.
    assert "matrix_efficiency" not in plan.unfitted("int4_wo")
    assert not PLANS["elementwise"].unfitted("")
