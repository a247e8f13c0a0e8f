"""The audit of the catalogue as a document."""

import math
from itertools import groupby

from weir.answers.audit import Audit, Comparison
from weir.core.provenance import Status
from weir.core.words import counted
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

RIGHT = Align.RIGHT


def audit_document(audit: Audit) -> Document:
    """What is wrong, file by file, or what the catalogue consists of."""
    count = len(audit.problems)
    lead = (
        f"{counted(count, 'problem')} in "
        f"{counted(len({problem.path for problem in audit.problems}), 'file')}."
        if count
        else "Nothing is broken, nothing contradicts anything else without a stated reason."
    )
    return Document(
        title="Data check",
        lead=lead,
        facts=(("Data of", audit.data_version), ("Staleness from", audit.on.isoformat())),
        sections=(
            *((Section("Problems", (_problems(audit),)),) if count else ()),
            Section("Records", (_records(audit), _comparisons(audit))),
        ),
    )


def _problems(audit: Audit) -> Block:
    return Listing(
        tuple(
            Item(path, children=tuple(Item(problem.message) for problem in group))
            for path, group in groupby(audit.problems, key=lambda problem: problem.path)
        )
    )


def _records(audit: Audit) -> Table:
    rows: list[tuple[Cell | str, ...]] = [
        (
            kind.kind,
            f"{kind.records:,}",
            f"{kind.own:,}",
            *(f"{kind.statuses.get(status, 0):,}" if kind.statuses else "" for status in Status),
        )
        for kind in audit.kinds
    ]
    totals = [sum(kind.statuses.get(status, 0) for kind in audit.kinds) for status in Status]
    rows.append(("all facts and offers", "", "", *(f"{total:,}" for total in totals)))
    return Table(
        "Records, and how their facts are known",
        (
            "",
            Column("Records", align=RIGHT),
            Column("Own", align=RIGHT),
            *(Column(status.value, align=RIGHT) for status in Status),
        ),
        tuple(rows),
    )


def _comparisons(audit: Audit) -> Block:
    compared = [item for item in audit.comparisons if item.compared]
    if not compared:
        return Paragraph("No published figure to compare with.", weight=Weight.SMALL)
    return Table(
        "Computed by Weir against published",
        (
            "",
            Column("Compared", align=RIGHT),
            Column("Close", align=RIGHT),
            "Close is",
            Column("Largest difference", align=RIGHT),
            "At",
        ),
        tuple(_comparison(item) for item in compared),
        notes=(
            'The others are rounded coarsely by their publishers ("1 trillion"), or accepted for a '
            "reason in checks/waivers.csv.",
        ),
    )


def _comparison(item: Comparison) -> tuple[Cell | str, ...]:
    largest = "" if math.isnan(item.largest) else f"{item.largest:+.2%}"
    return (
        item.quantity,
        f"{item.compared:,}",
        f"{item.close:,}",
        f"within {item.tolerance:.1%}",
        largest,
        item.subject,
    )
