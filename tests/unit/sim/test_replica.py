"""Small cases with every step worked out by hand."""

import numpy as np
import pytest

from tests.unit.sim.laws import Linear, LinearRuns, limits, one, requests, same_bytes
from weir.core.errors import InputError
from weir.sim.simulation import Deployment, Link, Pool, Simulation, simulate


class Recorder(Linear):
    """One second a step, and a note of what was in it."""

    def __init__(self):
        super().__init__(floor_s=1.0)
        self.steps = []

    def step_s(self, *step):
        self.steps.append(step)
        return super().step_s(*step)


def recorded(policy, rows, **limit):
    steps = Recorder()
    return steps.steps, simulate(one(steps, policy, **limit), rows)


def test_chunks_carry_their_context():
    # 10 prompt tokens of which 2 are cached, 4 a step: tokens 3 to 6 attend to 4.5 tokens on
    # average, 7 to 10 to 8.5; the two decode steps attend to 11 and 12.
    steps, outcome = recorded("chunked-prefill", requests((0, 10, 3, 2)), budget=4)
    assert steps == [(4, 4.5, 0, 0.0), (4, 8.5, 0, 0.0), (0, 0.0, 1, 11.0), (0, 0.0, 1, 12.0)]
    assert outcome.token_times_s(0).tolist() == [2.0, 3.0, 4.0]
    assert outcome.ttft_s.tolist() == [2.0]
    assert outcome.tpot_s.tolist() == [1.0]


def test_continuous_batching_mixes_and_prefill_first_does_not():
    rows = requests((0, 4, 4), (1.5, 6, 2))
    steps, outcome = recorded("continuous", rows)
    # Arrived in the second step, the second prompt joins the third.
    assert steps == [(4, 2.5, 0, 0.0), (0, 0.0, 1, 5.0), (6, 3.5, 1, 6.0), (0, 0.0, 2, 7.0)]
    assert outcome.first_token_s.tolist() == [1.0, 3.0]
    assert outcome.finish_s.tolist() == [4.0, 4.0]
    steps, outcome = recorded("prefill-first", rows)
    assert steps == [
        (4, 2.5, 0, 0.0),
        (0, 0.0, 1, 5.0),
        (6, 3.5, 0, 0.0),
        (0, 0.0, 2, 6.5),
        (0, 0.0, 1, 7.0),
    ]
    # The first request stood still for a step: one of its gaps is two steps long.
    assert np.diff(outcome.token_times_s(0)).tolist() == [1.0, 2.0, 1.0]
    assert (outcome.itl_s().count, outcome.itl_s().maximum) == (4, 2.0)


def test_the_last_admitted_is_preempted_and_stands_first_in_line():
    # 6 blocks of 2 tokens. Both prompts take 2 blocks; the first decode step takes 1 each, so
    # that nothing is left when both need another one two steps later.
    rows = requests((0, 4, 6), (0, 4, 6), (0, 4, 1))
    steps, outcome = recorded("chunked-prefill", rows, blocks=6, block_tokens=2)
    assert steps[:4] == [(8, 2.5, 0, 0.0), (0, 0.0, 2, 5.0), (0, 0.0, 2, 6.0), (0, 0.0, 1, 7.0)]
    assert outcome.preemptions.tolist() == [0, 1, 0]
    # It had 3 tokens out: 7 are recomputed, once the first request has left, and give the fourth.
    # The third request came later and is served later, though it would have fitted before.
    assert steps[6] == (7 + 4, (28 + 10) / 11, 0, 0.0)
    assert outcome.finish_s[0] == 6.0
    assert outcome.scheduled_s.tolist() == [0.0, 0.0, 6.0]
    assert outcome.token_times_s(1).tolist() == [1.0, 2.0, 3.0, 7.0, 8.0, 9.0]
    assert outcome.prefilled_tokens.tolist() == [4, 4 + 7, 4]
    assert outcome.workers[0].preemptions == 1


def test_a_cached_prefix_is_found_again_after_a_preemption():
    rows = requests((0, 4, 6), (0, 4, 6, 3))
    _, outcome = recorded("chunked-prefill", rows, blocks=6, block_tokens=2)
    assert outcome.preemptions.tolist() == [0, 1]
    assert outcome.prefilled_tokens.tolist() == [4, 1 + 4]


