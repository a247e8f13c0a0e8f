"""Systems as documents."""

from collections.abc import Iterable

from weir.answers.datasheet import Line
from weir.answers.system_sheet import SystemSheet
from weir.catalog.entities import System
from weir.core.units import format_si
from weir.report.datasheet import STATUS_NOTE
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


def system_document(sheet: SystemSheet) -> Document:
    """Everything known of one system, each fact with status and source."""
    system = sheet.system
    return Document(
        title=system.name,
        lead=system.note or "",
        facts=(
            ("Made of", f"{sheet.chip.name} ({sheet.chip.id})"),
            ("Also called", ", ".join(system.aliases) or "no other names recorded"),
            ("Record", system.id),
            ("Data of", sheet.data_version),
        ),
        sections=(Section("What it is", tuple(_blocks(sheet))),),
        sources=sheet.sources,
    )


def _blocks(sheet: SystemSheet) -> Iterable[Block]:
    yield Table(
        f"Facts about {sheet.system.name}",
        ("", Column("Value", align=RIGHT), "As printed", "Status", "Basis"),
        tuple(_row(line) for line in sheet.lines),
        notes=(STATUS_NOTE,),
    )
    disputes = tuple(
        Item(f"{line.label}: {other.printed}, says another source", cites=other.sources)
        for line in sheet.lines
        for other in line.fact.alternatives
    )
    if disputes:
        yield Section("Where sources differ", (Listing(disputes),))
    if sheet.unknown:
        unknown = ", ".join(sheet.unknown)
        yield Paragraph(f"Unknown (nobody has published it): {unknown}.", weight=Weight.SMALL)


def _row(line: Line) -> tuple[Cell | str, ...]:
    fact = line.fact
    value = Cell(line.text, cites=fact.sources, status=fact.status)
    printed = "" if fact.dimension == "text" else fact.printed
    return line.label, value, printed, fact.status.value, fact.how or fact.note or ""


def system_list_document(systems: Iterable[System], data_version: str) -> Document:
    """Every system of the catalogue in one table."""
    rows = tuple(
        (
            system.id,
            system.chip,
            _cell(system, "chips_per_node"),
            _cell(system, "scale_up_domain"),
            _cell(system, "scale_up_per_direction"),
            _cell(system, "power"),
        )
        for system in systems
    )
    columns = (
        "Id",
        "Chip",
        Column("Chips", align=RIGHT),
        Column("Domain", align=RIGHT),
        Column("Link, per direction", align=RIGHT),
        Column("Power", align=RIGHT),
    )
    return Document(
        title=f"{len(rows)} systems",
        facts=(("Data of", data_version),),
        sections=(Section("Systems", (Table("All systems", columns, rows),)),),
    )


def _cell(system: System, key: str) -> Cell:
    fact = system.facts.get(key)
    if fact is None:
        return Cell("unknown")
    return Cell(format_si(fact.number, fact.dimension), status=fact.status)
