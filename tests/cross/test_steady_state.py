"""The simulator and the analytic steady state, where both apply.

Both stand on the same step times and differ in how they count queueing. The steady state assumes
that requests come at random moments; that holds for open arrivals, and for users whose requests
differ in length. What is allowed here is that difference, not a statistical error.
"""

import numpy as np
import pytest

from weir.answers.placement import Deployment, choose_layout, site_of
from weir.answers.simulate import Fleet, simulate
from weir.perf.serving import Workload, closed_loop, open_loop
from weir.sim.workload import ClosedLoop, LogNormal, generate, poisson

ISL, OSL = 1024, 256


@pytest.fixture(scope="module")
def placed(catalog):
    site = site_of(catalog.chip("A100"), catalog.model("Llama-3.1-8B"), Deployment(), catalog)
    return choose_layout(site, Workload(isl=ISL, osl=OSL))


def served(catalog, arrivals, count):
    work = generate(arrivals, LogNormal(ISL, 0.5), LogNormal(OSL, 0.5), count, seed=3)
    outcome = simulate(Fleet("A100"), "Llama-3.1-8B", work, catalog).outcome
    settled = np.arange(count) >= count // 5
    return outcome.spreads(settled)


@pytest.mark.parametrize("users", [4, 16])
def test_users_with_requests_of_many_lengths(catalog, placed, users):
    found = served(catalog, ClosedLoop(users), users * 20)
    wanted = closed_loop(placed.engine, Workload(isl=ISL, osl=OSL), users)
    assert found["tpot_s"].mean == pytest.approx(float(wanted.tpot_s), rel=0.15)
    assert found["ttft_s"].mean == pytest.approx(float(wanted.ttft_s), rel=0.3)


def test_open_arrivals(catalog, placed):
    work = Workload(isl=ISL, osl=OSL)
    rate = float(closed_loop(placed.engine, work, 16).requests_per_s) / 2
    found = served(catalog, poisson(rate), 300)
    wanted = open_loop(placed.engine, work, rate)
    assert found["tpot_s"].mean == pytest.approx(float(wanted.tpot_s), rel=0.15)
    assert found["ttft_s"].mean == pytest.approx(float(wanted.ttft_s), rel=0.3)
