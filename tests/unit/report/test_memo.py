"""Memos from an invented determination."""

import dataclasses
import datetime as dt
import math

import pytest

from weir.core.provenance import Source
from weir.report.document import DocumentError, Listing, Table, walk
from weir.report.html import to_html
from weir.report.memo import MarketEvidence, classification_memo, nac_document
from weir.report.text import to_text
from weir.rules.determination import (
    Clause,
    Determination,
    Flip,
    Ground,
    InputFact,
    LicenceException,
    Margin,
    Review,
)
from weir.rules.logic import Answer

SHEET = Source("sheet", "Acme 1", "Acme", "datasheet", dt.date(2030, 1, 2), "quotation")
NAC = LicenceException(
    "NAC",
    "License Exception NAC",
    Answer.YES,
    ("notify BIS",),
    "15 CFR 740.8",
    "NAC authorizes",
    "primary",
)


@pytest.fixture
def answer() -> Determination:
    margin = Margin(
        clause="X.1",
        metric="tpp",
        label="TPP",
        comparison="ge",
        threshold=900.0,
        unit="tpp",
        low=800.0,
        high=800.0,
        gap_low=-100.0,
        gap_high=-100.0,
        answer=Answer.NO,
        text="TPP ≥ 900: no (TPP 800, 100 below)",
    )
    second = dataclasses.replace(margin, text="density ≥ 2: unknown")
    clause = Clause(
        id="X.1",
        title="X.1: TPP",
        paragraphs=("X",),
        effect="applies",
        answer=Answer.NO,
        citation="1 CFR 1",
        quote="a TPP of 900 or more",
        evidence="primary",
        instrument="rule",
        margins=(margin, second),
    )
    ground = Ground(
        id="letter",
        title="Letter to Acme",
        answer=Answer.YES,
        instrument="letter",
        kind="letter",
        force="binding",
        binding_on=("Acme",),
        citation="Form 8-K",
        quote="",
        evidence="primary",
        note="",
        review=Review(),
    )
    inputs = (
        InputFact("tpp", "TPP", "800", 800, 800, "tpp", "derived", ("sheet#p. 1",), "100 x 8"),
        InputFact("die_area", "applicable die area", "400", 400, 400, "mm2", "stated", ("sheet",)),
        InputFact("performance_density", "performance density", "2", 2, 2, "tpp/mm2", "derived"),
        InputFact(
            "datacentre", "marketed for data centres", "no", math.nan, math.nan, "", "stated"
        ),
    )
    return Determination(
        chip="Acme 1",
        chip_id="acme-1",
        on=dt.date(2030, 5, 6),
        kind="in_country_transfer",
        destination="RU",
        destination_name="Ruritania",
        origin="US",
        exporter="Acme",
        consignee="RU",
        parent="",
        headline="A licence is required.",
        eccn="none",
        companions="",
        paragraphs={"X": Answer.NO},
        clauses=(clause,),
        licence_required=Answer.YES,
        grounds=(ground,),
        tested_grounds=("letter",),
        review=Review(),
        exceptions=(NAC,),
        notices=(),
        margins=(margin,),
        flips=(Flip("tpp", 900, math.inf, "tpp", True, False, "X", Answer.YES, "", "from 900"),),
        inputs=inputs,
        assumptions=("the exporter is the designer",),
        not_checked=("lists of parties",),
        evidence_horizon=dt.date(2030, 12, 31),
        sources=("sheet",),
        data_version="2030-06-01",
        overlay=(),
        trace=None,
    )


def tables(document):
    return {block.caption: block for block in walk(document) if isinstance(block, Table)}


def row(table, name):
    (found,) = [row for row in table.full_rows if row[0].text == name]
    return [cell.text for cell in found]


def test_memo_has_every_part_of_a_file(answer):
    document = classification_memo(answer, (SHEET,))
    assert [section.heading for section in document.sections] == [
        "Item and transaction",
        "Inputs and their sources",
        "Arithmetic",
        "Clauses",
        "Result",
        "Licence exceptions",
        "What would change the answer",
        "Assumptions",
        "Not checked",
        "Sign-off",
    ]
    assert document.lead == answer.headline
    assert "not legal advice" in document.notice


def test_density_is_shown_as_its_division(answer):
    table = tables(classification_memo(answer, (SHEET,)))["Computed quantities"]
    assert row(table, "TPP") == ["TPP", "100 x 8", "800"]
    assert row(table, "performance density") == [
        "performance density",
        "TPP 800 / applicable die area 400 mm²",
        "2 TPP/mm²",
    ]
    assert table.full_rows[0][2].cites == ("sheet#p. 1",)
    assert table.full_rows[0][2].mark == "d"


