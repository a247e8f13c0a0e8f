import csv

import numpy as np
import pytest

from weir.answers.accuracy.serving_sample import (
    Pools,
    calibration_chips,
    read_layout,
    read_sample,
)
from weir.answers.accuracy.validate_serving import Prediction, accuracy, validate_serving
from weir.catalog.query import Catalog
from weir.core.errors import InputError
from weir.perf.parallel import Layout

WORKER = ("batch_size", "num_workers", "tp_size", "pp_size", "attention_dp_size")
EXPERTS = ("moe_tp_size", "moe_ep_size")
COLUMNS = [
    *("id", "silicon_data_source", "backend", "backend_version", "model_path", "system"),
    *("precision", "mode", "isl", "osl", "gemm_quant_mode", "moe_quant_mode"),
    *("batch_size", "tp_size", "pp_size", "attention_dp_size", *EXPERTS),
    *(f"prefill_{name}" for name in (*WORKER, *EXPERTS)),
    *(f"decode_{name}" for name in (*WORKER, *EXPERTS)),
    *("silicon_ttft_ms", "silicon_tpot_ms"),
]


def row(**given):
    """An invented run, with what a test asks for."""
    usual = {
        "id": "run",
        "silicon_data_source": "made up; silicon_concurrency=16",
        "backend": "vllm",
        "model_path": "meta-llama/Llama-3.1-70B",
        "system": "h100_sxm",
        "mode": "agg",
        "isl": "1024",
        "osl": "512",
        "gemm_quant_mode": "fp8",
        "moe_quant_mode": "fp8",
        "batch_size": "16",
        "tp_size": "4",
        "pp_size": "1",
        "silicon_ttft_ms": "150",
        "silicon_tpot_ms": "15",
    }
    return {name: str(given.get(name, usual.get(name, ""))) for name in COLUMNS}


def sample(tmp_path, *rows):
    path = tmp_path / "sample.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize(
    ("degrees", "layout"),
    [
        # As it stands: tensor parallel, then with experts split by width or spread.
        ({"tp_size": 4}, Layout(tp=4)),
        ({"tp_size": 8, "moe_tp_size": 8, "moe_ep_size": 1}, Layout(tp=8)),
        ({"tp_size": 8, "moe_tp_size": 1, "moe_ep_size": 8}, Layout(tp=8, ep=8)),
        # Products of chips and expert parallelism: 8 x 8 on eight chips.
        ({"tp_size": 64, "moe_tp_size": 8, "moe_ep_size": 8}, Layout(tp=8, ep=8)),
        (
            {"tp_size": 1, "attention_dp_size": 64, "moe_tp_size": 8, "moe_ep_size": 8},
            Layout(dp=8, ep=8),
        ),
        (
            {"tp_size": 4, "attention_dp_size": 4, "moe_tp_size": 1, "moe_ep_size": 16},
            Layout(dp=4, ep=4),
        ),
        # Data-parallel attention with experts split by width.
        ({"tp_size": 1, "attention_dp_size": 4, "moe_tp_size": 4, "moe_ep_size": 1}, Layout(dp=4)),
    ],
)
def test_degrees_are_read_as_the_chips_they_ran_on(degrees, layout):
    assert read_layout(row(**degrees)) == layout


def test_concurrency_comes_from_the_source_and_otherwise_from_the_batch(tmp_path):
    path = sample(
        tmp_path,
        row(),
        row(silicon_data_source="made up", batch_size=3, attention_dp_size=4, tp_size=1),
    )
    stated, batch = read_sample(path)
    assert stated.concurrency == 16
    assert batch.concurrency == 12


def test_every_row_is_predicted_or_refused_with_a_reason(tmp_path):
    path = sample(
        tmp_path,
        row(),
        row(id="split", mode="disagg"),
        row(id="odd", tp_size=3),
        row(id="new", model_path="nobody/Unheard-Of-7B"),
    )
    found = validate_serving(Catalog(), path=path)
    assert [bool(item.reason) for item in found.predictions] == [False, True, True, True]
    assert sum(found.refused.values()) == 3
    assert len(found.predicted) == 1
    done = found.predicted[0]
    assert done.ttft_low_s < done.ttft_s < done.ttft_high_s
    assert done.tpot_low_s < done.tpot_s < done.tpot_high_s


