import csv
import io
import json

import pytest

from weir.report.changes import FLIP_COLUMNS

OCTOBER = ("--from", "2023-10-01", "--until", "2023-12-31", "--to", "CN")
LIST = "sku,chip,dense_fp8_tops\nA,A800 SXM,\nB,nope,\nC,H20,\nD,,-1\n"


@pytest.fixture
def skus(tmp_path):
    path = tmp_path / "skus.csv"
    path.write_text(LIST)
    return path


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_catalogue_is_compared_where_no_list_is_given(weir):
    found = weir("changes", *OCTOBER)
    assert found.status == 0
    assert "88 FR 73458" in found.out
    assert "NVIDIA A800 SXM 80GB" in weir("changes", *OCTOBER, "--md").out
    told = json.loads(weir("changes", *OCTOBER, "--json").out)
    listed = rows(weir("changes", *OCTOBER, "--csv").out)
    assert len(told["flips"]) == len(listed)
    assert len(rows(weir("changes", *OCTOBER, "--csv", "--all").out)) == (
        len(told["flips"]) + told["unchanged"]
    )


@pytest.mark.parametrize("style", [(), ("--csv",), ("--json",), ("--md",)])
def test_a_bad_row_is_told_and_the_others_come_out(weir, skus, style):
    found = weir("changes", skus, *OCTOBER, *style)
    assert found.status == 2
    assert "A800 SXM" in found.out
    assert f"{skus}, line 3: unknown chip 'nope'" in found.err
    assert f"{skus}, line 5: dense_fp8_tops: '-1' cannot be negative" in found.err
    assert "2 of 4 rows could not be read" in found.err


def test_rows_say_old_new_when_and_why(weir, skus):
    (row,) = rows(weir("changes", skus, *OCTOBER, "--csv").out)
    assert tuple(row) == FLIP_COLUMNS
    assert (row["line"], row["sku"], row["since"]) == ("2", "A", "2023-11-17")
    assert (row["before_licence_required"], row["after_licence_required"]) == ("no", "yes")
    assert "2023-10-17-advanced-computing" in row["instruments"].split()
    assert "88 FR 73458" in row["why"]


def test_parquet_holds_the_same_rows_with_types(weir, skus, tmp_path):
    duckdb = pytest.importorskip("duckdb")
    out = tmp_path / "flips.parquet"
    assert weir("changes", skus, *OCTOBER, "--output", out).status == 2
    listed = rows(weir("changes", skus, *OCTOBER, "--csv").out)
    with duckdb.connect(":memory:") as connection:
        table = connection.read_parquet(str(out))
        assert tuple(table.columns) == FLIP_COLUMNS
        assert [(str(r[0]), r[1], str(r[11])) for r in table.fetchall()] == [
            (row["line"], row["sku"], row["since"]) for row in listed
        ]


def test_the_ending_of_a_file_counts_in_either_case(weir, skus, tmp_path):
    listed = weir("changes", skus, *OCTOBER, "--csv").out
    assert weir("changes", skus, *OCTOBER, "--output", tmp_path / "flips.CSV").status == 2
    assert (tmp_path / "flips.CSV").read_text() == listed
    pytest.importorskip("duckdb")
    assert weir("changes", skus, *OCTOBER, "--output", tmp_path / "flips.Parquet").status == 2
    assert (tmp_path / "flips.Parquet").read_bytes().startswith(b"PAR1")


def test_a_file_without_flips_has_a_heading_alone(weir, tmp_path):
    path, out = tmp_path / "one.csv", tmp_path / "out.csv"
    path.write_text("sku,chip\nC,H20\n")
    assert weir("changes", path, *OCTOBER, "--output", out).status == 0
    assert out.read_text() == ",".join(FLIP_COLUMNS) + "\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--from", "2025-01-01", "--until", "2024-01-01", "--to", "CN"), "swap the dates"),
        (("--from", "2025-01-01", "--until", "2025-01-01", "--to", "CN"), "must come first"),
        (("nofile.csv", *OCTOBER), "nofile.csv: 1 problem"),
        ((*OCTOBER, "--csv", "--html", "x.html"), "run the command twice"),
        ((*OCTOBER, "--csv", "--output", "x.txt"), "change the ending"),
        ((*OCTOBER, "--output", "nowhere/x.csv"), "cannot write"),
    ],
)
def test_what_cannot_be_is_refused(refused, words, told):
    assert told in refused("changes", *words)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: the list needs a header with 'sku'"),
        ("sku,chip\n", "no rows below the header"),
        ("sku,colour\nA,red\n", "line 1: unknown column 'colour'"),
        ("sku;chip\nA;H20\n", "separate the columns by commas"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused(weir, tmp_path, text, told):
    path, out = tmp_path / "list.csv", tmp_path / "out.csv"
    path.write_text(text)
    for style in ((), ("--output", out)):
        found = weir("changes", path, *OCTOBER, *style)
        assert (found.status, found.out) == (2, "")
        assert f"weir: {path}" in found.err
        assert told in found.err
    assert not out.exists()
