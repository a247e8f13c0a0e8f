import datetime as dt

import pytest

from weir.answers.changes import (
    Same,
    StatusFlip,
    changes,
    inputs_of,
    numbered,
    read_changes,
)
from weir.answers.classify import chip_inputs
from weir.answers.history import history
from weir.answers.skus import SkuProblem
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


def test_rows_keep_their_order_and_bad_ones_go_through():
    rows = [
        (2, chip_inputs(CATALOG.chip("A800 SXM"))),
        SkuProblem(3, "bad"),
        (4, chip_inputs(CATALOG.chip("H20"))),
    ]
    found = list(read_changes(rows, dt.date(2023, 10, 1), JOB, LAW))
    assert [item.line for item in found] == [2, 3, 4]
    assert [type(item) for item in found] == [StatusFlip, SkuProblem, Same]


def test_many_chips_together_are_as_one_by_one():
    names = ("A100 SXM", "A800 SXM", "H20", "MI308X", "RTX 4090", "Ascend 910B", "L40S")
    chips = inputs_of(CATALOG.chip(name) for name in names)
    first, job = dt.date(2022, 1, 1), Transaction("CN", dt.date(2026, 9, 1))
    together = list(read_changes(numbered(chips), first, job, LAW))
    alone = [next(read_changes([(n, c)], first, job, LAW)) for n, c in enumerate(chips, 1)]
    assert together == alone


@pytest.mark.parametrize("name", ["A100 SXM", "H20", "MI308X", "RTX 4090"])
@pytest.mark.parametrize("to", ["CN", "AE", "DE"])
def test_a_flip_is_the_last_period_of_the_history(name, to):
    chip, first, job = CATALOG.chip(name), dt.date(2022, 1, 1), Transaction(to, JOB.on)
    (found,) = read_changes(numbered(inputs_of([chip])), first, job, LAW)
    told = history(chip, job, LAW, since=first).periods
    if isinstance(found, Same):
        assert found.status == told[0].status == told[-1].status
        return
    assert (found.before, found.after) == (told[0].status, told[-1].status)
    assert (found.since, found.causes) == (told[-1].start, told[-1].causes)
    assert found.turns == len(told) - 1
