"""The shipped table of golden cases is what the cases and the law give."""

import csv

from tests.golden.index import exercised, table
from tests.golden.test_determinations import ROWS
from weir.catalog.files import STOCK
from weir.catalog.golden_cases import FILE, golden_cases
from weir.catalog.law_load import load_law


def test_the_shipped_table_is_current():
    shipped = (STOCK / FILE).read_text(encoding="utf-8")
    assert shipped == table(), "stale: run python -m tests.golden.index"


def test_the_h20_case_exercises_the_letter():
    law = load_law()
    case = next(
        row for row in ROWS if row["chip"].startswith("H20") and row["date"] > "2025-04-09"
        and row["destination"] == "CN" and row["licence"] == "yes"
    )  # fmt: skip
    assert "letter-2025-04.nvidia" in exercised(case, law)["2025-04-09-letters"]


def test_every_row_is_read():
    with (STOCK / FILE).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = golden_cases()
    assert [case.case for case in found] == [row["case"] for row in rows]
    assert all(case.provisions for case in found)
