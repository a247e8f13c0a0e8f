"""What is this chip: its facts, each with status and source, and what nobody has published."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from weir.catalog.entities import Chip, Offer
from weir.catalog.fields import CHIP_FIELDS
from weir.catalog.query import Catalog
from weir.core.provenance import Fact, Source
from weir.core.units import format_si


@dataclass(frozen=True, slots=True)
class Line:
    """One fact as a person reads it.

    Attributes:
        key: The key in the data files.
        group: The heading it stands under.
        label: Its name for people.
        fact: The fact itself.
        text: Value in SI with a prefix, or the interval.
    """

    key: str
    group: str
    label: str
    fact: Fact
    text: str


@dataclass(frozen=True, slots=True)
class Datasheet:
    """A chip's facts in order, with the documents they cite.

    Attributes:
        chip: The chip.
        lines: One line a known fact.
        unknown: Labels of the facts that nobody has published.
        offers: Prices asked for it, oldest first.
        sources: Every cited document once, in order of first use.
        data_version: Age of the catalogue.
    """

    chip: Chip
    lines: tuple[Line, ...]
    unknown: tuple[str, ...]
    offers: tuple[Offer, ...]
    sources: tuple[Source, ...]
    data_version: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Chips beside each other: one row a fact, one column a chip; None where unknown."""

    chips: tuple[Chip, ...]
    rows: tuple[tuple[str, str, tuple[Line | None, ...]], ...]
    data_version: str


def datasheet(chip: Chip, catalog: Catalog) -> Datasheet:
    """The datasheet of a chip.

    Raises:
        UnknownNameError: A fact cites a source that the catalogue does not have.
    """
    lines = tuple(_line(key, fact) for key, fact in chip.facts.items())
    offers = tuple(
        sorted((o for o in catalog.offers if o.chip == chip.id), key=lambda o: (o.on, o.price_usd))
    )
    citations = [c for line in lines for c in line.fact.sources]
    citations += [c for line in lines for a in line.fact.alternatives for c in a.sources]
    citations += [c for offer in offers for c in offer.sources]
    return Datasheet(
        chip=chip,
        lines=lines,
        unknown=tuple(CHIP_FIELDS[key].label for key in chip.unknown_keys),
        offers=offers,
        sources=cited_sources(citations, catalog),
        data_version=catalog.data_version,
    )


def compare(chips: Sequence[Chip], catalog: Catalog) -> Comparison:
    """Chips beside each other, only the facts at least one of them has."""
    rows = []
    for key, field in CHIP_FIELDS.items():
        cells = tuple(_line(key, c.facts[key]) if key in c.facts else None for c in chips)
        if any(cells):
            rows.append((field.group, field.label, cells))
    return Comparison(tuple(chips), tuple(rows), catalog.data_version)


def cited_sources(citations: Sequence[str], catalog: Catalog) -> tuple[Source, ...]:
    """The documents behind citations, each once, in order of first use."""
    ids = dict.fromkeys(citation.partition("#")[0] for citation in citations)
    return tuple(catalog.source(identifier) for identifier in ids)


def latest_offer(
    chip: Chip, catalog: Catalog, kind: str, on: dt.date | None = None
) -> Offer | None:
    """The newest offer of a kind, on or before a day where one is given; None without any."""
    of_kind = [o for o in catalog.offers if o.chip == chip.id and o.kind == kind]
    known = [o for o in of_kind if on is None or o.on <= on]
    return max(known, key=lambda offer: offer.on, default=None)


def _line(key: str, fact: Fact) -> Line:
    field = CHIP_FIELDS[key]
    return Line(key, field.group, field.label, fact, fact_text(fact, field.display))


def fact_text(fact: Fact, dimension: str | None = None) -> str:
    """A fact's value for a person, with both bounds where it is an interval.

    Args:
        fact: The fact.
        dimension: What it is written in, such as "op_per_s"; its own dimension if left out.
    """
    if fact.dimension in {"text", "date"}:
        return str(fact.value)
    if fact.dimension == "flag":
        return "yes" if fact.value else "no"
    dimension = dimension or fact.dimension
    if fact.value is None or fact.low != fact.high:
        low, high = format_si(fact.low, dimension), format_si(fact.high, dimension)
        spread = f"{low} to {high}"
        return spread if fact.value is None else f"{format_si(fact.number, dimension)} ({spread})"
    return format_si(fact.number, dimension)
