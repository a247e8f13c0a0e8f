import itertools

import numpy as np
import pytest

from weir.rules.logic import NO, UNKNOWN, YES, Answer, answer, at, both, compare, either, negate

VALUES = (NO, UNKNOWN, YES)


def test_kleene_tables():
    assert [both(a, b) for a, b in itertools.product(VALUES, VALUES)] == [0, 0, 0, 0, 1, 1, 0, 1, 2]
    assert [either(a, b) for a, b in itertools.product(VALUES, VALUES)] == [
        0, 1, 2, 1, 1, 2, 2, 2, 2,
    ]  # fmt: skip
    assert [negate(a) for a in VALUES] == [2, 1, 0]


def test_arrays_and_scalars_agree():
    pairs = np.array(list(itertools.product(VALUES, VALUES)), np.int8)
    left, right = pairs[:, 0], pairs[:, 1]
    for function in (both, either):
        expected = [function(int(a), int(b)) for a, b in zip(left, right, strict=True)]
        assert function(left, right).tolist() == expected
    assert negate(left).tolist() == [negate(int(a)) for a in left]


@pytest.mark.parametrize(
    ("low", "high", "comparison", "expected"),
    [
        (4800, 4800, "ge", YES),
        (4800, 4800, "gt", NO),
        (4800, 4800, "le", YES),
        (4800, 4800, "lt", NO),
        (4799, 4801, "ge", UNKNOWN),
        (4800, 4801, "ge", YES),
        (4799, 4800, "gt", NO),
        (4799, 4800, "lt", UNKNOWN),
        (0, np.inf, "ge", UNKNOWN),
        (0, np.inf, "lt", UNKNOWN),
        (5000, np.inf, "ge", YES),
        (5000, np.inf, "lt", NO),
    ],
)
def test_comparisons_of_intervals(low, high, comparison, expected):
    found = compare(np.array([float(low)]), np.array([float(high)]), comparison, 4800.0)
    assert found.tolist() == [expected]


@pytest.mark.parametrize("comparison", ["ge", "gt", "le", "lt"])
def test_a_certain_column_compares_like_two_equal_columns(comparison):
    value = np.array([4799.0, 4800.0, 4801.0])
    assert (
        compare(value, value, comparison, 4800.0).tolist()
        == compare(value, value.copy(), comparison, 4800.0).tolist()
    )


def test_unit_conversion_noise_does_not_move_a_number_off_its_line():
    noisy = np.array([2400 * (1 - 2e-16)])
    assert compare(noisy, noisy.copy(), "ge", 2400.0).tolist() == [YES]
    assert compare(noisy, noisy.copy(), "lt", 2400.0).tolist() == [NO]


def test_rows_in_words():
    column = np.array([NO, UNKNOWN, YES], np.int8)
    assert [answer(column, row) for row in range(3)] == [Answer.NO, Answer.UNKNOWN, Answer.YES]
    assert at(YES, 7) == YES
