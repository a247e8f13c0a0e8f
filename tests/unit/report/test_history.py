"""Histories from invented periods."""

import datetime as dt

import pytest

from weir.answers.history import History
from weir.core.provenance import Source
from weir.report.document import Picture, Table, walk
from weir.report.history import history_document
from weir.report.text import to_text
from weir.rules.logic import Answer
from weir.rules.periods import Cause, Status, StatusPeriod

RULE = Source("rule", "A rule", "Office", "rule", dt.date(2030, 1, 2), "quotation")
CAUSE = Cause("r-1", "A rule about chips", "1 FR 2", "Clause 1: begins")
LETTER = Cause("l-1", "A letter to Acme", "unpublished letter of some day", "Letter: begins")
FREE = Status("none", Answer.NO, "", ())
BOUND = Status("3A090.a", Answer.YES, "undetermined", ("NAC perhaps",))
OPEN = Status("undetermined", Answer.UNKNOWN, "case_by_case", ())


def history(*periods, until=dt.date(2030, 12, 31), horizon=dt.date(2031, 1, 1)):
    return History(
        chip="Acme 1",
        chip_id="acme-1",
        destination="CN",
        destination_name="China",
        since=dt.date(2030, 1, 1),
        until=until,
        periods=periods,
        assumptions=("nothing",),
        evidence_horizon=horizon,
        data_version="2031-01-01",
    )


FIRST = StatusPeriod(dt.date(2030, 1, 1), dt.date(2030, 3, 1), FREE, ())
SECOND = StatusPeriod(dt.date(2030, 3, 2), dt.date(2030, 4, 1), BOUND, (CAUSE,))
THIRD = StatusPeriod(dt.date(2030, 4, 2), None, OPEN, (LETTER, CAUSE))


def table(document):
    (found,) = [block for block in walk(document) if isinstance(block, Table)]
    return [[cell.text for cell in row] for row in found.full_rows]


def test_a_row_for_each_period_with_what_changed_it():
    found = history_document(history(FIRST, SECOND, THIRD), {"r-1": ("rule",)}, (RULE,))
    assert [row[:4] for row in table(found)] == [
        ["2030-01-01", "2030-03-01", "not in 3A090", "no requirement found"],
        ["2030-03-02", "2030-04-01", "3A090.a", "required"],
        ["2030-04-02", "2030-12-31", "undetermined", "not determined"],
    ]
    assert [row[-1] for row in table(found)] == ["", "1 FR 2", "A letter to Acme; 1 FR 2"]
    assert "changed 2 times, last on 2030-04-02" in found.lead
    assert "A rule about chips (1 FR 2): Clause 1: begins [1]" in to_text(found)


def test_exceptions_have_a_column_only_where_there_are_any():
    with_one = history_document(history(FIRST, SECOND), {}, ())
    assert "NAC perhaps" in table(with_one)[1]
    assert len(table(history_document(history(FIRST), {}, ()))[0]) == len(table(with_one)[0]) - 1


def test_a_status_that_stays_is_said_to_stay():
    found = history_document(history(FIRST), {}, ())
    assert "did not change" in found.lead


def test_the_timeline_is_drawn_where_asked_and_told_in_words():
    found = history_document(history(FIRST, SECOND, THIRD), {}, (), pictures=True)
    (picture,) = [block for block in walk(found) if isinstance(block, Picture)]
    for word in ("2030-03-02", "2030-04-02", "licence required", "licence not determined"):
        assert word in picture.alt
    plain = history_document(history(FIRST, SECOND), {}, ())
    assert not [block for block in walk(plain) if isinstance(block, Picture)]


@pytest.mark.parametrize(("horizon", "count"), [(dt.date(2030, 6, 1), 1), (dt.date(2031, 1, 1), 0)])
def test_days_past_the_evidence_carry_a_caution(horizon, count):
    text = to_text(history_document(history(FIRST, horizon=horizon), {}, ()))
    assert text.count("Caution: The evidence reaches") == count
