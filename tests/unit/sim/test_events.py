import math
import pickle

import pytest

from weir.core.errors import InputError
from weir.sim.events import Calendar


def order(calendar):
    return [calendar.pop().subject for _ in range(len(calendar))]


def test_time_then_priority_then_order_of_entry_decide():
    calendar = Calendar()
    for time_s, priority, subject in [(2, 0, 5), (1, 1, 3), (1, 0, 1), (1, 0, 2), (1, 1, 4)]:
        calendar.push(time_s, priority, 0, subject)
    assert order(calendar) == [1, 2, 3, 4, 5]


def test_the_clock_follows_the_events():
    calendar = Calendar()
    assert calendar.next_s == math.inf
    calendar.push(3.0, 0, 0, 0)
    assert (calendar.now_s, calendar.next_s) == (0.0, 3.0)
    calendar.pop()
    assert calendar.now_s == 3.0
    assert not calendar


@pytest.mark.parametrize("time_s", [0.5, math.nan])
def test_nothing_is_entered_in_the_past_or_at_no_time(time_s):
    calendar = Calendar()
    calendar.push(1.0, 0, 0, 0)
    calendar.pop()
    with pytest.raises(InputError, match=r"cannot follow 1\.0 s"):
        calendar.push(time_s, 0, 0, 0)


def test_a_pickled_calendar_keeps_order_and_clock():
    calendar = Calendar()
    for subject in range(5):
        calendar.push(1.0, 0, 0, subject)
    calendar.pop()
    again = pickle.loads(pickle.dumps(calendar))  # noqa: S301 -- its own bytes
    again.push(1.0, 0, 0, 9)
    assert again.now_s == 1.0
    assert order(again) == [1, 2, 3, 4, 9]
