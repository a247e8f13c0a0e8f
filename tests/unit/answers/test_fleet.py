import math

import numpy as np
import pytest

from weir.answers.disaggregate import disaggregate
from weir.answers.fleet import plan
from weir.answers.placement import Deployment
from weir.answers.plan import Target, search
from weir.catalog.query import Catalog
from weir.core.errors import InputError, NothingFitsError, UnknownNameError
from weir.perf.serving import Workload
from weir.perf.step import Drafts

CATALOG = Catalog()
WORK = Workload(isl=1024, osl=512)


@pytest.fixture(scope="module")
def found():
    return search("H100", "Qwen3-32B", WORK, CATALOG, most_chips=8)


def test_the_front_holds_every_point_that_no_other_beats(found):
    front = set(found.pareto().tolist())
    user, chip = found.tokens_per_s_per_user, found.tokens_per_s_per_chip
    for index in range(len(user)):
        is_beaten = np.any(
            (user >= user[index])
            & (chip >= chip[index])
            & ((user > user[index]) | (chip > chip[index]))
        )
        assert (index in front) != bool(is_beaten)


def test_a_target_leaves_only_what_reaches_it(found):
    target = Target(ttft_s=0.3, tpot_s=0.02)
    for index in found.pareto(target):
        assert found.ttft_s[index] <= 0.3
        assert found.tpot_s[index] <= 0.02
    sure = found.meets(Target(tpot_s=0.02, is_sure=True))
    assert np.all(found.meets(Target(tpot_s=0.02))[sure])
    assert sure.sum() < found.meets(Target(tpot_s=0.02)).sum()


def test_the_best_reaches_the_target_with_the_most_tokens_per_chip(found):
    answer = plan("Qwen3-32B", ["H100"], WORK, Target(tpot_s=0.02), CATALOG, most_chips=8)
    best = answer.chips[0].best
    allowed = found.meets(Target(tpot_s=0.02))
    assert best.tpot_s <= 0.02
    assert best.tokens_per_s_per_chip == pytest.approx(found.tokens_per_s_per_chip[allowed].max())


def test_the_smallest_fleet_carries_the_load_and_one_replica_less_does_not():
    answer = plan(
        "Qwen3-32B",
        ["H100"],
        WORK,
        Target(tpot_s=0.05),
        CATALOG,
        objective="chips",
        requests_per_s=20.0,
    )
    fleet = answer.chips[0].fleet
    assert fleet.replicas * fleet.choice.requests_per_s >= 20.0
    assert (fleet.replicas - 1) * fleet.choice.requests_per_s < 20.0
    assert fleet.chips == fleet.replicas * fleet.choice.chips
    assert fleet.power_w > 0


def test_a_greater_load_never_takes_fewer_chips():
    sizes = [
        plan("Qwen3-32B", ["H100"], WORK, catalog=CATALOG, objective="chips", requests_per_s=load)
        .chips[0]
        .fleet.chips
        for load in (1.0, 10.0, 100.0)
    ]
    assert sizes == sorted(sizes)


def test_chips_are_ranked_by_the_objective():
    answer = plan("Llama-3.1-8B", ["L4", "H200", "H100"], WORK, catalog=CATALOG, most_chips=2)
    rates = [item.best.tokens_per_s_per_chip for item in answer.chips]
    assert rates == sorted(rates, reverse=True)
    cheap = plan(
        "Llama-3.1-8B", ["H200", "H100"], WORK, catalog=CATALOG, objective="cost", most_chips=2
    )
    costs = [item.best.usd_per_million_tokens for item in cheap.chips]
    assert costs == sorted(costs)


def test_a_chip_that_holds_nothing_is_listed_with_the_reason():
    answer = plan("Llama-3.1-70B", ["L4", "H100"], WORK, catalog=CATALOG, most_chips=4)
    by_chip = {item.chip: item for item in answer.chips}
    small = by_chip[CATALOG.chip("L4").name]
    assert small.best is None
    assert "does not fit" in small.reason


