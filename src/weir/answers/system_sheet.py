"""What is this system: the chip it is made of, its facts, and what nobody has published."""

from dataclasses import dataclass

from weir.answers.datasheet import Line, cited_sources, fact_text
from weir.catalog.entities import Chip, System
from weir.catalog.fields import SYSTEM_FIELDS
from weir.catalog.query import Catalog
from weir.core.provenance import Source


@dataclass(frozen=True, slots=True)
class SystemSheet:
    """A system's facts in order, with the documents they cite.

    Attributes:
        system: The node, rack or pod.
        chip: What it is made of.
        lines: One line a known fact.
        unknown: Labels of the facts that nobody has published.
        sources: Every cited document once, in order of first use.
        data_version: Age of the catalogue.
    """

    system: System
    chip: Chip
    lines: tuple[Line, ...]
    unknown: tuple[str, ...]
    sources: tuple[Source, ...]
    data_version: str


def system_sheet(system: System, catalog: Catalog) -> SystemSheet:
    """The sheet of a system.

    Raises:
        UnknownNameError: The system is made of a chip, or cites a source, that the catalogue does
            not have.
    """
    lines = tuple(
        Line(key, SYSTEM_FIELDS[key].group, SYSTEM_FIELDS[key].label, fact, fact_text(fact))
        for key, fact in system.facts.items()
    )
    citations = [
        citation
        for line in lines
        for sources in (line.fact.sources, *(item.sources for item in line.fact.alternatives))
        for citation in sources
    ]
    return SystemSheet(
        system=system,
        chip=catalog.chip(system.chip),
        lines=lines,
        unknown=tuple(SYSTEM_FIELDS[key].label for key in system.unknown_keys),
        sources=cited_sources(citations, catalog),
        data_version=catalog.data_version,
    )
