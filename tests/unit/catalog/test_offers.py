from pathlib import Path

import pytest

from weir.catalog.offers import load_offers
from weir.core.errors import RecordError
from weir.core.provenance import Status

BROKEN = Path(__file__).parents[2] / "data" / "broken"

OFFERS = """\
chip,kind,price_usd,on,region,sources,status,note
x1,purchase,25000,2025-07-15,CN,some-list other-list#row 3,stated,"street price, low"
x1,rental per hour,2.5,2025-07-16,US,,recalled,
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_offers_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(OFFERS, encoding=encoding)
    first, second = load_offers(path)
    assert (first.price_usd, first.region, first.note) == (25000, "CN", "street price, low")
    assert second.sources == ()
    assert second.status is Status.RECALLED


def test_wrong_columns_of_offers_name_the_right_ones() -> None:
    with pytest.raises(RecordError, match=r"line 1: columns must be chip, kind, price_usd, on"):
        load_offers(BROKEN / "prices" / "wrong-columns.csv")


def test_offers_that_are_not_text_are_told_as_such() -> None:
    with pytest.raises(RecordError, match=r"is not UTF-8 text \(byte \d+\)"):
        load_offers(BROKEN / "prices" / "not-utf-8.csv")


def test_missing_offers_are_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be read: No such file"):
        load_offers(tmp_path / "list.csv")


def test_every_bad_row_of_offers_is_told_with_its_line() -> None:
    with pytest.raises(RecordError) as caught:
        load_offers(BROKEN / "prices" / "wrong-cells.csv")
    assert caught.value.problems == (
        "line 2: price_usd 'free' is not a number above zero",
        "line 3: kind 'lease' is not one of purchase, rental per hour",
        "line 4: '2025-02-30' is not a date: day is out of range for month; write YYYY-MM-DD",
        "line 5: price_usd '0' is not a number above zero",
        "line 6: price_usd 'inf' is not a number above zero",
        "line 7: status 'certain' is not one of "
        "stated, measured, derived, estimated, disputed, recalled",
        "line 8: has not 8 cells; quote a cell that holds a comma",
        "line 9: has not 8 cells; quote a cell that holds a comma",
    )
