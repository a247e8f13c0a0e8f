import pytest

from weir.answers.datasheet import compare, datasheet
from weir.report.datasheet import (
    chip_list_document,
    comparison_document,
    datasheet_blocks,
    datasheet_document,
)
from weir.report.document import Section, Table, numbered_notes, walk
from weir.report.text import to_text


@pytest.fixture(scope="module")
def sheet(catalog):
    return datasheet(catalog.chip("H20"), catalog)


def test_each_fact_has_a_row_with_mark_citation_and_status(sheet):
    table = next(b for b in walk(datasheet_document(sheet)) if isinstance(b, Table))
    assert len(table.rows) == len(sheet.lines)
    for line, row in zip(sheet.lines, table.full_rows, strict=True):
        assert row[0].text == line.label
        assert (row[1].text, row[1].cites, row[1].status) == (
            line.text,
            line.fact.sources,
            line.fact.status,
        )
        assert row[-1].text == line.fact.status.value


def test_only_the_facts_that_are_asked_for(sheet):
    table = datasheet_blocks(sheet, ("tdp", "memory_type"))[0]
    assert [row[0].text for row in table.full_rows] == ["Type", "Thermal design power"]
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_what_sources_say_otherwise_is_shown(sheet):
    text = to_text(datasheet_document(sheet))
    assert "Thermal design power: 400 W is used; others say" in text
    assert "550 W" in text


def test_what_nobody_has_published_is_named(sheet):
    text = " ".join(to_text(datasheet_document(sheet)).split())
    assert all(label in text.partition("Unknown (nobody")[2] for label in sheet.unknown)


def test_no_price_is_said_and_not_guessed(catalog):
    bare = next(chip for chip in catalog.chips.all() if not datasheet(chip, catalog).offers)
    assert "No sourced price" in to_text(datasheet_document(datasheet(bare, catalog)))


def test_every_note_has_a_document(sheet):
    assert all(note.source is not None for note in numbered_notes(datasheet_document(sheet)))


def test_unknown_stays_unknown_beside_others(catalog):
    document = comparison_document(compare([catalog.chip("H20"), catalog.chip("HL-328")], catalog))
    (table,) = [block for block in walk(document) if isinstance(block, Table)]
    (bf16,) = [row for row in table.full_rows if row[0].text == "BF16 dense"]
    assert [cell.text for cell in bf16[1:]] == ["148 TFLOP/s", "unknown"]


def test_the_list_has_a_row_for_each_chip(catalog):
    chips = catalog.chips.all()
    document = chip_list_document(chips, "2026-01-01")
    (section,) = document.sections
    assert isinstance(section, Section)
    table = section.blocks[0]
    assert [row[0].text for row in table.full_rows] == [chip.id for chip in chips]
    (hl328,) = [row for row in table.full_rows if row[0].text == "gaudi-3-hl-328"]
    assert (hl328[-1].text, hl328[-1].status) == ("unknown", None)
