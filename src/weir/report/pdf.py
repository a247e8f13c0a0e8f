"""A document as PDF, typeset by Typst: tagged for screen readers, vector pictures, no network.

Typst is one wheel without dependencies that brings its fonts; the text is set in them alone, so
that the same document gives the same pages on every machine.
"""

import datetime as dt
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

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
    walk,
)
from weir.report.extras import require
from weir.report.palette import MUTED, RULE, TONE_INKS, ZONE_LIGHT, Tone

PAPERS: Final = ("a4", "us-letter")

_Numbers = Mapping[str, int]

_STYLE: Final = f"""
#set text(font: "Libertinus Serif", size: 10.5pt, lang: "en", region: "GB")
#set par(justify: false, leading: 0.62em, spacing: 0.9em)
#show heading.where(level: 1): set text(size: 19pt)
#show heading.where(level: 2): set text(size: 13.5pt)
#show heading.where(level: 3): set text(size: 11.5pt)
#show heading: set block(above: 1.5em, below: 0.7em)
#show figure: set block(breakable: true)
#show figure: set align(left)
#show figure.caption: set align(left)
#show figure.caption: set block(sticky: true)
#show figure.caption: set text(size: 9.5pt, weight: "bold")
#show figure.where(kind: image): set block(breakable: false)
#set figure.caption(separator: none)
#set figure(numbering: none, supplement: none, gap: 0.7em)
#show link: set text(fill: rgb("{TONE_INKS[Tone.NOT_REQUIRED].light}"))
#set table(
  stroke: (x, y) => (bottom: if y == 0 {{ 0.8pt }} else {{ 0.4pt + rgb("{RULE.light}") }}),
  inset: (x: 4pt, y: 4pt),
)
#show table: set text(size: 9pt)
#show table: set par(leading: 0.5em)
"""


def to_pdf(document: Document, paper: str = "a4") -> bytes:
    """Writes a document as PDF.

    Args:
        document: What to write.
        paper: One of `PAPERS`.

    Raises:
        MissingExtraError: Typst, or for a document with pictures vl-convert, is not installed.
    """
    typst = require("typst", "a PDF document", "typst", "documents")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for block in walk(document):
            if isinstance(block, Picture):
                (root / _file(block)).write_bytes(svg.to_pdf(block.spec))
        main = root / "main.typ"
        main.write_text(to_typst(document, paper), encoding="utf-8")
        compiler = typst.Compiler(root=str(root), ignore_system_fonts=True)
        # A fixed instant keeps the bytes a function of the document.
        instant = dt.datetime.fromtimestamp(0, dt.UTC)
        return bytes(compiler.compile(str(main), format="pdf", timestamp=instant))


