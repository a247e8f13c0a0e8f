"""Models as documents."""

import dataclasses
from collections.abc import Iterable

from weir.answers.models.card import Agreement, ModelCard
from weir.catalog.entities import Model
from weir.core.provenance import Status
from weir.core.units import GIGA, KILO
from weir.report.document import (
    Align,
    Cell,
    Column,
    Document,
    Paragraph,
    Section,
    Table,
    Weight,
)

RIGHT = Align.RIGHT

_LABELS = {
    "total_parameters": "Total parameters",
    "active_parameters": "Active parameters per token",
    "kv_bytes_per_token": "KV cache per token, bf16",
}


def model_document(card: ModelCard) -> Document:
    """The architecture of one model and what is counted from it."""
    model = card.model
    sized = Table(
        "Counted from the architecture, beside what is published",
        (
            "",
            Column("Counted", align=RIGHT),
            Column("Published", align=RIGHT),
            "Off by",
        ),
        tuple(_agreement(item) for item in card.agreements),
    )
    groups = Table(
        "Parameters by what they do",
        ("Part", Column("Parameters", "billion", RIGHT)),
        tuple(
            (field.name.replace("_", " "), f"{getattr(card.groups, field.name) / GIGA:,.3f}")
            for field in dataclasses.fields(card.groups)
            if getattr(card.groups, field.name)
        ),
    )
    note = (Paragraph(model.note, weight=Weight.SMALL),) if model.note else ()
    return Document(
        title=model.name,
        facts=(
            ("Organisation", model.organisation),
            ("Released", model.released.isoformat() if model.released else "unknown"),
            ("Licence", model.licence or "unknown"),
            ("Record", model.id),
            ("Data of", card.data_version),
        ),
        sections=(Section("Size", (sized, groups, *note)), Section("Make", (_make(model),))),
        sources=card.sources,
    )


def _agreement(item: Agreement) -> tuple[Cell | str, ...]:
    label = _LABELS[item.name]
    computed = _amount(item.name, item.computed)
    if item.published is None or item.difference is None:
        return label, Cell(computed, status=Status.DERIVED), "unknown", ""
    return (
        label,
        Cell(computed, status=Status.DERIVED),
        Cell(
            item.published.printed,
            cites=item.published.sources,
            status=item.published.status,
        ),
        f"{item.difference:+.2%}",
    )


def _amount(name: str, value: float) -> str:
    if name == "kv_bytes_per_token":
        return f"{value / KILO:,.3f} kB"
    return f"{value / GIGA:,.3f} billion"


def _make(model: Model) -> Table:
    shape = model.shape
    rows: list[tuple[Cell | str, ...]] = [
        ("hidden width", Cell(f"{shape.hidden:,}", cites=model.sources, status=model.status)),
        ("vocabulary", f"{shape.vocabulary:,}"),
        ("weights published in", shape.weight_format),
        ("longest context", f"{shape.max_context:,}" if shape.max_context else "unknown"),
    ]
    for layer in model.layers:
        kinds = f"{layer.count} x {layer.attention} + {layer.feed_forward}"
        rows.append(("layers", kinds))
    for label, parts in (("attention", model.attentions), ("feed-forward", model.feed_forwards)):
        for name, part in parts.items():
            rows.append((f"{label} '{name}'", _set_fields(part)))
    return Table("Architecture", ("", "Value"), tuple(rows))


def _set_fields(part: object) -> str:
    items = dataclasses.fields(part)  # type: ignore[arg-type]
    values = {f.name: getattr(part, f.name) for f in items if getattr(part, f.name) != f.default}
    return ", ".join(f"{name} {value}" for name, value in values.items())


def model_list_document(cards: Iterable[ModelCard], data_version: str) -> Document:
    """Every model of the catalogue in one table."""
    rows = tuple(
        (
            card.model.id,
            card.model.name,
            card.model.organisation,
            card.model.released.isoformat() if card.model.released else "unknown",
            f"{card.total.computed / GIGA:,.2f}",
            f"{card.active.computed / GIGA:,.2f}",
            f"{card.kv_bytes_per_token_bf16.computed / KILO:,.3f}",
        )
        for card in cards
    )
    columns = (
        "Id",
        "Name",
        "Organisation",
        "Released",
        Column("Total", "billion", RIGHT),
        Column("Active", "billion", RIGHT),
        Column("KV per token", "kB, bf16", RIGHT),
    )
    return Document(
        title=f"{len(rows)} models",
        facts=(("Data of", data_version),),
        sections=(Section("Models", (Table("All models", columns, rows),)),),
    )
