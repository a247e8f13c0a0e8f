import math
from collections import deque
from dataclasses import dataclass, field

import pytest

from tests.unit.sim.laws import limits
from weir.core.errors import InputError, UnknownNameError
from weir.sim.scheduler import POLICIES, Limits, Role, Sequence, policy_named


def sequence(request, prompt, done=0):
    return Sequence(request, prompt, done, done, decodes=5, last_token_s=math.nan)


@dataclass
class Seen:
    """A worker as a policy sees it; a block is one token here."""

    waiting: deque = field(default_factory=deque)
    prefilling: dict = field(default_factory=dict)
    decoding: int = 0
    room_blocks: int = 10_000
    role: Role = Role.BOTH

    @property
    def admitted(self):
        return self.decoding + len(self.prefilling)

    def blocks_to_admit(self, sequence):
        return sequence.target


def planned(policy, view, **limit):
    plan = POLICIES[policy](view, limits(**limit))
    return plan.admit, [(s.request, tokens) for s, tokens in plan.chunks], plan.decode


def waiting(*prompts):
    return deque(sequence(request, prompt) for request, prompt in enumerate(prompts))


def test_every_policy_does_nothing_but_decode_without_prompts():
    for policy in POLICIES:
        assert planned(policy, Seen(decoding=3)) == (0, [], True)


@pytest.mark.parametrize("policy", ["continuous", "chunked-prefill"])
def test_prompts_join_the_decoding_sequences(policy):
    view = Seen(waiting(20, 30), decoding=4)
    assert planned(policy, view, budget=64) == (2, [(0, 20), (1, 30)], True)


def test_chunked_prefill_fills_the_budget_to_the_token():
    view = Seen(waiting(20, 30, 40), decoding=4)
    view.prefilling = {9: sequence(9, 100, done=88)}
    # 64 less 4 that decode leaves 60: 12 to end a prompt, 20, and 28 of 30.
    assert planned("chunked-prefill", view, budget=64) == (2, [(9, 12), (0, 20), (1, 28)], True)


def test_chunked_prefill_takes_no_prompt_where_decoding_takes_the_budget():
    view = Seen(waiting(20), decoding=8)
    view.prefilling = {9: sequence(9, 100, done=88)}
    assert planned("chunked-prefill", view, budget=8, sequences=99) == (0, [], True)


@pytest.mark.parametrize("policy", ["continuous", "disaggregated"])
def test_whole_prompts_stop_at_the_budget(policy):
    assert planned(policy, Seen(waiting(40, 20, 10)), budget=64)[:2] == (2, [(0, 40), (1, 20)])


@pytest.mark.parametrize("policy", ["continuous", "disaggregated"])
def test_a_whole_prompt_over_the_budget_goes_alone(policy):
    assert planned(policy, Seen(waiting(100, 1)), budget=64)[:2] == (1, [(0, 100)])
    assert planned(policy, Seen(waiting(1, 100)), budget=64)[:2] == (1, [(0, 1)])


def test_prefill_first_cuts_the_last_prompt_at_the_budget():
    view = Seen(waiting(20, 40), decoding=3)
    view.prefilling = {9: sequence(9, 100, done=88)}
    wanted = (2, [(9, 12), (0, 20), (1, 32)], False)
    assert planned("prefill-first", view, budget=64) == wanted


def test_prefill_first_stops_decoding_only_while_it_admits():
    assert planned("prefill-first", Seen(waiting(5), decoding=3)) == (1, [(0, 5)], False)
    assert planned("prefill-first", Seen(waiting(5), decoding=3, room_blocks=4)) == (0, [], True)


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_nobody_overtakes_one_who_does_not_fit(policy):
    view = Seen(waiting(10, 50, 1), room_blocks=30)
    assert planned(policy, view)[:2] == (1, [(0, 10)])


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_places_in_the_batch_are_kept(policy):
    view = Seen(waiting(1, 1, 1), decoding=6)
    assert planned(policy, view, sequences=8)[0] == 2


def test_disaggregated_workers_do_what_they_are_for():
    arrived = sequence(0, 30, done=30)
    to_recompute = sequence(1, 90)
    view = Seen(deque([arrived, to_recompute]), decoding=4, role=Role.DECODE)
    assert planned("disaggregated", view, budget=64) == (2, [(0, 0), (1, 60)], True)
    view = Seen(waiting(5), role=Role.PREFILL)
    assert planned("disaggregated", view) == (1, [(0, 5)], False)


def test_an_unknown_policy_names_the_nearest():
    with pytest.raises(UnknownNameError, match=r"unknown policy 'chunked'.*chunked-prefill"):
        policy_named("chunked")


def test_limits_below_one_are_refused():
    with pytest.raises(InputError, match="token_budget must be at least 1"):
        Limits(1, 0, 1, 1)
