import io
import sys

import pytest

from weir.report.docx import to_docx
from weir.report.extras import MissingExtraError

docx = pytest.importorskip("docx")


@pytest.fixture
def opened(sample):
    pytest.importorskip("vl_convert")
    return docx.Document(io.BytesIO(to_docx(sample)))


def test_headings_keep_their_levels(opened):
    headings = [
        (p.style.name, p.text)
        for p in opened.paragraphs
        if p.style.name.startswith(("Heading", "Title"))
    ]
    assert headings == [
        ("Title", "Acme 1 to Ruritania"),
        ("Heading 1", "The law"),
        ("Heading 2", "What it can do"),
        ("Heading 1", "Notes"),
        ("Heading 1", "Sources"),
    ]


def test_table_is_a_table_with_a_repeated_heading(opened):
    (table,) = opened.tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["Quantity", "Rate (TFLOP/s)"],
        ["FP16 | dense", "1482"],
        ["FP8", "296 (r)3"],
    ]
    assert table.rows[0]._tr.trPr.find(docx.oxml.ns.qn("w:tblHeader")) is not None
    note = table.rows[1].cells[1].paragraphs[0].runs[-1]
    assert (note.text, note.font.superscript) == ("2", True)


def test_picture_has_its_text(opened):
    (shape,) = opened.inline_shapes
    assert shape._inline.docPr.get("descr") == "One dot"


def test_notes_sources_and_notice_are_there(opened):
    texts = [p.text for p in opened.paragraphs]
    assert "2. acme-sheet, p. 2" in texts
    assert any(text.startswith("acme-sheet: Acme & Sons, Acme 1 <datasheet>") for text in texts)
    footer = opened.sections[0].footer.paragraphs[0].text
    assert footer == "Information, not legal advice."
    assert opened.core_properties.title == "Acme 1 to Ruritania"


def test_missing_library_is_named_with_its_extra(sample, monkeypatch):
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(MissingExtraError, match=r"python-docx.*chipweir\[documents\]"):
        to_docx(sample)
