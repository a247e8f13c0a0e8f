"""What an answer looks like before it has a format: sections, paragraphs, tables, pictures, notes.

A `Document` is plain data. `text`, `markdown` and `html` each write the same document, so that an
answer is laid out once. Texts are plain characters: each writer escapes them for its own format.

A number in a table or a sentence cites its sources by key. A key is either the key of a `Footnote`
of the document or a citation "source-id#locator" whose source the document lists. Footnotes are
numbered in the order in which the reader meets them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from weir.core.errors import WeirError
from weir.core.provenance import Source, Status
from weir.report.palette import Tone

STATUS_MARKS: Final = {
    Status.MEASURED: "m",
    Status.DERIVED: "d",
    Status.ESTIMATED: "e",
    Status.DISPUTED: "!",
    Status.RECALLED: "r",
}


class DocumentError(WeirError):
    """A document that contradicts itself; always a mistake in the code that built it."""


class Align(StrEnum):
    """Which edge of a table column its cells keep to."""

    LEFT = "left"
    RIGHT = "right"


class Weight(StrEnum):
    """How loudly a paragraph speaks."""

    PLAIN = "plain"
    LEAD = "lead"  # the answer itself
    CAUTION = "caution"  # what the reader must not overlook
    SMALL = "small"  # method, provenance, legal notice


@dataclass(frozen=True, slots=True)
class Footnote:
    """One note at the foot of the document.

    Attributes:
        key: What cells and paragraphs cite.
        text: The note; may be empty where a source and its locator say enough.
        source_id: The document the note rests on, one of `Document.sources`.
        locator: The page, table or paragraph in that document.
    """

    key: str
    text: str = ""
    source_id: str | None = None
    locator: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One table cell.

    Attributes:
        text: What stands in it.
        cites: Keys of footnotes or "source-id#locator" citations.
        status: How the number is known; anything but "stated" leaves a mark beside it.
        tone: The colour of the word, where it is a word about the law.
    """

    text: str
    cites: tuple[str, ...] = ()
    status: Status | None = None
    tone: Tone = Tone.PLAIN

    @property
    def mark(self) -> str:
        """The letter beside the number that says how it is known, empty where a source says it."""
        return STATUS_MARKS.get(self.status, "") if self.status is not None else ""


