import datetime as dt

import pytest

from weir.answers.classify import chip_inputs, determine
from weir.catalog.law_load import load_law
from weir.catalog.query import Catalog
from weir.rules.logic import Answer
from weir.rules.parameters import overlay_of
from weir.rules.transaction import Transaction

LAW = load_law()
CATALOG = Catalog()
DAY = dt.date(2025, 7, 15)


def ask(name, destination="CN", day=DAY, **fields):
    return determine(CATALOG.chip(name), Transaction(destination, day, **fields), LAW)


def test_the_main_job():
    found = ask("H20")
    assert found.licence_required is Answer.YES
    assert found.eccn == "none"
    assert found.grounds[0].instrument == "2025-04-09-letters"
    tpp = next(item for item in found.inputs if item.name == "tpp")
    assert tpp.text == "2,368"
    assert "148 x 16" in tpp.how
    assert "296 x 8" in tpp.how
    assert ask("H20", day=dt.date(2025, 4, 8)).licence_required is Answer.NO


def test_every_input_says_where_it_comes_from():
    for item in ask("H100 SXM").inputs:
        assert item.status, item.name
        assert item.sources or item.how or item.status in {"recalled", "derived"}, item.name


def test_what_is_said_of_the_transaction_wins_over_the_catalogue():
    said = ask(
        "RTX 4090",
        day=dt.date(2024, 6, 1),
        flags={"datacentre": "yes"},
        datacentre_basis="sold in racks",
    )
    assert said.exceptions == ()
    fact = next(item for item in said.inputs if item.name == "datacentre")
    assert (fact.text, fact.how) == ("yes", "sold in racks")
    plain = ask("RTX 4090", day=dt.date(2024, 6, 1))
    assert [item.id for item in plain.exceptions] == ["NAC"]


def test_a_card_of_several_circuits_is_classified_by_the_circuit():
    chip = CATALOG.chip("wormhole-n300")
    inputs = chip_inputs(chip)
    for dtype, (low, _) in inputs.rates_flop_per_s.items():
        assert low == pytest.approx(chip.number(f"dense_{dtype}") / 2)
    assert any("2 circuits" in text for text in ask("wormhole-n300").assumptions)


def test_a_chip_without_published_rates_is_not_free():
    found = ask("MI308X", day=dt.date(2025, 4, 1))
    assert found.licence_required is Answer.UNKNOWN
    assert "tpp" in found.decisive
    after = ask("MI308X", day=dt.date(2025, 4, 20))
    assert after.licence_required is Answer.YES


def test_a_what_if_is_named_in_the_answer():
    found = determine(
        CATALOG.chip("H20"),
        Transaction("CN", dt.date(2024, 6, 1)),
        LAW,
        overlay=overlay_of(["3A090.b.1.tpp.ge=2300"]),
    )
    assert found.eccn == "3A090.b"
    assert found.overlay == ("3A090.b.1.tpp.ge=2300",)


def test_sources_exist():
    for source in ask("H200", day=dt.date(2026, 2, 1)).sources:
        CATALOG.sources.find(source)


@pytest.mark.parametrize("chip", CATALOG.chips.all(), ids=lambda chip: chip.id)
def test_every_chip_of_the_catalogue_has_an_answer(chip):
    found = determine(chip, Transaction("CN", DAY), LAW)
    assert found.headline.startswith(chip.name)
    assert found.licence_required in set(Answer)
