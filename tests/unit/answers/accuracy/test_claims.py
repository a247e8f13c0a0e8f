"""Claims: our numbers are computed, a difference is judged, and what cannot be is said."""

import math
from dataclasses import replace

import pytest

from weir.answers.accuracy.claims import COMPUTATIONS, Judgement, check_claims, find
from weir.catalog.claims import Claim, load_claims
from weir.core.units import GIBI

CLAIMS = load_claims()


def claim(**given) -> Claim:
    usual = {
        "id": "X1",
        "text": "Something.",
        "quantity": "TPP of H20",
        "value": 2368.0,
        "unit": "TPP",
        "within": 0.001,
        "source": "chip-export-controls-tracker",
        "computed_by": "tpp",
        "arguments": {"chip": "h20-96"},
        "reason": "",
    }
    return Claim(**{**usual, **given})


def test_a_number_within_the_tolerance_agrees_and_one_beyond_differs(catalog):
    assert find(claim(), catalog).judgement is Judgement.AGREES
    other = find(claim(value=2400.0, reason="rounded"), catalog)
    assert (other.judgement, other.reason) == (Judgement.DIFFERS, "rounded")
    assert other.ours == pytest.approx(2368.0)
    assert other.difference == pytest.approx(2368.0 / 2400.0 - 1.0)
    assert find(claim(value=1.0), catalog).reason == "no reason is known yet"


def test_ours_follows_the_catalogue_and_not_the_claim(catalog):
    h100 = find(claim(arguments={"chip": "h100-sxm"}), catalog)
    assert h100.ours == pytest.approx(1978.9 * 8)
    assert h100.judgement is Judgement.DIFFERS


def test_a_claim_about_nothing_is_compared_as_a_plain_number(catalog):
    none = claim(
        value=0.0, within=0.0, computed_by="controlled",
        arguments={"chip": "a800-sxm-80", "on": "2022-11-01"},
    )  # fmt: skip
    assert find(none, catalog).judgement is Judgement.AGREES
    later = {**none.arguments, "on": "2023-12-01"}
    found = find(replace(none, arguments=later), catalog)
    assert found.judgement is Judgement.DIFFERS
    assert found.difference == 1.0


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"computed_by": "", "reason": "no such model here"}, "no such model here"),
        ({"arguments": {"chip": "no-such-chip"}}, "unknown chip 'no-such-chip'"),
        ({"arguments": {"chip": "mi308x"}}, "a fact that it needs is unknown"),
    ],
)
def test_what_cannot_be_computed_says_why(catalog, given, reason):
    found = find(claim(**given), catalog)
    assert found.judgement is Judgement.NOT_COMPUTED
    assert math.isnan(found.ours)
    assert reason in found.reason


def test_every_claim_of_the_stock_has_a_computation_or_a_reason():
    for item in CLAIMS:
        assert item.computed_by in COMPUTATIONS or (not item.computed_by and item.reason), item.id
        assert item.within >= 0.0
        assert item.text
        assert item.quantity


def test_every_claim_cites_a_source_of_the_catalogue(catalog):
    for item in CLAIMS:
        assert catalog.source(item.source.partition("#")[0])


def test_counts_add_up(catalog):
    chosen = tuple(item for item in CLAIMS if item.computed_by in {"", "tpp", "cache_gib"})
    answer = check_claims(catalog, chosen)
    assert sum(answer.counts.values()) == len(answer.findings) == len(chosen)
    assert answer.counts[Judgement.NOT_COMPUTED] == sum(not item.computed_by for item in chosen)


def test_a_number_that_stands_again_is_counted_once(catalog):
    one = next(item for item in CLAIMS if item.computed_by == "tpp")
    again = replace(one, arguments={**one.arguments, "again": "1"})
    answer = check_claims(catalog, (one, again))
    assert len(answer.findings) == 2
    assert sum(answer.counts.values()) == 1
    assert sum(item.is_again for item in CLAIMS) < len(CLAIMS) / 10


def test_prompts_on_chips_of_their_own_leave_more_at_a_users_speed(catalog):
    given = {"chip": "h200-sxm", "model": "qwen3-32b", "isl": 2048, "osl": 512, "most_chips": 4}
    given |= {"speed": 60, "framework": "sglang"}
    apart = ours(catalog, "split_rate", **given)
    drafted = ours(catalog, "split_rate", **given, draft_tokens=1, acceptance=0.85)
    assert ours(catalog, "best_rate", **given) < apart < drafted


def ours(catalog, name, **given):
    return COMPUTATIONS[name](catalog, {key: str(value) for key, value in given.items()})


def test_arithmetic_on_facts(catalog):
    assert ours(catalog, "chip_hours_usd", chips=2, hours=3, usd_per_hour=5) == 30
    assert ours(catalog, "days", chip_hours=48, chips=2) == 1
    assert ours(
        catalog, "tokens_usd", hit_tokens=1e6, hit_usd=1, miss_tokens=2e6, miss_usd=2,
        out_tokens=3e6, out_usd=3,
    ) == pytest.approx(14)  # fmt: skip
    # Llama-2-7B: 32 layers, 32 heads of 128, keys and values in two bytes.
    per_token = 32 * 32 * 128 * 2 * 2
    assert ours(catalog, "cache_bytes", model="llama-2-7b", tokens=10) == per_token * 10
    gib = ours(catalog, "cache_gib", model="llama-2-7b", tokens=4096)
    assert gib == pytest.approx(per_token * 4096 / GIBI)
    # DeepSeek-V3: 61 layers, 7,168 wide, 8 routed and 1 shared experts, 1 + 2 bytes, twice.
    exchange = ours(catalog, "exchange_s", model="deepseek-v3", tokens=32, bytes_per_s=50e9)
    assert exchange == pytest.approx(2 * 61 * 3 * 32 * 9 * 7168 / 50e9)


def test_the_area_that_keeps_a_chip_outside_follows_the_lines_that_its_tpp_reaches(catalog):
    # Under 2,400 only 3A090.b.2 can apply: 1,600 TPP and a density of 3.2.
    area = ours(catalog, "area_to_stay_outside", tpp=2399, on="2024-01-01")
    assert area == pytest.approx(2399 / 3.2)
    # From 2,400 on a density of 1.6 is enough for 3A090.b.1.
    more = ours(catalog, "area_to_stay_outside", tpp=2400, on="2024-01-01")
    assert more == pytest.approx(2400 / 1.6)


def test_less_arithmetic_and_less_bandwidth_are_slower(catalog):
    given = {"model": "gpt-3-175b", "chip": "a100-sxm-80", "tp": 4, "batch": 8, "isl": 2048}
    for phase in ("prefill", "decode"):
        same = ours(catalog, "step_ratio", phase=phase, osl=1024, **given)
        assert same == pytest.approx(1.0)
        slow = ours(catalog, "step_ratio", phase=phase, osl=1024, bandwidth=0.8e12, **given)
        assert slow > 1.0
        weak = ours(catalog, "step_ratio", phase=phase, osl=1024, compute=0.25, **given)
        assert weak >= 1.0


def test_no_product_beats_its_rate(catalog):
    for chip in ("a100-sxm-80", "h100-sxm", "h20-96"):
        assert 0.3 < ours(catalog, "best_gemm_share", chip=chip, dtype="bf16") <= 1.0
