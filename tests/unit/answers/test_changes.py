import datetime as dt

import pytest

from weir.answers.changes import (
    BLOCK,
    SkuProblem,
    SkuStatus,
    changes,
    check_skus,
    inputs_of,
    read_skus,
)
from weir.catalog.law_load import load_law
from weir.catalog.query import Catalog
from weir.core.errors import InputError
from weir.rules.logic import Answer
from weir.rules.transaction import Transaction

LAW = load_law()
CATALOG = Catalog()
HEADER = (
    "sku,chip,dense_fp8_tops,die_area_mm2,memory_gb_per_s,io_gb_per_s,marketed_for_datacentre\n"
)
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


def run(text, catalogue=None):
    return list(check_skus(read_skus((HEADER + text).splitlines(True), catalogue), JOB, LAW))


def test_bad_rows_are_told_with_their_line_and_the_others_come_out():
    found = run(
        "A,,296,814,4000,1028,yes\n"
        "B,,fast,814,,,yes\n"
        "C,,212.5,,100,50,yes\n"
        ",,1,1,1,1,yes\n"
        "E,,1,1,1,1,maybe\n"
        "F,nope,,,,,\n"
        "G,,-5,1,1,1,yes\n"
        "H,,inf,1,1,1,yes\n"
        "I,,400..300,1,1,1,yes\n"
    )
    assert [item.line for item in found] == list(range(2, 11))
    problems = {item.line: item.message for item in found if isinstance(item, SkuProblem)}
    assert set(problems) == {3, 5, 6, 7, 8, 9, 10}
    assert "not a number" in problems[3]
    assert "sku: is empty" in problems[5]
    assert "yes, no" in problems[6]
    assert "not in the catalogue" in problems[7]
    assert "cannot be negative" in problems[8]
    assert "not finite" in problems[9]
    assert "low" in problems[10]
    good = {item.sku: item for item in found if isinstance(item, SkuStatus)}
    assert (good["A"].eccn, good["A"].licence_required) == ("none", "no")
    assert (good["C"].eccn, good["C"].licence_required) == ("undetermined", "unknown")


def test_a_chip_of_the_catalogue_may_stand_in_a_row():
    (found,) = run("mine,a800,,,,,\n", {"a800": CATALOG.chip("A800 SXM")})
    assert (found.sku, found.eccn) == ("mine", "3A090.a")


def test_unknown_columns_and_a_missing_header_are_refused():
    with pytest.raises(InputError, match="unknown columns colour"):
        list(read_skus(["sku,colour\n", "a,red\n"]))
    with pytest.raises(InputError, match="needs a header with 'sku'"):
        list(read_skus([]))


def test_long_lists_stream():
    taken = 0

    def lines():
        nonlocal taken
        yield HEADER
        for number in range(3 * BLOCK):
            taken += 1
            yield f"S{number},,296,814,4000,64,yes\n"

    stream = check_skus(read_skus(lines()), JOB, LAW)
    assert next(stream).sku == "S0"
    assert taken <= BLOCK + 1
