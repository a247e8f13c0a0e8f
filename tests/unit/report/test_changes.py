"""Changes from invented flips."""

import datetime as dt

from weir.answers.changes import Changes, Same, StatusFlip
from weir.answers.skus import SkuProblem, SkuStatus
from weir.report.changes import FLIP_COLUMNS, STATUS_COLUMNS, changes_document, flip_row
from weir.report.document import Table, walk
from weir.report.text import to_text
from weir.rules.logic import Answer
from weir.rules.periods import Cause, Status

CAUSE = Cause("r-1", "A rule", "1 FR 2", "Clause: begins")
FREE = Status("none", Answer.NO, "", ())
BOUND = Status("3A090.a", Answer.YES, "presumption_of_denial", ("NAC perhaps", "ACA"))
DAY = dt.date(2030, 5, 1)


def flip(name, line, before=FREE, after=BOUND, turns=1):
    return StatusFlip(name, name.lower(), before, after, (CAUSE,), DAY, line, turns)


def changes(*flips, problems=()):
    return Changes(
        since=dt.date(2030, 1, 1),
        until=dt.date(2030, 12, 31),
        destination="CN",
        destination_name="China",
        instruments=(),
        flips=flips,
        unchanged=3,
        problems=problems,
        assumptions=(),
        evidence_horizon=dt.date(2031, 1, 1),
        data_version="2031-01-01",
    )


def rows(document):
    found = next(block for block in walk(document) if isinstance(block, Table))
    return [[cell.text for cell in row] for row in found.full_rows]


def test_like_cases_share_a_row():
    answer = changes(flip("A", 1), flip("B", 2), flip("C", 3, before=BOUND, after=FREE))
    found = changes_document(answer, {}, ())
    assert [row[0] for row in rows(found)] == ["A, B", "C"]
    assert rows(found)[0][3:] == ["2030-05-01", "1 FR 2"]
    assert "3 of 6 chips changed: 2 came to need a licence, 1 ceased to, 0" in found.lead


def test_several_turns_are_noted_and_no_flip_is_said():
    told = to_text(changes_document(changes(flip("A", 1, turns=3)), {}, ()))
    assert "1 of them changed more than once" in told
    assert "No chip has another status" in to_text(changes_document(changes(), {}, ()))


def test_bad_rows_are_listed():
    text = to_text(changes_document(changes(problems=(SkuProblem(7, "is bad"),)), {}, ()))
    assert "line 7: is bad" in text


def test_a_row_of_a_flip_fits_its_heading():
    row = dict(zip(FLIP_COLUMNS, flip_row(flip("A", 4)), strict=True))
    assert (row["line"], row["sku"], row["since"]) == ("4", "a", "2030-05-01")
    assert (row["before_licence_required"], row["after_licence_required"]) == ("no", "yes")
    assert row["after_exceptions"] == "NAC? ACA"
    assert row["why"] == "A rule (1 FR 2): Clause: begins"
    same = dict(zip(FLIP_COLUMNS, flip_row(Same(5, "B", "b", BOUND)), strict=True))
    assert (same["before_eccn"], same["after_eccn"], same["since"]) == ("3A090.a", "3A090.a", "")


def test_the_heading_of_a_status_is_that_of_its_row():
    assert tuple(SkuStatus(2, "A", "none", "no", "", "none").as_row()) == STATUS_COLUMNS
