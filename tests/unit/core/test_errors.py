import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir.core import errors
from weir.core.errors import (
    EXIT_BUG,
    EXIT_INPUT,
    EXIT_NOTHING_FITS,
    InputError,
    NothingFitsError,
    RecordError,
    UnknownNameError,
    WeirError,
    nearest_names,
)

CHIPS = ["NVIDIA H20", "NVIDIA H200", "NVIDIA H100 SXM", "Ascend 910B", "昇腾 910B", "MI300X"]
TREE = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, WeirError)
]


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_every_error_has_its_place_in_the_drawn_tree(kind: type[WeirError]) -> None:
    assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_exit_codes_follow_the_tree(kind: type[WeirError]) -> None:
    expected = EXIT_BUG
    if issubclass(kind, InputError):
        expected = EXIT_INPUT
    if issubclass(kind, NothingFitsError):
        expected = EXIT_NOTHING_FITS
    assert kind.exit_code == expected


def test_the_exit_codes_are_three_different_ones() -> None:
    assert (EXIT_BUG, EXIT_INPUT, EXIT_NOTHING_FITS) == (1, 2, 3)


def test_an_unknown_name_comes_with_the_nearest_and_where_to_look() -> None:
    error = UnknownNameError("chip", "Ascend 910", CHIPS, "See 'weir chip list'.")
    assert str(error) == ("unknown chip 'Ascend 910'. Nearest: Ascend 910B. See 'weir chip list'.")


def test_an_unknown_name_like_nothing_names_no_neighbour() -> None:
    error = UnknownNameError("chip", "toaster", CHIPS)
    assert str(error) == "unknown chip 'toaster'."
    assert error.nearest == ()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("h20", "NVIDIA H20"),
        ("nvidia-h20", "NVIDIA H20"),
        ("mi300", "MI300X"),
        ("昇腾910", "昇腾 910B"),
        ("NVDIA H100", "NVIDIA H100 SXM"),
    ],
)
def test_the_nearest_name_is_found_without_case_and_punctuation(typed: str, expected: str) -> None:
    assert expected in nearest_names(typed, CHIPS)


@pytest.mark.parametrize("typed", ["", "  ", "--"])
def test_nothing_is_near_to_nothing(typed: str) -> None:
    assert nearest_names(typed, CHIPS) == ()


@given(typed=st.text(), known=st.lists(st.text()))
def test_neighbours_are_known_names_each_once(typed: str, known: list[str]) -> None:
    near = nearest_names(typed, known)
    assert set(near) <= set(known)
    assert len(near) == len(set(near)) <= 3


def test_a_record_error_lists_all_problems_under_the_file() -> None:
    error = RecordError("chips/x.toml", ["facts.tdp: needs a unit", "name: is required"])
    assert str(error) == (
        "chips/x.toml: 2 problems\n  - facts.tdp: needs a unit\n  - name: is required"
    )


def test_one_problem_is_one_problem() -> None:
    assert "1 problem\n" in str(RecordError("x.toml", ["name: is required"]))
