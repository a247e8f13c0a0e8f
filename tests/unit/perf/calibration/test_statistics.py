from dataclasses import replace

import numpy as np
import pytest

from tests.unit.perf.kernels.machines import H100
from weir.catalog.calibration import load_efficiency
from weir.perf.calibration.cases import Case
from weir.perf.calibration.statistics import accuracy, two_numbers

EFFICIENCY = load_efficiency()


def test_errors_are_counted_as_their_names_say():
    found = accuracy(np.array([1.1, 0.8, 3.0]), np.array([1.0, 1.0, 2.0]))
    assert found.count == 3
    assert found.mape == pytest.approx((0.1 + 0.2 + 0.5) / 3)
    assert found.mdape == pytest.approx(0.2)
    assert found.bias == pytest.approx(np.log(1.1 * 0.8 * 1.5) / 3)
    assert found.time_weighted == pytest.approx((0.1 + 0.2 + 1.0) / 4)


def test_nothing_to_score_is_not_a_score():
    assert np.isnan(accuracy(np.array([]), np.array([])).mape)


def test_the_baseline_finds_its_two_numbers():
    m = np.geomspace(1.0, 32768.0, 80)
    arguments = {"m": m, "n": 4096.0, "k": 4096.0, "dtype": "bf16"}
    case = Case("gemm", "bf16", "h100", "trtllm", H100, arguments, np.ones(80))
    bound = case.estimate(EFFICIENCY).hardware_s
    case = replace(case, measured_s=7e-6 + bound / 0.55)
    found = two_numbers([case], EFFICIENCY)
    assert found.fixed_s == pytest.approx(7e-6, rel=0.02)
    assert found.efficiency == pytest.approx(0.55, rel=0.02)
    assert found.estimate(bound) == pytest.approx(case.measured_s, rel=0.02)
