"""What every provision has to keep to, whatever is added to the data."""

import datetime as dt
from itertools import pairwise

import pytest

from weir.catalog.law import EFFECTS, FACTS, Certified, FactIs, InZone, Paragraph
from weir.catalog.law_load import load_law
from weir.catalog.query import Catalog
from weir.rules.scene import law_on, leaves

LAW = load_law()
DAYS = [dt.date(2022, 1, 1) + dt.timedelta(days=n) for n in range(0, 1790, 1)]
# An intended pause: the affiliates rule is stayed for a year.
PAUSED = {"744.11.affiliates"}


def versions():
    found: dict[str, list] = {}
    for item in LAW.provisions:
        found.setdefault(item.id, []).append(item)
    return found


@pytest.mark.parametrize("name", sorted(versions()))
def test_versions_of_a_provision_follow_without_gap_or_overlap(name):
    ordered = sorted(versions()[name], key=lambda item: item.effective)
    for earlier, later in pairwise(ordered):
        assert earlier.until is not None
        gap = (later.effective - earlier.until).days
        assert gap == 1 or (name in PAUSED and gap > 1)


def test_every_day_has_at_most_one_version_of_each_provision():
    for index in range(len(LAW.breakpoints)):
        day = LAW.breakpoints[index]
        in_force = [item.id for item in LAW.provisions if day in item.period]
        assert len(in_force) == len(set(in_force)), day


def test_a_requirement_in_force_always_has_a_review_policy():
    for day in LAW.breakpoints:
        law = law_on(LAW, day)
        answered = {key for item in law.of("review") for key in item.answers}
        for item in law.of("require"):
            assert item.id in answered, (item.id, day)


def test_what_a_condition_refers_to_exists():
    known = {item.id for item in LAW.provisions}
    known |= {word for item in LAW.provisions if item.effect == "classify" for word in item.result}
    for item in LAW.provisions:
        assert set(item.answers) <= known, item.id
        for leaf in leaves(item.when):
            if isinstance(leaf, Paragraph):
                assert leaf.name in known, item.id


def test_every_instrument_cites_sources_that_exist():
    sources = Catalog().sources
    for instrument in LAW.instruments.values():
        assert instrument.sources, instrument.id
        for citation in instrument.sources:
            sources.find(citation.partition("#")[0])


def test_every_effect_is_used_and_every_provision_is_cited():
    assert {item.effect for item in LAW.provisions} == set(EFFECTS)
    assert all(item.citation for item in LAW.provisions)


def test_bills_have_no_effect():
    bills = [item for item in LAW.instruments.values() if item.kind == "bill"]
    assert bills
    assert all(not item.provisions for item in bills)


def test_foreign_measures_only_warn():
    effects = {
        provision.effect
        for item in LAW.instruments.values()
        if item.kind == "foreign_measure"
        for provision in item.provisions
    }
    assert effects == {"warn"}


def test_days_between_changes_share_the_law():
    assert len({id(law_on(LAW, day)) for day in DAYS}) <= len(LAW.breakpoints) + 1


def test_dates_of_an_instrument_follow_each_other():
    for item in LAW.instruments.values():
        days = [day for day in (item.effective, item.compliance, item.superseded) if day]
        assert days == sorted(days), item.id
        for provision in item.provisions:
            assert provision.first_applied >= provision.effective, provision.id


def test_what_supersedes_begins_the_day_after():
    by_id = versions()
    # 3A090 of 2022 ends, that of 2023 begins; so do both scopes of the requirement
    for name, last in (("3A090.a.1", "2023-11-16"), ("742.6(a)(6)(iii)", "2023-11-16")):
        assert dt.date.fromisoformat(last) in {item.until for item in by_id[name]}


def test_every_zone_and_certification_is_used():
    tested = [leaf for item in LAW.provisions for leaf in leaves(item.when)]
    zones = {leaf.zone for leaf in tested if isinstance(leaf, InZone)}
    assert zones == set(LAW.zones)
    certified = {leaf.name for leaf in tested if isinstance(leaf, Certified)}
    assert certified == set(LAW.certifications)
    facts = {leaf.fact for leaf in tested if isinstance(leaf, FactIs)}
    assert facts == set(FACTS)
