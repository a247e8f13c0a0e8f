"""What the catalogue does not know, as a document."""

from collections.abc import Iterable
from typing import Final

from weir.answers.coverage import Coverage, FieldCoverage, RecordCoverage, Tally
from weir.core.provenance import Status
from weir.report.document import Align, Block, Cell, Column, Document, Section, Table

RIGHT: Final = Align.RIGHT
GROUPINGS: Final = ("fact", "chip", "system")

_WEAKER: Final = (Status.DERIVED, Status.ESTIMATED, Status.DISPUTED, Status.RECALLED)
_COUNTS: Final = (
    Column("Unknown", align=RIGHT),
    Column("Sourced", align=RIGHT),
    *(Column(status.value.capitalize(), align=RIGHT) for status in _WEAKER),
    Column("Stale", align=RIGHT),
)
_NOTE: Final = (
    "Sourced: a named source states or measured it. Derived: computed from such. Recalled: from "
    "memory; no document that proves it has been opened yet."
)


def coverage_document(answer: Coverage, by: str | None = None) -> Document:
    """How well each fact, chip and system is known.

    Args:
        answer: The counts.
        by: Only one of `GROUPINGS`; all where None.
    """
    known = sum(item.tally.known for item in answer.chip_fields)
    possible = sum(item.tally.possible for item in answer.chip_fields)
    parts = {
        "fact": Section("By fact", tuple(_fields(answer))),
        "chip": Section("By chip", (_records("Chips", answer.chips),)),
        "system": Section("By system", (_records("Systems", answer.systems),)),
    }
    return Document(
        title="Coverage",
        lead=(
            f"{known:,} of {possible:,} facts about {len(answer.chips)} chips are known in some "
            f"way, {_sourced(answer.chip_fields):,} of them from a source or computed from such. "
            "Unknown is what nobody has published or looked up; 'weir chip show' names it for one "
            "chip."
        ),
        facts=(
            ("Data of", answer.data_version),
            ("Stale", f"not compared for {answer.stale_after_days} days on {answer.on}"),
        ),
        sections=tuple(part for key, part in parts.items() if by in {None, key}),
    )


def _sourced(fields: Iterable[FieldCoverage]) -> int:
    weak = (Status.RECALLED, Status.ESTIMATED)
    return sum(
        item.tally.known - sum(item.tally.statuses.get(status, 0) for status in weak)
        for item in fields
    )


def _counts(tally: Tally) -> tuple[str, ...]:
    firm = tally.statuses.get(Status.STATED, 0) + tally.statuses.get(Status.MEASURED, 0)
    weaker = (tally.statuses.get(status, 0) for status in _WEAKER)
    return tuple(f"{count:,}" for count in (tally.unknown, firm, *weaker, tally.stale))


def _fields(answer: Coverage) -> Iterable[Block]:
    for caption, fields in (
        ("Facts of chips", answer.chip_fields),
        ("Facts of systems", answer.system_fields),
    ):
        yield Table(
            caption,
            ("Fact", *_COUNTS),
            tuple((item.key, *_counts(item.tally)) for item in fields),
            notes=(_NOTE,),
        )


def _records(caption: str, records: Iterable[RecordCoverage]) -> Table:
    rows: tuple[tuple[Cell | str, ...], ...] = tuple(
        (record.id, *_counts(record.tally)) for record in records
    )
    return Table(
        caption,
        ("Id", *_COUNTS),
        rows,
        notes=(_NOTE,),
    )
