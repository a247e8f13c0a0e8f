from statistics import NormalDist

import numpy as np
import pytest

from weir.perf.kernels.routing import FEW_LOADS, MOST_OF_TOKENS, _largest_score, busiest_chip

DRAWS = 200


def load(tokens, local=32.0, experts=256.0, top_k=8.0, skew=0.0):
    return busiest_chip(*(np.float64(number) for number in (tokens, local, experts, top_k, skew)))


def test_a_balanced_router_spreads_evenly():
    found = load(1024.0)
    assert found.rows == 1024 * 8 * 32 / 256
    assert found.active == 32


def test_few_tokens_touch_few_experts():
    assert load(2.0).active == load(2.0).rows == 2.0


def test_rows_are_conserved_over_equal_chips():
    assert load(512.0).rows * 8 == 512 * 8


def test_a_skewed_router_loads_the_busiest_chip_more_and_touches_fewer_experts():
    even, skewed = load(4096.0), load(4096.0, skew=1.2)
    assert skewed.rows > even.rows
    assert load(64.0, skew=1.2).active < load(64.0).active
    assert load(4096.0, local=256.0, skew=1.2).rows == pytest.approx(4096 * 8, rel=1e-6)


@pytest.mark.parametrize("skew", [1.0, 2.0, 3.0])
def test_a_whole_exponent_is_no_singularity(skew):
    at, beside = load(4096.0, skew=skew), load(4096.0, skew=skew + 0.002)
    assert at.rows == pytest.approx(beside.rows, rel=0.01)
    assert at.active == pytest.approx(beside.active, rel=0.01)


def test_one_expert_gets_no_more_than_every_token():
    assert load(4096.0, local=1.0, top_k=1.0, skew=1.2).rows <= 4096


def test_balanced_and_skewed_calls_do_not_disturb_each_other():
    tokens = np.full(2, 1024.0)
    both = busiest_chip(
        tokens, np.full(2, 32.0), np.full(2, 256.0), np.full(2, 8.0), np.array([0.0, 1.2])
    )
    assert both.rows[0] == load(1024.0).rows
    assert both.rows[1] == load(1024.0, skew=1.2).rows


def drawn(tokens, local, experts, top_k, skew, random):
    """Rows and active experts of the busiest chip of one random draw of the power law."""
    low, high = FEW_LOADS if tokens * top_k <= experts else (1.0, MOST_OF_TOKENS * tokens)
    one = 1.0 - skew
    loads = (low**one + (high**one - low**one) * random.random(experts)) ** (1.0 / one)
    shares = np.minimum(loads / loads.sum() * tokens * top_k, tokens)
    counts = np.floor(shares).astype(int)
    # Pairs lost to rounding go to the experts with the largest remainders.
    left = tokens * top_k - counts.sum()
    order = np.argsort(counts - shares, kind="stable")
    counts[order[:left]] += 1
    chips = counts.reshape(-1, local)
    busiest = chips[chips.sum(axis=1).argmax()]
    return busiest.sum(), (busiest > 0).sum()


@pytest.mark.parametrize(
    ("tokens", "local", "experts", "top_k"),
    [(64, 32, 256, 8), (256, 8, 256, 8), (1024, 16, 128, 4), (4096, 1, 64, 8), (4096, 32, 128, 8)],
)
@pytest.mark.parametrize("skew", [1.01, 1.2])
def test_the_busiest_chip_is_that_of_random_draws(tokens, local, experts, top_k, skew):
    random = np.random.default_rng(7)
    pairs = [drawn(tokens, local, experts, top_k, skew, random) for _ in range(DRAWS)]
    rows, active = np.mean(pairs, axis=0)
    found = load(float(tokens), float(local), float(experts), float(top_k), skew)
    assert found.rows == pytest.approx(rows, rel=0.15)
    assert found.active == pytest.approx(active, rel=0.15)


@pytest.mark.parametrize("count", [1, 2, 8, 72, 256, 512])
def test_the_largest_of_some_draws_is_blom_s(count):
    exact = NormalDist().inv_cdf((count - 0.375) / (count + 0.25))
    assert _largest_score(np.float64(count)) == pytest.approx(exact, rel=0.02, abs=0.01)


def test_a_balancer_evens_out_chips_and_leaves_experts_popular():
    numbers = [np.float64(number) for number in (256, 8, 256, 8, 1.0)]
    found, placed = busiest_chip(*numbers), busiest_chip(*numbers, np.float64(1.0))
    assert placed.rows == pytest.approx(256 * 8 * 8 / 256)
    assert placed.rows < found.rows
    # On one chip that holds all experts there is nothing to even out.
    alone = [np.float64(number) for number in (256, 256, 256, 8, 1.0)]
    assert busiest_chip(*alone) == busiest_chip(*alone, np.float64(1.0))
