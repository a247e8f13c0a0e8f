import csv
import io
import sys
import time

import pytest

from weir.cli import progress
from weir.cli import rows as rows_module
from weir.report.changes import STATUS_COLUMNS

JOB = ("--to", "CN", "--on", "2024-06-01")
LIST = (
    "sku,chip,dense_fp8_tops,die_area_mm2,marketed_for_datacentre\n"
    "A,H20,,,\nB,,fast,,\nC,,300,400..900,yes\nD,RTX 4090,,,\n"
)


@pytest.fixture
def skus(tmp_path):
    path = tmp_path / "skus.csv"
    path.write_text(LIST)
    return path


def test_every_row_that_can_be_read_comes_out(weir, skus):
    found = weir("classify", skus, *JOB)
    assert found.status == 2
    listed = list(csv.DictReader(io.StringIO(found.out)))
    assert tuple(listed[0]) == STATUS_COLUMNS
    assert [(row["line"], row["sku"], row["eccn"]) for row in listed] == [
        ("2", "A", "none"),
        ("4", "C", "undetermined"),
        ("5", "D", "3A090.a"),
    ]
    assert listed[1]["licence_required"] == "yes"
    assert f"{skus}, line 3: dense_fp8_tops: 'fast' is not a number" in found.err


def test_a_list_says_the_same_as_single_checks(weir, skus):
    import json

    listed = csv.DictReader(io.StringIO(weir("classify", skus, *JOB).out))
    by_sku = {row["sku"]: row for row in listed}
    for sku, chip in (("A", "H20"), ("D", "RTX 4090")):
        one = json.loads(weir("check", chip, *JOB, "--json").out)
        assert by_sku[sku]["eccn"] == one["eccn"]
        assert by_sku[sku]["licence_required"] == one["licence_required"]
        assert by_sku[sku]["review_policy"] == one["review"]["policy"]


def test_a_clean_list_ends_well_and_says_what_it_is(weir, tmp_path):
    path = tmp_path / "good.csv"
    path.write_text("\ufeffsku,chip\nA,H20\n")  # as spreadsheets write it
    found = weir("classify", path, *JOB)
    assert found.status == 0
    assert "not legal advice" in found.err


def test_a_dash_is_standard_input_and_output(weir, skus, tmp_path, monkeypatch):
    printed = weir("classify", skus, *JOB).out
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(skus.read_bytes())))
    found = weir("classify", "-", *JOB, "-o", "-")
    assert found.out == printed != ""
    assert not (tmp_path / "-").exists()


def test_a_what_if_holds_for_lists(weir, tmp_path):
    path = tmp_path / "good.csv"
    path.write_text("sku,chip\nA,H20\n")
    change = ("--set", "3A090.a.1.tpp=2000")
    assert ",3A090.a,yes," in weir("classify", path, *JOB, *change).out


def test_files_come_whole_in_both_formats(weir, skus, tmp_path):
    duckdb = pytest.importorskip("duckdb")
    printed = weir("classify", skus, *JOB).out
    flat, packed = tmp_path / "o.CSV", tmp_path / "o.parquet"
    assert weir("classify", skus, *JOB, "-o", flat).status == 2
    assert flat.read_text() == printed
    assert weir("classify", skus, *JOB, "-o", packed).status == 2
    with duckdb.connect(":memory:") as connection:
        found = connection.read_parquet(str(packed)).fetchall()
    assert [row[:3] for row in found] == [
        (2, "A", "none"),
        (4, "C", "undetermined"),
        (5, "D", "3A090.a"),
    ]


def test_bytes_that_are_no_text_spoil_their_row_alone(weir, tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes(b"sku,chip\nA,H20\nM\xfcller,H20\n")
    found = weir("classify", path, *JOB)
    assert found.status == 2
    assert "line 3: not UTF-8 text" in found.err
    assert found.out.count("\n") == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("x.csv", "--to", "CN"), "x.csv: 1 problem"),
        (("x.csv", "--to", "CN", "-o", "x.xls"), "change the ending"),
        (("x.csv", "--to", "Chima"), "Nearest: China"),
    ],
)
def test_what_cannot_be_is_refused(refused, words, told):
    assert told in refused("classify", *words)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_is_shown_on_a_terminal_when_it_takes_long(monkeypatch):
    monkeypatch.setattr(progress, "_PATIENCE_S", 0.0)
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    lines = [f"{n}\n" for n in range(100)]
    seen = []
    for line in rows_module._watched(lines, sum(map(len, lines))):
        seen.append(line)
        if len(seen) == 50:
            time.sleep(0.3)
    assert seen == lines
    assert "% line 50" in shown.getvalue()


def test_no_bar_where_nobody_sees_it(monkeypatch):
    monkeypatch.setattr(progress, "_PATIENCE_S", 0.0)
    silent = io.StringIO()
    monkeypatch.setattr(sys, "stderr", silent)
    assert list(rows_module._watched(["a\n"], 2)) == ["a\n"]
    assert silent.getvalue() == ""
