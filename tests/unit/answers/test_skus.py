import datetime as dt

import pytest

from weir.answers.skus import BLOCK, SkuProblem, SkuStatus, check_skus, read_skus
from weir.catalog.law_load import load_law
from weir.catalog.query import Catalog
from weir.core.errors import InputError
from weir.rules.transaction import Transaction

LAW = load_law()
CATALOG = Catalog()
HEADER = (
    "sku,chip,dense_fp8_tops,die_area_mm2,memory_gb_per_s,io_gb_per_s,marketed_for_datacentre\n"
)
JOB = Transaction("CN", dt.date(2024, 6, 1))


def run(text, find=CATALOG.chip):
    return list(check_skus(read_skus((HEADER + text).splitlines(True), find), JOB, LAW))


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
    assert "unknown chip 'nope'" in problems[7]
    assert "cannot be negative" in problems[8]
    assert "not finite" in problems[9]
    assert "low" in problems[10]
    good = {item.sku: item for item in found if isinstance(item, SkuStatus)}
    assert (good["A"].eccn, good["A"].licence_required) == ("none", "no")
    assert (good["C"].eccn, good["C"].licence_required) == ("undetermined", "unknown")


def test_a_chip_of_the_catalogue_may_stand_in_a_row():
    (found,) = run("mine,A800 SXM,,,,,\n")
    assert (found.sku, found.eccn) == ("mine", "3A090.a")


def test_unknown_columns_and_a_missing_header_are_refused():
    with pytest.raises(InputError, match="unknown column 'colour'"):
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


def test_rows_that_are_no_text_or_too_long_are_told_apart():
    found = run("A,,296,814,4000,64,yes\nB,,296,814,4000,64,yes,9\nC\ufffd,,1,,,,\n")
    problems = {item.line: item.message for item in found if isinstance(item, SkuProblem)}
    assert "more cells" in problems[3]
    assert "UTF-8" in problems[4]
    assert len(found) == 3


def test_headers_that_mean_something_else_are_refused():
    with pytest.raises(InputError, match="did you mean die_area_mm2"):
        list(read_skus(["sku,die_area\n"]))
    with pytest.raises(InputError, match="twice"):
        list(read_skus(["sku,sku\n"]))
    with pytest.raises(InputError, match="by commas"):
        list(read_skus(["sku;chip\n"]))
    with pytest.raises(InputError, match="line 1: is not UTF-8 text"):
        list(read_skus(["\ufffd\x00PAR1,\n"]))
    with pytest.raises(InputError) as caught:
        list(read_skus([f"{'word ' * 500}\n"]))
    assert len(str(caught.value)) < 200


def test_a_cell_beyond_what_csv_allows_is_told_with_its_own_line():
    endless = "x" * 200_000
    found = run(f"A,,296,814,4000,64,yes\nB,{endless},,,,,\nC,,296,814,4000,64,yes\n")
    (problem,) = (item for item in found if isinstance(item, SkuProblem))
    assert problem.line == 3
    assert "field larger than field limit" in problem.message
    with pytest.raises(InputError, match="line 1: not a row of CSV: field larger"):
        list(read_skus([f"sku,{endless}\n"]))
