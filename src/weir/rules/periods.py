"""The status of chips over time, and which instrument stands behind each change."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weir.catalog.law import Law, Provision
from weir.rules.evaluate import Outcome, eccn_of, evaluate, policy_codes
from weir.rules.inputs import ChipColumns
from weir.rules.logic import NO, YES, Answer, answer, at
from weir.rules.many import Determinations, determine_many
from weir.rules.places import country_name
from weir.rules.scenarios import is_uncertain, refine
from weir.rules.scene import Day, Scene, law_on
from weir.rules.transaction import Case, Transaction


@dataclass(frozen=True, slots=True)
class Status:
    """What a chip's status is, in short."""

    eccn: str
    licence_required: Answer
    policy: str
    exceptions: tuple[str, ...]

    @property
    def text(self) -> str:
        """For people."""
        words = {"none": "not in 3A090", "not yet": "before 3A090"}.get(self.eccn, self.eccn)
        need = {
            Answer.YES: "licence required",
            Answer.NO: "no licence requirement",
            Answer.UNKNOWN: "licence not determined",
        }[self.licence_required]
        policy = f", {self.policy.replace('_', ' ')}" if self.policy else ""
        more = f", exception {', '.join(self.exceptions)}" if self.exceptions else ""
        return f"{words}; {need}{policy}{more}"


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for a change of status."""

    instrument: str
    title: str
    citation: str
    text: str


@dataclass(frozen=True, slots=True)
class StatusPeriod:
    """Days on which the status is the same.

    Attributes:
        start: First day.
        end: Last day; None for the last period.
        status: The status.
        causes: What made it so; empty for the first period.
    """

    start: dt.date
    end: dt.date | None
    status: Status
    causes: tuple[Cause, ...]


def settled(day: Day, case: Case, chips: ChipColumns) -> Outcome:
    """An evaluation whose uncertain rows are settled where all possible worlds agree."""
    outcome = evaluate(Scene(day, case, chips))
    if is_uncertain(chips).any():
        refine(outcome, chips)
    return outcome


def status_of(outcome: Outcome, row: int = 0) -> Status:
    """The status of a row."""
    policies = policy_codes(outcome.scene.day.law)
    licence = answer(outcome.licence, row)
    codes = np.ravel(outcome.policy)
    code = int(codes[row if codes.size > 1 else 0])
    return Status(
        eccn=eccn_of(outcome.paragraphs, row),
        licence_required=licence,
        policy="" if licence is Answer.NO else policies.get(code, "undetermined"),
        exceptions=tuple(
            item.result[0] + ("" if at(outcome.exceptions[item.id], row) == YES else " perhaps")
            for item in outcome.scene.day.of("except")
            if at(outcome.exceptions[item.id], row) != NO
        ),
    )


def periods(
    law: Law, case: Case, chips: ChipColumns, since: dt.date, until: dt.date
) -> tuple[StatusPeriod, ...]:
    """The status of the first row of `chips` from one day to another, both included."""
    starts = [since, *(day for day in law.breakpoints if since < day <= until)]
    found: list[StatusPeriod] = []
    before: Outcome | None = None
    for start in starts:
        moved = case.moved(law, case.transaction.destination, start)
        outcome = settled(law_on(law, start), moved, chips)
        status = status_of(outcome)
        if found and before is not None and found[-1].status == status:
            before = outcome
            continue
        if found and before is not None:
            last = found[-1]
            end = start - dt.timedelta(days=1)
            found[-1] = StatusPeriod(last.start, end, last.status, last.causes)
        reasons = tuple(causes(before, outcome)) if before is not None else ()
        found.append(StatusPeriod(start, None, status, reasons))
        before = outcome
    return tuple(found)


def causes(before: Outcome, after: Outcome, row: int = 0) -> Iterator[Cause]:
    """What of the law changed between two evaluations of the same chips and bears on a row.

    Where nothing that changed bears on it, whatever else began or ended.
    """
    old = {id(item): item for item in before.scene.day.all}
    new = {id(item): item for item in after.scene.day.all}
    begun = [item for key, item in new.items() if key not in old]
    ended = [item for key, item in old.items() if key not in new and not _goes_on(item, new)]
    found = [
        *_told(after, [item for item in begun if _bears(after, item, row)], "begins", row),
        *_told(before, [item for item in ended if _bears(before, item, row)], "ends", row),
    ]
    moves = list(_moves(before, after))
    if not found and not moves:
        found = [
            *_told(after, _controls_first(begun), "begins"),
            *_told(before, _controls_first(ended), "ends"),
        ]
    seen: set[str] = set()
    for item in found:
        if item.instrument not in seen:
            seen.add(item.instrument)
            yield item
    yield from moves


def _controls_first(items: list[Provision]) -> list[Provision]:
    return sorted(items, key=lambda item: item.effect not in {"classify", "require"})


def _told(
    outcome: Outcome, items: list[Provision], verb: str, row: int | None = None
) -> Iterator[Cause]:
    """Items in words, those that hold of the row first; as they come where no row is named."""
    instruments = outcome.scene.day.law.instruments
    items = [item for item in items if item.effect not in {"warn", "tariff"}]

    def weight(item: Provision) -> int:
        if row is None:
            return NO
        return at(outcome.grounds.get(item.id, outcome.scene.test(item.when)), row)

    for item in sorted(items, key=weight, reverse=True):
        instrument = instruments[item.instrument]
        yield Cause(instrument.id, instrument.title, instrument.citation, f"{item.title}: {verb}")


def _goes_on(item: Provision, new: dict[int, Provision]) -> bool:
    return any(other.id == item.id for other in new.values())


def _bears(outcome: Outcome, item: Provision, row: int) -> bool:
    if item.effect == "review":
        asked = any(at(outcome.grounds.get(key, NO), row) != NO for key in item.answers)
        return asked and at(outcome.scene.test(item.when), row) != NO
    return at(outcome.scene.test(item.when), row) != NO


def _moves(before: Outcome, after: Outcome) -> Iterator[Cause]:
    """Changes of country groups of the countries that play a part."""
    law = after.scene.day.law
    case = after.scene.case
    first, last = before.scene.case.on, after.scene.case.on
    for group, memberships in law.groups.items():
        for member in memberships:
            if member.country not in {case.destination, case.consignee, case.parent}:
                continue
            joined = member.period.start is not None and first < member.period.start <= last
            left = member.period.end is not None and first <= member.period.end < last
            if joined or left:
                verb = "joins" if joined else "leaves"
                if not member.is_certain:
                    verb = "is no longer certainly in" if joined else "is certainly out of"
                country = country_name(law, member.country)
                instrument, citation = _behind(law, member.source)
                yield Cause(
                    instrument,
                    f"Country Group {group}",
                    citation,
                    f"{country} {verb} Country Group {group}",
                )


def _behind(law: Law, source: str) -> tuple[str, str]:
    for instrument in law.instruments.values():
        if source and source in instrument.sources:
            return instrument.id, instrument.citation
    return "", source


@dataclass(frozen=True)
class StatusTable:
    """The status of many chips to many destinations in every period of the law.

    Attributes:
        starts: First day of each period.
        destinations: As given.
        found: One row per (period, destination, chip), chips varying fastest.
    """

    starts: tuple[dt.date, ...]
    destinations: tuple[str, ...]
    chips: int
    found: Determinations

    def row(self, period: int, destination: int, chip: int) -> int:
        """The row of a period, destination and chip."""
        return (period * len(self.destinations) + destination) * self.chips + chip


def status_table(
    law: Law,
    chips: ChipColumns,
    destinations: Sequence[str],
    since: dt.date = dt.date.min,
    transaction: Transaction | None = None,
) -> StatusTable:
    """The status of every chip to every destination in every period of the law."""
    days = [day for day in law.breakpoints if day > since]
    starts = (since, *days) if since > dt.date.min else tuple(days)
    count, places = chips.rows, len(destinations)
    shape = (len(starts), places, count)
    rows: NDArray[np.intp] = np.broadcast_to(np.arange(count), shape).ravel()
    on = np.repeat(np.array(starts, "datetime64[D]"), places * count)
    where = np.broadcast_to(np.arange(places)[None, :, None], shape).ravel()
    found = determine_many(law, chips.take(rows), on, destinations, where, transaction)
    return StatusTable(starts, tuple(destinations), count, found)
