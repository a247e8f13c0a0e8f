import math

import pytest

from weir.answers.closer import apart, at_rate, other_layouts
from weir.answers.estimate import estimate
from weir.answers.levers import levers
from weir.answers.placement import Deployment
from weir.core.errors import InputError, NothingFitsError
from weir.perf.parallel import Layout
from weir.perf.serving import Workload

DEPLOYMENT = Deployment(chips=8, layout=Layout(tp=8))
WORK = Workload(2048, 256)


@pytest.fixture(scope="module")
def answer(catalog):
    return estimate("H100", "Qwen3-32B", DEPLOYMENT, WORK, catalog, users=32)


def test_more_arrivals_mean_more_users_and_longer_waits(answer, catalog):
    slow, fast = (at_rate(answer, DEPLOYMENT, catalog, rate) for rate in (0.5, 4.0))
    assert slow.users < fast.users
    assert slow.ttft_s.value < fast.ttft_s.value
    assert slow.tpot_s.value < fast.tpot_s.value
    assert slow.most_requests_per_s == fast.most_requests_per_s > 4.0
    # Little's law.
    stay = fast.ttft_s.value + (WORK.osl - 1) * fast.tpot_s.value
    assert fast.users == pytest.approx(4.0 * stay, rel=0.05)


def test_a_rate_beyond_the_replica_says_with_how_many_it_is_carried(answer, catalog):
    most = at_rate(answer, DEPLOYMENT, catalog, 1.0).most_requests_per_s
    with pytest.raises(NothingFitsError, match="3 replicas carry it"):
        at_rate(answer, DEPLOYMENT, catalog, most * 2.5)
    for rate in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(InputError, match="the rate is"):
            at_rate(answer, DEPLOYMENT, catalog, rate)


def test_layouts_come_with_the_fastest_first_and_what_does_not_fit_last(catalog):
    heavy = estimate(
        "H100", "Qwen3-32B", Deployment(chips=2), Workload(30000, 64), catalog, users=4
    )
    found = other_layouts(heavy, Deployment(chips=2), catalog)
    rates = [item.tokens_per_s_per_chip for item in found]
    known = [rate for rate in rates if not math.isnan(rate)]
    assert known == sorted(known, reverse=True)
    assert all(math.isnan(rate) for rate in rates[len(known) :])
    assert heavy.layout in {item.layout for item in found}
    assert all(item.layout.chips == 2 for item in found)


def test_prefill_apart_leaves_decoding_alone(answer, catalog):
    one, two = (apart(answer, DEPLOYMENT, catalog, count) for count in (4, 8))
    assert one.tpot_s.value < answer.tpot_s.value
    assert two.prefill_requests_per_s > one.prefill_requests_per_s
    assert one.balanced_prefill_chips > 0
    for item in (one, two):
        rate = min(item.prefill_requests_per_s, item.decode_requests_per_s)
        chips = item.prefill_chips + item.decode_chips
        assert item.tokens_per_s_per_chip == pytest.approx(rate * WORK.osl / chips)
        slower = item.prefill_requests_per_s < item.decode_requests_per_s
        assert item.bottleneck == ("prefill" if slower else "decode")


def test_prefill_on_another_chip_that_cannot_hold_the_model(answer, catalog):
    with pytest.raises(NothingFitsError, match="hold it with up to"):
        apart(answer, DEPLOYMENT, catalog, 1, "L4")
    with pytest.raises(InputError, match="prefill chips are 0"):
        apart(answer, DEPLOYMENT, catalog, 0)


def test_more_of_a_good_thing_is_never_slower(answer, catalog):
    found = {item.name: item for item in levers(answer, DEPLOYMENT, catalog)}
    for name in ("memory bandwidth", "dense arithmetic", "links", "power limit"):
        less, more = found[name].tokens_per_s_per_chip
        assert less <= 1.0 + 1e-9 <= more + 2e-9
    less, more = found["kernel launch time"].tpot
    assert less <= 1.0 <= more
    less, more = found["host time of the framework"].ttft
    assert less <= 1.0 <= more
    assert found["memory bandwidth"].tpot[0] > 1.0