def test_errors_are_relative_and_bias_is_signed(tmp_path):
    runs = read_sample(sample(tmp_path, row(), row()))
    found = [
        Prediction(runs[0], ttft_s=0.3, tpot_s=0.0165, tpot_low_s=0.01, tpot_high_s=0.02),
        Prediction(runs[1], ttft_s=0.15, tpot_s=0.0135, tpot_low_s=0.011, tpot_high_s=0.014),
    ]
    ttft, tpot = accuracy(found, "ttft"), accuracy(found, "tpot")
    assert ttft.mape == pytest.approx(0.5)  # 100 % and 0 %
    assert ttft.bias == pytest.approx(np.log(2.0) / 2)
    assert tpot.mdape == pytest.approx(0.1)
    assert tpot.covered == 0.5
    whole = accuracy(found[:1], "request")
    assert whole.mape == pytest.approx((0.3 + 511 * 0.0165) / (0.15 + 511 * 0.015) - 1)


def test_no_runs_have_no_errors():
    assert accuracy([], "tpot").count == 0


def test_a_file_that_is_not_the_sample_is_refused(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="has no column id"):
        read_sample(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_sample(tmp_path / "missing.csv")
    path.write_bytes(b"id,\xff\n")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        read_sample(path)
    path.write_text(f"id\n{'x' * 200_000}\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2: field larger than field limit"):
        read_sample(path)


SPLIT = {
    "mode": "disagg",
    "batch_size": "",
    "tp_size": "",
    "prefill_num_workers": 2,
    "prefill_tp_size": 4,
    "decode_num_workers": 1,
    "decode_tp_size": 8,
    "decode_batch_size": 16,
}


def test_workers_of_a_disaggregated_run_are_read(tmp_path):
    (found,) = read_sample(sample(tmp_path, row(**SPLIT)))
    assert found.pools == Pools(Layout(tp=4), 2, Layout(tp=8), 1)
    done = validate_serving(Catalog(), path=sample(tmp_path, row(**SPLIT))).predicted
    assert done[0].ttft_s > 0


def test_a_row_without_workers_takes_them_from_its_twin(tmp_path):
    bare = row(id="bare", mode="disagg", batch_size="", tp_size="")
    other = row(id="other", mode="disagg", batch_size="", tp_size="", silicon_ttft_ms="151")
    found = {r.id: r for r in read_sample(sample(tmp_path, row(**SPLIT), bare, other))}
    assert found["bare"].pools == found["run"].pools
    assert found["other"].pools is None


def test_a_run_that_another_export_rounds_is_the_public_one(tmp_path):
    source = "db-dump/2026-04-27; silicon_concurrency=16; nvcr.io#maker/server:v1"
    exact = row(id="exact", silicon_data_source=source, silicon_ttft_ms="150.0041")
    rounded = row(id="rounded", silicon_ttft_ms="150.00")
    other = row(id="other", silicon_ttft_ms="150.02")
    found = {r.id: r for r in read_sample(sample(tmp_path, exact, rounded, other))}
    assert [found[name].is_public for name in ("exact", "rounded", "other")] == [True, True, False]
    assert found["rounded"].image == found["exact"].image == "server:v1"
    assert found["other"].image == ""


def test_frameworks_are_fitted_on_the_calibration_chips_that_have_runs():
    assert calibration_chips() == ("h100_sxm", "b200_sxm")


def test_the_client_follows_from_who_ran_it(tmp_path):
    public = row(silicon_data_source="db-dump/2026-04-27; silicon_concurrency=16")
    assert [r.client for r in read_sample(sample(tmp_path, public))] == ["public"]
    assert [r.client for r in read_sample(sample(tmp_path, row()))] == ["maker"]