def test_prefill_and_decode_apart():
    prefill, decode = Recorder(), Recorder()
    deployment = Deployment(
        "disaggregated",
        Pool(prefill, limits(budget=8)),
        Pool(decode, limits()),
        Link(latency_s=0.25, token_s=0.125),
    )
    outcome = simulate(deployment, requests((0, 6, 3), (0.5, 6, 1), (0.5, 4, 2)))
    # Prompts 2 and 3 together are over the budget, so each goes alone.
    assert [step[0] for step in prefill.steps] == [6, 6, 4]
    assert outcome.first_token_s.tolist() == [1.0, 2.0, 3.0]
    # 6 tokens take 0.25 + 6 / 8 s, 4 take 0.75 s; the second request is done with its first token.
    assert decode.steps == [(0, 0.0, 1, 7.0), (0, 0.0, 1, 8.0), (0, 0.0, 1, 5.0)]
    assert outcome.finish_s.tolist() == [4.0, 2.0, 5.0]
    assert outcome.token_times_s(0).tolist() == [1.0, 3.0, 4.0]


def test_a_prefill_worker_keeps_the_cache_until_it_has_moved():
    deployment = Deployment(
        "disaggregated",
        Pool(Linear(1.0), limits(blocks=2, block_tokens=4)),
        Pool(Linear(1.0), limits()),
        Link(latency_s=10.0),
    )
    outcome = simulate(deployment, requests((0, 8, 2), (0, 8, 2)))
    assert outcome.scheduled_s.tolist() == [0.0, 11.0]
    assert outcome.finish_s.tolist() == [12.0, 23.0]


def test_a_decode_worker_recomputes_what_it_drops_without_the_prefix_cache():
    small = Pool(Linear(1.0), limits(blocks=6, block_tokens=2))
    deployment = Deployment("disaggregated", Pool(Linear(1.0), limits()), small, Link())
    outcome = simulate(deployment, requests((0, 4, 6), (0, 4, 6, 3)))
    assert outcome.preemptions.tolist() == [0, 1]
    # 3 of 4 prompt tokens were cached on the prefill worker; 4 + 3 are computed where it decodes.
    assert outcome.prefilled_tokens.tolist() == [4, 1 + 7]


def test_requests_go_to_the_worker_with_fewest_unanswered():
    outcome = simulate(
        one(Linear(1.0), workers=2, sequences=1),
        requests((0, 1, 9), (0, 1, 2), (0.5, 1, 1), (3, 1, 1)),
    )
    # The third sees one on each and joins the first, where it waits; the last sees two and none.
    assert outcome.scheduled_s.tolist() == [0.0, 0.0, 9.0, 3.0]
    assert [worker.decode_tokens for worker in outcome.workers] == [8, 1]


def test_a_user_whose_answer_is_there_asks_in_time_for_the_next_step():
    rows = requests((0, 1, 2), (0, 1, 3), (0, 1, 1), (0, 1, 1), users=2)
    outcome = simulate(one(Linear(1.0)), rows)
    assert outcome.arrival_s.tolist() == [0.0, 0.0, 2.0, 3.0]
    assert outcome.scheduled_s.tolist() == [0.0, 0.0, 2.0, 3.0]


def test_idle_time_is_counted_between_steps():
    outcome = simulate(one(Linear(1.0)), requests((5, 1, 1), (9, 1, 1)))
    (worker,) = outcome.workers
    assert (worker.idle_s, worker.last_s, worker.prefill_steps) == (3.0, 10.0, 2)


@pytest.mark.parametrize("time_s", [-1.0, float("nan")])
def test_step_times_that_are_no_times_are_refused(time_s):
    with pytest.raises(InputError, match="must be numbers of at least 0"):
        simulate(one(Linear(time_s)), requests((2, 1, 1)))


def test_a_long_run_is_cut_by_an_arrival_and_goes_on():
    rows = requests((0, 1, 2_000), (700.5, 1, 1))
    law = Linear(1.0), LinearRuns(1.0)
    single, jumped = (simulate(one(steps, block_tokens=16), rows) for steps in law)
    assert jumped.first_token_s[1] == 702.0
    assert same_bytes(single, jumped)


def test_jumps_ask_for_far_fewer_step_times():
    class Counting(LinearRuns):
        calls = 0

        def step_s(self, *step):
            type(self).calls += 1
            return super().step_s(*step)

    simulate(one(Counting(1.0), blocks=10**4), requests((0, 1, 2_000)))
    assert Counting.calls < 20


def test_stopping_early_leaves_the_rest_unfinished():
    run = Simulation(one(Linear(1.0)), requests((0, 1, 3), (0, 1, 30)))
    run.run(until_s=10.0)
    assert run.now_s == 10.0
    assert not run.done
    assert run.outcome().finished.tolist() == [True, False]