@dataclass(frozen=True, slots=True)
class Column:
    """A table column: its heading, with the unit where all its cells share one."""

    label: str
    unit: str = ""
    align: Align = Align.LEFT

    @property
    def heading(self) -> str:
        """Label and unit as one line."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption; the first cell of a row names the row.

    Attributes:
        caption: What the table shows, as a sentence or a title.
        columns: Headings; a plain string is a left-aligned column.
        rows: Cells; a plain string is a cell without citations.
        notes: Sentences under the table.
        highlighted: Positions of rows to set in bold, counted from 0.
    """

    caption: str
    columns: tuple[Column | str, ...]
    rows: tuple[tuple[Cell | str, ...], ...]
    notes: tuple[str, ...] = ()
    highlighted: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for position, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise DocumentError(
                    f"table '{self.caption}': row {position} has {len(row)} cells "
                    f"for {len(self.columns)} columns"
                )

    @property
    def full_columns(self) -> tuple[Column, ...]:
        """The columns, strings made into columns."""
        return tuple(c if isinstance(c, Column) else Column(c) for c in self.columns)

    @property
    def full_rows(self) -> tuple[tuple[Cell, ...], ...]:
        """The rows, strings made into cells."""
        return tuple(tuple(c if isinstance(c, Cell) else Cell(c) for c in row) for row in self.rows)

    @property
    def statuses(self) -> tuple[Status, ...]:
        """The statuses that leave a mark in this table, from firm to weak."""
        found = {c.status for row in self.full_rows for c in row if c.mark}
        return tuple(status for status in Status if status in found)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph.

    Attributes:
        text: Its sentences.
        cites: Keys of footnotes or citations, set after the last sentence.
        weight: How loudly it speaks.
        tone: The colour of a verdict.
    """

    text: str
    cites: tuple[str, ...] = ()
    weight: Weight = Weight.PLAIN
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list, with the entries beneath it.

    Attributes:
        text: The entry.
        cites: Keys of footnotes or citations.
        label: A word set before the text, such as "false" for a clause that is not met.
        tone: The colour of the label.
        children: The entries beneath.
    """

    text: str
    cites: tuple[str, ...] = ()
    label: str = ""
    tone: Tone = Tone.PLAIN
    children: tuple["Item", ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, numbered where the order matters."""

    items: tuple[Item, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a Vega-Lite specification; only the writers that show pictures draw it.

    Attributes:
        key: A short name, unique in the document, usable as an anchor and a file name.
        spec: The Vega-Lite specification.
        caption: What the picture shows.
        alt: What a reader who cannot see it needs to know: the finding, with its numbers.
        source: The line under the picture that says where its numbers come from.
    """

    key: str
    spec: Mapping[str, Any]
    caption: str
    alt: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it, subsections included, in reading order."""

    heading: str
    blocks: tuple["Block", ...] = ()


Block = Paragraph | Listing | Table | Picture | Section


@dataclass(frozen=True, slots=True)
class Document:
    """One answer, ready to be written in any format.

    Attributes:
        title: The question or the subject.
        lead: The answer in a sentence or two.
        sections: The body.
        sources: The documents that footnotes cite.
        footnotes: Notes with a text of their own; plain citations need no entry here.
        facts: Short name-and-value pairs under the title, such as the day and the data version.
        notice: The closing line, such as "Information, not legal advice."

    Raises:
        DocumentError: A key is cited that is neither a footnote nor a listed source, two footnotes
            or two pictures share a key, or a footnote names a source that is not listed.
    """

    title: str
    lead: str = ""
    sections: tuple[Section, ...] = ()
    sources: tuple[Source, ...] = ()
    footnotes: tuple[Footnote, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    notice: str = ""

    def __post_init__(self) -> None:
        _reject_twins("footnote", [note.key for note in self.footnotes])
        _reject_twins("source", [source.id for source in self.sources])
        pictures = [block.key for block in walk(self) if isinstance(block, Picture)]
        _reject_twins("picture", pictures)
        numbered_notes(self)


@dataclass(frozen=True, slots=True)
class NumberedNote:
    """A footnote with the number its reader sees and the source it rests on."""

    number: int
    key: str
    text: str
    locator: str
    source: Source | None


def walk(document: Document) -> Iterator[Block]:
    """Every block of the document in reading order, a section before what it holds."""

    def inside(section: Section) -> Iterator[Block]:
        yield section
        for block in section.blocks:
            if isinstance(block, Section):
                yield from inside(block)
            else:
                yield block

    for section in document.sections:
        yield from inside(section)


def _cited(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield from block.cites
    elif isinstance(block, Table):
        for row in block.full_rows:
            for cell in row:
                yield from cell.cites
    elif isinstance(block, Listing):
        yield from _cited_in(block.items)


def _cited_in(items: tuple[Item, ...]) -> Iterator[str]:
    for item in items:
        yield from item.cites
        yield from _cited_in(item.children)


def numbered_notes(document: Document) -> tuple[NumberedNote, ...]:
    """The footnotes that the document cites, numbered from 1 in the order of first citation.

    Raises:
        DocumentError: A cited key leads nowhere.
    """
    notes = {note.key: note for note in document.footnotes}
    sources = {source.id: source for source in document.sources}
    keys = dict.fromkeys(key for block in walk(document) for key in _cited(block))
    numbered = []
    for number, key in enumerate(keys, start=1):
        note = notes.get(key)
        if note is None:
            source_id, _, locator = key.partition("#")
            note = Footnote(key, source_id=source_id, locator=locator)
        if note.source_id is not None and note.source_id not in sources:
            raise DocumentError(
                f"document '{document.title}' cites '{key}', which is neither a footnote nor a "
                f"place in one of its sources"
            )
        source = sources[note.source_id] if note.source_id is not None else None
        numbered.append(NumberedNote(number, key, note.text, note.locator, source))
    return tuple(numbered)


def note_numbers(document: Document) -> dict[str, int]:
    """The number of each cited key."""
    return {note.key: note.number for note in numbered_notes(document)}


def note_line(note: NumberedNote) -> str:
    """One footnote as text: its source and the place in it, then what it says."""
    place = ", ".join(filter(None, (note.source.id if note.source else "", note.locator)))
    return ": ".join(filter(None, (place, note.text)))


def one_line(text: str) -> str:
    """A text without line breaks, doubled blanks and control characters.

    Names may come from a user's file; a control character would let it drive the terminal.
    """
    visible = "".join(ch if ch.isprintable() else " " for ch in text)
    return " ".join(visible.split())


def cited_sources(document: Document) -> tuple[Source, ...]:
    """The sources that footnotes rest on, in the order of first citation."""
    found = {note.source.id: note.source for note in numbered_notes(document) if note.source}
    return tuple(found.values())


def source_line(source: Source) -> str:
    """One source as a line of a bibliography, without its address."""
    published = f", {source.published.isoformat()}" if source.published else ""
    return f"{source.publisher}, {source.title}{published} (read {source.accessed.isoformat()})"


def status_legend(statuses: tuple[Status, ...]) -> str:
    """The line under a table that explains its marks, empty where there are none."""
    return ", ".join(f"{STATUS_MARKS[s]} = {s.value}" for s in statuses)


def _reject_twins(kind: str, keys: list[str]) -> None:
    twins = sorted({key for key in keys if keys.count(key) > 1})
    if twins:
        raise DocumentError(f"two {kind}s share the key {', '.join(twins)}")
