from dataclasses import replace

import numpy as np
import pytest

from weir.answers.machines import machine_of
from weir.catalog.calibration import load_efficiency
from weir.catalog.query import Catalog
from weir.catalog.stack import load_stack
from weir.perf.formats import Precision
from weir.perf.operators import Batch
from weir.perf.parallel import Layout
from weir.perf.serving import (
    Workload,
    closed_loop,
    open_loop,
    prefill_step,
    price,
    settle,
    throughput,
)
from weir.perf.step import Drafts, Engine

CATALOG = Catalog()
WORK = Workload(isl=1024, osl=512)


@pytest.fixture(scope="module")
def engine():
    return Engine(
        CATALOG.model("Llama-3.1-8B"),
        Layout(),
        Precision("bf16", "bf16", "bf16"),
        machine_of(CATALOG.chip("H100"), CATALOG).machine,
        load_efficiency(),
        load_stack("vllm"),
    )


@pytest.mark.parametrize("users", [1, 7, 64, 400])
def test_users_decode_or_wait(engine, users):
    state = closed_loop(engine, WORK, users)
    # Little's law: users = requests per second x time of a request.
    assert float(state.requests_per_s * state.request_s) == pytest.approx(users, rel=0.03)
    assert float(state.decoding) <= users


def test_one_user_sees_a_prompt_and_then_plain_steps(engine):
    state = closed_loop(engine, WORK, 1)
    prompt = engine.stack.request_s + float(prefill_step(engine, WORK).time_s)
    plain = float(engine.step(Batch(decode_sequences=1.0, decode_context=1024 + 256)).time_s)
    assert float(state.tpot_s) == pytest.approx(plain, rel=0.05)
    assert prompt <= float(state.ttft_s) <= prompt + 2 * plain


def test_more_users_mean_more_tokens_and_longer_waits(engine):
    state = closed_loop(engine, WORK, np.array([1.0, 4.0, 16.0, 64.0, 256.0]))
    assert np.all(np.diff(state.output_tokens_per_s) > 0)
    assert np.all(np.diff(state.tpot_s) > 0)
    assert np.all(np.diff(state.ttft_s) > 0)


def test_an_array_of_users_gives_what_each_gives(engine):
    users = np.array([2.0, 50.0])
    both = closed_loop(engine, WORK, users)
    for index, count in enumerate(users):
        alone = closed_loop(engine, WORK, count)
        assert both.tpot_s[index] == pytest.approx(float(alone.tpot_s), rel=0.01)
        assert both.ttft_s[index] == pytest.approx(float(alone.ttft_s), rel=0.02)


def test_workloads_may_be_arrays(engine):
    work = Workload(isl=np.array([512.0, 4096.0]), osl=256)
    both = closed_loop(engine, work, 16)
    assert both.ttft_s[1] > both.ttft_s[0]
    alone = closed_loop(engine, Workload(isl=4096, osl=256), 16)
    assert both.tpot_s[1] == pytest.approx(float(alone.tpot_s), rel=0.02)


def test_users_in_step_queue_together_and_decode_together(engine):
    apart = closed_loop(engine, WORK, 128)
    half = closed_loop(engine, WORK, 128, in_step=0.5)
    together = closed_loop(engine, WORK, 128, in_step=1.0)
    assert apart.ttft_s < half.ttft_s < together.ttft_s
    assert together.tpot_s < apart.tpot_s


def test_in_step_the_middle_of_the_row_waits_for_half_the_prompts(engine):
    sglang = replace(engine, stack=load_stack("sglang"))
    work = Workload(isl=sglang.stack.chunk_tokens, osl=256)  # one prompt fills a step
    state = closed_loop(sglang, work, 64, in_step=1.0)
    step = float(prefill_step(sglang, work).time_s)
    assert float(state.ttft_s) - sglang.stack.request_s == pytest.approx(step * (64 + 1) / 2)


def test_users_beyond_the_cache_queue_outside(engine):
    inside = closed_loop(engine, WORK, 64)
    outside = closed_loop(engine, WORK, 128, most_sequences=64)
    assert float(outside.tpot_s) == pytest.approx(float(inside.tpot_s))
    assert float(outside.output_tokens_per_s) == pytest.approx(float(inside.output_tokens_per_s))
    assert float(outside.request_s) == pytest.approx(2 * float(inside.request_s))


def test_cached_prefixes_shorten_the_prompt(engine):
    cold = closed_loop(engine, WORK, 32)
    warm = closed_loop(engine, replace(WORK, prefix_hit_rate=0.8), 32)
    assert warm.ttft_s < cold.ttft_s
    assert warm.output_tokens_per_s > cold.output_tokens_per_s


def test_long_prompts_take_several_steps(engine):
    work = Workload(isl=4 * engine.stack.chunk_tokens, osl=64)
    state = closed_loop(engine, work, 1)
    assert float(state.ttft_s) > 4 * float(prefill_step(engine, work).time_s) * 0.9


