"""The law as a book: lists of instruments, and each with its dates, words, provisions and cases."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from weir.answers.lawbook import Entry, Lawbook, LawEntry, Test, Version
from weir.catalog.golden_cases import GoldenCase
from weir.catalog.law import EVIDENCE, Instrument, Provision
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
    Section,
    Table,
    Weight,
)
from weir.report.palette import Tone

READINGS: Final = "docs/explanation/readings.md"
CASES: Final = "tests/golden/determinations.csv"
_EFFECT: Final = {
    "presume": "presumption",
    "classify": "classification",
    "exclude": "exclusion",
    "require": "licence requirement",
    "review": "review policy",
    "except": "licence exception",
    "warn": "warning",
    "tariff": "tariff",
}
_NONE: Final = "none"


def lawbook_document(answer: Lawbook) -> Document:
    """The list of instruments; bills and foreign measures in a layer of their own."""
    own = [entry for entry in answer.entries if entry.instrument.is_us_law_or_practice]
    other = [entry for entry in answer.entries if not entry.instrument.is_us_law_or_practice]
    sections = []
    if own:
        sections.append(Section("United States", (_list("Rules, letters and practice", own),)))
    if other:
        text = "None of these has legal force in the United States; no verdict rests on them."
        sections.append(
            Section(
                "Bills and foreign measures",
                (Paragraph(text), _list("Bills and foreign measures", other)),
            )
        )
    kind = answer.kind.replace("_", " ")
    return Document(
        title=f"The law on {answer.on.isoformat()}{f': {kind}' if kind else ''}",
        lead=f"{len(answer.entries)} instruments. 'weir law show ID' prints one in full.",
        facts=(
            ("Evidence reaches", answer.horizon.isoformat()),
            ("Data of", answer.data_version),
        ),
        sections=tuple(sections),
        notice=answer.disclaimer,
    )


def _list(caption: str, entries: Sequence[Entry]) -> Table:
    effective = Column("Effective", align=Align.RIGHT)
    columns = ("Id", "Kind", effective, "Standing", "Title")
    return Table(caption, columns, tuple(_row(entry) for entry in entries))


def _row(entry: Entry) -> tuple[str, ...]:
    item = entry.instrument
    return (
        item.id,
        item.kind.replace("_", " "),
        _day(item.effective),
        entry.standing,
        item.title,
    )


def _day(day: dt.date | None) -> str:
    return "" if day is None else day.isoformat()


def law_document(answer: LawEntry, sources: Sequence[Source]) -> Document:
    """One instrument in full.

    Args:
        answer: The instrument.
        sources: The documents behind it.
    """
    item = answer.instrument
    return Document(
        title=item.title,
        lead=item.summary,
        facts=(
            ("Id", item.id),
            ("Citation", item.citation),
            ("Kind", item.kind.replace("_", " ")),
            ("Force", item.force),
            (f"On {answer.on.isoformat()}", answer.standing),
        ),
        sections=(
            Section("Dates and force", tuple(_standing(answer))),
            *_words(item),
            *_provisions(answer),
            *_amendments(item),
            *_readings(answer),
            Section("Golden cases", _cases(answer)),
        ),
        sources=tuple(sources),
        notice=answer.disclaimer,
    )


def _standing(answer: LawEntry) -> Iterator[Block]:
    item = answer.instrument
    rows: list[tuple[Cell | str, ...]] = [
        (label, _day(day))
        for label, day in (
            ("Published", item.published),
            ("Effective", item.effective),
            ("To be complied with from", item.compliance),
            ("Enforced from", item.enforced),
            ("Superseded", item.superseded),
        )
        if day is not None
    ]
    rows += [
        ("Binding on", "; ".join(item.binding_on)),
        ("Jurisdiction", item.jurisdiction),
        ("How it is known", EVIDENCE[item.evidence]),
        ("Verified on", item.verified_on.isoformat()),
        ("Documents", Cell(f"{len(item.sources)}", cites=item.sources)),
    ]
    yield Table("Dates and force", ("", "As recorded"), tuple(rows))
    if not item.is_us_law_or_practice:
        text = "No legal force in the United States; no verdict rests on it."
        yield Paragraph(text, weight=Weight.CAUTION)
    if item.note:
        yield Paragraph(item.note)


def _words(item: Instrument) -> Iterator[Section]:
    if item.quote:
        yield Section("In its words", (Paragraph(f"“{item.quote}”", cites=item.sources),))


def _provisions(answer: LawEntry) -> Iterator[Section]:
    if not answer.versions:
        text = "It has no sentence that a determination evaluates."
        yield Section("Provisions", (Paragraph(text),))
        return
    yield Section("Provisions", tuple(_provision(version) for version in answer.versions))


def _provision(version: Version) -> Section:
    item = version.provision
    blocks: list[Block] = [
        Paragraph(f"{item.title}.", weight=Weight.LEAD),
        Paragraph(f"{_EFFECT[item.effect].capitalize()}; {version.standing}. {_days(version)}"),
    ]
    if item.quote:
        blocks.append(Paragraph(f"“{item.quote}”"))
    cited = f"{item.citation} ({EVIDENCE[item.evidence]})"
    blocks.append(Paragraph(cited, weight=Weight.SMALL))
    blocks.append(Listing((_test(version.tests, "holds where"),)))
    blocks += [Paragraph(text) for text in _consequences(item)]
    if item.conditions:
        items = tuple(Item(text) for text in item.conditions)
        blocks += [Paragraph("To be done or certified:"), Listing(items)]
    if item.note:
        blocks.append(Paragraph(item.note))
    if version.paths:
        told = f"A what-if may set: {', '.join(version.paths)}."
        blocks.append(Paragraph(told, weight=Weight.SMALL))
    return Section(item.id, tuple(blocks))


def _days(version: Version) -> str:
    item = version.provision
    applied = f", to be complied with from {item.applies}" if item.applies else ""
    until = f" until {item.until}" if item.until else ""
    ended = f", replaced or ended by {version.ended_by}" if version.ended_by else ""
    return f"In the text from {item.effective}{until}{applied}{ended}."


def _test(test: Test, label: str = "") -> Item:
    return Item(test.text, label=label, children=tuple(_test(part) for part in test.parts))


def _consequences(item: Provision) -> Iterator[str]:
    if item.result:
        words = ", ".join(word.replace("_", " ") for word in item.result)
        yield f"Result: {words}."
    if item.answers:
        yield f"Belongs to: {', '.join(item.answers)}."
    if item.yields_to:
        yield f"Yields to {item.yields_to} where both apply."
    if item.is_weak:
        yield "Its text is unpublished or known in outline: where it holds, the answer is open."


def _amendments(item: Instrument) -> Iterator[Section]:
    if not item.amendments:
        return
    rows = tuple(
        (
            f"{change.unit}.{change.paragraph}" if change.paragraph else change.unit,
            change.action,
            change.effective.isoformat(),
            f"“{change.text}”" if change.text else "",
            change.evidence,
        )
        for change in item.amendments
    )
    columns = ("Paragraph", "Action", "Effective", "New words", "Known from")
    yield Section("Changes of the text", (Table("Changes of the text", columns, rows),))


def _readings(answer: LawEntry) -> Iterator[Section]:
    own = answer.instrument.readings
    found = [*own, *(name for v in answer.versions for name in v.provision.readings)]
    if found:
        items = tuple(Item(f"{READINGS}#{name}") for name in dict.fromkeys(found))
        text = "Where the words allow more than one reading, the one taken and why:"
        yield Section("Readings", (Paragraph(text), Listing(items)))


def _cases(answer: LawEntry) -> tuple[Block, ...]:
    if not answer.cases:
        return (Paragraph(f"No case of {CASES} rests on it.", weight=Weight.SMALL),)
    day = Column("Day", align=Align.RIGHT)  # a column that keeps its days in one line
    columns = ("Case", "Chip", day, "Transaction", "Expected", "Through")
    rows = tuple(_case(case) for case in answer.cases)
    notes = (f"Cases are rows of {CASES}; (M) and (L): of medium and low confidence.",)
    caption = "Cases with a known outcome in which something of it holds or is open"
    return (Table(caption, columns, rows, notes),)


def _case(case: GoldenCase) -> tuple[Cell | str, ...]:
    tone = {"yes": Tone.REQUIRED, "no": Tone.NOT_REQUIRED}.get(case.licence, Tone.UNKNOWN)
    licence = f"licence: {case.licence}" if case.licence else ""
    policy = case.policy.replace("_", " ").strip("-")
    told = ", ".join(part for part in (case.eccn, licence, policy) if part) or _NONE
    sure = "" if case.confidence == "H" else f" ({case.confidence})"
    return (
        case.case,
        case.chip,
        case.on.isoformat(),
        f"{case.kind.replace('_', ' ')} to {case.destination}",
        Cell(told + sure, tone=tone if case.licence else Tone.PLAIN),
        ", ".join(case.provisions),
    )
