import io
from pathlib import Path

import pytest

from weir.core.errors import InputError
from weir.report.rows import check_format, csv_to_parquet, write_csv


def test_rows_are_written_as_they_come():
    out = io.StringIO()
    seen = []

    def rows():
        for n in range(3):
            seen.append(out.getvalue().count("\n"))
            yield (str(n), 'a "quoted", text')

    assert write_csv(out, ("line", "text"), rows()) == 3
    assert out.getvalue().splitlines()[0] == "line,text"
    assert seen[1:] == [2, 3]  # the heading and all rows before stand already


def test_rows_that_fail_at_once_leave_no_heading():
    def rows():
        raise InputError("no")
        yield ()

    out = io.StringIO()
    with pytest.raises(InputError):
        write_csv(out, ("line",), rows())
    assert out.getvalue() == ""


def test_no_rows_leave_a_heading():
    out = io.StringIO()
    assert write_csv(out, ("line",), ()) == 0
    assert out.getvalue() == "line\n"


@pytest.mark.parametrize("name", ["x.xls", "x", "x.csv.gz"])
def test_another_ending_is_refused(name):
    with pytest.raises(InputError, match=r"\.csv or \.parquet"):
        check_format(Path(name))


def test_parquet_keeps_commas_quotes_and_days(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    flat, packed = tmp_path / "a.csv", tmp_path / "a.parquet"
    columns = ("line", "text", "since")
    with flat.open("w", encoding="utf-8", newline="") as file:
        write_csv(file, columns, [("3", 'a "b", c', "2030-01-02"), ("4", "", "")])
    csv_to_parquet(flat, packed, columns)
    with duckdb.connect(":memory:") as connection:
        found = connection.read_parquet(str(packed)).fetchall()
    assert (found[0][0], found[0][1], str(found[0][2])) == (3, 'a "b", c', "2030-01-02")
    assert found[1][2] is None
