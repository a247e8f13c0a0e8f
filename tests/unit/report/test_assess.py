import datetime as dt
from dataclasses import replace

import pytest

from weir.answers.assess import Unavailable, assess
from weir.catalog.law_stock import stock_law
from weir.perf.serving import Workload
from weir.report.assess import assessment_document
from weir.report.document import Picture, Section, Table, numbered_notes, walk
from weir.report.text import to_text
from weir.rules.transaction import Transaction

LAW = stock_law()
SHORT = Workload(isl=512, osl=64)


def ask(catalog, chip="H20", day="2025-07-15", to="CN", model="Llama-3.1-8B", **more):
    return assess(
        catalog.chip(chip),
        Transaction(to, dt.date.fromisoformat(day)),
        catalog,
        LAW,
        model=None if model is None else catalog.model(model),
        workload=SHORT,
        beside=more.pop("beside", ("H100", "L4")),
        **more,
    )


@pytest.fixture(scope="module")
def answer(catalog):
    return ask(catalog)


@pytest.fixture(scope="module")
def drawn(catalog):
    return ask(catalog, pictures=True)


def headings(document):
    return [block.heading for block in walk(document) if isinstance(block, Section)]


def tables(document):
    return [block for block in walk(document) if isinstance(block, Table)]


def test_the_answer_reads_from_the_whole_to_the_parts(answer):
    found = [h for h in headings(assessment_document(answer)) if h.startswith(("At", "What"))]
    assert found == [
        "At a glance",
        "What it is",
        "What the law says",
        "What would change the answer",
        "What it can do",
    ]


def test_the_first_table_puts_law_and_speed_of_each_chip_in_a_row(answer):
    table = tables(assessment_document(answer))[0]
    assert [row[0].text for row in table.full_rows] == [
        "NVIDIA H20 96GB",
        "NVIDIA H100 SXM 80GB",
        "NVIDIA L4",
    ]
    assert table.highlighted == (0,)
    own, h100, _ = table.full_rows
    assert [cell.text for cell in own[1:5]] == ["2,368", "2.909", "none", "required"]
    assert h100[3].text == "3A090.a"
    assert own[0].cites
    assert "[" in own[-1].text


def test_without_a_model_there_is_law_and_no_speed(catalog):
    document = assessment_document(ask(catalog, model=None))
    assert "What it can do" not in headings(document)
    assert [column.label for column in tables(document)[0].full_columns][-1] == "Review policy"


def test_the_day_before_shows_only_what_differed(answer):
    text = to_text(assessment_document(answer))
    before = text.partition("The day before the change, 2025-04-08:")[2].partition("What it can")[0]
    assert "The inputs and every clause tested were the same." in before
    assert "No requirement applies." in before
    assert "3A090.b.1" not in before


def test_clauses_that_changed_are_shown_for_the_day_before(catalog):
    found = ask(catalog, chip="A800", day="2023-11-17", model=None)
    assert found.before is not None
    assert found.before.on == dt.date(2023, 11, 16)
    text = to_text(assessment_document(found))
    before = text.partition(f"The day before the change, {found.before.on.isoformat()}:")[2]
    assert "Clauses tested, each line with its margin" in before


def test_where_nothing_changed_it_is_said(catalog):
    found = replace(ask(catalog, model=None), before=None, changed_on=None)
    text = to_text(assessment_document(found))
    assert "No earlier day up to this one had another status." in text
    assert "The day before the change" not in text


def test_a_warning_of_several_chips_is_told_once(catalog):
    found = ask(catalog, beside=("H100", "H200"), model=None)
    notes = tables(assessment_document(found))[0].notes
    assert len(notes) == len(set(notes))
    (statement,) = [note for note in notes if note.startswith("Statement of 14 and 15 July 2025")]
    assert "NVIDIA H100 SXM 80GB, NVIDIA H200 SXM 141GB" in statement


def test_every_note_leads_to_a_record(answer, catalog):
    document = assessment_document(answer)
    notes = numbered_notes(document)
    cited = {source for sources in answer.authorities.values() for source in sources}
    assert cited <= {note.key for note in notes}
    for note in notes:
        assert note.source is not None
        assert catalog.source(note.key) == note.source


def test_no_speed_is_said_with_the_reason(answer):
    reason = "nobody has published its bandwidth"
    found = replace(answer, estimate=Unavailable("NVIDIA H20 96GB", reason))
    document = assessment_document(found)
    assert document.lead.endswith(f"No speed: {reason}.")
    assert tables(document)[0].full_rows[0][-1].text == "not estimated"
    assert "Where the time goes" not in headings(document)


def test_pictures_come_with_a_finding_in_words(drawn):
    pictures = {b.key: b for b in walk(assessment_document(drawn)) if isinstance(b, Picture)}
    assert set(pictures) == {"law-map", "frontier"}
    assert "(TPP 2,368, performance density 2.90909)" in pictures["law-map"].alt
    assert "tokens/s per chip" in pictures["frontier"].alt
    assert all(picture.source for picture in pictures.values())


def test_the_map_shows_the_zones_of_the_rule_of_that_day(drawn, catalog):
    def zones(answer):
        return {zone.clause for zone in answer.law_map.zones}

    early = ask(catalog, day="2022-12-01", model=None, pictures=True)
    assert {"3A090.a.1", "3A090.a.2", "3A090.b.1", "3A090.b.2"} <= zones(drawn)
    assert zones(early) == {"3A090.a.1"}
    pictures = [b for b in walk(assessment_document(early)) if isinstance(b, Picture)]
    assert "transfer rate" in pictures[0].caption


def test_no_picture_where_none_was_asked_for(answer):
    assert not [b for b in walk(assessment_document(answer)) if isinstance(b, Picture)]


def test_unknown_inputs_are_words_and_not_zero(catalog):
    row = tables(assessment_document(ask(catalog, chip="HL-328", beside=())))[0].full_rows[0]
    assert [cell.text for cell in row[1:4]] == ["unknown", "unknown", "open"]
    assert [cell.status for cell in row[1:3]] == [None, None]