def to_typst(document: Document, paper: str = "a4") -> str:
    """The Typst source of a document; pictures are read from `KEY.pdf` beside it."""
    numbers = note_numbers(document)
    notice = _text(document.notice)
    page = (
        f"#set page(paper: {_quoted(paper)}, margin: (x: 22mm, top: 20mm, bottom: 22mm), "
        f"footer: context [#set text(size: 8pt)\n#{notice} #h(1fr) "
        f'#counter(page).display("1 / 1", both: true)])'
    )
    lines = [
        f"#set document(title: {_quoted(document.title)}, date: none)",
        page,
        _STYLE,
        f"#heading(level: 1, {_text(document.title)})",
    ]
    if document.lead:
        lines.append(f"#par(text(size: 12pt, {_text(document.lead)}))")
    lines.extend(_facts(document.facts))
    for section in document.sections:
        lines.extend(_section(section, 2, numbers))
    lines.extend(_endnotes(document))
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A text as a Typst string, in which nothing is markup."""
    line = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{line}"'


def _text(text: str, tone: Tone = Tone.PLAIN, *, bold: bool = False) -> str:
    options = []
    if tone is not Tone.PLAIN:
        options.append(f'fill: rgb("{TONE_INKS[tone].light}")')
    if bold or tone is not Tone.PLAIN:
        options.append('weight: "bold"')
    return f"text({', '.join([*options, _quoted(text)])})"


def _marks(cites: Iterable[str], numbers: _Numbers) -> str:
    found = sorted({numbers[key] for key in cites})
    links = [f'link(label("note-{n}"), super("{n}"))' for n in found]
    return " + " + ' + super(", ") + '.join(links) if links else ""


def _facts(facts: Sequence[tuple[str, str]]) -> Iterator[str]:
    if facts:
        cells = ", ".join(f"{_text(name)}, {_text(value, bold=True)}" for name, value in facts)
        yield f"#grid(columns: (auto, 1fr), column-gutter: 14pt, row-gutter: 5pt, {cells})"


def _section(section: Section, level: int, numbers: _Numbers) -> Iterator[str]:
    yield f"#heading(level: {level}, {_text(section.heading)})"
    for block in section.blocks:
        if isinstance(block, Section):
            yield from _section(block, level + 1, numbers)
        else:
            yield from _block(block, numbers)


def _block(block: Block, numbers: _Numbers) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield _paragraph(block, numbers)
    elif isinstance(block, Listing):
        yield "#" + _items(block.items, numbers, ordered=block.ordered)
    elif isinstance(block, Table):
        yield from _table(block, numbers)
    elif isinstance(block, Picture):
        yield _picture(block)


def _paragraph(block: Paragraph, numbers: _Numbers) -> str:
    lead = block.weight is Weight.LEAD
    body = _text(block.text, block.tone, bold=lead) + _marks(block.cites, numbers)
    if block.weight is Weight.CAUTION:
        edge = f'2.5pt + rgb("{TONE_INKS[Tone.REQUIRED].light}")'
        fill = f'rgb("{ZONE_LIGHT.light}")'
        return f"#block(inset: 8pt, width: 100%, fill: {fill}, stroke: (left: {edge}), {body})"
    if block.weight is Weight.SMALL:
        return f'#par(text(size: 9pt, fill: rgb("{MUTED.light}"), {body}))'
    return f"#par({body})"


def _items(items: Sequence[Item], numbers: _Numbers, *, ordered: bool) -> str:
    entries = []
    for item in items:
        label = f"{_text(item.label, item.tone, bold=True)} + " if item.label else ""
        space = '" " + ' if item.label else ""
        entry = label + space + _text(item.text) + _marks(item.cites, numbers)
        if item.children:
            entry += " + " + _items(item.children, numbers, ordered=ordered)
        entries.append(entry)
    return f"{'enum' if ordered else 'list'}({', '.join(entries)})"


def _table(table: Table, numbers: _Numbers) -> Iterator[str]:
    columns = table.full_columns
    aligned = ", ".join("right" if c.align is Align.RIGHT else "left" for c in columns)
    heads = ", ".join(_text(c.heading, bold=True) for c in columns)
    rows = []
    for position, row in enumerate(table.full_rows):
        strong = position in table.highlighted
        rows.append(", ".join(_cell(cell, numbers, strong=strong) for cell in row))
    body = "".join(f"  {row},\n" for row in rows)
    yield (
        f"#figure(kind: table, caption: figure.caption(position: top, {_text(table.caption)}), "
        f"align(left, table(columns: {len(columns)}, align: ({aligned},),\n"
        f"  table.header({heads}),\n{body})))"
    )
    for note in filter(None, (status_legend(table.statuses), *table.notes)):
        yield _paragraph(Paragraph(note, weight=Weight.SMALL), numbers)


def _cell(cell: Cell, numbers: _Numbers, *, strong: bool) -> str:
    mark = f' + " ({cell.mark})"' if cell.mark else ""
    return _text(cell.text, cell.tone, bold=strong) + mark + _marks(cell.cites, numbers)


def _picture(picture: Picture) -> str:
    source = f" + linebreak() + {_text(f'Source: {picture.source}')}" if picture.source else ""
    return (
        f"#figure(image({_quoted(_file(picture))}, width: 100%, alt: {_quoted(picture.alt)}), "
        f"alt: {_quoted(picture.alt)}, "
        f"caption: {_text(picture.caption)}{source})"
    )


def _file(picture: Picture) -> str:
    return f"{picture.key}.pdf"


def _endnotes(document: Document) -> Iterator[str]:
    notes = numbered_notes(document)
    if notes:
        yield '#heading(level: 2, "Notes")'
        for note in notes:
            body = _text(f"{note.number}. {note_line(note)}")
            yield f'#par(text(size: 9pt, {body})) #label("note-{note.number}")'
    sources = cited_sources(document)
    if sources:
        yield '#heading(level: 2, "Sources")'
        for source in sources:
            address = f' + " " + link({_quoted(source.url)})' if source.url else ""
            body = _text(f"{source.id}: {source_line(source)}")
            yield f"#par(text(size: 9pt, {body}{address}))"
