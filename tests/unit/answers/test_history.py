import datetime as dt
from itertools import pairwise

import pytest

from weir.answers.history import history, status_table
from weir.catalog.law_load import load_law
from weir.catalog.query import Catalog
from weir.core.errors import InputError
from weir.rules.logic import Answer
from weir.rules.transaction import Transaction

LAW = load_law()
CATALOG = Catalog()
UNTIL = dt.date(2026, 9, 19)


def test_h20_changes_with_the_letter():
    found = history(CATALOG.chip("H20"), Transaction("CN", UNTIL), LAW)
    last = found.periods[-1]
    assert (last.start, last.end) == (dt.date(2025, 4, 9), None)
    assert [cause.instrument for cause in last.causes] == ["2025-04-09-letters"]
    assert last.status.licence_required is Answer.YES


def test_h100_to_china_goes_from_letter_to_rule():
    found = history(CATALOG.chip("H100 SXM"), Transaction("CN", UNTIL), LAW)
    starts = {period.start: {c.instrument for c in period.causes} for period in found.periods}
    assert "2022-08-26-letters" in starts[dt.date(2022, 8, 26)]
    assert "2022-10-07-advanced-computing" in starts[dt.date(2022, 10, 21)]
    assert "2026-01-15-review-policy" in starts[dt.date(2026, 1, 15)]


def test_a_country_that_changes_its_group_is_named():
    found = history(CATALOG.chip("H100 SXM"), Transaction("NI", UNTIL), LAW)
    causes = [cause.text for period in found.periods for cause in period.causes]
    assert "Nicaragua joins Country Group D:5" in causes


def test_periods_follow_each_other():
    found = history(CATALOG.chip("RTX 4090"), Transaction("CN", UNTIL), LAW)
    for earlier, later in pairwise(found.periods):
        assert later.start - earlier.end == dt.timedelta(days=1)


def test_a_history_that_ends_before_it_starts_is_refused():
    with pytest.raises(InputError, match="after it ends"):
        history(CATALOG.chip("H20"), Transaction("CN", dt.date(2021, 1, 1)), LAW)


def test_the_table_agrees_with_the_history():
    chip = CATALOG.chip("H20")
    table = status_table(LAW, [CATALOG.chip("H100 SXM"), chip], ["SG", "CN"])
    place = table.starts.index(dt.date(2025, 4, 9))
    words = ("no", "unknown", "yes")
    for period, expected in ((place - 1, "no"), (place, "yes")):
        row = table.row(period, 1, 1)
        assert words[table.found.licence_required[row]] == expected
