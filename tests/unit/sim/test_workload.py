import math

import numpy as np
import pytest

from weir.catalog.traces import Trace
from weir.core.errors import InputError
from weir.sim.workload import (
    ClosedLoop,
    Empirical,
    Fixed,
    Gamma,
    LogNormal,
    Uniform,
    deterministic,
    from_trace,
    generate,
    poisson,
    prefix_hits,
)

COUNT = 20_000


def drawn(arrivals=None, prompt=None, output=None, seed=1, **more):
    return generate(
        arrivals or poisson(2.0), prompt or Fixed(5), output or Fixed(3), COUNT, seed=seed, **more
    )


def assert_mean(values, wanted):
    error = values.std(ddof=1) / math.sqrt(values.size)
    assert abs(values.mean() - wanted) <= 4 * error


@pytest.mark.parametrize("cv", [0.4, 1.0, 2.5])
def test_gaps_have_the_mean_and_spread_they_should(cv):
    gaps = np.diff(drawn(Gamma(2.0, cv)).arrival_s)
    assert_mean(gaps, 0.5)
    assert gaps.std() / gaps.mean() == pytest.approx(cv, rel=0.1)


def test_a_beat_is_a_beat():
    assert drawn(deterministic(4.0)).arrival_s[:3].tolist() == [0.25, 0.5, 0.75]


def test_lengths_have_the_mean_they_should():
    assert set(drawn(prompt=Fixed(7)).prompt_tokens) == {7}
    uniform = drawn(prompt=Uniform(3, 9)).prompt_tokens
    assert set(uniform) == set(range(3, 10))
    assert_mean(uniform, 6.0)
    long = drawn(output=LogNormal(250.0, 1.5)).output_tokens
    assert_mean(long, 250.0)
    bounded = drawn(output=LogNormal(4.0, 3.0, most=20)).output_tokens
    assert (bounded.min(), bounded.max()) == (1, 20)
    sample = drawn(prompt=Empirical([2, 2, 2, 10])).prompt_tokens
    assert set(sample) == {2, 10}
    assert_mean(sample, 4.0)


def test_a_seed_gives_the_same_requests_and_another_seed_others():
    def columns(seed):
        work = drawn(prompt=Uniform(1, 99), output=Uniform(1, 99), seed=seed)
        return work.arrival_s.tobytes(), work.prompt_tokens.tobytes(), work.output_tokens.tobytes()

    assert columns(3) == columns(3)
    assert all(a != b for a, b in zip(columns(3), columns(4), strict=True))


def test_arrivals_do_not_change_lengths():
    slow, fast = drawn(poisson(1.0), Uniform(1, 99)), drawn(ClosedLoop(3), Uniform(1, 99))
    assert np.array_equal(slow.prompt_tokens, fast.prompt_tokens)


def test_users_start_at_once_and_then_think():
    work = drawn(ClosedLoop(3, think_s=2.0))
    assert work.users == 3
    assert work.arrival_s[:5].tolist() == [0.0, 0.0, 0.0, 2.0, 2.0]


def test_a_prefix_hit_never_covers_the_whole_prompt():
    assert set(drawn(prompt=Fixed(10), prefix_hit_rate=0.55).cached_tokens) == {5}
    assert set(drawn(prompt=Fixed(10), prefix_hit_rate=1.0).cached_tokens) == {9}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: poisson(0.0), "requests_per_s must be a number above 0"),
        (lambda: Gamma(1.0, -1.0), "cv must be a number of at least 0"),
        (lambda: ClosedLoop(0), "users must be a number above 0"),
        (lambda: ClosedLoop(1, math.nan), "think_s must be a number of at least 0"),
        (lambda: Fixed(0), "tokens must be a number above 0"),
        (lambda: Uniform(5, 4), r"high \(4\) must not be below low \(5\)"),
        (lambda: LogNormal(-1.0, 1.0), "mean must be a number above 0"),
        (lambda: Empirical([]), "needs token counts of at least 1"),
        (lambda: drawn(prefix_hit_rate=1.1), "must lie between 0 and 1"),
        (lambda: generate(poisson(1), Fixed(1), Fixed(1), 0, seed=1), "count must be at least 1"),
        (lambda: generate(poisson(1), Fixed(1), Fixed(1), 1, seed=-1), "seed must be a number of"),
        (lambda: from_trace(trace(), arrivals=poisson(1), seed=-1), "seed must be a number of"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def trace(times=(0.0, 2.0, 3.0), hashes=None):
    return Trace(
        origin="t.csv",
        format="lengths",
        arrival_s=None if times is None else np.array(times),
        prompt_tokens=np.array([10, 20, 30]),
        output_tokens=np.array([1, 2, 3]),
        block_hashes=hashes,
        hash_block_tokens=8,
    )


def test_a_trace_is_run_as_it_was_or_faster():
    work = from_trace(trace(), speed_up=2.0, count=2)
    assert work.arrival_s.tolist() == [0.0, 1.0]
    assert work.prompt_tokens.tolist() == [10, 20]
    assert work.cached_tokens.tolist() == [0, 0]


def test_a_trace_without_times_needs_arrivals():
    with pytest.raises(InputError, match=r"t.csv: has lengths and no times; say how"):
        from_trace(trace(None))
    work = from_trace(trace(None), arrivals=ClosedLoop(2))
    assert (work.users, len(work)) == (2, 3)


def test_prefix_hits_follow_the_hashes():
    hashes = ((1, 2), (1, 2, 3), (1, 2, 3, 4))
    work = from_trace(trace(hashes=hashes))
    # 8 tokens a block: nothing yet; blocks 1 and 2; blocks 1 to 3.
    assert work.cached_tokens.tolist() == [0, 16, 24]
    assert from_trace(trace(hashes=hashes), prefix_hit_rate=0.5).cached_tokens[0] == 5


def test_a_small_prefix_cache_forgets_the_least_recent():
    hashes = ((1,), (2,), (1,), (3,), (2,), (1,))
    prompts = np.full(6, 100)
    # Two blocks fit: the third asks for 1, which is still there; 3 then pushes 2 out, 2 pushes 1.
    hits = prefix_hits(hashes, prompts, block_tokens=8, cache_tokens=16)
    assert hits.tolist() == [0, 0, 8, 0, 0, 0]


def test_a_small_prefix_cache_keeps_the_head_of_a_prompt():
    hits = prefix_hits(((1, 2, 3), (1, 2, 3)), np.array([30, 30]), block_tokens=8, cache_tokens=16)
    assert hits.tolist() == [0, 16]


def test_a_repeated_prompt_still_computes_its_last_token():
    hits = prefix_hits(((1, 2), (1, 2)), np.array([12, 12]), block_tokens=8)
    assert hits.tolist() == [0, 11]
