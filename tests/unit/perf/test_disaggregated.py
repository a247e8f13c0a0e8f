from dataclasses import replace

import numpy as np
import pytest

from weir.answers.machines import machine_of
from weir.catalog.calibration import load_efficiency
from weir.catalog.query import Catalog
from weir.catalog.stack import load_stack
from weir.perf.disaggregated import (
    closed_loop_pools,
    decode_pools,
    matched_prefill_replicas,
    prefill_pool,
    transfer_s,
)
from weir.perf.formats import Precision
from weir.perf.parallel import Layout
from weir.perf.serving import Workload, closed_loop, prefill_step
from weir.perf.step import Drafts, Engine

CATALOG = Catalog()
WORK = Workload(isl=2048, osl=512)


@pytest.fixture(scope="module")
def engine():
    return Engine(
        CATALOG.model("Llama-3.1-8B"),
        Layout(),
        Precision("bf16", "bf16", "bf16"),
        machine_of(CATALOG.chip("H100"), CATALOG).machine,
        load_efficiency(),
        load_stack("plain"),
    )


def test_the_transfer_moves_the_cache_once(engine):
    cache = 2048 * 2 * 8 * 128 * 32 * 2
    rate = engine.machine.scale_out_bytes_per_s_per_direction
    assert float(transfer_s(engine, WORK)) == pytest.approx(cache / rate)


def test_a_busier_prefill_pool_takes_more_prompts_and_answers_later(engine):
    calm, busy = (prefill_pool(engine, WORK, load=load) for load in (0.3, 0.9))
    assert float(busy.requests_per_s) == pytest.approx(3 * float(calm.requests_per_s))
    assert busy.ttft_s > calm.ttft_s


def test_decoding_alone_is_never_slower_than_beside_prompts(engine):
    pool = decode_pools([engine], WORK, [np.array([1.0, 16.0, 64.0])])[0]
    for sequences, tpot in zip(pool.sequences, pool.tpot_s, strict=True):
        assert tpot <= float(closed_loop(engine, WORK, sequences).tpot_s) * 1.001
    assert np.all(np.diff(pool.requests_per_s) > 0)


def test_drafts_speed_a_decode_pool_up(engine):
    drafting = replace(engine, drafts=Drafts(tokens=2, acceptance=0.7))
    plain, faster = decode_pools([engine, drafting], WORK, [np.array([4.0])] * 2)
    assert faster.tpot_s[0] < plain.tpot_s[0]


def test_matched_pools_finish_the_same_requests(engine):
    prefill = prefill_pool(engine, WORK, load=0.8)
    decode = decode_pools([engine], WORK, [np.array([64.0])])[0]
    replicas = matched_prefill_replicas(decode.requests_per_s, prefill.requests_per_s)
    assert float(replicas[0] * prefill.requests_per_s) == pytest.approx(
        float(decode.requests_per_s[0])
    )


def test_one_user_of_two_pools_sees_a_prompt_a_transfer_and_decoding(engine):
    state = closed_loop_pools(engine, 1, engine, 1, WORK, 1.0)
    prompt = float(prefill_step(engine, WORK).time_s)
    alone = decode_pools([engine], WORK, [np.array([1.0])])[0]
    # The decode worker streams: half its running step and a step of its own come first.
    first = float(alone.tpot_s[0])
    assert float(state.ttft_s) == pytest.approx(
        prompt + float(transfer_s(engine, WORK)) + engine.stack.request_s + 1.5 * first, rel=0.01
    )
    assert float(state.tpot_s) == pytest.approx(float(alone.tpot_s[0]), rel=0.05)


def test_too_few_prefill_workers_make_users_wait_not_decode_slowly(engine):
    work = Workload(isl=8192, osl=64)
    few = closed_loop_pools(engine, 1, engine, 4, work, 256.0)
    many = closed_loop_pools(engine, 8, engine, 4, work, 256.0)
    assert few.ttft_s > 4 * many.ttft_s
    assert few.tpot_s < many.tpot_s


def test_intervals_of_pools_hold_the_estimate(engine):
    users = np.array([4.0, 32.0, 128.0])
    state = closed_loop_pools(engine, 2, engine, 2, WORK, users)
    assert np.all(np.diff(state.tpot_s) > 0)
    assert np.all(state.tpot_low_s < state.tpot_s)
    assert np.all(state.ttft_s < state.ttft_high_s)


def test_users_without_a_place_wait_before_the_first_token(engine):
    free = closed_loop_pools(engine, 4, engine, 2, WORK, 48.0)
    full = closed_loop_pools(engine, 4, engine, 2, WORK, 48.0, most_sequences=16.0)
    # 32 places for 48 users: each waits half of the time that an answer takes.
    answer = 511 * float(full.tpot_s)
    assert float(full.ttft_s) == pytest.approx(answer / 2, rel=0.02)
    assert full.tpot_s < free.tpot_s
    assert free.ttft_s < full.ttft_s / 5


def test_the_state_is_smooth_over_users(engine):
    users = np.geomspace(4.0, 400.0, 60)
    state = closed_loop_pools(engine, 2, engine, 2, WORK, users)
    assert np.all(np.diff(state.ttft_s) > -1e-9)
    assert np.max(np.diff(np.log(state.ttft_s))) < 0.25


def test_a_way_between_workers_comes_on_top(engine):
    slow = replace(engine, stack=replace(engine.stack, handover_s=0.5))
    base = closed_loop_pools(engine, 2, engine, 2, WORK, 2.0)
    state = closed_loop_pools(slow, 2, engine, 2, WORK, 2.0)
    assert float(state.ttft_s - base.ttft_s) == pytest.approx(0.5, rel=0.02)
