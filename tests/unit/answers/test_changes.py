import datetime as dt

import pytest

from weir.answers.changes import changes, inputs_of
from weir.catalog.law_load import load_law
from weir.catalog.query import Catalog
from weir.core.errors import InputError
from weir.rules.logic import Answer
from weir.rules.transaction import Transaction

LAW = load_law()
CATALOG = Catalog()
JOB = Transaction("CN", dt.date(2024, 6, 1))


def test_october_2023_flips_the_china_variants():
    chips = inputs_of(CATALOG.chip(name) for name in ("A800 SXM", "H800 SXM", "H20", "L40S"))
    found = changes(chips, dt.date(2023, 10, 1), Transaction("CN", dt.date(2023, 12, 31)), LAW)
    assert {flip.chip_id for flip in found.flips} == {"a800-sxm-80", "h800-sxm", "l40s"}
    assert found.unchanged == 1
    for flip in found.flips:
        assert flip.before.licence_required is Answer.NO
        assert flip.after.licence_required is Answer.YES
        assert flip.since == dt.date(2023, 11, 17)
        assert "2023-10-17-advanced-computing" in {cause.instrument for cause in flip.causes}
    assert "2023-10-17-advanced-computing" in {item.id for item in found.instruments}


def test_nothing_flips_where_nothing_changes():
    chips = inputs_of([CATALOG.chip("H20")])
    found = changes(chips, dt.date(2024, 5, 1), JOB, LAW)
    assert (found.flips, found.unchanged) == ((), 1)


def test_days_in_the_wrong_order_are_refused():
    with pytest.raises(InputError, match="must come first"):
        changes([], dt.date(2025, 1, 1), JOB, LAW)
