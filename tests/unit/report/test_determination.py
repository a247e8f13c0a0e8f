import datetime as dt
from dataclasses import replace

import pytest

from weir.answers.authorities import authorities
from weir.answers.classify import determine
from weir.answers.datasheet import cited_sources
from weir.catalog.law_stock import stock_law
from weir.core.provenance import Status
from weir.report.determination import (
    clause_blocks,
    determination_document,
    determination_sections,
    ground_blocks,
    inputs_table,
    quotes,
    trace_section,
)
from weir.report.document import Listing, Paragraph, Table, Weight, numbered_notes, walk
from weir.report.palette import Tone
from weir.report.text import to_text
from weir.rules.logic import Answer
from weir.rules.transaction import Transaction

LAW = stock_law()


def ask(catalog, chip="H20", day="2025-07-15", to="CN", **more):
    transaction = Transaction(to, dt.date.fromisoformat(day), **more)
    return determine(catalog.chip(chip), transaction, LAW)


def lines(answer, cited=None):
    (table,) = clause_blocks(answer, cited or {})
    assert isinstance(table, Table)
    return [tuple(cell.text for cell in row) for row in table.full_rows]


@pytest.fixture(scope="module")
def h20(catalog):
    return ask(catalog)


def test_each_line_says_by_how_far_it_was_missed(h20):
    found = lines(h20)
    assert ("3A090.b.1", "false", "TPP ≥ 2,400", "no", "2,368", "32 below (1.33%)") in found
    assert (
        "3A090.b.2", "false", "performance density ≥ 3.2", "no", "2.90909", "0.2909 below (9.09%)",
    ) in found  # fmt: skip


def test_a_false_clause_that_no_number_decides_says_so(h20):
    (note,) = [line for line in lines(h20) if line[0] == "3A090.note-2"]
    assert note[1:4] == ("false", "not by a number: a fact decides", "")


def test_every_tested_clause_has_a_row(h20):
    assert {line[0] for line in lines(h20)} == {clause.id for clause in h20.clauses}


def test_unknown_numbers_have_no_distance(catalog):
    found = [line for line in lines(ask(catalog, "HL-328")) if line[2] == "TPP ≥ 4,800"]
    assert found == [("3A090.a.1", "unknown", "TPP ≥ 4,800", "unknown", "unknown", "")]


def test_a_clause_that_holds_has_the_colour_of_a_requirement(catalog):
    (table,) = clause_blocks(ask(catalog, "H100"), {})
    rows = {row[0].text: row[1] for row in table.full_rows}
    assert (rows["3A090.a.1"].text, rows["3A090.a.1"].tone) == ("true", Tone.REQUIRED)
    assert rows["3A090.b.1"].tone is Tone.PLAIN


@pytest.mark.parametrize("chip", ["H20", "H100", "MI308X", "RTX 4090"])
@pytest.mark.parametrize("day", ["2019-01-01", "2022-09-15", "2025-07-15", "2026-08-01"])
def test_every_sentence_of_law_leads_to_a_document(catalog, chip, day):
    answer = ask(catalog, chip, day)
    cited = authorities(answer, LAW)
    ids = (*answer.sources, *(source for sources in cited.values() for source in sources))
    document = determination_document(answer, cited_sources(ids, catalog), cited)
    used = {note.key for note in numbered_notes(document)}
    for clause in answer.clauses:
        assert set(cited[clause.id]) <= used
    for ground in answer.grounds:
        assert set(cited[ground.id]) <= used
    assert "not legal advice" in to_text(document)
    assert "cleared" not in to_text(document).lower()


def test_the_words_of_each_clause_are_quoted_once(h20):
    listing = quotes(h20.clauses)
    assert [item.label for item in listing.items] == [clause.id for clause in h20.clauses]
    assert all(
        clause.quote in item.text for clause, item in zip(h20.clauses, listing.items, strict=True)
    )


def test_a_letter_says_whom_it_binds(h20):
    listing = ground_blocks(h20)[0]
    assert isinstance(listing, Listing)
    letter = next(item for item in listing.items if "9 April 2025" in item.text)
    assert letter.label == "applies"
    assert letter.tone is Tone.REQUIRED
    assert any("binding on its recipients; binds NVIDIA" in child.text for child in letter.children)


def test_where_nothing_applies_the_tested_requirements_are_named(catalog):
    answer = ask(catalog, day="2025-04-08")
    text = ground_blocks(answer)[0].text
    assert text.startswith("No requirement applies. Tested: ")
    assert all(name in text for name in answer.tested_grounds)


def test_a_warning_that_repeats_a_requirement_is_told_once(h20):
    repeated = {ground.id for ground in h20.grounds} & {notice.id for notice in h20.notices}
    assert repeated
    (told,) = [s for s in determination_sections(h20) if s.heading == "To know beside it"]
    shown = " ".join(item.text for item in told.blocks[0].items)
    assert "no legal force" in shown
    assert not any(n.title in shown for n in h20.notices if n.id in repeated)


@pytest.mark.parametrize(("day", "times"), [("2025-07-15", 0), ("2030-01-01", 1)])
def test_a_day_past_the_evidence_has_one_caution(catalog, day, times):
    answer = ask(catalog, day=day)
    blocks = walk(determination_document(answer, cited_sources(answer.sources, catalog)))
    cautions = [b for b in blocks if isinstance(b, Paragraph) and b.weight is Weight.CAUTION]
    assert len(cautions) == times


def test_the_inputs_show_value_status_and_what_is_decisive(catalog):
    rows = {row[0].text: row for row in inputs_table(ask(catalog, "HL-328")).full_rows}
    assert (rows["TPP"][1].text, rows["TPP"][1].status) == ("unknown", None)
    assert rows["TPP"][3].text.startswith("yes")
    rows = {row[0].text: row for row in inputs_table(ask(catalog)).full_rows}
    assert rows["TPP"][1].text == "2,368"
    assert rows["TPP"][1].status is Status.DERIVED
    assert "148 x 16 (bf16)" in rows["TPP"][2].text
    assert "296 x 8 (fp8)" in rows["TPP"][2].text


def test_exceptions_come_with_their_conditions(catalog):
    answer = ask(catalog, "RTX 4090", "2023-12-01")
    assert answer.exceptions
    (section,) = [s for s in determination_sections(answer) if s.heading == "Licence exceptions"]
    for item, exception in zip(section.blocks[0].items, answer.exceptions, strict=True):
        assert item.label == ("possible" if exception.answer is Answer.YES else "not excluded")
        assert [child.text for child in item.children] == list(exception.conditions)


def test_the_trace_is_shown_where_it_was_recorded(h20):
    assert trace_section(h20).blocks[0].items[0].children
    (block,) = trace_section(replace(h20, trace=None)).blocks
    assert block.text == "Not recorded."
