import datetime as dt

import pytest

from weir.answers.lawbook import assume_enforced, law_entry, lawbook, sources_of
from weir.catalog.law import KINDS, Overlay, Patch
from weir.catalog.law_load import load_law
from weir.core.errors import InputError, UnknownNameError
from weir.rules.parameters import apply_overlay

LAW = load_law()
ON = dt.date(2026, 9, 1)


def test_every_instrument_is_listed_once_by_date():
    found = lawbook(LAW, ON)
    assert sorted(entry.instrument.id for entry in found.entries) == sorted(LAW.instruments)
    days = [e.instrument.published or e.instrument.effective or dt.date.min for e in found.entries]
    assert days == sorted(days)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_listed_alone(kind):
    assert {entry.instrument.kind for entry in lawbook(LAW, ON, kind).entries} <= {kind}


def test_an_unknown_kind_comes_with_the_kinds():
    with pytest.raises(UnknownNameError, match="Nearest: letter"):
        lawbook(LAW, ON, "leter")


@pytest.mark.parametrize(
    ("day", "standing"),
    [
        (dt.date(2023, 10, 16), "not yet published"),
        (dt.date(2023, 11, 1), "published, not yet effective"),
        (dt.date(2023, 12, 1), "in force"),
        (ON, "in force in part"),
    ],
)
def test_the_standing_of_a_rule_follows_the_day(day, standing):
    assert law_entry(LAW, "2023-10-17-advanced-computing", day).standing == standing


def test_an_instrument_that_was_superseded_says_so():
    assert law_entry(LAW, "2022-08-26-letters", ON).standing == "superseded"
    in_force = {entry.instrument.id for entry in lawbook(LAW, ON, in_force=True).entries}
    assert "2022-08-26-letters" not in in_force
    assert "2025-04-09-letters" in in_force


def test_bills_and_foreign_measures_never_stand_as_law():
    for entry in lawbook(LAW, ON).entries:
        if entry.instrument.kind in {"bill", "foreign_measure"}:
            assert entry.standing.startswith("no U.S. law")


def test_the_id_of_a_provision_finds_its_instrument():
    found = law_entry(LAW, "letter-2025-04.nvidia", ON)
    assert found.instrument.id == "2025-04-09-letters"
    assert found.cases


def test_a_provision_of_several_instruments_names_them():
    with pytest.raises(InputError, match="2022-10-07-advanced-computing"):
        law_entry(LAW, "3A090.a.1", ON)


def test_a_version_says_who_ended_it():
    found = law_entry(LAW, "2022-10-07-advanced-computing", ON)
    (first,) = [v for v in found.versions if v.provision.id == "3A090.a.1"]
    assert first.standing == "superseded"
    assert first.provision.until == dt.date(2023, 11, 16)
    assert first.ended_by == "2023-10-17-advanced-computing"


def test_every_path_that_is_listed_can_be_set():
    for name in LAW.instruments:
        for version in law_entry(LAW, name, ON).versions:
            for path in version.paths:
                value = {"policy": "open", "enforced": "true"}.get(path.rpartition(".")[2], 1.0)
                changed = apply_overlay(LAW, Overlay("x", (Patch(path, value),)))
                assert changed.overlay == ("x",)


def test_only_what_is_not_enforced_can_be_assumed_enforced():
    law = apply_overlay(LAW, assume_enforced(LAW, "2025-01-13-ai-diffusion"))
    before = {p.id for p in LAW.provisions if not p.is_enforced}
    after = {p.id for p in law.provisions if not p.is_enforced}
    assert before - after == {"742.6(a)(6)(iii)(A).worldwide"}
    with pytest.raises(InputError, match="nothing of it is left unenforced"):
        assume_enforced(LAW, "2026-07-10-uae")
    with pytest.raises(UnknownNameError, match="There is: 2025-01-13-ai-diffusion"):
        assume_enforced(LAW, "nothing")


def test_sources_are_those_of_instruments_alone():
    assert sources_of(LAW, ["2026-07-10-uae", "", "D:5"]) == {
        "2026-07-10-uae": LAW.instruments["2026-07-10-uae"].sources
    }
