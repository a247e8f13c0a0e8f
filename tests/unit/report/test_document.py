import dataclasses

import pytest

from weir.core.errors import WeirError
from weir.report.document import (
    Document,
    DocumentError,
    Footnote,
    Paragraph,
    Picture,
    Section,
    Table,
    cited_sources,
    note_numbers,
    numbered_notes,
    one_line,
    walk,
)


def test_notes_are_numbered_where_the_reader_first_meets_them(sample):
    assert note_numbers(sample) == {"rule-1#(a)": 1, "acme-sheet#p. 2": 2, "assumed": 3}
    first, second, third = numbered_notes(sample)
    assert (first.source.id, first.locator) == ("rule-1", "(a)")
    assert (second.source.id, second.locator) == ("acme-sheet", "p. 2")
    assert (third.source, third.text) == (None, "No document was opened.")


def test_only_cited_sources_are_listed(sample):
    assert [source.id for source in cited_sources(sample)] == ["rule-1", "acme-sheet"]


def test_walk_meets_sections_before_what_they_hold(sample):
    kinds = [type(block).__name__ for block in walk(sample)]
    assert kinds == [
        "Section", "Paragraph", "Paragraph", "Listing", "Section", "Table", "Picture",
    ]  # fmt: skip


def test_citation_that_leads_nowhere_is_refused():
    with pytest.raises(DocumentError, match=r"cites 'nowhere#p\. 1'"):
        Document("T", sections=(Section("S", (Paragraph("x", ("nowhere#p. 1",)),)),))


def test_footnote_on_an_unlisted_source_is_refused(sample):
    note = Footnote("k", "text", source_id="absent")
    section = Section("S", (Paragraph("x", ("k",)),))
    with pytest.raises(DocumentError, match="cites 'k'"):
        dataclasses.replace(sample, sections=(section,), footnotes=(note,))


def test_twins_are_refused(sample):
    with pytest.raises(DocumentError, match="two footnotes share the key assumed"):
        dataclasses.replace(sample, footnotes=sample.footnotes * 2)
    pictures = (Picture("map", {}, "c", "a"), Picture("map", {}, "c", "a"))
    with pytest.raises(DocumentError, match="two pictures share the key map"):
        Document("T", sections=(Section("S", pictures),))


def test_ragged_table_is_refused():
    with pytest.raises(WeirError, match="row 1 has 1 cells for 2 columns"):
        Table("Ragged", ("a", "b"), (("1", "2"), ("1",)))


def test_one_line_drops_what_could_drive_a_terminal():
    assert one_line("H20\x1b[31m \n 96\u202e GB") == "H20 [31m 96 GB"
