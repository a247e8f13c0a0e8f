"""What the catalogue does not know, or knows only weakly: by kind of fact and by record."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from weir.catalog.entities import Chip, Entity, System
from weir.catalog.fields import CHIP_FIELDS, SYSTEM_FIELDS, Field
from weir.catalog.limits import load_limits
from weir.catalog.query import Catalog
from weir.core.provenance import Fact, Status


@dataclass(frozen=True, slots=True)
class Tally:
    """How well a set of facts is known.

    Attributes:
        possible: How many there could be.
        statuses: How many are known in which way.
        stale: How many were not compared with their source for longer than the limit.
    """

    possible: int
    statuses: Mapping[Status, int]
    stale: int

    @property
    def known(self) -> int:
        """How many are known at all."""
        return sum(self.statuses.values())

    @property
    def unknown(self) -> int:
        """How many nobody has published, or nobody has looked up."""
        return self.possible - self.known


@dataclass(frozen=True, slots=True)
class FieldCoverage:
    """One kind of fact over all records that can have it."""

    key: str
    group: str
    label: str
    tally: Tally
    unknown_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordCoverage:
    """One record over all facts that it can have.

    Attributes:
        id: Of the record.
        name: What people call it.
        tally: How well its facts are known.
        unknown: Keys without a fact.
        weak: Keys by status, for what is recalled, estimated or disputed.
        stale: Keys not compared with their source for longer than the limit.
    """

    id: str
    name: str
    tally: Tally
    unknown: tuple[str, ...]
    weak: Mapping[Status, tuple[str, ...]]
    stale: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is known of the hardware in the catalogue.

    Attributes:
        chip_fields: By kind of chip fact.
        chips: By chip.
        system_fields: By kind of system fact.
        systems: By system.
        on: The day from which staleness is measured.
        stale_after_days: What counts as stale.
        data_version: Age of the catalogue.
    """

    chip_fields: tuple[FieldCoverage, ...]
    chips: tuple[RecordCoverage, ...]
    system_fields: tuple[FieldCoverage, ...]
    systems: tuple[RecordCoverage, ...]
    on: dt.date
    stale_after_days: int
    data_version: str


def coverage(catalog: Catalog, on: dt.date) -> Coverage:
    """Counts what is known, unknown, weak and stale.

    Args:
        catalog: The stock, with or without overlays.
        on: The day from which staleness is measured.

    Raises:
        RecordError: A broken record of the stock.
    """
    stale_after = load_limits().stale_after
    oldest = on - stale_after
    chips: list[Chip] = catalog.chips.all()
    systems: list[System] = catalog.systems.all()
    return Coverage(
        chip_fields=_by_field(chips, CHIP_FIELDS, oldest),
        chips=tuple(_record(chip, CHIP_FIELDS, oldest) for chip in chips),
        system_fields=_by_field(systems, SYSTEM_FIELDS, oldest),
        systems=tuple(_record(system, SYSTEM_FIELDS, oldest) for system in systems),
        on=on,
        stale_after_days=stale_after.days,
        data_version=catalog.data_version,
    )


def _by_field(
    records: Iterable[Entity], fields: Mapping[str, Field], oldest: dt.date
) -> tuple[FieldCoverage, ...]:
    listed = list(records)
    found = []
    for key, field in fields.items():
        holders = [record for record in listed if key in record.facts]
        tally = Tally(
            possible=len(listed),
            statuses=Counter(record.facts[key].status for record in holders),
            stale=sum(_is_stale(record, record.facts[key], oldest) for record in holders),
        )
        without = tuple(record.id for record in listed if key not in record.facts)
        found.append(FieldCoverage(key, field.group, field.label, tally, without))
    return tuple(found)


def _record(record: Entity, fields: Mapping[str, Field], oldest: dt.date) -> RecordCoverage:
    stale = tuple(key for key, fact in record.facts.items() if _is_stale(record, fact, oldest))
    return RecordCoverage(
        id=record.id,
        name=record.name,
        tally=Tally(
            possible=len(fields),
            statuses=Counter(fact.status for fact in record.facts.values()),
            stale=len(stale),
        ),
        unknown=tuple(key for key in fields if key not in record.facts),
        weak={
            status: tuple(key for key, fact in record.facts.items() if fact.status is status)
            for status in (Status.ESTIMATED, Status.DISPUTED, Status.RECALLED)
        },
        stale=stale,
    )


def _is_stale(record: Entity, fact: Fact, oldest: dt.date) -> bool:
    """A recalled fact was never compared; it counts as recalled and not as stale."""
    day = fact.verified_on or record.verified_on
    return day is not None and day < oldest
