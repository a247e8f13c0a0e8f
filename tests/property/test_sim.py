"""What holds for every policy, workload and cache size."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.sim.laws import Linear, LinearRuns, limits, requests, same_bytes
from weir.core.errors import NothingFitsError
from weir.sim.scheduler import POLICIES
from weir.sim.simulation import Deployment, Link, Pool, Simulation

# Thirds and sevenths: sums of them round, so that "the same" means the same additions.
LAW = (0.1 / 3, 0.01 / 7, 0.002 / 3, 0.0001 / 7)


@st.composite
def cases(draw):
    """A policy, limits, requests and a number of workers.

    The cache holds about one or two of the longest requests, so that sequences are preempted
    and some requests are refused.
    """
    users = draw(st.none() | st.integers(1, 5))
    rows = []
    now = 0.0
    for gap in draw(st.lists(st.sampled_from([0.0, 0.05, 0.3, 2.0]), min_size=1, max_size=14)):
        now += gap
        prompt, output = draw(st.integers(1, 40)), draw(st.integers(1, 40))
        cached = draw(st.integers(0, prompt - 1))
        rows.append((now if users is None else gap, prompt, output, cached))
    longest = max(prompt + output for _, prompt, output, _ in rows)
    block_tokens = draw(st.integers(1, 8))
    blocks = max(int(longest * draw(st.sampled_from([0.8, 1.0, 1.2, 2.0])) / block_tokens), 1)
    limit = limits(draw(st.integers(1, 8)), draw(st.integers(1, 60)), blocks, block_tokens)
    policy = draw(st.sampled_from(sorted(POLICIES)))
    return policy, limit, requests(*rows, users=users), draw(st.integers(1, 2))


def simulation(case, *, runs=True, jump=True):
    policy, limit, rows, workers = case
    steps = LinearRuns(*LAW) if runs else Linear(*LAW)
    pool = Pool(steps, limit, workers)
    split = policy == "disaggregated"
    deployment = Deployment(
        policy, pool, pool if split else None, Link(0.01, 0.001) if split else None
    )
    try:
        return Simulation(deployment, rows, jump=jump)
    except NothingFitsError:
        return None


def finished(case, **how):
    run = simulation(case, **how)
    if run is None:
        return None
    run.run()
    assert run.done
    return run.outcome()


@settings(max_examples=120)
@given(cases())
def test_every_request_gets_its_tokens_in_order(case):
    outcome = finished(case)
    if outcome is None:
        return
    assert np.array_equal(outcome.finished, ~outcome.rejected)
    for request in np.flatnonzero(outcome.finished):
        times = outcome.token_times_s(request)
        assert times.size == outcome.output_tokens[request]
        assert times[0] == outcome.first_token_s[request]
        assert times[-1] == outcome.finish_s[request]
        assert np.all(np.diff(times) > 0)
        assert outcome.arrival_s[request] <= outcome.scheduled_s[request] < times[0]


@settings(max_examples=120)
@given(cases())
def test_tokens_are_conserved(case):
    outcome = finished(case)
    if outcome is None:
        return
    served = outcome.finished
    first = np.count_nonzero(served)
    decoded = sum(worker.decode_tokens for worker in outcome.workers)
    assert first + decoded + len(outcome.resumed) == np.sum(outcome.output_tokens[served])
    prefilled = sum(worker.prefill_tokens for worker in outcome.workers)
    assert prefilled == np.sum(outcome.prefilled_tokens)
    needed = outcome.prompt_tokens - outcome.cached_tokens
    calm = served & (outcome.preemptions == 0)
    assert np.array_equal(outcome.prefilled_tokens[calm], needed[calm])
    assert np.all(outcome.prefilled_tokens[served] >= needed[served])
    assert sum(worker.preemptions for worker in outcome.workers) == np.sum(outcome.preemptions)


@settings(max_examples=120)
@given(cases())
def test_the_cache_is_never_over_capacity_and_empty_at_the_end(case):
    run = simulation(case)
    if run is None:
        return
    while not run.done:
        run.run(run._calendar.next_s)
        for worker in run._workers:
            held = [s.target for s in worker.running.values() if s.finish_tick < 0]
            held += [
                s.target + worker.tick - s.start_tick
                for s in worker.running.values()
                if s.finish_tick >= 0
            ]
            moving = [s.target for w, s in run._transfers.values() if w is worker]
            used = sum(worker.cache.blocks_of(tokens) for tokens in held + moving)
            assert worker.cache.free == worker.cache.blocks - used >= 0
            assert worker.admitted <= worker.limits.max_sequences
    for worker in run._workers:
        assert worker.cache.free == worker.cache.blocks
        assert worker.cache.peak <= worker.cache.blocks
        assert worker.decoding == worker._context == worker.load == 0
        assert not any(worker.cache._phases)


@settings(max_examples=120)
@given(cases())
def test_jumps_give_what_single_steps_give(case):
    jumped = finished(case)
    if jumped is None:
        return
    assert same_bytes(jumped, finished(case, jump=False))
    assert same_bytes(jumped, finished(case, runs=False))


@settings(max_examples=120)
@given(cases())
def test_one_worker_serves_in_order_of_arrival(case):
    outcome = finished((*case[:3], 1))
    if outcome is None:
        return
    order = outcome.scheduled_s[outcome.finished]
    arrivals = outcome.arrival_s[outcome.finished]
    by_arrival = order[np.argsort(arrivals, kind="stable")]
    assert all(earlier <= later for earlier, later in pairwise(by_arrival))


@settings(max_examples=120)
@given(cases(), st.floats(0.0, 1.0))
def test_a_run_taken_up_again_goes_on_as_if_never_stopped(case, share):
    whole = finished(case)
    if whole is None:
        return
    run = simulation(case)
    run.run(share * np.nanmax(whole.finish_s))
    again = pickle.loads(pickle.dumps(run))  # noqa: S301 -- its own bytes
    run.run()
    again.run()
    assert same_bytes(whole, run.outcome())
    assert same_bytes(whole, again.outcome())


@settings(max_examples=120)
@given(cases())
def test_gaps_between_tokens_are_those_of_the_token_times(case):
    outcome = finished(case)
    if outcome is None:
        return
    itl = outcome.itl_s()
    gaps = [np.diff(outcome.token_times_s(r)) for r in np.flatnonzero(outcome.finished)]
    gaps = np.sort(np.concatenate(gaps))
    assert itl.count == gaps.size == np.sum(outcome.output_tokens[outcome.finished] - 1)
    if gaps.size:
        assert itl.mean == pytest.approx(np.mean(gaps))
        for percent in (1, 50, 99):
            rank = int(np.ceil(percent * gaps.size / 100))
            assert itl.percentile(percent) == pytest.approx(gaps[rank - 1])
