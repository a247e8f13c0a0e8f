from dataclasses import replace

import numpy as np
import pytest

from tests.unit.perf.kernels.machines import GEFORCE, H100, L40S
from weir.catalog.calibration import load_efficiency
from weir.core.errors import InputError
from weir.perf.kernels import elementwise

EFFICIENCY = load_efficiency()


def test_nothing_to_move_costs_the_launch():
    found = elementwise(H100, EFFICIENCY, 0.0, 0.0)
    assert 0.0 < found.time_s < 1e-4
    assert found.memory_bytes == 0.0


def test_much_to_move_approaches_the_memory_bandwidth():
    found = elementwise(H100, EFFICIENCY, 4e9, 4e9)
    assert found.hardware_s == pytest.approx(8e9 / 3.35e12)
    assert 0.6 < found.hardware_s / found.time_s < 1.0


def test_more_bytes_never_take_less_time():
    found = elementwise(H100, EFFICIENCY, np.linspace(0.0, 1e9, 500), 0.0)
    assert np.all(np.diff(found.time_s) >= 0.0)


def test_negative_bytes_are_refused():
    with pytest.raises(InputError, match="bytes_written is -1"):
        elementwise(H100, EFFICIENCY, 1.0, -1.0)


def test_what_the_cache_holds_moves_at_the_pace_of_the_cores():
    read = 4e6
    base = elementwise(H100, EFFICIENCY, 0.0, 0.0).time_s
    slow = elementwise(replace(H100, cores=66.0), EFFICIENCY, read, 0.0).time_s - base
    fast = elementwise(H100, EFFICIENCY, read, 0.0).time_s - base
    assert slow == pytest.approx(2 * fast)
    more = elementwise(
        replace(H100, memory_bandwidth_bytes_per_s=6.7e12), EFFICIENCY, read, 0.0
    ).time_s
    assert more - base == pytest.approx(fast)


def test_a_start_before_the_last_end_belongs_to_the_instructions_and_the_rest_to_the_cores():
    table = EFFICIENCY.tables["elementwise"]
    launch = {name: table.generation[name]["launch_s"] for name in ("ada", "blackwell")}
    assert launch["blackwell"] < launch["ada"]
    moved = np.array([0.0, 1e6, 1e8, 1e9])
    old = elementwise(L40S, EFFICIENCY, moved, moved).time_s
    new = elementwise(GEFORCE, EFFICIENCY, moved, moved).time_s
    assert old - new == pytest.approx(np.full(4, launch["ada"] - launch["blackwell"]))
