"""What holds for every chip, day and destination."""

import datetime as dt
import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weir.catalog.law import Overlay
from weir.catalog.law_load import load_law
from weir.core.units import GIGA, TERA
from weir.rules.determine import determine_inputs
from weir.rules.evaluate import evaluate
from weir.rules.inputs import ChipInputs, columns
from weir.rules.logic import NO, UNKNOWN, YES, Answer, at
from weir.rules.many import determine_many
from weir.rules.parameters import apply_overlay
from weir.rules.periods import periods, settled
from weir.rules.scene import Scene, law_on
from weir.rules.transaction import Transaction, resolve

LAW = load_law()
NAN = math.nan
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

TPP_LINES = (1600.0, 2400.0, 4800.0, 14000.0, 17500.0, 20800.0, 21000.0, 21100.0)
AREAS = st.one_of(st.floats(50, 3000), st.sampled_from([270.27, 400.0, 500.0, 740.0, 1500.0]))
TPP = st.one_of(st.floats(10, 40000), st.sampled_from(TPP_LINES))
BANDWIDTH = st.one_of(
    st.floats(10, 9000), st.sampled_from([600.0, 1100.0, 1400.0, 1700.0, 4000.0, 6500.0])
)
DAYS = st.dates(dt.date(2022, 1, 1), dt.date(2026, 11, 24))
PLACES = st.sampled_from(["CN", "HK", "MO", "RU", "VN", "SA", "AE", "KH", "NI", "SG", "DE", "MY"])
MARKETS = st.sampled_from(["yes", "no", "contested"])
DESIGNERS = st.sampled_from(["NVIDIA", "AMD", "Intel", "Other"])


@st.composite
def circuits(draw, market=MARKETS, designer=DESIGNERS):
    tpp, area = draw(TPP), draw(AREAS)
    memory, io = draw(BANDWIDTH), draw(BANDWIDTH)
    return ChipInputs(
        id="x",
        designer=draw(designer),
        rates_flop_per_s={"fp8": (tpp / 8 * TERA, tpp / 8 * TERA)},
        area_mm2=(area, area),
        memory_bytes_per_s=(memory * GIGA, memory * GIGA),
        io_bytes_per_s=(io * GIGA, io * GIGA),
        facts={"datacentre": draw(market), "commercially_available_us": draw(MARKETS)},
    )


def outcome(chip, place, day):
    case = resolve(LAW, Transaction(place, day))
    return settled(law_on(LAW, day), case, columns([chip]))


def licence(chip, place, day):
    return at(outcome(chip, place, day).licence)


@FEW
@given(circuits(market=st.sampled_from(["yes", "no"])), PLACES, DAYS, st.floats(1, 10))
def test_more_tops_never_loosens_a_control(chip, place, day, factor):
    low, high = chip.rates_flop_per_s["fp8"]
    faster = replace(chip, rates_flop_per_s={"fp8": (low * factor, high * factor)})
    assert licence(faster, place, day) >= licence(chip, place, day)


@FEW
@given(circuits(market=st.sampled_from(["yes", "no"])), PLACES, DAYS, st.floats(1, 10))
def test_more_bandwidth_never_loosens_a_control(chip, place, day, factor):
    wide = replace(
        chip,
        memory_bytes_per_s=tuple(b * factor for b in chip.memory_bytes_per_s),
        io_bytes_per_s=tuple(b * factor for b in chip.io_bytes_per_s),
    )
    assert licence(wide, place, day) >= licence(chip, place, day)


@FEW
@given(circuits(market=st.sampled_from(["yes", "no"])), PLACES, DAYS, st.floats(0.1, 1))
def test_a_smaller_die_of_the_same_speed_never_loosens_a_control(chip, place, day, factor):
    small = replace(chip, area_mm2=tuple(area * factor for area in chip.area_mm2))
    assert licence(small, place, day) >= licence(chip, place, day)


@FEW
@given(
    circuits(market=st.sampled_from(["yes", "no"])),
    PLACES,
    DAYS,
    st.tuples(*[st.floats(0, 1)] * 6),
    st.booleans(),
)
def test_a_wider_interval_never_decides_wrongly(chip, place, day, share, contested):
    """What is certain of an interval holds of every chip inside it."""

    def around(value, less, more):
        return value * (1 - less), value * (1 + more)

    rate, area = chip.rates_flop_per_s["fp8"][0], chip.area_mm2[0]
    memory = chip.memory_bytes_per_s[0]
    vague = replace(
        chip,
        rates_flop_per_s={"fp8": around(rate, share[0], share[1])},
        area_mm2=around(area, share[2], share[3]),
        memory_bytes_per_s=around(memory, share[4], share[5]),
        facts={**chip.facts, "datacentre": "contested"} if contested else chip.facts,
    )
    wide, exact = outcome(vague, place, day), outcome(chip, place, day)
    for found, truth in (
        (wide.licence, exact.licence),
        *((wide.paragraphs[name], exact.paragraphs[name]) for name in wide.paragraphs),
        *((wide.grounds[name], exact.grounds[name]) for name in wide.grounds),
    ):
        assert at(found) in {at(truth), UNKNOWN}


