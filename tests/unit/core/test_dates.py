import datetime as dt

import pytest
from hypothesis import given

from tests.property.strategies import days, periods
from weir.core.dates import Period, day_before, parse_date
from weir.core.errors import DateError


@given(day=days)
def test_an_iso_day_reads_back(day: dt.date) -> None:
    assert parse_date(f" {day.isoformat()} ") == day


@pytest.mark.parametrize(
    "text",
    [
        "2025-02-30",
        "2025-13-01",
        "15.07.2025",
        "July 2025",
        "",
        "2025-07",
        "20250715",
        "2025-W29-2",
        "２０２５-07-15",
    ],
)
def test_anything_but_year_month_day_is_refused(text: str) -> None:
    with pytest.raises(DateError, match="write YYYY-MM-DD"):
        parse_date(text)


def test_both_ends_of_a_period_are_in_it() -> None:
    period = Period(dt.date(2023, 11, 17), dt.date(2024, 4, 3))
    assert period.start in period
    assert period.end in period
    assert dt.date(2023, 11, 16) not in period
    assert dt.date(2024, 4, 4) not in period


def test_a_period_cannot_end_before_it_starts() -> None:
    with pytest.raises(DateError, match=r"cannot end \(2023-01-01\) before it starts"):
        Period(dt.date(2023, 1, 2), dt.date(2023, 1, 1))


@given(day=days)
def test_a_period_without_bounds_holds_every_day(day: dt.date) -> None:
    assert day in Period()


@given(one=periods(), other=periods())
def test_overlap_does_not_depend_on_the_order(one: Period, other: Period) -> None:
    assert one.overlaps(other) == other.overlaps(one)


@given(one=periods(), other=periods(), day=days)
def test_periods_that_share_a_day_overlap(one: Period, other: Period, day: dt.date) -> None:
    if day in one and day in other:
        assert one.overlaps(other)


@given(one=periods(), other=periods())
def test_overlapping_periods_share_a_day(one: Period, other: Period) -> None:
    starts = [period.start for period in (one, other) if period.start is not None]
    ends = [period.end for period in (one, other) if period.end is not None]
    candidate = max(starts) if starts else min(ends, default=dt.date(2025, 1, 1))
    assert one.overlaps(other) == (candidate in one and candidate in other)


@given(day=days)
def test_the_day_before_is_one_day_earlier(day: dt.date) -> None:
    assert (day - day_before(day)).days == 1
    assert not Period(end=day_before(day)).overlaps(Period(start=day))


def test_a_period_prints_both_ends_and_marks_the_open_one() -> None:
    assert str(Period(dt.date(2022, 10, 7))) == "2022-10-07 to …"
    assert str(Period(end=dt.date(2022, 10, 7))) == "… to 2022-10-07"
