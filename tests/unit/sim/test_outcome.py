import math

import numpy as np
import pytest

from tests.unit.sim.laws import Linear, one, requests
from weir.core.errors import InputError
from weir.sim.outcome import Distribution, ServiceLevels, e2e_s, tpot_s, ttft_s
from weir.sim.simulation import simulate


@pytest.fixture(scope="module")
def outcome():
    # One sequence at a time, one second a step: tokens at 1, 2, 3; then 4; then 5, 6.
    return simulate(one(Linear(1.0), sequences=1), requests((0, 1, 3), (0, 1, 1), (1, 1, 2)))


def test_metrics_are_what_their_definitions_say(outcome):
    assert outcome.ttft_s.tolist() == [1.0, 4.0, 4.0]
    assert outcome.e2e_s.tolist() == [3.0, 4.0, 5.0]
    # (3 - 1) / 2; none with one token; (5 - 4) / 1.
    assert outcome.tpot_s[[0, 2]].tolist() == [1.0, 1.0]
    assert math.isnan(outcome.tpot_s[1])
    assert outcome.queue_s.tolist() == [0.0, 3.0, 3.0]
    assert outcome.duration_s == 6.0
    assert outcome.requests_per_s == 0.5
    assert outcome.output_tokens_per_s == 1.0


def test_definitions_take_arrays():
    assert ttft_s([1.0, 2.0], 4.0).tolist() == [3.0, 2.0]
    assert e2e_s(1.0, [3.0]).tolist() == [2.0]
    assert tpot_s([5.0, 5.0], 1.0, [5, 3]).tolist() == [1.0, 2.0]


def test_goodput_counts_requests_that_meet_every_level(outcome):
    assert outcome.meets(ServiceLevels()).tolist() == [True, True, True]
    assert outcome.meets(ServiceLevels(ttft_s=1.0)).tolist() == [True, False, False]
    # One token has no time per output token, so it cannot be too long.
    assert outcome.meets(ServiceLevels(tpot_s=0.5)).tolist() == [False, True, False]
    assert outcome.meets(ServiceLevels(ttft_s=4.0, e2e_s=4.0)).tolist() == [True, True, False]
    assert outcome.goodput_requests_per_s(ServiceLevels(ttft_s=4.0, e2e_s=4.0)) == 2 / 6


def test_unfinished_requests_meet_no_level():
    refused = simulate(one(Linear(1.0), blocks=1), requests((0, 1, 1), (0, 40, 1)))
    assert refused.meets(ServiceLevels()).tolist() == [True, False]


def test_percentiles_are_observations_with_their_count():
    distribution = Distribution(np.array([4.0, 1.0, 3.0, 2.0, math.nan]))
    assert distribution.count == 4
    assert distribution.mean == 2.5
    # 25 % of four are one observation; a little more needs the second.
    wanted = {0: 1.0, 25: 1.0, 25.1: 2.0, 50: 2.0, 75: 3.0, 99: 4.0, 100: 4.0}
    assert {p: distribution.percentile(p) for p in wanted} == wanted
    with pytest.raises(InputError, match="between 0 and 100"):
        distribution.percentile(101)


def test_counts_weigh_as_repeated_values_do():
    values, counts = np.array([3.0, 1.0, 2.0]), np.array([5, 90, 0])
    weighted, repeated = Distribution(values, counts), Distribution(np.repeat(values, counts))
    assert weighted.spread() == repeated.spread()
    assert weighted.share_within(1.0) == repeated.share_within(1.0) == 90 / 95
    assert weighted.share_within(0.5) == 0.0


def test_no_observations_are_no_numbers():
    spread = Distribution(np.array([math.nan])).spread()
    assert spread.count == 0
    assert all(math.isnan(value) for value in (spread.mean, spread.p50, spread.maximum))
    assert math.isnan(Distribution(np.array([])).share_within(1.0))


def test_spreads_can_leave_requests_out(outcome):
    kept = np.array([False, True, True])
    assert outcome.spreads()["ttft_s"].count == 3
    assert outcome.spreads(kept)["ttft_s"].mean == 4.0
    assert outcome.spreads(kept)["itl_s"].count == 1
    assert outcome.spreads(kept)["tpot_s"].count == 1


def test_columns_have_one_row_per_request(outcome):
    assert {column.shape for column in outcome.columns().values()} == {(3,)}
