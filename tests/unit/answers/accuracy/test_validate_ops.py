"""The report on tables made up for the test: their times are the model's, times a known factor."""

import numpy as np
import pytest

from weir.answers.accuracy import calibrate_kernels, validate_ops, validation_page
from weir.catalog.calibration import load_efficiency
from weir.catalog.kernel_tables import KernelTables, TableChip, plan_of_tables
from weir.perf.calibration.cases import TABLES, Case

CHIPS = {"h100_sxm": ("h100-sxm", True, 1.0), "h200_sxm": ("h200-sxm", False, 1.25)}


class MadeUp(KernelTables):
    """Tables of one kernel on two chips, the second a quarter slower than the model says."""

    def read(self, table, chip, framework, *, fit=False):
        if table != "gemm" or framework == "sglang":
            return None
        m = np.repeat([1, 64, 4096], 4)
        n, k = np.tile([256, 4096], 6), np.tile([512, 512, 8192, 8192], 3)
        columns = {"gemm_dtype": np.array(["bfloat16"] * 12), "m": m, "n": n, "k": k}
        factor = CHIPS[chip][2]
        machine = calibrate_kernels.machines(self, validate_ops.Catalog())[chip]
        (case,) = TABLES["gemm"]({**columns, "latency": np.ones(12)}, machine, chip, framework)
        slower = 2.0 if framework == "vllm" else 1.0
        return {**columns, "latency": case.estimate(load_efficiency()).time_s * factor * slower}


@pytest.fixture
def report(monkeypatch):
    chips = tuple(TableChip(name, record, fits) for name, (record, fits, _) in CHIPS.items())
    tables = MadeUp(None, "0", chips, "trtllm", plan_of_tables())
    monkeypatch.setattr(validate_ops, "installed_tables", lambda: tables)
    return validate_ops.validate_ops(left_out=False)


def test_calibration_and_test_chips_are_scored_apart(report):
    rows = {(row.chip, row.framework): row for row in report.rows}
    assert rows["h100_sxm", "trtllm"].role == "calibration"
    assert rows["h100_sxm", "trtllm"].model.mape == pytest.approx(0.0, abs=1e-12)
    test = rows["h200_sxm", "trtllm"]
    assert test.role == "test"
    assert test.model.mape == pytest.approx(0.2)
    assert test.model.bias == pytest.approx(-np.log(1.25))
    assert test.model.count == 12
    assert 0 < test.large.count < 12


def test_another_framework_carries_one_factor_from_calibration_chips(report):
    rows = {(row.chip, row.framework): row for row in report.rows}
    assert rows["h100_sxm", "vllm"].factor == pytest.approx(2.0)
    assert rows["h200_sxm", "vllm"].model.mape == pytest.approx(0.2)
    assert rows["h100_sxm", "trtllm"].factor == 1.0


def test_baselines_are_scored_on_the_same_rows(report):
    for row in report.rows:
        assert row.model.count == row.roofline.count == row.two_numbers.count
        assert row.roofline.mape > row.model.mape


def test_the_worst_cases_are_of_test_chips_and_show_their_shape(report):
    assert {case.chip for case in report.worst} == {"h200_sxm"}
    assert "m " in report.worst[0].shape
    assert "weight_pool_bytes" not in report.worst[0].shape


def test_the_page_holds_every_row_and_a_picture_a_kernel(report):
    text = validation_page.page(report)
    assert text.count("| gemm | bf16 | trtllm |") == 2
    assert "## The worst cases" in text
    assert "(gemm.svg)" in text
    (errors,) = report.residuals
    assert validation_page.picture(errors).startswith("<svg")


def test_a_worst_case_shows_its_sizes_and_leaves_out_its_words():
    machine = calibrate_kernels.machines(
        MadeUp(None, "0", (TableChip("h100_sxm", "h100-sxm", True),), "trtllm", plan_of_tables()),
        validate_ops.Catalog(),
    )["h100_sxm"]
    sizes = {"batch": np.array([3.0]), "tokens": 1.0}
    words = {"variant": "gated_delta", "dtype": "bf16", "cache_pool_bytes": 1.0}
    case = Case(
        "linear_decode",
        "gated_delta",
        "h100_sxm",
        "trtllm",
        machine,
        {**sizes, **words},
        np.ones(1),
    )
    assert validate_ops._shape(case, 0) == "batch 3, tokens 1"
