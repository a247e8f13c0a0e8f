"""Changes between two days as documents, and lists of SKUs as rows of a table."""

from collections.abc import Iterator, Sequence
from typing import Final

from weir.answers.changes import Changes, Same, StatusFlip
from weir.catalog.law import Instrument
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
from weir.report.statuses import (
    Cited,
    assumed,
    cause_line,
    cause_name,
    past_horizon,
    status_cell,
)
from weir.rules.periods import Status

FLIP_COLUMNS: Final = (
    "line",
    "sku",
    "chip",
    "before_eccn",
    "before_licence_required",
    "before_review_policy",
    "before_exceptions",
    "after_eccn",
    "after_licence_required",
    "after_review_policy",
    "after_exceptions",
    "since",
    "why",
    "instruments",
)
STATUS_COLUMNS: Final = (
    "line",
    "sku",
    "eccn",
    "licence_required",
    "review_policy",
    "exception",
)

_Key = tuple[Status, Status, str, str]


def flip_row(item: StatusFlip | Same) -> tuple[str, ...]:
    """One row of a flip table; what did not change has no day and no reason."""
    before = item.before if isinstance(item, StatusFlip) else item.status
    after = item.after if isinstance(item, StatusFlip) else item.status
    since = item.since.isoformat() if isinstance(item, StatusFlip) and item.since else ""
    causes = item.causes if isinstance(item, StatusFlip) else ()
    return (
        str(item.line),
        item.chip_id,
        item.chip,
        *_status_row(before),
        *_status_row(after),
        since,
        "; ".join(f"{cause_line(cause)}: {cause.text}" for cause in causes),
        " ".join(dict.fromkeys(cause.instrument for cause in causes if cause.instrument)),
    )


def _status_row(status: Status) -> tuple[str, ...]:
    return (
        status.eccn,
        status.licence_required.value,
        status.policy,
        " ".join(name.replace(" perhaps", "?") for name in status.exceptions),
    )


def changes_document(answer: Changes, cited: Cited, sources: Sequence[Source]) -> Document:
    """Which chips flipped between two days, and which instruments took effect.

    Args:
        answer: The changes.
        cited: Citations by instrument.
        sources: The documents that they name.
    """
    overlay = (("What if", "; ".join(answer.overlay)),) if answer.overlay else ()
    return Document(
        title=(
            f"What changed from {answer.since.isoformat()} until {answer.until.isoformat()}, "
            f"to {answer.destination_name}"
        ),
        lead=_lead(answer),
        facts=(
            ("Changed", f"{len(answer.flips):,}"),
            ("As before", f"{answer.unchanged:,}"),
            *((("Not read", f"{len(answer.problems):,}"),) if answer.problems else ()),
            ("Evidence reaches", answer.evidence_horizon.isoformat()),
            ("Data of", answer.data_version),
            *overlay,
        ),
        sections=(
            Section("Status before and after", tuple(_flip_blocks(answer, cited))),
            Section("Instruments that took effect", (_instruments(answer, cited),)),
            *_problems(answer),
            assumed(answer.assumptions),
        ),
        sources=tuple(sources),
        notice=answer.disclaimer,
    )


def _lead(answer: Changes) -> str:
    count = len(answer.flips) + answer.unchanged
    gained = sum(_need(flip.after) and not _need(flip.before) for flip in answer.flips)
    lost = sum(_need(flip.before) and not _need(flip.after) for flip in answer.flips)
    return (
        f"The status of {len(answer.flips):,} of {count:,} chips changed: {gained:,} came to need "
        f"a licence, {lost:,} ceased to, {len(answer.flips) - gained - lost:,} changed otherwise."
    )


def _need(status: Status) -> bool:
    return status.licence_required.value == "yes"


def _flip_blocks(answer: Changes, cited: Cited) -> Iterator[Block]:
    if answer.until > answer.evidence_horizon:
        yield from past_horizon(answer.until, answer.evidence_horizon)
    if not answer.flips:
        yield Paragraph("No chip has another status on the last day than on the first.")
        return
    rows = tuple(
        (
            Cell(_names(flips)),
            status_cell(before),
            status_cell(after),
            since,
            Cell(why, cites=_cites(flips[0], cited)),
        )
        for (before, after, since, why), flips in _grouped(answer.flips).items()
    )
    since = Column("Since", align=Align.RIGHT)  # a column that keeps its days in one line
    columns = ("Chips", "Before", "After", since, "Changed by")
    several = sum(flip.turns > 1 for flip in answer.flips)
    notes = (
        (f"{several:,} of them changed more than once; the last change is told.",)
        if several
        else ()
    )
    yield Table("Chips whose status changed, like cases together", columns, rows, notes)
    yield Paragraph(
        "One row per chip, for a spreadsheet: --output FILE.csv or FILE.parquet.",
        weight=Weight.SMALL,
    )


def _grouped(flips: Sequence[StatusFlip]) -> dict[_Key, list[StatusFlip]]:
    found: dict[_Key, list[StatusFlip]] = {}
    for flip in flips:
        why = "; ".join(dict.fromkeys(cause_name(cause) for cause in flip.causes))
        since = flip.since.isoformat() if flip.since else ""
        found.setdefault((flip.before, flip.after, since, why), []).append(flip)
    return dict(sorted(found.items(), key=lambda item: (item[0][2], -len(item[1]))))


def _names(flips: Sequence[StatusFlip]) -> str:
    return ", ".join(flip.chip for flip in flips)


def _cites(flip: StatusFlip, cited: Cited) -> tuple[str, ...]:
    keys = [cause.instrument for cause in flip.causes]
    return tuple(dict.fromkeys(item for key in keys for item in cited.get(key, ())))


def _instruments(answer: Changes, cited: Cited) -> Block:
    if not answer.instruments:
        return Paragraph("None that Weir knows of.")
    rows = tuple(_instrument(item, cited) for item in answer.instruments)
    columns = ("Instrument", "Kind", "Effective", "Force", "Id")
    return Table("Instruments that began, applied or ended", columns, rows)


def _instrument(item: Instrument, cited: Cited) -> tuple[Cell | str, ...]:
    return (
        Cell(item.title, cites=cited.get(item.id, ())),
        item.kind.replace("_", " "),
        item.effective.isoformat() if item.effective else "not stated",
        item.force,
        item.id,
    )


def _problems(answer: Changes) -> Iterator[Section]:
    if answer.problems:
        items = tuple(Item(one.message, label=f"line {one.line}") for one in answer.problems)
        yield Section("Rows that could not be read", (Listing(items),))
