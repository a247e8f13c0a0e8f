import json

import numpy as np
import pytest

from tests.unit.answers.accuracy.test_validate_serving import row, sample
from weir.answers.accuracy import blind
from weir.answers.accuracy.validate_ops import OpsReport, Residuals
from weir.catalog.claims import COLUMNS, load_claims
from weir.catalog.published import load_published


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "Missing option '--table'"),
        (("--table", "training"), "'training' is not one of"),
        (("--table", "claims", "--sample", "x.csv"), "--sample is for --table serving"),
        (("--table", "claims", "--write", "none"), "there is no such folder"),
        (("--table", "serving", "--sample", "none.csv"), "cannot be read"),
        (("--table", "ops", "--json"), "printed as Markdown"),
    ],
)
def test_bad_input_has_one_message_and_status_2(refused, words, told):
    assert told in refused("validate", *words)


def test_serving_counts_refusals_and_keeps_test_chips_apart(weir, tmp_path):
    incomplete = {"mode": "disagg", "silicon_data_source": "made up", "batch_size": ""}
    path = sample(tmp_path, row(), row(system="h200_sxm"), row(system="h200_sxm", **incomplete))
    text = weir("validate", "--table", "serving", "--sample", path).out
    assert "2 of 3 runs are predicted" in text
    assert "AIConfigurator" in text
    test = text[text.index("\nTest chips\n") : text.index("\nCalibration chips\n")]
    assert "h200_sxm" in test
    assert "h100_sxm" not in test
    refused = text[text.index("\nRefused\n") :]
    assert "disaggregated run without" in refused


def test_a_page_of_its_own_for_every_table(weir, tmp_path, monkeypatch):
    monkeypatch.setattr(blind, "MODELS", ("Qwen3-32B",))
    done = weir("validate", "--table", "blind", "--write", tmp_path, "-o", tmp_path / "out.txt")
    assert done.status == 0
    page = (tmp_path / "blind.md").read_text(encoding="utf-8")
    assert page.startswith("<!-- Written by `weir validate --table blind --write`")
    assert "only bounds of its dense rates are known (bf16 242 to 344.1" in page
    assert "Ascend 910C" in page


def test_claims_have_the_columns_that_their_reader_knows(root):
    path = root / "src" / "weir" / "data" / "claims" / "claims.csv"
    assert path.read_text(encoding="utf-8").splitlines()[0] == ",".join(COLUMNS)


def test_claims_and_published_speeds_are_compared_with_ours(weir, monkeypatch):
    few = [item for item in load_claims() if item.id in {"R1", "R9"}]
    monkeypatch.setattr("weir.answers.accuracy.claims.load_claims", lambda: few)
    text = weir("validate", "--table", "claims").out
    assert f"Of {len(few)} published numbers" in text
    found = json.loads(weir("validate", "--table", "claims", "--json").out)
    assert [item["judgement"] for item in found["findings"]] == ["agrees", "agrees", "not computed"]
    speeds = load_published()[:2]
    monkeypatch.setattr("weir.answers.accuracy.validate_published.load_published", lambda: speeds)
    assert "2 of 2 published speeds are predicted" in weir("validate", "--table", "published").out


def test_the_table_of_kernels_has_a_page_with_its_pictures(weir, tmp_path, monkeypatch):
    residuals = Residuals("gemm", np.array([1e-5, 1e-3]), np.array([0.1, -0.2]))
    report = OpsReport((), (), (residuals,), "made up 1.0", 10)
    monkeypatch.setattr("weir.answers.accuracy.validate_ops.validate_ops", lambda *_, **__: report)
    done = weir("validate", "--table", "ops", "--write", tmp_path)
    assert done.status == 0
    page = (tmp_path / "ops.md").read_text(encoding="utf-8")
    assert "made up 1.0" in page
    assert "](gemm.svg)" in page
    assert (tmp_path / "gemm.svg").read_text(encoding="utf-8").startswith("<svg")
    assert done.out.strip() == page.strip()
