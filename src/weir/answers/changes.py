"""What changed between two days, and which chips flipped.

Chips stream through in blocks, so that a list of any length fits; the rows of a list that cannot be
read go through as they are.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from weir.answers.classify import chip_inputs
from weir.answers.skus import Row, SkuProblem
from weir.catalog.entities import Chip
from weir.catalog.law import Instrument, Law, Overlay
from weir.core.errors import InputError
from weir.rules.determination import DISCLAIMER
from weir.rules.evaluate import Outcome
from weir.rules.inputs import ChipColumns, ChipInputs, columns
from weir.rules.parameters import apply_overlay
from weir.rules.periods import Cause, Status, causes, settled, status_of
from weir.rules.places import country_name
from weir.rules.scene import law_on
from weir.rules.transaction import Transaction, resolve

# Rows evaluated at a time; an uncertain one stands for hundreds of possible worlds.
BLOCK: Final = 512


@dataclass(frozen=True, slots=True)
class StatusFlip:
    """One chip whose status differs.

    Attributes:
        chip: Name.
        chip_id: Id or SKU.
        before: Status on the first day, or under the first law.
        after: Status on the last day, or under the second law.
        causes: What made the status at the end so on its first day, empty for a what-if.
        since: First day of the status at the end; None for a what-if.
        line: Line of the list or place in the catalogue; 0 for a what-if.
        turns: How often the status changed in between, the last time included; 0 for a what-if.
    """

    chip: str
    chip_id: str
    before: Status
    after: Status
    causes: tuple[Cause, ...]
    since: dt.date | None
    line: int = 0
    turns: int = 0


@dataclass(frozen=True, slots=True)
class Same:
    """One row whose status is the same at both ends."""

    line: int
    chip: str
    chip_id: str
    status: Status


@dataclass(frozen=True)
class Changes:
    """What changed in the law between two days, and which chips flipped.

    Attributes:
        since: First day.
        until: Last day.
        destination: ISO code.
        destination_name: English name.
        instruments: Those that took effect in between, the oldest first.
        flips: Chips whose status differs.
        unchanged: How many have the same status.
        problems: Rows of a list that could not be read.
        assumptions: What was filled in.
        overlay: Titles of what-if changes; empty for the law as it is.
    """

    since: dt.date
    until: dt.date
    destination: str
    destination_name: str
    instruments: tuple[Instrument, ...]
    flips: tuple[StatusFlip, ...]
    unchanged: int
    problems: tuple[SkuProblem, ...]
    assumptions: tuple[str, ...]
    evidence_horizon: dt.date
    data_version: str
    overlay: tuple[str, ...] = ()
    disclaimer: str = DISCLAIMER


def changes(
    chips: Sequence[ChipInputs],
    since: dt.date,
    transaction: Transaction,
    law: Law,
    *,
    overlay: Overlay | None = None,
) -> Changes:
    """Compares the status of chips on two days.

    Args:
        chips: From `inputs_of`.
        since: First day.
        transaction: The transaction; its day is the last one.
        law: The law.
        overlay: What-if changes, on both days.

    Raises:
        InputError: The first day is not before the last.
    """
    changed = law if overlay is None else apply_overlay(law, overlay)
    found = list(read_changes(numbered(chips), since, transaction, changed))
    return gathered(found, since, transaction, changed)


def gathered(
    found: Iterable[StatusFlip | Same | SkuProblem],
    since: dt.date,
    transaction: Transaction,
    law: Law,
) -> Changes:
    """What `read_changes` found, with the instruments that took effect in between."""
    flips: list[StatusFlip] = []
    problems: list[SkuProblem] = []
    unchanged = 0
    for item in found:
        if isinstance(item, StatusFlip):
            flips.append(item)
        elif isinstance(item, SkuProblem):
            problems.append(item)
        else:
            unchanged += 1
    case = resolve(law, transaction)
    return Changes(
        since=since,
        until=transaction.on,
        destination=case.destination,
        destination_name=country_name(law, case.destination),
        instruments=instruments_between(law, since, transaction.on),
        flips=tuple(flips),
        unchanged=unchanged,
        problems=tuple(problems),
        assumptions=case.assumptions,
        evidence_horizon=law.horizon,
        data_version=law.version,
        overlay=law.overlay,
    )


def numbered(chips: Iterable[ChipInputs]) -> Iterator[Row]:
    """Chips of the catalogue as the rows of a list."""
    return enumerate(chips, start=1)


def read_changes(
    rows: Iterable[Row], since: dt.date, transaction: Transaction, law: Law
) -> Iterator[StatusFlip | Same | SkuProblem]:
    """Compares the status of every row on two days, in the order of the list.

    Args:
        rows: From `numbered` or `weir.answers.skus.read_skus`.
        since: First day.
        transaction: The transaction; its day is the last one.
        law: The law.

    Raises:
        InputError: The first day is not before the last.
        WeirError: A transaction that is not understood.
    """
    if since >= transaction.on:
        raise InputError(
            f"changes from {since} until {transaction.on}: the first day must come first; "
            "swap the dates"
        )
    resolve(law, transaction)
    return _compared(rows, since, transaction, law)


def _compared(
    rows: Iterable[Row], since: dt.date, transaction: Transaction, law: Law
) -> Iterator[StatusFlip | Same | SkuProblem]:
    stream = iter(rows)
    while block := list(islice(stream, BLOCK)):
        good = [item for item in block if not isinstance(item, SkuProblem)]
        found: list[StatusFlip | Same | SkuProblem] = [
            item for item in block if isinstance(item, SkuProblem)
        ]
        if good:
            found += _flips(good, since, transaction, law)
        yield from sorted(found, key=lambda item: item.line)


def _flips(
    rows: Sequence[tuple[int, ChipInputs]], since: dt.date, transaction: Transaction, law: Law
) -> Iterator[StatusFlip | Same]:
    table = columns([chip for _, chip in rows])
    days = [since, *(day for day in law.breakpoints if since < day <= transaction.on)]
    outcomes = [_settled(table, replace(transaction, on=day), law) for day in days]
    for row, (line, chip) in enumerate(rows):
        told = [status_of(outcome, row) for outcome in outcomes]
        name = chip.name or chip.id
        if told[0] == told[-1]:
            yield Same(line, name, chip.id, told[-1])
            continue
        turns = [n for n in range(1, len(told)) if told[n] != told[n - 1]]
        last = turns[-1]
        yield StatusFlip(
            chip=name,
            chip_id=chip.id,
            before=told[0],
            after=told[-1],
            causes=tuple(causes(outcomes[last - 1], outcomes[last], row)),
            since=days[last],
            line=line,
            turns=len(turns),
        )


def statuses(chips: Sequence[ChipInputs], transaction: Transaction, law: Law) -> list[Status]:
    """The status of each chip on the day of the transaction."""
    outcome = _settled(columns(chips), transaction, law)
    return [status_of(outcome, row) for row in range(len(chips))]


def _settled(chips: ChipColumns, transaction: Transaction, law: Law) -> Outcome:
    return settled(law_on(law, transaction.on), resolve(law, transaction), chips)


def instruments_between(law: Law, since: dt.date, until: dt.date) -> tuple[Instrument, ...]:
    """Instruments that begin, apply or end after the first day and up to the last."""
    found: dict[str, dt.date] = {}
    for instrument in law.instruments.values():
        days = [instrument.effective, instrument.compliance, instrument.superseded]
        days += [day for item in instrument.provisions for day in (item.effective, item.applies)]
        inside = [day for day in days if day is not None and since < day <= until]
        if inside:
            found[instrument.id] = min(inside)
    return tuple(law.instruments[key] for key in sorted(found, key=lambda key: (found[key], key)))


def inputs_of(chips: Iterable[Chip]) -> list[ChipInputs]:
    """What the law reads of chips of the catalogue."""
    return [chip_inputs(chip) for chip in chips]
