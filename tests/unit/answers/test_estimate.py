import math

import numpy as np
import pytest

from weir.answers.estimate import Estimate, estimate, frontier
from weir.answers.placement import STEEPEST_SKEW, Deployment, choose_layout, site_of
from weir.catalog.query import Catalog
from weir.core.errors import InputError, LayoutError, NothingFitsError, UnknownNameError
from weir.core.provenance import Status
from weir.perf.parallel import Layout
from weir.perf.serving import Workload
from weir.perf.step import Drafts

CATALOG = Catalog()
SHORT = Workload(isl=1024, osl=256)


@pytest.fixture(scope="module")
def h20() -> Estimate:
    return estimate("H20", "DeepSeek-R1", catalog=CATALOG)


def test_the_main_job_has_every_number(h20):
    for value in (h20.ttft_s, h20.tpot_s, h20.request_s, h20.prefill.time, h20.decode.time):
        assert 0 < value.low < value.value < value.high
    assert h20.output_tokens_per_s_per_chip.low < h20.output_tokens_per_s_per_chip.high
    assert h20.energy_j_per_output_token > 0
    assert h20.memory.fits
    assert h20.max_users >= h20.users
    assert h20.smallest_chips <= h20.chips
    assert set(h20.decode.by_bound) >= {"compute", "memory", "link", "launch", "stack"}
    assert h20.assumptions
    assert h20.status.rank >= Status.DERIVED.rank


def test_what_was_chosen_is_said(h20):
    assert any("32 users" in text for text in h20.assumptions)
    given = estimate("H20", "DeepSeek-R1", catalog=CATALOG, users=32)
    assert not any("32 users at a time were assumed" in text for text in given.assumptions)


def test_without_users_few_chips_serve_as_many_as_they_hold():
    few = Deployment(chips=1, weights="bf16")
    most = estimate("H100", "Qwen3-32B", few, catalog=CATALOG)
    assert most.users == most.max_users < 32
    text = f"{most.users:.0f} users at a time were assumed, as many as these chips hold."
    assert text in most.assumptions
    with pytest.raises(NothingFitsError):
        estimate("H100", "Qwen3-32B", few, catalog=CATALOG, users=32)


def test_a_framework_on_chips_of_another_maker_says_where_it_was_learned():
    def notes(chip, framework="vllm"):
        wanted = Deployment(framework=framework)
        return estimate(chip, "Qwen3-8B", wanted, SHORT, CATALOG).assumptions

    assert any("learned on NVIDIA chips alone" in text for text in notes("Ascend 910C"))
    assert any("learned on NVIDIA chips alone" in text for text in notes("MI300X", "sglang"))
    assert not any("learned on NVIDIA" in text for text in notes("H20"))
    assert not any("learned on NVIDIA" in text for text in notes("MI300X", "plain"))


def test_what_was_stated_stands_among_the_assumptions():
    wanted = Deployment(
        layout=Layout(dp=8, ep=8),
        drafts=Drafts(tokens=2, acceptance=0.5),
        exchange_overlap=0.6,
        expert_skew=1.2,
    )
    said = " ".join(estimate("H200", "DeepSeek-R1", wanted, SHORT, CATALOG, users=8).assumptions)
    assert "2 drafted tokens a step" in said
    assert "1.75 tokens a step" in said
    assert "60% of the time of exchanges" in said
    assert "an exponent of 1.2" in said
    plain = estimate("H200", "DeepSeek-R1", Deployment(chips=8), SHORT, CATALOG, users=8)
    assert "as stated" not in " ".join(plain.assumptions)


def test_a_model_without_experts_is_not_said_to_load_them():
    wanted = Deployment(expert_skew=1.2, exchange_overlap=0.5)
    said = " ".join(estimate("H200", "Qwen3-8B", wanted, SHORT, CATALOG, users=8).assumptions)
    assert "power law" not in said
    assert "Qwen3-8B has no routed experts" in said


def test_loads_of_experts_have_an_end():
    steepest = Deployment(expert_skew=STEEPEST_SKEW, chips=8)
    answer = estimate("H200", "DeepSeek-R1", steepest, SHORT, CATALOG, users=8)
    assert np.isfinite(answer.tpot_s.value)
    with pytest.raises(InputError, match="use an exponent from 0 to 10"):
        estimate("H200", "DeepSeek-R1", Deployment(expert_skew=1000.0), SHORT, CATALOG)


def test_one_chip_is_not_many():
    with pytest.raises(NothingFitsError, match=r"1 chip \(tp1\) holds it with up to"):
        estimate("H200", "Qwen3-8B", Deployment(chips=3), SHORT, CATALOG)


def test_a_chip_without_fp8_says_what_it_runs_instead():
    answer = estimate("A800", "DeepSeek-R1", catalog=CATALOG, workload=SHORT)
    assert answer.precision.weights == "int8"
    assert any("no fp8 arithmetic" in text for text in answer.assumptions)


