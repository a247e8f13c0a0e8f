from dataclasses import replace

import pytest

from weir.answers.accuracy.validate_published import accuracy, validate_published
from weir.catalog.published import (
    ANY,
    DECODING,
    FIRST_TOKEN,
    PER_CHIP,
    PER_USER,
    PROMPTS,
    PublishedSpeed,
    load_published,
)

SPEED = PublishedSpeed(
    id="x",
    chip="h100-sxm",
    model="llama-3.1-8b",
    framework="trtllm",
    degrees=(("tp", 1),),
    weights="fp8",
    kv_cache="fp8",
    isl=1000.0,
    osl=1000.0,
    users=None,
    value=1.0,
    quantity=PER_CHIP,
    source="claim-trtllm-overview-1.0",
)


def ours(catalog, *speeds):
    return [item.predicted for item in validate_published(catalog, speeds).predictions]


def test_a_prediction_does_not_depend_on_what_was_printed_or_on_its_neighbours(catalog):
    alone = ours(catalog, SPEED)[0]
    other = replace(SPEED, isl=4000.0)
    together = ours(catalog, other, replace(SPEED, value=1e6), other)
    assert together[1] == pytest.approx(alone, rel=0.03)
    assert together[0] == together[2] < alone


def test_more_users_give_more_per_chip_and_less_per_user(catalog):
    few, many = (replace(SPEED, users=count) for count in (1.0, 64.0))
    per_chip = ours(catalog, few, many)
    assert per_chip[0] < per_chip[1]
    per_user = ours(catalog, *(replace(item, quantity=PER_USER) for item in (few, many)))
    assert per_user[0] > per_user[1]
    assert per_user[0] == pytest.approx(per_chip[0], rel=1e-6)


def test_what_cannot_be_predicted_is_counted_with_its_reason(catalog):
    answer = validate_published(
        catalog,
        [
            SPEED,
            replace(SPEED, chip="gaudi-3-hl-328"),
            replace(SPEED, chip="l40s", model="llama-3.1-405b"),
            replace(SPEED, degrees=(("tp", 3),)),
        ],
    )
    assert len(answer.predicted) == 1
    assert sum(answer.refused.values()) == 3
    assert any("no sequence of this length fits" in reason for reason in answer.refused)
    assert any("dense_bf16" in reason for reason in answer.refused)


def test_errors_are_those_of_the_group(catalog):
    found = validate_published(catalog, [SPEED]).predictions[0]
    twice = replace(found, speed=replace(SPEED, value=found.predicted / 2.0))
    result = accuracy([twice])
    assert result.mape == pytest.approx(1.0)
    assert result.bias == pytest.approx(0.6931, abs=1e-4)
    assert result.covered == 0.0
    assert found.low < found.predicted < found.high


def test_the_stock_names_chips_models_and_sources_of_the_catalogue(catalog):
    speeds = load_published()
    assert len({item.id for item in speeds}) == len(speeds)
    told = [item for item in speeds if not item.left_out]
    for chip in {item.chip for item in told}:
        assert catalog.chip(chip).id == chip
    for model in {item.model for item in told}:
        assert catalog.model(model).id == model
    for source in {item.source for item in speeds}:
        assert catalog.source(source)


def test_a_row_that_tells_too_little_keeps_its_reason(catalog):
    row = replace(SPEED, chip="a chip", degrees=(), left_out="no users are told")
    answer = validate_published(catalog, [row, SPEED])
    assert answer.refused == {"no users are told": 1}
    assert answer.predictions[0].reason == "no users are told"


def test_a_burst_is_slower_than_the_steady_state_and_nears_it_with_its_length(catalog):
    # The room of both is 64 sequences.
    steady = ours(catalog, replace(SPEED, users=64.0))[0]
    rates = ours(
        catalog, *(replace(SPEED, users=64.0, requests=count) for count in (64.0, 640.0, 6400.0))
    )
    assert rates[0] < rates[2]
    assert rates[2] == pytest.approx(steady, rel=0.1)


def test_a_last_wave_that_fills_half_the_room_costs(catalog):
    full, half = ours(
        catalog, *(replace(SPEED, users=64.0, requests=count) for count in (128.0, 96.0))
    )
    assert half < full


def test_prefill_and_decode_alone_are_faster_than_both_together(catalog):
    both = ours(catalog, replace(SPEED, users=64.0))[0]
    decode = ours(catalog, replace(SPEED, users=64.0, quantity=DECODING))[0]
    prompts = ours(catalog, replace(SPEED, quantity=PROMPTS))[0]
    assert both < decode
    assert both < prompts


def test_the_first_token_takes_longer_after_a_longer_prompt(catalog):
    row = replace(SPEED, quantity=FIRST_TOKEN, osl=1.0)
    short, long = ours(catalog, row, replace(row, isl=4000.0))
    assert 0.0 < short < long
    slow = validate_published(catalog, [replace(row, value=short / 2.0)]).predictions
    assert accuracy(slow).bias < 0.0


def test_where_no_layout_is_told_the_best_within_the_limits_is_taken(catalog):
    row = replace(SPEED, degrees=((ANY, 2),), isl_high=1000.0)
    free, limited = ours(catalog, row, replace(row, tpot_s=0.01))
    assert limited < free
    assert validate_published(catalog, [replace(row, tpot_s=1e-9)]).refused == {"nothing fits": 1}
    bounds = replace(row, isl=1.0, isl_high=1024.0)
    found = validate_published(catalog, [bounds]).predictions[0]
    short, long = ours(catalog, replace(row, isl=1.0, isl_high=1.0), replace(row, isl_high=1024.0))
    assert found.low < found.predicted < short
    assert found.high > short
    assert long > found.low
