import math

import numpy as np
import pytest

from weir.answers.accuracy.serving_sample import SampleRow, calibration_chips
from weir.answers.accuracy.validate_serving import Prediction, ServingValidation
from weir.catalog.peers import load_peers
from weir.perf.parallel import Layout
from weir.report.document import Table, walk
from weir.report.serving_validation import serving_document


def prediction(chip, ratio, **given):
    fields = {
        "id": "x", "chip": chip, "model": "Example/Model", "framework": "vllm", "mode": "agg",
        "isl": 1000.0, "osl": 101.0, "concurrency": 8.0, "layout": Layout(tp=2), "weights": "",
        "experts": "", "is_public": True, "ttft_s": 1.0, "tpot_s": 0.01,
    }  # fmt: skip
    known = {name: value for name, value in fields.items() if name in SampleRow.__slots__}
    missing = {name: None for name in SampleRow.__slots__ if name not in known}
    row = SampleRow(**{**known, **missing, **given})
    return Prediction(
        row,
        ttft_s=ratio,
        tpot_s=0.01 * ratio,
        ttft_low_s=0.9 * ratio,
        ttft_high_s=1.1 * ratio,
        tpot_low_s=0.009 * ratio,
        tpot_high_s=0.011 * ratio,
    )


@pytest.fixture
def document():
    refused = Prediction(prediction("gb200", 1.0).row, reason="no layout")
    made = (prediction(calibration_chips()[0], 3.0), prediction("h200_sxm", 1.5), refused)
    return serving_document(ServingValidation(made, {"no layout": 1}), load_peers(), "2026-01-01")


def tables(document):
    return {block.caption: block for block in walk(document) if isinstance(block, Table)}


def test_calibration_and_test_chips_are_never_pooled_in_the_lead(document):
    assert document.lead == (
        "2 of 3 runs are predicted. On test chips the median error is TTFT 50.0%, TPOT 50.0%,"
        " request 50.0%."
    )


def test_errors_bias_and_interval_are_those_of_the_group(document):
    errors = tables(document)["All predicted runs: MAPE / MdAPE in %"]
    rows = {row[0]: row for row in errors.rows}
    assert rows["test chips, never fitted"][2] == "50.0 / 50.0"
    assert rows["calibration chips"][2] == "200.0 / 200.0"
    middle = tables(document)["All predicted runs: bias, and runs inside the 80 % interval"]
    last = {row[0]: row for row in middle.rows}["test chips, never fitted"]
    assert last[1:] == (f"{math.log(1.5):+.2f}", f"{math.log(1.5):+.2f}", "0%", "0%")


def test_refusals_are_counted_by_reason(document):
    assert tables(document)["Runs without a prediction, by reason"].rows == (("no layout", "1"),)


def test_the_worst_case_is_a_test_chip(document):
    worst = tables(document)["Largest errors of TPOT"]
    assert [row[0] for row in worst.rows] == ["h200_sxm"]
    assert worst.rows[0][-2:] == ("10.0", "15.0")


def test_a_run_with_two_pools_has_no_layout_to_name():
    apart = prediction("h200_sxm", 1.5, mode="disagg", layout=None)
    document = serving_document(ServingValidation((apart,), {}), (), "2026-01-01")
    assert tables(document)["Largest errors of TPOT"].rows[0][3] == "disagg"


def test_what_another_tool_reaches_stands_beside(document):
    peers = load_peers()
    table = next(t for caption, t in tables(document).items() if "AIConfigurator" in caption)
    assert [row[0] for row in table.rows] == [peer.mode for peer in peers]
    assert all(np.isfinite(peer.errors["tpot"]).all() for peer in peers)
