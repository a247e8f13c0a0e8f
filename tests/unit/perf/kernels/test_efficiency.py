from dataclasses import replace

import numpy as np
import pytest

from tests.unit.perf.kernels.machines import BARE, H100
from weir.catalog.calibration import load_efficiency
from weir.perf.kernels.efficiency import PRODUCTS, power_roof_s, power_s, silicon

EFFICIENCY = load_efficiency()
FLOP, PEAK_S, ENERGY, IDLE = np.array([1e15, 4e15]), np.array([1.0, 4.0]), 2e-31, 0.1


def roof(machine):
    return power_roof_s(
        EFFICIENCY, PRODUCTS, machine, silicon(machine, EFFICIENCY), FLOP,
        energy=ENERGY, idle_share=IDLE, peak_s=PEAK_S,
    )  # fmt: skip


def test_the_power_of_a_known_process_is_that_of_its_energy():
    fed = power_s(silicon(H100, EFFICIENCY), FLOP, ENERGY, IDLE)
    assert roof(H100).tolist() == fed.tolist()


def test_an_unknown_process_sustains_between_its_energy_and_what_known_chips_sustain():
    assert EFFICIENCY.is_foreign(PRODUCTS, BARE.generation)
    sustained = EFFICIENCY.tables[PRODUCTS].shared["sustained_share"]
    # Without a limit that is known, the energy says that the rate is sustained whole.
    unlimited = roof(replace(BARE, tdp_w=float("nan")))
    assert unlimited == pytest.approx(PEAK_S / sustained**1.5)
    assert np.all(roof(replace(BARE, tdp_w=50.0)) > unlimited)
