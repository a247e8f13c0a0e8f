"""A document as Markdown: GitHub's dialect, with pipe tables and footnotes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from weir.core.provenance import Source
from weir.report.document import (
    Align,
    Block,
    Cell,
    Column,
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

# The dollar sign is among them because some readers take a pair of them for a formula.
_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|~$])")
_ENTITY: Final = re.compile(r"&(?=#?\w+;)")
_STARTS_BLOCK: Final = re.compile(r"^(#{1,6}(?=\s|$)|[-+](?=\s|$)|=+(?=\s*$)|-+(?=\s*$))")
_STARTS_NUMBER: Final = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_URL_SAFE: Final = "/:#?&=%@+,;~-._"
_DEEPEST: Final = 6
_INDENT: Final = 4

_Numbers = dict[str, int]


def to_markdown(document: Document, pictures: Mapping[str, str] | None = None) -> str:
    """Writes a document as Markdown that ends with a newline.

    Args:
        document: What to write.
        pictures: The file or address of each picture by its key. A picture without one is told in
            words.
    """
    numbers = note_numbers(document)
    parts = [f"# {escape(document.title)}"]
    if document.facts:
        parts.append("\n".join(f"- {escape(k)}: {escape(v)}" for k, v in document.facts))
    if document.lead:
        parts.append(f"**{escape(document.lead)}**")
    for section in document.sections:
        parts.extend(_section(section, 2, numbers, pictures or {}))
    parts.extend(_endnotes(document))
    if document.notice:
        parts.append(escape(document.notice))
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """A text whose every character means itself in Markdown, on one line."""
    line = _SPECIAL.sub(r"\\\1", one_line(text))
    line = _ENTITY.sub("&amp;", line)
    line = _STARTS_BLOCK.sub(r"\\\1", line)
    return _STARTS_NUMBER.sub(r"\1\\\2", line)


def _section(
    section: Section, level: int, numbers: _Numbers, pictures: Mapping[str, str]
) -> list[str]:
    parts = [f"{'#' * min(level, _DEEPEST)} {escape(section.heading)}"]
    for block in section.blocks:
        if isinstance(block, Section):
            parts.extend(_section(block, level + 1, numbers, pictures))
        else:
            parts.append(_block(block, numbers, pictures))
    return parts


def _block(block: Block, numbers: _Numbers, pictures: Mapping[str, str]) -> str:
    if isinstance(block, Paragraph):
        return _paragraph(block, numbers)
    if isinstance(block, Listing):
        return "\n".join(_items(block.items, 0, numbers, ordered=block.ordered))
    if isinstance(block, Table):
        return _table(block, numbers)
    if isinstance(block, Picture):
        return _picture(block, pictures.get(block.key))
    return ""


def _paragraph(block: Paragraph, numbers: _Numbers) -> str:
    text = escape(block.text)
    if block.weight is Weight.LEAD:
        text = f"**{text}**"
    elif block.weight is Weight.CAUTION:
        text = f"> {text}"
    return text + _marks(block.cites, numbers)


def _marks(cites: Iterable[str], numbers: _Numbers) -> str:
    return "".join(f"[^{number}]" for number in sorted({numbers[key] for key in cites}))


def _items(items: Sequence[Item], depth: int, numbers: _Numbers, *, ordered: bool) -> list[str]:
    lines = []
    for position, item in enumerate(items, start=1):
        bullet = f"{position}." if ordered else "-"
        label = f"**{escape(item.label)}**: " if item.label else ""
        text = label + escape(item.text) + _marks(item.cites, numbers)
        lines.append(" " * (_INDENT * depth) + f"{bullet} {text}")
        lines.extend(_items(item.children, depth + 1, numbers, ordered=ordered))
    return lines


def _table(table: Table, numbers: _Numbers) -> str:
    columns = table.full_columns
    lines = [
        f"**{escape(table.caption)}**",
        "",
        _row(escape(column.heading) for column in columns),
        _row(_rule(column) for column in columns),
    ]
    for position, row in enumerate(table.full_rows):
        strong = position in table.highlighted
        lines.append(_row(_cell(cell, numbers, strong=strong) for cell in row))
    legend = status_legend(table.statuses)
    for note in filter(None, (legend, *table.notes)):
        lines.extend(("", escape(note)))
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(column: Column) -> str:
    return "---:" if column.align is Align.RIGHT else ":---"


def _cell(cell: Cell, numbers: _Numbers, *, strong: bool) -> str:
    text = escape(cell.text)
    if strong and text:
        text = f"**{text}**"
    mark = f" ({escape(cell.mark)})" if cell.mark else ""
    return text + mark + _marks(cell.cites, numbers)


def _picture(picture: Picture, place: str | None) -> str:
    source = f"\n\nSource: {escape(picture.source)}" if picture.source else ""
    if place is None:
        return f"*Picture: {escape(picture.caption)}* {escape(picture.alt)}{source}"
    address = quote(place, safe=_URL_SAFE)
    return f"![{escape(picture.alt)}]({address})\n\n*{escape(picture.caption)}*{source}"


def _endnotes(document: Document) -> list[str]:
    parts = []
    sources = cited_sources(document)
    if sources:
        parts.append("## Sources")
        parts.append("\n".join(f"- {escape(s.id)}: {_source(s)}" for s in sources))
    notes = numbered_notes(document)
    if notes:
        parts.append("\n".join(f"[^{n.number}]: {escape(note_line(n))}" for n in notes))
    return parts


def _source(source: Source) -> str:
    address = f" <{quote(source.url, safe=_URL_SAFE)}>" if source.url else ""
    return escape(source_line(source)) + address