def test_tokens_per_user_and_chip_agree_with_the_step(h20):
    assert h20.output_tokens_per_s_per_user.value == pytest.approx(1 / h20.tpot_s.value)
    whole = h20.output_tokens_per_s_per_chip.value * h20.chips
    assert whole <= h20.users * h20.output_tokens_per_s_per_user.value * 1.001


def test_cost_follows_from_the_price():
    answer = estimate(
        "H100", "Llama-3.1-8B", catalog=CATALOG, workload=SHORT, usd_per_chip_hour=3.6
    )
    rate = answer.output_tokens_per_s_per_chip.value
    assert answer.usd_per_million_output_tokens == pytest.approx(1e6 / rate * 3.6 / 3600)


def test_a_chip_nobody_sells_costs_unknown_not_nothing():
    unpriced = next(
        chip
        for chip in CATALOG.chips.all()
        if not any(o.chip == chip.id for o in CATALOG.offers)
        and not math.isnan(chip.number("memory_bandwidth"))
        and not math.isnan(chip.number("memory_capacity"))
        and "bf16" in chip.dense_flop_per_s
    )
    answer = estimate(unpriced, "Qwen3-8B", catalog=CATALOG, workload=SHORT)
    assert math.isnan(answer.usd_per_million_output_tokens)


def test_a_layout_that_is_given_is_used():
    layout = Layout(tp=8, pp=2, ep=8)
    answer = estimate("H20", "DeepSeek-R1", Deployment(layout=layout), SHORT, CATALOG)
    assert answer.layout == layout
    assert answer.chips == 16


def test_more_bandwidth_means_more_tokens():
    slow, fast = (
        estimate(chip, "Llama-3.1-70B", Deployment(chips=4), SHORT, CATALOG, users=16)
        for chip in ("H100", "H200")
    )
    assert fast.output_tokens_per_s_per_chip.value > slow.output_tokens_per_s_per_chip.value


def test_the_smallest_count_that_holds_the_batch_is_chosen():
    site = site_of(CATALOG.chip("H100"), CATALOG.model("Llama-3.1-70B"), Deployment(), CATALOG)
    placed = choose_layout(site, SHORT, sequences=16)
    chips = placed.engine.layout.chips
    assert placed.max_users >= 16
    with pytest.raises(NothingFitsError):
        choose_layout(site, SHORT, sequences=16, chips=chips // 2)


def test_what_does_not_fit_says_why_and_what_would():
    with pytest.raises(NothingFitsError, match=r"the weights do not fit.*chips.*hold it"):
        estimate("H100", "DeepSeek-R1", Deployment(chips=8), SHORT, CATALOG)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"chip": "H2O"}, UnknownNameError, "H20"),
        ({"model": "DeepSeek-R9"}, UnknownNameError, "DeepSeek"),
        ({"deployment": Deployment(framework="vlm")}, UnknownNameError, "vllm"),
        ({"deployment": Deployment(weights="fp7")}, InputError, "known: bf16"),
        ({"deployment": Deployment(exchange_overlap=1.5)}, InputError, "exchange_overlap is 1.5"),
        ({"deployment": Deployment(chips=0)}, InputError, "chips is 0"),
        ({"deployment": Deployment(chips=7)}, NothingFitsError, "no legal layout|does not"),
        ({"deployment": Deployment(layout=Layout(tp=3))}, LayoutError, "tp=3 does not divide"),
        ({"deployment": Deployment(chips=4, layout=Layout(tp=8))}, InputError, "takes 8 chips"),
        ({"workload": Workload(isl=0, osl=10)}, InputError, "isl"),
        ({"workload": Workload(isl=10, osl=10, prefix_hit_rate=1.0)}, InputError, "prefix"),
        ({"users": -1}, InputError, "users is -1"),
        ({"users": 0}, InputError, "users is 0"),
        ({"users": math.nan}, InputError, "users is nan"),
    ],
)
def test_bad_input_gets_one_clear_message(arguments, error, message):
    given = {"chip": "H20", "model": "DeepSeek-R1", "workload": SHORT, "catalog": CATALOG}
    with pytest.raises(error, match=message):
        estimate(**{**given, **arguments})


def test_a_chip_without_bandwidth_is_refused_with_what_is_missing():
    chip = next(chip for chip in CATALOG.chips.all() if math.isnan(chip.number("memory_bandwidth")))
    with pytest.raises(InputError, match="memory_bandwidth"):
        estimate(chip, "Qwen3-8B", catalog=CATALOG)


def test_the_frontier_trades_speed_for_throughput():
    curve = frontier("H100", "Llama-3.1-8B", workload=SHORT, catalog=CATALOG)
    assert np.all(np.diff(curve.users) > 0)
    assert np.all(np.diff(curve.tokens_per_s_per_user) < 0)
    assert np.all(np.diff(curve.tokens_per_s_per_chip) > 0)
    assert np.all(curve.low < curve.tokens_per_s_per_chip)
    assert np.all(curve.tokens_per_s_per_chip < curve.high)
