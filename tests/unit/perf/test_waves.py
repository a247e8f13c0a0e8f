import numpy as np
import pytest

from weir.perf.waves import line, steady_line


def lindley(starts, service_s=1.0):
    """Mean wait before one server, request by request."""
    free, waits = 0.0, []
    for at in np.sort(starts):
        waits.append(max(free - at, 0.0))
        free = max(free, at) + service_s
    return np.mean(waits)


def test_the_steady_line_is_that_of_equal_and_of_exponential_services():
    assert float(steady_line(0.5)) == pytest.approx(0.5)
    assert float(steady_line(0.5, 1.0)) == pytest.approx(1.0)
    assert np.all(np.diff(steady_line(np.linspace(0.0, 0.99, 50))) > 0)


def test_without_a_start_to_remember_the_line_is_steady():
    for turns in (0, 1):
        assert float(line(0.7, 64.0, answer_cv=0.1, turns=turns)) == float(steady_line(0.7))


def test_users_of_equal_answers_keep_their_order_and_never_wait_again():
    assert float(line(0.6, 64.0, answer_cv=0.0, turns=10)) == 0.0


def test_answers_that_differ_widely_forget_the_start():
    assert float(line(0.3, 1000.0, answer_cv=5.0, turns=10)) == pytest.approx(
        float(steady_line(0.3)), rel=0.01
    )


@pytest.mark.parametrize(("users", "period", "cv"), [(64, 200.0, 0.0642), (256, 600.0, 0.1)])
def test_a_wave_waits_as_if_simulated(users, period, cv):
    """Users come back in order, each by its own answer: Lindley's recursion turn by turn."""
    random, turns, found = np.random.default_rng(7), 10, []
    for _ in range(40):
        starts = np.arange(users, dtype=float)
        for _turn in range(1, turns):
            starts = np.sort(starts + period * (1.0 + cv * random.standard_normal(users)))
            starts -= starts.min()
            found.append(lindley(starts))
    expected = float(line(users / period, users, answer_cv=cv, turns=turns))
    assert expected == pytest.approx(np.mean(found), rel=0.5)
