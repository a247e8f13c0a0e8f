from dataclasses import dataclass, replace

import numpy as np
import pytest

from tests.unit.perf.kernels.machines import H100
from weir.catalog.calibration import load_efficiency
from weir.perf.kernels.efficiency import silicon
from weir.perf.kernels.streams import cache_bytes_per_s, missed_share

EFFICIENCY = load_efficiency()


@dataclass(frozen=True)
class Held:
    """What stays in the cache."""

    cache_share: float = 0.5
    cache_sharpness: float = 6.0


def test_half_of_what_fills_its_share_of_the_cache_is_missed_and_all_of_what_never_returns():
    chip = silicon(H100, EFFICIENCY)
    room = 0.5 * H100.last_level_cache_bytes
    missed = missed_share(Held(), chip, room * np.array([0.1, 1.0, 10.0, np.inf]))
    assert missed[0] < 1e-5
    assert missed[1] == 0.5
    assert 1.0 - 1e-5 < missed[2] < missed[3] == 1.0


def test_the_cache_is_as_fast_as_its_cores_draw_and_never_slower_than_the_memory():
    chip = silicon(H100, EFFICIENCY)
    drawn = 64.0 * H100.cores * H100.boost_clock_hz
    assert cache_bytes_per_s(chip, 64.0) == pytest.approx(drawn)
    slow = silicon(replace(H100, boost_clock_hz=1e6), EFFICIENCY)
    assert cache_bytes_per_s(slow, 64.0) == H100.memory_bandwidth_bytes_per_s
