"""A document as DOCX, through python-docx: real headings, real tables, pictures with alt text."""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from weir.report import svg
from weir.report.document import (
    Align,
    Block,
    Cell,
    Document,
    Item,
    Listing,
    Paragraph,
    Picture,
    Section,
    Table,
    Weight,
    cited_sources,
    note_line,
    note_numbers,
    numbered_notes,
    one_line,
    source_line,
    status_legend,
)
from weir.report.extras import require
from weir.report.palette import TONE_INKS, Tone

if TYPE_CHECKING:
    from docx.document import Document as DocxDocument
    from docx.text.paragraph import Paragraph as DocxParagraph

_DEEPEST: Final = 9
_DEEPEST_LIST: Final = 3
_PICTURE_INCHES: Final = 6.0
_SMALL_POINTS: Final = 9


def to_docx(document: Document) -> bytes:
    """Writes a document as DOCX.

    Raises:
        MissingExtraError: python-docx, or for a document with pictures vl-convert, is not
            installed.
    """
    docx = require("docx", "a DOCX document", "python-docx", "documents")
    writer = _Writer(docx.Document(), note_numbers(document))
    writer.front(document)
    for section in document.sections:
        writer.section(section, 1)
    writer.endnotes(document)
    return writer.saved()


class _Writer:
    """The open DOCX and the numbers of its notes."""

    def __init__(self, target: "DocxDocument", numbers: Mapping[str, int]) -> None:
        self.target = target
        self.numbers = numbers

    def front(self, document: Document) -> None:
        """Title, answer, facts and the notice in the footer."""
        properties = self.target.core_properties
        properties.title = one_line(document.title)
        properties.author = ""
        properties.comments = ""
        self.target.add_heading(one_line(document.title), 0)
        if document.lead:
            self._run(self.target.add_paragraph(), document.lead, bold=True)
        for name, value in document.facts:
            line = self.target.add_paragraph()
            self._run(line, f"{one_line(name)}: ")
            self._run(line, value, bold=True)
        footer = self.target.sections[0].footer.paragraphs[0]
        footer.text = one_line(document.notice)

    def section(self, section: Section, level: int) -> None:
        """A heading and its blocks."""
        self.target.add_heading(one_line(section.heading), min(level, _DEEPEST))
        for block in section.blocks:
            if isinstance(block, Section):
                self.section(block, level + 1)
            else:
                self._block(block)

    def _block(self, block: Block) -> None:
        if isinstance(block, Paragraph):
            self._paragraph(block)
        elif isinstance(block, Listing):
            self._items(block.items, 1, ordered=block.ordered)
        elif isinstance(block, Table):
            self._table(block)
        elif isinstance(block, Picture):
            self._picture(block)

    def _paragraph(self, block: Paragraph) -> None:
        style = "Intense Quote" if block.weight is Weight.CAUTION else None
        line = self.target.add_paragraph(style=style)
        small = block.weight is Weight.SMALL
        bold = block.weight is Weight.LEAD
        self._run(line, block.text, block.tone, bold=bold, small=small)
        self._marks(line, block.cites)

    def _items(self, items: Sequence[Item], depth: int, *, ordered: bool) -> None:
        base = "List Number" if ordered else "List Bullet"
        style = base if depth == 1 else f"{base} {min(depth, _DEEPEST_LIST)}"
        for item in items:
            line = self.target.add_paragraph(style=style)
            if item.label:
                self._run(line, item.label, item.tone, bold=True)
                line.add_run(" ")
            self._run(line, item.text)
            self._marks(line, item.cites)
            self._items(item.children, depth + 1, ordered=ordered)

    def _table(self, table: Table) -> None:
        caption = self.target.add_paragraph(style="Caption")
        caption.paragraph_format.keep_with_next = True
        caption.add_run(one_line(table.caption))
        columns = table.full_columns
        grid = self.target.add_table(rows=1, cols=len(columns), style="Table Grid")
        for place, column in zip(grid.rows[0].cells, columns, strict=True):
            self._run(place.paragraphs[0], column.heading, bold=True)
        self._repeat(grid.rows[0])
        for position, row in enumerate(table.full_rows):
            strong = position in table.highlighted
            places = grid.add_row().cells
            for place, column, cell in zip(places, columns, row, strict=True):
                self._cell(place.paragraphs[0], cell, column.align, strong=strong)
        for note in filter(None, (status_legend(table.statuses), *table.notes)):
            self._run(self.target.add_paragraph(), note, small=True)

    def _cell(self, line: "DocxParagraph", cell: Cell, align: Align, *, strong: bool) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        if align is Align.RIGHT:
            line.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        self._run(line, cell.text, cell.tone, bold=strong)
        if cell.mark:
            line.add_run(f" ({cell.mark})")
        self._marks(line, cell.cites)

    @staticmethod
    def _repeat(row: object) -> None:
        """Makes a row the heading of its table on every page it reaches."""
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        mark = OxmlElement("w:tblHeader")
        mark.set(qn("w:val"), "true")
        row._tr.get_or_add_trPr().append(mark)  # type: ignore[attr-defined]

    def _picture(self, picture: Picture) -> None:
        from docx.shared import Inches

        image = io.BytesIO(svg.to_png(picture.spec))
        shape = self.target.add_picture(image, width=Inches(_PICTURE_INCHES))
        # python-docx has no other way to give a picture its text for screen readers.
        shape._inline.docPr.set("descr", one_line(picture.alt))
        caption = self.target.add_paragraph(style="Caption")
        caption.add_run(one_line(picture.caption))
        if picture.source:
            self._run(self.target.add_paragraph(), f"Source: {picture.source}", small=True)

    def endnotes(self, document: Document) -> None:
        """The notes by number, then the sources."""
        notes = numbered_notes(document)
        if notes:
            self.target.add_heading("Notes", 1)
        for note in notes:
            line = self.target.add_paragraph()
            self._run(line, f"{note.number}. {note_line(note)}", small=True)
        sources = cited_sources(document)
        if sources:
            self.target.add_heading("Sources", 1)
        for source in sources:
            told = f"{source.id}: {source_line(source)}"
            self._run(self.target.add_paragraph(), f"{told} {source.url or ''}", small=True)

    def saved(self) -> bytes:
        """The finished file."""
        file = io.BytesIO()
        self.target.save(file)
        return file.getvalue()

    def _run(
        self,
        line: "DocxParagraph",
        text: str,
        tone: Tone = Tone.PLAIN,
        *,
        bold: bool = False,
        small: bool = False,
    ) -> None:
        from docx.shared import Pt, RGBColor

        run = line.add_run(one_line(text) + (" " if text.endswith(" ") else ""))
        run.bold = True if bold or tone is not Tone.PLAIN else None
        if small:
            run.font.size = Pt(_SMALL_POINTS)
        if tone is not Tone.PLAIN:
            run.font.color.rgb = RGBColor.from_string(TONE_INKS[tone].light.lstrip("#").upper())

    def _marks(self, line: "DocxParagraph", cites: Iterable[str]) -> None:
        found = sorted({self.numbers[key] for key in cites})
        if found:
            run = line.add_run(", ".join(str(number) for number in found))
            run.font.superscript = True
