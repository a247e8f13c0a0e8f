"""Datasheets and comparisons as documents."""

from collections.abc import Iterable

from weir.answers.datasheet import Comparison, Datasheet, Line
from weir.catalog.entities import Chip, Offer
from weir.core.units import format_si
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

STATUS_NOTE = (
    "No mark: stated, a named source prints it; measured; derived = computed from such; "
    "estimated = a judgement; disputed = sources differ; recalled = from memory, not yet checked."
)


def datasheet_document(sheet: Datasheet) -> Document:
    """The whole datasheet of one chip, each number with status and source."""
    chip = sheet.chip
    return Document(
        title=chip.name,
        lead=chip.note or "",
        facts=(
            ("Designer", chip.designer),
            ("Also called", ", ".join(chip.aliases) or "no other names recorded"),
            ("Record", chip.id),
            ("Data of", sheet.data_version),
        ),
        sections=(Section("What it is", datasheet_blocks(sheet)),),
        sources=sheet.sources,
    )


def datasheet_blocks(sheet: Datasheet, keys: Iterable[str] | None = None) -> tuple[Block, ...]:
    """Datasheet table, disputes, prices and unknowns.

    Args:
        sheet: The answer.
        keys: Only these facts, with the status as a mark alone; all facts where None.
    """
    wanted = None if keys is None else set(keys)
    lines = [line for line in sheet.lines if wanted is None or line.key in wanted]
    columns = ("", Column("Value", align=Align.RIGHT), "As printed", "Basis", "Status")
    width = len(columns) if wanted is None else len(columns) - 1
    table = Table(
        caption=f"Facts about {sheet.chip.name}",
        columns=columns[:width],
        rows=tuple(_row(line)[:width] for line in lines),
        notes=(STATUS_NOTE,),
    )
    blocks: list[Block] = [table]
    disputes = [_dispute(line) for line in lines if line.fact.alternatives]
    if disputes:
        blocks.append(Section("Where sources differ", (Listing(tuple(disputes)),)))
    blocks.append(Section("Price", (_offers(sheet.offers),)))
    if sheet.unknown:
        unknown = ", ".join(sheet.unknown)
        blocks.append(
            Paragraph(f"Unknown (nobody has published it): {unknown}.", weight=Weight.SMALL)
        )
    return tuple(blocks)


def _row(line: Line) -> tuple[Cell | str, ...]:
    fact = line.fact
    basis = fact.how or fact.note or ""
    return (
        line.label,
        Cell(line.text, cites=fact.sources, status=fact.status),
        fact.printed,
        basis,
        fact.status.value,
    )


def _dispute(line: Line) -> Item:
    said = tuple(
        Item(
            f"{alternative.printed}" + (f" ({alternative.note})" if alternative.note else ""),
            cites=alternative.sources,
        )
        for alternative in line.fact.alternatives
    )
    return Item(f"{line.label}: {line.text} is used; others say", children=said)


def _offers(offers: tuple[Offer, ...]) -> Block:
    if not offers:
        return Paragraph("No sourced price: cost is left out of every answer for this chip.")
    return Table(
        caption="Prices asked, not facts about the chip",
        columns=("Day", "Kind", Column("Price", "USD", Align.RIGHT), "Where", "Status", "Note"),
        rows=tuple(
            (
                offer.on.isoformat(),
                offer.kind,
                Cell(f"{offer.price_usd:,.2f}", cites=offer.sources, status=offer.status),
                offer.region,
                offer.status.value,
                offer.note,
            )
            for offer in offers
        ),
    )


def comparison_document(comparison: Comparison) -> Document:
    """Chips beside each other."""
    names = [Column(chip.name, align=Align.RIGHT) for chip in comparison.chips]
    columns: tuple[Column | str, ...] = ("", *names)
    rows: tuple[tuple[Cell | str, ...], ...] = tuple(
        (label, *(_cell(line) for line in cells)) for _, label, cells in comparison.rows
    )
    return Document(
        title="Compared: " + ", ".join(chip.name for chip in comparison.chips),
        facts=(("Data of", comparison.data_version),),
        sections=(
            Section("Side by side", (Table("Facts side by side", columns, rows, (STATUS_NOTE,)),)),
        ),
    )


def _cell(line: Line | None) -> Cell:
    if line is None:
        return Cell("unknown")
    return Cell(line.text, status=line.fact.status)


def chip_list_document(chips: Iterable[Chip], data_version: str) -> Document:
    """Every chip of the catalogue in one table."""
    rows = tuple(
        (
            chip.id,
            chip.name,
            chip.designer,
            chip.text("launched") or "unknown",
            chip.text("availability") or "unknown",
            format_si(chip.number("memory_capacity"), "bytes"),
            format_si(chip.number("memory_bandwidth"), "bytes_per_s"),
            Cell(
                format_si(chip.number("dense_bf16"), "flop_per_s"),
                status=chip.facts["dense_bf16"].status if "dense_bf16" in chip.facts else None,
            ),
        )
        for chip in chips
    )
    right = Align.RIGHT
    columns = (
        "Id",
        "Name",
        "Designer",
        "Launch",
        "Status",
        Column("Memory", align=right),
        Column("Bandwidth", align=right),
        Column("BF16 dense", align=right),
    )
    return Document(
        title=f"{len(rows)} chips",
        facts=(("Data of", data_version),),
        sections=(Section("Chips", (Table("All chips", columns, rows),)),),
    )
