"""A document for a terminal: aligned tables, wrapped sentences, no colour."""

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from weir.report.document import (
    Align,
    Block,
    Cell,
    Column,
    Document,
    Item,
    Listing,
    NumberedNote,
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

DEFAULT_WIDTH: Final = 100
_GAP: Final = 2
_INDENT: Final = 2
_NARROWEST: Final = 8
_UNDERLINES: Final = "=-"

_Numbers = dict[str, int]


def to_text(document: Document, width: int = DEFAULT_WIDTH) -> str:
    """Writes a document as plain text that ends with a newline.

    Args:
        document: What to write.
        width: Columns of the terminal. A table that cannot be made to fit is written row by row,
            so that no line breaks in the middle of a number.
    """
    numbers = note_numbers(document)
    parts = [_heading(document.title, 0)]
    if document.facts:
        parts.append(_pairs(document.facts, width))
    if document.lead:
        parts.append(_wrap(document.lead, width))
    for section in document.sections:
        parts.extend(_section(section, 1, numbers, width))
    parts.extend(_endnotes(document, numbered_notes(document), width))
    if document.notice:
        parts.append(_wrap(document.notice, width))
    return "\n\n".join(part for part in parts if part) + "\n"


def display_width(text: str) -> int:
    """How many terminal columns a text takes: wide characters two, combining ones none."""
    return sum(
        0 if unicodedata.combining(ch) else 2 if unicodedata.east_asian_width(ch) in "WF" else 1
        for ch in text
    )


def _section(section: Section, level: int, numbers: _Numbers, width: int) -> list[str]:
    parts = [_heading(section.heading, level)]
    for block in section.blocks:
        if isinstance(block, Section):
            parts.extend(_section(block, level + 1, numbers, width))
        else:
            parts.append(_block(block, numbers, width))
    return parts


def _block(block: Block, numbers: _Numbers, width: int) -> str:
    if isinstance(block, Paragraph):
        caution = "Caution: " if block.weight is Weight.CAUTION else ""
        return _wrap(caution + block.text + _marks(block.cites, numbers), width)
    if isinstance(block, Listing):
        return "\n".join(_items(block.items, 0, numbers, width, ordered=block.ordered))
    if isinstance(block, Table):
        return table_to_text(block, numbers, width)
    if isinstance(block, Picture):
        source = f"Source: {block.source}" if block.source else ""
        told = [f"Picture: {block.caption}", block.alt, source]
        return "\n".join(_wrap(line, width) for line in told if line)
    return ""


def _heading(text: str, level: int) -> str:
    line = one_line(text)
    if level < len(_UNDERLINES):
        return f"{line}\n{_UNDERLINES[level] * display_width(line)}"
    return f"{line}:"


def _marks(cites: Iterable[str], numbers: _Numbers) -> str:
    found = sorted({numbers[key] for key in cites})
    return f" [{', '.join(str(number) for number in found)}]" if found else ""


def _wrap(text: str, width: int, first: str = "", rest: str = "") -> str:
    return textwrap.fill(
        one_line(text),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _pairs(pairs: Sequence[tuple[str, str]], width: int) -> str:
    widest = max(display_width(name) for name, _ in pairs)
    margin = " " * (widest + _GAP)
    return "\n".join(
        _wrap(value, width, _pad(name, widest, Align.LEFT) + " " * _GAP, margin)
        for name, value in pairs
    )


def _items(
    items: Sequence[Item], depth: int, numbers: _Numbers, width: int, *, ordered: bool
) -> list[str]:
    lines = []
    for position, item in enumerate(items, start=1):
        bullet = f"{position}. " if ordered else "- "
        first = " " * (_INDENT * depth) + bullet
        label = f"{item.label}: " if item.label else ""
        text = label + item.text + _marks(item.cites, numbers)
        lines.append(_wrap(text, width, first, " " * len(first)))
        lines.extend(_items(item.children, depth + 1, numbers, width, ordered=ordered))
    return lines


def table_to_text(table: Table, numbers: _Numbers, width: int = DEFAULT_WIDTH) -> str:
    """Writes one table.

    Args:
        table: What to write.
        numbers: The number of each cited key, from `note_numbers`.
        width: Columns of the terminal.
    """
    columns = table.full_columns
    rows = _cells(table, numbers)
    widths = _fit(columns, rows, width)
    body = _stacked(columns, rows, width) if widths is None else _grid(columns, rows, widths)
    lines = [_wrap(table.caption, width), *body]
    legend = status_legend(table.statuses)
    lines.extend(_wrap(note, width) for note in (legend, *table.notes) if note)
    return "\n".join(lines)


def _cells(table: Table, numbers: _Numbers) -> list[list[str]]:
    """The cells with their marks; in right-aligned columns the numbers end at one place."""
    stacks = []
    for column, stack in zip(table.full_columns, zip(*table.full_rows, strict=True), strict=False):
        suffixes = [_suffix(cell, numbers) for cell in stack]
        widest = max(len(suffix) for suffix in suffixes) if column.align is Align.RIGHT else 0
        stacks.append(
            [one_line(c.text) + s.ljust(widest) for c, s in zip(stack, suffixes, strict=True)]
        )
    return [list(row) for row in zip(*stacks, strict=True)]


def _suffix(cell: Cell, numbers: _Numbers) -> str:
    mark = f" ({cell.mark})" if cell.mark else ""
    return mark + _marks(cell.cites, numbers)


def _fit(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Column widths that keep within `width`, None where words or numbers would have to break.

    Headings give way before cells do.
    """
    stacks = [[c.heading, *(row[i] for row in rows)] for i, c in enumerate(columns)]
    widths = [max(display_width(text) for text in stack) for stack in stacks]
    least = [_least(column, stack) for column, stack in zip(columns, stacks, strict=True)]
    whole = [max(map(display_width, stack[1:]), default=0) for stack in stacks]
    room = width - _GAP * (len(columns) - 1)
    if sum(least) > room:
        return None
    for floors in (list(map(max, least, whole)), least):
        while sum(widths) > room:
            spare = [i for i, floor in enumerate(floors) if widths[i] > floor]
            if not spare:
                break
            widest = max(spare, key=lambda i: widths[i])
            widths[widest] -= 1
    return widths


def _least(column: Column, stack: Sequence[str]) -> int:
    heading, *cells = stack
    words = max((display_width(word) for word in heading.split()), default=0)
    if column.align is Align.RIGHT:
        return max((words, *(display_width(cell) for cell in cells)))
    longest = max((display_width(word) for cell in cells for word in cell.split()), default=0)
    natural = max(display_width(text) for text in stack)
    return min(natural, max(words, longest, _NARROWEST))


def _grid(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], widths: Sequence[int]
) -> list[str]:
    heads = _lines([c.heading for c in columns], columns, widths)
    rule = (" " * _GAP).join("-" * width for width in widths)
    cells = [line for row in rows for line in _lines(row, columns, widths)]
    return [*heads, rule, *cells]


def _lines(texts: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> list[str]:
    wrapped = [
        [text] if display_width(text) <= width else _wrap(text, width).split("\n")
        for text, width in zip(texts, widths, strict=True)
    ]
    height = max(len(cell) for cell in wrapped)
    lines = []
    for position in range(height):
        shown = [
            _pad(cell[position] if position < len(cell) else "", width, column.align)
            for cell, width, column in zip(wrapped, widths, columns, strict=True)
        ]
        lines.append((" " * _GAP).join(shown).rstrip())
    return lines


def _stacked(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    lines = []
    for row in rows:
        lines.append(_wrap(row[0], width))
        for column, text in zip(columns[1:], row[1:], strict=True):
            first, rest = " " * _INDENT, " " * (_INDENT + _INDENT)
            lines.append(_wrap(f"{column.heading}: {text}", width, first, rest))
    return lines


def _pad(text: str, width: int, align: Align) -> str:
    space = " " * max(0, width - display_width(text))
    return space + text if align is Align.RIGHT else text + space


def _endnotes(document: Document, notes: Sequence[NumberedNote], width: int) -> list[str]:
    parts = []
    if notes:
        parts.append(_heading("Notes", 1))
        parts.append(_pairs([(f"[{n.number}]", note_line(n)) for n in notes], width))
    sources = cited_sources(document)
    if sources:
        parts.append(_heading("Sources", 1))
        lines = [(s.id, " ".join(filter(None, (source_line(s), s.url)))) for s in sources]
        parts.append("\n".join(_wrap(f"{name}: {told}", width, "", "  ") for name, told in lines))
    return parts
