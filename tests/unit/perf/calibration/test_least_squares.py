import numpy as np
import pytest

from weir.perf.calibration.least_squares import minimise, soft_l1

LOW, HIGH = np.array([-10.0, -10.0]), np.array([10.0, 10.0])


def test_the_loss_is_quadratic_when_small_and_linear_when_large():
    assert soft_l1(np.array([1e-3])) == pytest.approx(1e-6, rel=1e-4)
    assert soft_l1(np.array([1e4])) == pytest.approx(2e4, rel=1e-3)


def line(x):
    t = np.linspace(0.0, 1.0, 50)
    measured = 2.0 - 3.0 * t
    measured[:4] += 50.0
    return x[0] + x[1] * t - measured


def test_a_few_wild_rows_do_not_bend_the_line():
    found = minimise(line, np.zeros(2), LOW, HIGH)
    assert found.x == pytest.approx([2.0, -3.0], abs=0.7)
    plain = np.linalg.lstsq(np.stack([np.ones(50), np.linspace(0, 1, 50)], 1), -line(np.zeros(2)))
    assert abs(plain[0][0] - 2.0) > 3.0


def test_bounds_hold_and_the_rest_still_moves():
    found = minimise(line, np.zeros(2), LOW, np.array([1.0, 10.0]))
    assert found.x[0] == 1.0
    assert found.x[1] < -1.0


def test_a_perfect_start_stays():
    found = minimise(lambda x: x - 1.0, np.ones(2), LOW, HIGH)
    assert found.x == pytest.approx([1.0, 1.0])
    assert found.loss == 0.0
