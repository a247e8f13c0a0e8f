import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.property.strategies import statuses
from weir.core.provenance import Fact, Status, weakest


def test_firm_to_weak() -> None:
    assert sorted(Status, key=lambda status: status.rank) == [
        Status.STATED,
        Status.MEASURED,
        Status.DERIVED,
        Status.ESTIMATED,
        Status.DISPUTED,
        Status.RECALLED,
    ]


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        ([Status.STATED, Status.MEASURED], Status.DERIVED),
        ([Status.STATED, Status.ESTIMATED], Status.ESTIMATED),
        ([Status.ESTIMATED, Status.RECALLED, Status.STATED], Status.RECALLED),
        ([], Status.DERIVED),
    ],
)
def test_a_result_is_as_weak_as_its_weakest_input_and_at_best_derived(
    used: list[Status], expected: Status
) -> None:
    assert weakest(used) is expected


@given(used=st.lists(statuses), more=statuses)
def test_one_more_input_never_makes_a_result_firmer(used: list[Status], more: Status) -> None:
    assert weakest([*used, more]).rank >= weakest(used).rank


@given(used=st.lists(statuses))
def test_order_does_not_matter(used: list[Status]) -> None:
    assert weakest(used) is weakest(reversed(used))


def _fact(value: float | str | bool | None) -> Fact:
    return Fact("x", value, "w", "printed", Status.STATED, ("a#table 1", "b", "a#page 2"))


@pytest.mark.parametrize(("value", "expected"), [(3, 3.0), (2.5, 2.5)])
def test_a_number_is_a_float(value: float, expected: float) -> None:
    number = _fact(value).number
    assert isinstance(number, float)
    assert number == expected


@pytest.mark.parametrize("value", [True, False, "700", None])
def test_what_is_no_number_is_nan_never_zero(value: float | str | bool | None) -> None:
    assert math.isnan(_fact(value).number)


def test_a_citation_without_its_locator_is_the_source() -> None:
    assert _fact(1.0).source_ids == ("a", "b", "a")