def test_an_impossible_target_names_the_nearest_that_can_be_reached():
    with pytest.raises(NothingFitsError, match=r"shortest TTFT is \d+ ms .* nearest to both"):
        plan("Qwen3-32B", ["H100"], WORK, Target(0.001, 0.0001), CATALOG)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"objective": "speed"}, InputError, "unknown objective 'speed'"),
        ({"chips": []}, InputError, "no chips"),
        ({"chips": ["H1OO"]}, UnknownNameError, "H100"),
        ({"requests_per_s": 0.0}, InputError, "requests_per_s is 0.0"),
        ({"target": Target(ttft_s=-1.0)}, InputError, "ttft is -1.0"),
        ({"target": Target(tpot_s=math.nan)}, InputError, "tpot is nan"),
        ({"deployment": Deployment(framework="vlm")}, UnknownNameError, "vllm"),
    ],
)
def test_bad_input_gets_one_clear_message(arguments, error, message):
    given = {"model": "Qwen3-8B", "chips": ["H100"], "workload": WORK, "catalog": CATALOG}
    with pytest.raises(error, match=message):
        plan(**{**given, **arguments})


def test_launch_commands_carry_the_layout():
    answer = plan("DeepSeek-R1", ["H200"], WORK, catalog=CATALOG, most_chips=8)
    best = answer.chips[0].best
    assert best.flags.startswith("vllm serve")
    assert f"--tensor-parallel-size {best.layout.tp}" in best.flags
    sglang = plan(
        "DeepSeek-R1",
        ["H200"],
        WORK,
        catalog=CATALOG,
        most_chips=8,
        deployment=Deployment(framework="sglang"),
    )
    best = sglang.chips[0].best
    assert f"--tp-size {best.layout.expert_group}" in best.flags


def test_pools_apart_reach_the_target_and_divide_the_chips():
    split = disaggregate(
        "Qwen3-32B", "H100", "H200", WORK, Target(1.0, 0.03), CATALOG, most_chips=8
    )
    assert split.best.tpot_s <= 0.03
    assert split.best.ttft_s <= 1.0
    assert split.best.prefill_chips_per_decode_chip > 0
    speeds = [item.tokens_per_s_per_user for item in split.front]
    rates = [item.tokens_per_s_per_chip for item in split.front]
    assert speeds == sorted(speeds, reverse=True)
    assert rates == sorted(rates)


def test_a_choice_has_both_ends_of_its_interval():
    best = plan("Qwen3-8B", ["H100"], WORK, catalog=CATALOG, most_chips=1).chips[0].best
    assert best.tpot_low_s < best.tpot_s < best.tpot_high_s


def test_experts_in_demand_make_a_plan_slower_and_overlap_faster():
    def rate(**options):
        wanted = Deployment(**options)
        found = search("H20", "DeepSeek-R1", WORK, CATALOG, deployment=wanted, most_chips=16)
        spread = [layout.ep > 8 for layout in found.layouts]
        return np.max(found.tokens_per_s_per_chip[spread])

    assert rate(expert_skew=1.2) < rate() < rate(exchange_overlap=0.8)


def test_drafts_make_a_plan_faster():
    plain, drafting = (
        plan(
            "DeepSeek-R1",
            ["H200"],
            WORK,
            catalog=CATALOG,
            most_chips=8,
            deployment=Deployment(drafts=drafts),
        )
        for drafts in (Drafts(), Drafts(tokens=1, acceptance=0.85))
    )
    fastest = [item.chips[0].front[0].tokens_per_s_per_user for item in (plain, drafting)]
    assert fastest[1] > fastest[0]


def test_pools_that_cannot_reach_the_target_say_what_they_can():
    with pytest.raises(NothingFitsError, match="the shortest is"):
        disaggregate("Qwen3-8B", "H100", workload=WORK, target=Target(tpot_s=1e-5), catalog=CATALOG)