def test_density_without_a_die_area_is_not_divided(answer):
    kept = tuple(item for item in answer.inputs if item.name != "die_area")
    document = classification_memo(dataclasses.replace(answer, inputs=kept), (SHEET,))
    assert row(tables(document)["Computed quantities"], "performance density")[1] == (
        "as the source prints it"
    )


def test_unknown_has_no_unit(answer):
    area = dataclasses.replace(answer.inputs[1], text="unknown", low=0, high=math.inf)
    inputs = (answer.inputs[0], area, *answer.inputs[2:])
    table = tables(classification_memo(dataclasses.replace(answer, inputs=inputs), (SHEET,)))
    assert row(table["Computed quantities"], "applicable die area")[2] == "unknown"


def test_each_test_is_a_row_beside_the_words_of_the_law(answer):
    found = tables(classification_memo(answer, (SHEET,)))
    tests = found["Clauses tested, each line with its margin"]
    assert [[row[0].text, row[2].text, row[3].text] for row in tests.full_rows] == [
        ["X.1", "TPP ≥ 900", "no"],
        ["X.1", "TPP ≥ 900", "no"],
    ]
    assert row(found["The words of the clauses"], "X.1") == [
        "X.1",
        "“a TPP of 900 or more”",
        "1 CFR 1 (primary)",
    ]


def test_decisive_unknowns_are_named(answer):
    open_input = dataclasses.replace(answer.inputs[1], is_decisive=True)
    inputs = (answer.inputs[0], open_input, *answer.inputs[2:])
    text = to_text(classification_memo(dataclasses.replace(answer, inputs=inputs), (SHEET,)))
    assert "Caution: Not known well enough to decide: applicable die area." in text
    assert "Not known well enough" not in to_text(classification_memo(answer, (SHEET,)))


def test_day_before_any_rule(answer):
    document = classification_memo(dataclasses.replace(answer, clauses=()), (SHEET,))
    assert "No paragraph of 3A090 was in force on that day." in to_text(document)


def test_nobody_is_ever_called_cleared(answer):
    for outcome in Answer:
        changed = dataclasses.replace(answer, licence_required=outcome)
        for document in (
            classification_memo(changed, (SHEET,)),
            nac_document(changed, (SHEET,)),
        ):
            assert "cleared" not in to_text(document).lower()
            assert "not legal advice" in to_text(document)


def test_what_if_is_not_mistaken_for_the_law(answer):
    changed = dataclasses.replace(answer, overlay=("TPP line at 700",))
    assert ("What if", "TPP line at 700") in classification_memo(changed, (SHEET,)).facts
    assert ("What if", "TPP line at 700") in nac_document(changed, (SHEET,)).facts


@pytest.mark.parametrize(
    ("exceptions", "lead"),
    [
        ((NAC,), "License Exception NAC is not excluded for Ruritania"),
        ((dataclasses.replace(NAC, answer=Answer.UNKNOWN),), "leave open whether License"),
        ((dataclasses.replace(NAC, id="ACA"),), "License Exception NAC is not open"),
        ((), "License Exception NAC is not open"),
    ],
)
def test_notification_says_whether_the_exception_is_open(answer, exceptions, lead):
    document = nac_document(dataclasses.replace(answer, exceptions=exceptions), (SHEET,))
    assert lead in document.lead
    has_terms = any(s.heading == "Terms that remain to be met" for s in document.sections)
    assert has_terms == any(one.id == "NAC" for one in exceptions)


def test_market_evidence_is_cited_or_missed(answer):
    bare = nac_document(answer, (SHEET,))
    assert "No data sheet or other evidence" in to_text(bare)
    shown = nac_document(answer, (SHEET,), (MarketEvidence("Sold as a toy", ("sheet#p. 9",)),))
    assert "Sold as a toy [" in to_text(shown)
    assert "No data sheet" not in to_text(shown)
    with pytest.raises(DocumentError):
        nac_document(answer, (SHEET,), (MarketEvidence("x", ("absent#p. 1",)),))


def test_memo_is_a_page_too(answer):
    pytest.importorskip("jinja2")
    assert "Classification memo: Acme 1" in to_html(classification_memo(answer, (SHEET,)))
    assert any(isinstance(block, Listing) for block in walk(nac_document(answer, (SHEET,))))
