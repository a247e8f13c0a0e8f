import datetime as dt

import pytest

from tests.unit.rules.circuits import circuit
from weir.catalog.law_load import load_law
from weir.core.errors import InputError
from weir.core.units import TERA
from weir.rules.determination import DISCLAIMER
from weir.rules.determine import determine_inputs
from weir.rules.inputs import ChipInputs
from weir.rules.logic import Answer
from weir.rules.transaction import Transaction

LAW = load_law()
H20 = circuit("H20", sold="no")


def determine(chip, destination="CN", on="2025-07-15", **fields):
    return determine_inputs(
        chip, Transaction(destination, dt.date.fromisoformat(on), **fields), LAW
    )


def test_h20_the_day_of_the_letter_and_the_day_before():
    before, after = determine(H20, on="2025-04-08"), determine(H20, on="2025-04-09")
    assert (before.licence_required, after.licence_required) == (Answer.NO, Answer.YES)
    assert (before.eccn, after.eccn) == ("none", "none")
    assert after.grounds[0].id == "letter-2025-04.nvidia"
    assert after.grounds[0].binding_on == ("NVIDIA", "AMD", "Intel")
    assert after.review.policy == "unpublished"


def test_margins_are_the_distance_to_each_line():
    found = {(m.clause, m.metric, m.comparison): m for m in determine(H20).margins}
    tpp = found["3A090.b.1", "tpp", "ge"]
    assert (tpp.low, tpp.threshold, tpp.gap_low) == (2368, 2400, -32)
    density = found["3A090.b.2", "performance_density", "ge"]
    assert density.gap_low == pytest.approx(2368 / 814 - 3.2)
    assert density.answer is Answer.NO
    assert found["letter-2025-04.nvidia", "memory_bandwidth", "ge"].gap_low == 0


def test_flips_are_exact():
    texts = [flip.text for flip in determine(H20, on="2024-06-01").flips]
    # 2,368 / 3.2 = 740 and 2,368 / 5.92 = 400
    assert any("above 400 mm² and at most 740 mm²" in text and "3A090.b" in text for text in texts)
    assert any("at most 400 mm²" in text and "3A090.a" in text for text in texts)
    assert any("TPP is at least 2,400 and below 4,800" in text for text in texts)


@pytest.mark.parametrize("area", [400.0, 400.001, 740.0, 740.001])
def test_a_flip_holds_when_it_is_carried_out(area):
    flips = [f for f in determine(H20, on="2024-06-01").flips if f.variable == "die_area"]
    holds = [
        f
        for f in flips
        if (f.low < area or (f.includes_low and f.low == area))
        and (area < f.high or (f.includes_high and f.high == area))
    ]
    moved = determine(circuit("H20", area=(area, area)), on="2024-06-01")
    assert moved.eccn == (holds[0].eccn if holds else "none")


def test_an_unknown_area_is_never_free_and_says_what_decides():
    nan = float("nan")
    found = determine(circuit(fp8=212.5, area=(nan, nan), designer="Other"), on="2024-06-01")
    assert found.licence_required is Answer.UNKNOWN
    assert "performance_density" not in found.decisive
    assert found.eccn == "undetermined"
    # 1,700 / 3.2 = 531.25
    assert any("531.25 mm²" in flip.text for flip in found.flips)


def test_possible_worlds_settle_what_single_clauses_leave_open():
    found = determine(circuit(fp8=325, area=(200.0, 500.0), designer="Other"), on="2024-06-01")
    assert found.paragraphs["3A090.a"] is Answer.UNKNOWN
    assert found.paragraphs["3A090.b"] is Answer.UNKNOWN
    assert found.licence_required is Answer.YES
    assert found.review.policy == "presumption_of_denial"


def test_before_2022_the_answer_is_that_there_was_no_entry():
    found = determine(H20, on="2019-01-01")
    assert (found.eccn, found.licence_required) == ("not yet", Answer.NO)
    assert "did not exist" in found.headline


def test_after_the_horizon_the_answer_warns():
    found = determine(H20, on="2026-11-20")
    assert found.is_past_horizon
    assert any(item.title == "evidence horizon" for item in found.notices)
    assert not determine(H20, on="2026-09-19").is_past_horizon


def test_a_statement_has_no_legal_force():
    found = determine(H20, on="2025-07-15")
    notice = next(item for item in found.notices if item.id == "statement-2025-07")
    assert "no legal force" in notice.text
    assert found.licence_required is Answer.YES


def test_certified_conditions_turn_denial_into_case_by_case():
    h200 = circuit("H200", fp8=1979, memory=4800)
    kept = determine(h200, on="2026-02-01", certifications=("all",))
    assert kept.review.policy == "case_by_case"
    open_ = determine(h200, on="2026-02-01")
    assert open_.review.policy == ""
    assert set(open_.review.possible) == {"case_by_case", "presumption_of_denial"}
    assert len(open_.review.missing) == len(LAW.certifications)


def test_the_trace_holds_every_clause_with_its_citation():
    found = determine(H20)
    assert found.trace is not None
    steps = {step.name: step for _, step in found.trace.walk()}
    for clause in ("3A090.a.1", "3A090.a.2", "3A090.b.1", "3A090.b.2", "3A090.note-2"):
        assert steps[clause].citation.startswith("15 CFR 774")
        assert steps[clause].outcome in {"true", "false", "unknown"}
    assert steps["letter-2025-04.nvidia"].outcome == "true"


def test_the_trace_does_not_depend_on_what_was_asked_before():
    cases = [
        (circuit(name, fp8=rate, area=(area, area)), place, on)
        for name, rate, area in (("H20", 296.0, 814.0), ("A", 600.0, 400.0))
        for place in ("CN", "DE", "AE", "RU")
        for on in ("2023-06-01", "2025-07-15", "2026-02-01")
    ]
    kept = [determine(*case).trace for case in cases]
    assert [determine(*case).trace for case in reversed(cases)] == kept[::-1]
    for (chip, place, on), trace in zip(cases, kept, strict=True):
        transaction = Transaction(place, dt.date.fromisoformat(on))
        assert determine_inputs(chip, transaction, load_law()).trace == trace


def test_the_wording_promises_nothing():
    for on in ("2019-01-01", "2024-06-01", "2025-07-15"):
        found = determine(H20, on=on)
        assert found.disclaimer == DISCLAIMER
        assert "not legal advice" in found.disclaimer
        everything = repr(found).casefold()
        assert "cleared" not in everything
        assert "is allowed" not in everything


def test_every_answer_says_what_was_assumed_and_not_checked():
    found = determine(H20)
    assert found.assumptions
    assert found.not_checked
    assert found.evidence_horizon == LAW.horizon
    assert "us-nvidia-8k-2025-04-15" in found.sources


def test_tariffs_show_on_import_and_are_no_licence():
    found = determine(circuit("H200", fp8=1979, memory=4800), "US", "2026-02-01", kind="import",
                      origin="TW")  # fmt: skip
    assert [item.id for item in found.tariffs] == ["tariff-232.band-1"]
    assert found.licence_required is Answer.NO


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"area_mm2": (-1.0, 5.0)}, "cannot be negative"),
        ({"area_mm2": (9.0, 5.0)}, "low 9.0 above high 5.0"),
        ({"rates_flop_per_s": {"fp7": (TERA, TERA)}}, "no number format 'fp7'"),
        ({"facts": {"datacentre": "perhaps"}}, "write yes, no"),
    ],
)
def test_contradictory_specs_are_refused(fields, message):
    with pytest.raises(InputError, match=message):
        ChipInputs("x", **fields)
