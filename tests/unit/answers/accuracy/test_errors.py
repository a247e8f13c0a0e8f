import numpy as np
import pytest

from weir.answers.accuracy.errors import errors


def test_errors_are_relative_to_what_was_measured():
    found = errors([3.0, 1.0, 1.0], [1.5, 1.0, 2.0], ([1.0, 0.5, 0.9], [2.0, 1.5, 1.1]))
    assert found.count == 3
    assert found.mape == pytest.approx(0.5)  # 100 %, 0 % and 50 %
    assert found.mdape == pytest.approx(0.5)
    assert found.bias == pytest.approx(0.0)  # twice as long and half as long
    assert found.covered == pytest.approx(2 / 3)


def test_a_sign_turns_the_bias_and_nothing_else():
    plain, turned = errors([2.0], [1.0]), errors([2.0], [1.0], sign=[-1.0])
    assert turned.bias == -plain.bias == pytest.approx(-np.log(2.0))
    assert (turned.mape, turned.mdape) == (plain.mape, plain.mdape)


def test_where_there_is_nothing_to_compare_nothing_is_claimed():
    empty = errors([], [], ([], []), sign=[])
    assert empty.count == 0
    assert np.isnan([empty.mape, empty.mdape, empty.bias, empty.covered]).all()
    assert np.isnan(errors([1.0], [1.0]).covered)
