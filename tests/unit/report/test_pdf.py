import sys

import pytest

from weir.report.document import Document, Paragraph, Section
from weir.report.extras import MissingExtraError
from weir.report.pdf import PAPERS, to_pdf, to_typst


def test_source_has_every_block(sample):
    source = to_typst(sample)
    assert '#heading(level: 3, text("What it can do"))' in source
    assert 'text(weight: "bold", "148") + link(label("note-2"), super("2"))' in source
    assert '"296") + " (r)" + link(label("note-3"), super("3"))' in source
    assert 'image("map.pdf", width: 100%, alt: "One dot")' in source
    assert source.count('label("note-1")') == 3  # two citations and the note itself
    assert '"rule-1: Office, Rule One (read 2025-02-03)"' in source


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('say "no"', '"say \\"no\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("#panic() $x$ *a* _b_ @c <d>", '"#panic() $x$ *a* _b_ @c <d>"'),
        ('"); #panic("', '"\\"); #panic(\\""'),
    ],
)
def test_text_means_itself(text, quoted):
    source = to_typst(Document("T", sections=(Section("S", (Paragraph(text),)),)))
    assert f"#par(text({quoted}))" in source


@pytest.mark.parametrize("paper", PAPERS)
def test_file_is_a_pdf_and_a_function_of_the_document(sample, paper):
    pytest.importorskip("typst")
    pytest.importorskip("vl_convert")
    first = to_pdf(sample, paper)
    assert first.startswith(b"%PDF")
    assert first == to_pdf(sample, paper)
    assert b"/StructTreeRoot" in first


def test_hostile_text_is_typeset(sample):
    pytest.importorskip("typst")
    evil = '"); #panic("x") \\ #{ } [ ] @nobody <label>'
    assert to_pdf(Document(evil, evil, (Section(evil, (Paragraph(evil),)),))).startswith(b"%PDF")


def test_missing_library_is_named_with_its_extra(sample, monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(MissingExtraError, match=r"typst.*chipweir\[documents\]"):
        to_pdf(sample)