def test_where_prompts_pile_up_users_wait_and_the_rate_stays(engine):
    work = Workload(isl=8192, osl=16)
    some, many = (closed_loop(engine, work, users) for users in (200, 2000))
    assert float(many.output_tokens_per_s) == pytest.approx(
        float(some.output_tokens_per_s), rel=0.1
    )
    assert float(many.ttft_s) > 5 * float(some.ttft_s)


def test_an_open_loop_at_the_closed_rate_is_the_same_state(engine):
    closed = closed_loop(engine, WORK, 32)
    opened = open_loop(engine, WORK, float(closed.requests_per_s))
    assert float(opened.tpot_s) == pytest.approx(float(closed.tpot_s), rel=0.05)
    assert float(opened.decoding) == pytest.approx(float(closed.decoding), rel=0.08)


def test_a_rate_above_capacity_never_settles(engine):
    top = closed_loop(engine, WORK, 4000)
    over = open_loop(engine, WORK, 3 * float(top.requests_per_s))
    assert np.isinf(over.ttft_s)
    assert float(over.requests_per_s) < 3 * float(top.requests_per_s)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize(
    ("chip", "framework", "osl"), [("H20", "trtllm", 1024), ("H20", "vllm", 256)]
)
def test_a_rate_well_below_capacity_settles(chip, framework, osl, share):
    """Steps are stairs between grid points: the batch found missed the rate by 2 %."""
    work = Workload(8192 if osl == 1024 else 4096, osl)
    deep = Engine(
        CATALOG.model("DeepSeek-R1"),
        Layout(tp=8, pp=2, ep=8),
        Precision("fp8_block", "fp8_block", "bf16"),
        machine_of(CATALOG.chip(chip), CATALOG).machine,
        load_efficiency(),
        load_stack(framework),
    )
    most = float(closed_loop(deep, work, 141).requests_per_s)
    state = open_loop(deep, work, share * most)
    assert np.isfinite(float(state.ttft_s))
    assert float(state.requests_per_s) == pytest.approx(share * most)


def test_lengths_that_differ_lengthen_contexts_waits_and_nothing_for_equal_ones(engine):
    spread = replace(WORK, isl_cv=0.8, osl_cv=0.8)
    assert float(spread.decode_context) == pytest.approx(1024 + 256 * (1 + 0.8**2))
    equal, varied = (closed_loop(engine, work, 64) for work in (WORK, spread))
    assert varied.tpot_s > equal.tpot_s
    assert varied.ttft_s > equal.ttft_s


def test_requests_are_received_together_where_a_server_looks_seldom(engine):
    seldom = replace(engine, stack=replace(engine.stack, receive_steps=30.0))
    often, rare = closed_loop(engine, WORK, 64), closed_loop(seldom, WORK, 64)
    assert float(rare.ttft_s - often.ttft_s) > 10 * float(often.tpot_s)
    assert rare.mixed_share < often.mixed_share


def test_a_look_at_throughput_is_near_the_solved_state(engine):
    for users in (1, 16, 128):
        solved = float(closed_loop(engine, WORK, users).output_tokens_per_s)
        assert float(throughput([engine], WORK, users)[0]) == pytest.approx(solved, rel=0.15)


def test_gaps_between_tokens_are_plain_or_mixed_steps(engine):
    state = closed_loop(engine, WORK, 64)
    assert state.itl_p50_s == state.decode_step.time_s
    assert state.itl_p99_s == state.mixed_step.time_s
    assert state.tpot_low_s < state.tpot_s < state.tpot_high_s


def test_accepted_drafts_shorten_the_time_per_token(engine):
    plain = closed_loop(engine, WORK, 8)
    drafting = replace(engine, drafts=Drafts(tokens=3, acceptance=0.8))
    faster = closed_loop(drafting, WORK, 8)
    # 1 + 0.8 + 0.64 + 0.512 tokens a step, each step a little longer.
    assert drafting.drafts.gain == pytest.approx(2.952)
    assert 1.5 < float(plain.tpot_s / faster.tpot_s) < 2.952
    useless = closed_loop(replace(engine, drafts=Drafts(tokens=3, acceptance=0.0)), WORK, 8)
    assert useless.tpot_s > plain.tpot_s


@pytest.mark.parametrize("in_step", [0.0, 0.4])
def test_a_framework_tried_on_priced_kernels_gives_what_it_gives_itself(engine, in_step):
    users = np.array([1.0, 8.0, 40.0, 200.0])
    priced = price(engine, WORK, users, with_row=True)
    other = replace(engine, stack=replace(load_stack("trtllm"), kernel_factor_decode=0.9))
    ttft, tpot = settle(other, WORK, priced, in_step=in_step)
    state = closed_loop(other, WORK, users, in_step=in_step)
    assert tpot == pytest.approx(state.tpot_s, rel=0.03)
    assert ttft == pytest.approx(state.ttft_s, rel=0.05)
