import subprocess
import sys
import textwrap

import numpy as np
import pytest

from tests.unit.sim.laws import Linear, LinearRuns, limits, one, requests, same_bytes
from weir.core.errors import InputError, NothingFitsError, UnknownNameError
from weir.sim.scheduler import POLICIES
from weir.sim.simulation import Deployment, Link, Pool, simulate
from weir.sim.workload import ClosedLoop, LogNormal, generate, poisson

LAW = LinearRuns(0.01, 1e-5, 1e-4, 1e-8)


def test_a_request_no_cache_can_hold_is_refused_and_the_rest_runs():
    # 2 blocks of 4 tokens: prompt and answer may take 8, the last token's place not counted.
    rows = requests((0, 5, 4), (0, 5, 5), (0, 9, 1))
    outcome = simulate(one(Linear(1.0), blocks=2), rows)
    assert outcome.rejected.tolist() == [False, True, True]
    assert outcome.finished.tolist() == [True, False, False]


def test_users_go_on_after_a_refusal():
    rows = requests((0, 50, 4), (0, 1, 1), (2.0, 1, 1), users=1)
    outcome = simulate(one(Linear(1.0), blocks=2), rows)
    assert outcome.arrival_s.tolist() == [0.0, 0.0, 3.0]


def test_entry_comes_before_the_waiting_line():
    pool = Pool(Linear(1.0), limits())
    for users, arrivals in ((None, [0.0, 1.0]), (1, [0.0, 3.5])):
        rows = requests((0, 1, 2), (1, 1, 1), users=users)
        outcome = simulate(Deployment("continuous", pool, entry_s=0.5), rows)
        assert outcome.arrival_s.tolist() == arrivals
        assert outcome.ttft_s.tolist() == [1.5, 1.5]


def test_nothing_fits_says_what_would():
    with pytest.raises(NothingFitsError, match=r"shortest needs 9 tokens .* 2 blocks of 4"):
        simulate(one(Linear(1.0), blocks=2), requests((0, 5, 5), (0, 9, 3)))


def test_a_small_prefill_cache_refuses_too():
    small, large = Pool(Linear(1.0), limits(blocks=2)), Pool(Linear(1.0), limits())
    deployment = Deployment("disaggregated", small, large, Link())
    assert simulate(deployment, requests((0, 8, 99), (0, 9, 1))).rejected.tolist() == [False, True]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("chunked-prefill", Pool(LAW, limits()), Pool(LAW, limits())), "a link come together"),
        (("disaggregated", Pool(LAW, limits())), "'disaggregated' and a decode pool"),
        (("continuous", Pool(LAW, limits()), Pool(LAW, limits()), Link()), "come together"),
    ],
)
def test_half_a_deployment_is_refused(parts, message):
    with pytest.raises(InputError, match=message):
        Deployment(*parts)


def test_unknown_policies_and_empty_pools_are_refused():
    with pytest.raises(UnknownNameError, match="unknown policy"):
        Deployment("lifo", Pool(LAW, limits()))
    with pytest.raises(InputError, match="workers must be at least 1"):
        Pool(LAW, limits(), 0)


@pytest.mark.parametrize("policy", sorted(POLICIES))
@pytest.mark.parametrize("arrivals", [poisson(4.0), ClosedLoop(20, 0.1, 1.0)])
def test_a_seed_gives_the_same_bytes(policy, arrivals):
    def run(seed):
        work = generate(arrivals, LogNormal(200, 1), LogNormal(50, 1, 500), 150, seed=seed)
        return simulate(one(LAW, policy, 2, sequences=16, budget=256, blocks=600), work)

    assert same_bytes(run(1), run(1))
    assert not same_bytes(run(1), run(2))


def test_a_new_process_gives_the_same_bytes():
    program = textwrap.dedent(
        """
        import hashlib
        from tests.unit.sim.test_simulation import digest
        print(digest())
        """
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(p for p in sys.path if p)},
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert runs == [digest(), digest()]


def digest():
    import hashlib

    work = generate(poisson(4.0), LogNormal(200, 1), LogNormal(50, 1, 500), 100, seed=9)
    outcome = simulate(one(LAW, "disaggregated", 2, blocks=500), work)
    return hashlib.sha256(b"".join(c.tobytes() for c in outcome.columns().values())).hexdigest()


def test_more_load_never_shortens_the_mean_wait():
    waits = []
    for rate in (1.0, 4.0, 16.0):
        work = generate(poisson(rate), LogNormal(200, 1), LogNormal(50, 1), 300, seed=5)
        waits.append(np.mean(simulate(one(LAW, sequences=4, budget=256), work).queue_s))
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]