@FEW
@given(circuits(), PLACES, DAYS)
def test_unpublished_facts_never_free_a_chip(chip, place, day):
    bare = replace(
        chip,
        rates_flop_per_s={},
        area_mm2=(NAN, NAN),
        memory_bytes_per_s=(NAN, NAN),
        io_bytes_per_s=(NAN, NAN),
        facts={**chip.facts, "datacentre": "unknown"},
    )
    if licence(bare, place, day) == NO:
        assert licence(chip, place, day) == NO


@FEW
@given(circuits(), PLACES, DAYS)
def test_possible_worlds_only_refine(chip, place, day):
    case = resolve(LAW, Transaction(place, day))
    vague = replace(chip, area_mm2=(chip.area_mm2[0] / 2, chip.area_mm2[0] * 2))
    plain = evaluate(Scene(law_on(LAW, day), case, columns([vague])))
    found = settled(law_on(LAW, day), case, columns([vague]))
    assert at(plain.licence) in {at(found.licence), UNKNOWN}
    for name, value in plain.paragraphs.items():
        assert at(value) in {at(found.paragraphs[name]), UNKNOWN}


@FEW
@given(st.lists(circuits(), min_size=1, max_size=6), st.lists(DAYS, min_size=6, max_size=6), PLACES)
def test_array_mode_is_single_mode(chips, days, place):
    days = days[: len(chips)]
    found = determine_many(LAW, columns(chips), np.array(days, "datetime64[D]"), [place])
    for row, (chip, day) in enumerate(zip(chips, days, strict=True)):
        single = determine_inputs(chip, Transaction(place, day), LAW, trace_steps=False)
        assert found.eccn_name(row) == single.eccn
        assert Answer.of(int(found.licence_required[row])) is single.licence_required
        assert found.policy_name(row).replace("undetermined", "") == single.review.policy


@FEW
@given(circuits(), PLACES, DAYS)
def test_an_overlay_of_nothing_is_the_identity(chip, place, day):
    same = apply_overlay(LAW, Overlay("nothing"))
    assert determine_inputs(chip, Transaction(place, day), same) == determine_inputs(
        chip, Transaction(place, day), LAW
    )


@FEW
@given(circuits(), PLACES)
def test_a_history_has_no_gap_and_agrees_with_each_day(chip, place):
    since, until = dt.date(2022, 1, 1), dt.date(2026, 9, 19)
    case = resolve(LAW, Transaction(place, until))
    found = periods(LAW, case, columns([chip]), since, until)
    assert (found[0].start, found[-1].end) == (since, None)
    for earlier, later in pairwise(found):
        assert earlier.end is not None
        assert later.start - earlier.end == dt.timedelta(days=1)
        assert later.status != earlier.status
        assert later.causes
    for period in found:
        answer = Answer.of(licence(chip, place, period.start))
        assert answer is period.status.licence_required


@FEW
@given(circuits(), PLACES, DAYS)
def test_a_flip_is_true_when_it_is_carried_out(chip, place, day):
    found = determine_inputs(chip, Transaction(place, day), LAW, trace_steps=False)
    for flip in found.flips:
        if flip.variable not in {"die_area", "tpp", "memory_bandwidth"}:
            continue
        point = flip.low if flip.includes_low else _inside(flip.low, flip.high)
        moved = {
            "die_area": {"area_mm2": (point, point)},
            "tpp": {"rates_flop_per_s": {"fp8": (point / 8 * TERA, point / 8 * TERA)}},
            "memory_bandwidth": {"memory_bytes_per_s": (point * GIGA, point * GIGA)},
        }[flip.variable]
        again = determine_inputs(
            replace(chip, **moved), Transaction(place, day), LAW, trace_steps=False
        )
        assert (again.eccn, again.licence_required) == (flip.eccn, flip.licence_required), flip.text


def _inside(low, high):
    return low + 1 if math.isinf(high) else (low + high) / 2


@pytest.mark.parametrize("day", [*LAW.breakpoints, dt.date(2019, 1, 1), dt.date(2030, 1, 1)])
def test_every_day_has_an_answer(day):
    chip = ChipInputs("x", tpp=(5000.0, 5000.0))
    assert licence(chip, "CN", day) in {NO, UNKNOWN, YES}
