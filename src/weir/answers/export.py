"""The catalogue as tables: what a reader of the published form gets."""

import dataclasses
import datetime as dt
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from weir.catalog.entities import Entity, Model
from weir.catalog.fields import CHIP_FIELDS, PUBLISHED_FIELDS, SYSTEM_FIELDS, Field
from weir.catalog.files import STOCK, read_text
from weir.catalog.law_stock import stock_law
from weir.catalog.query import Catalog, Shelf
from weir.core.provenance import Fact
from weir.perf.parameters import (
    active_as_published,
    kv_cache_bytes_per_token,
    total_as_published,
)

Kind = Literal["text", "number", "integer", "flag", "date"]
Value = str | float | int | bool | None


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One column.

    Attributes:
        name: Its name; numbers carry their SI unit in it, or have a column `unit_si` beside them.
        kind: What its cells hold; dates are YYYY-MM-DD.
        about: What it means.
        refers_to: The table whose `id` it holds, empty where it is no reference.
    """

    name: str
    kind: Kind
    about: str = ""
    refers_to: str = ""


@dataclass(frozen=True, slots=True)
class ExportTable:
    """One table; a cell is None where nothing is known.

    Attributes:
        name: Its name.
        about: What a row is.
        columns: In order.
        rows: Cells in the order of the columns.
    """

    name: str
    about: str
    columns: tuple[ExportColumn, ...]
    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True, slots=True)
class Export:
    """All tables with what a reader must know to use them.

    Attributes:
        tables: Tables that others refer to come first.
        licence_text: The licence, with the attribution that travels with the data.
        data_version: Age of the catalogue.
        own: Records from a user's folders, which the licence does not cover.
    """

    tables: tuple[ExportTable, ...]
    licence_text: str
    data_version: str
    own: tuple[str, ...]


_ID: Final = ExportColumn("id", "text", "Name of the record")
_OWN: Final = ExportColumn(
    "is_own", "flag", "From a user's folder, not covered by the licence of the stock"
)
_HEAD: Final = (_ID, ExportColumn("name", "text", "What people call it"))
_TAIL: Final = (
    ExportColumn("aliases", "text", "Other names, a JSON list"),
    ExportColumn("note", "text"),
    ExportColumn("verified_on", "date", "Day of the last comparison with the sources"),
    _OWN,
)
_FACT: Final = (
    ExportColumn("key", "text", "Kind of fact"),
    ExportColumn("label", "text", "Its name for people"),
    ExportColumn("value_si", "number", "The number in SI; null for texts and open ranges"),
    ExportColumn("low_si", "number", "Lower bound in SI, equal to the value without a range"),
    ExportColumn("high_si", "number", "Upper bound in SI"),
    ExportColumn("value_text", "text", "The word, date or yes/no where it is no number"),
    ExportColumn("unit_si", "text", "What the number measures, in SI"),
    ExportColumn("printed", "text", "Value and unit as the source prints them"),
    ExportColumn(
        "status", "text", "stated, measured, derived, estimated, disputed or recalled (from memory)"
    ),
    ExportColumn("sources", "text", "Citations 'source#place', a JSON list"),
    ExportColumn("how", "text", "Arithmetic or basis"),
    ExportColumn("note", "text"),
    ExportColumn("alternatives", "text", "What other sources say, a JSON list"),
    ExportColumn("verified_on", "date", "Day of the last comparison with the source"),
)


def export(catalog: Catalog) -> Export:
    """Every record of the catalogue as tables, in order of id.

    Raises:
        RecordError: A broken record of the stock.
    """
    shelves: Sequence[Shelf[Any]] = (
        catalog.sources,
        catalog.chips,
        catalog.systems,
        catalog.models,
    )
    own = (entry.id for shelf in shelves for entry in shelf.entries.values() if entry.layer)
    chips, systems, models = catalog.chips.all(), catalog.systems.all(), catalog.models.all()
    facts = (
        *(("chips", chip.id, chip.facts) for chip in chips),
        *(("systems", system.id, system.facts) for system in systems),
        *(("models", model.id, model.published) for model in models),
    )
    return Export(
        tables=(
            _sources(catalog),
            _chips(catalog),
            _facts("facts", "chip", "chips", [(c.id, c.facts) for c in chips], CHIP_FIELDS),
            _systems(catalog),
            _facts(
                "system_facts",
                "system",
                "systems",
                [(s.id, s.facts) for s in systems],
                SYSTEM_FIELDS,
            ),
            _models(catalog),
            _facts(
                "model_facts",
                "model",
                "models",
                [(m.id, m.published) for m in models],
                PUBLISHED_FIELDS,
            ),
            _offers(catalog),
            _instruments(),
            _citations(facts, models),
        ),
        licence_text=read_text(STOCK / "LICENSE"),
        data_version=catalog.data_version,
        own=tuple(own),
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _day(value: dt.date | None) -> str | None:
    return value.isoformat() if value else None


def _is_own(shelf: Shelf[Any], identifier: str) -> bool:
    return shelf.entries[identifier].layer > 0


def _sources(catalog: Catalog) -> ExportTable:
    columns = (
        _ID,
        ExportColumn("title", "text"),
        ExportColumn("publisher", "text"),
        ExportColumn("kind", "text", "Datasheet, press, measurement …"),
        ExportColumn("licence", "text", "Terms of the document; not of the fact taken from it"),
        ExportColumn("url", "text"),
        ExportColumn("published", "date"),
        ExportColumn("accessed", "date", "Day on which it was read"),
        ExportColumn("quote", "text", "The words that carry the fact"),
        ExportColumn("note", "text"),
        _OWN,
    )
    rows = tuple(
        (
            *(source.id, source.title, source.publisher, source.kind, source.licence, source.url),
            *(_day(source.published), _day(source.accessed), source.quote, source.note),
            _is_own(catalog.sources, source.id),
        )
        for source in catalog.sources.all()
    )
    return ExportTable("sources", "Documents that facts cite", columns, rows)


def _field_columns(fields: Mapping[str, Field]) -> tuple[ExportColumn, ...]:
    kinds: dict[str, Kind] = {"text": "text", "flag": "flag", "date": "date"}
    return tuple(
        ExportColumn(
            field.column,
            kinds.get(field.dimension, "number"),
            f"{field.label}. {field.about}".strip(". ") + ".",
        )
        for field in fields.values()
    )


def _field_cells(record: Entity, fields: Mapping[str, Field]) -> Iterator[Value]:
    for key, field in fields.items():
        fact = record.facts.get(key)
        if fact is None or fact.value is None:
            yield None
        elif field.dimension in {"text", "flag", "date"}:
            yield fact.value
        else:
            yield _number(fact.number)


def _tail(record: Entity | Model, shelf: Shelf[Any]) -> tuple[Value, ...]:
    verified = _day(record.verified_on)
    return (_json(record.aliases), record.note, verified, _is_own(shelf, record.id))


def _chips(catalog: Catalog) -> ExportTable:
    columns = (
        *_HEAD,
        ExportColumn("designer", "text"),
        ExportColumn("generation", "text", "Family whose kernel traits the speed model uses"),
        ExportColumn("ics_per_card", "integer", "Integrated circuits; the law counts each"),
        *_field_columns(CHIP_FIELDS),
        *_TAIL,
    )
    rows = tuple(
        (
            *(chip.id, chip.name, chip.designer, chip.generation, chip.ics_per_card),
            *_field_cells(chip, CHIP_FIELDS),
            *_tail(chip, catalog.chips),
        )
        for chip in catalog.chips.all()
    )
    about = "Accelerators, one column a fact in SI; status and sources stand in the table facts"
    return ExportTable("chips", about, columns, rows)


def _systems(catalog: Catalog) -> ExportTable:
    columns = (
        *_HEAD,
        ExportColumn("chip", "text", refers_to="chips"),
        *_field_columns(SYSTEM_FIELDS),
        *_TAIL,
    )
    rows = tuple(
        (
            *(system.id, system.name, system.chip),
            *_field_cells(system, SYSTEM_FIELDS),
            *_tail(system, catalog.systems),
        )
        for system in catalog.systems.all()
    )
    about = "Nodes, racks and pods; status and sources stand in the table system_facts"
    return ExportTable("systems", about, columns, rows)


def _facts(
    name: str,
    subject: str,
    subjects: str,
    records: Iterable[tuple[str, Mapping[str, Fact]]],
    fields: Mapping[str, Field],
) -> ExportTable:
    columns = (ExportColumn(subject, "text", refers_to=subjects), *_FACT)
    rows = tuple(
        (identifier, key, fields[key].label, *_fact_cells(fact))
        for identifier, facts in records
        for key, fact in facts.items()
    )
    return ExportTable(
        name, f"Facts of {subjects}, one a row, with status and sources", columns, rows
    )


def _fact_cells(fact: Fact) -> tuple[Value, ...]:
    is_word = fact.dimension in {"text", "flag", "date"}
    word = None
    if is_word:
        word = fact.printed if isinstance(fact.value, bool) else str(fact.value)
    return (
        *(_number(fact.number), _number(fact.low), _number(fact.high), word),
        None if is_word else fact.dimension,
        *(fact.printed, fact.status.value, _json(fact.sources), fact.how, fact.note),
        _json([dataclasses.asdict(item) for item in fact.alternatives]),
        _day(fact.verified_on),
    )


def _models(catalog: Catalog) -> ExportTable:
    columns = (
        *_HEAD,
        ExportColumn("organisation", "text"),
        ExportColumn("released", "date"),
        ExportColumn("licence", "text", "Terms of the weights"),
        ExportColumn("layers", "integer"),
        ExportColumn("hidden", "integer", "Hidden width"),
        ExportColumn("vocabulary", "integer"),
        ExportColumn("max_context", "integer", "Tokens; null where unknown"),
        ExportColumn("weight_format", "text"),
        ExportColumn("total_parameters", "number", "Counted from the architecture"),
        ExportColumn("active_parameters", "number", "A token, counted from the architecture"),
        ExportColumn("kv_bytes_per_token", "number", "Counted from the architecture, bf16"),
        ExportColumn("architecture", "text", "Shape, attentions, feed-forwards, layers as JSON"),
        ExportColumn("status", "text", "How the architecture is known"),
        ExportColumn("sources", "text", "Citations, a JSON list"),
        *_TAIL,
    )
    rows = tuple(
        (
            *(model.id, model.name, model.organisation, _day(model.released), model.licence),
            *(model.layer_count, model.shape.hidden, model.shape.vocabulary),
            *(model.shape.max_context or None, model.shape.weight_format),
            *(float(total_as_published(model)), float(active_as_published(model))),
            *(float(kv_cache_bytes_per_token(model)), _architecture(model)),
            *(model.status.value, _json(model.sources)),
            *_tail(model, catalog.models),
        )
        for model in catalog.models.all()
    )
    return ExportTable("models", "Language models", columns, rows)


def _architecture(model: Model) -> str:
    return _json(
        {
            "shape": dataclasses.asdict(model.shape),
            "attentions": {k: dataclasses.asdict(v) for k, v in model.attentions.items()},
            "feed_forwards": {k: dataclasses.asdict(v) for k, v in model.feed_forwards.items()},
            "layers": [dataclasses.asdict(layer) for layer in model.layers],
        }
    )


def _offers(catalog: Catalog) -> ExportTable:
    columns = (
        ExportColumn("chip", "text", refers_to="chips"),
        ExportColumn("kind", "text", "Purchase, or rental per hour"),
        ExportColumn("price_usd", "number"),
        ExportColumn("on", "date"),
        ExportColumn("region", "text"),
        ExportColumn("sources", "text", "Citations, a JSON list"),
        ExportColumn("status", "text"),
        ExportColumn("note", "text"),
    )
    rows = tuple(
        (
            *(offer.chip, offer.kind, offer.price_usd, _day(offer.on), offer.region),
            *(_json(offer.sources), offer.status.value, offer.note or None),
        )
        for offer in catalog.offers
    )
    return ExportTable("offers", "What somebody asked for a chip on a day", columns, rows)


def _instruments() -> ExportTable:
    law = stock_law()
    columns = (
        _ID,
        ExportColumn("title", "text"),
        ExportColumn("kind", "text"),
        ExportColumn("force", "text", "What force of law it has"),
        ExportColumn("jurisdiction", "text"),
        ExportColumn("citation", "text"),
        ExportColumn("published", "date"),
        ExportColumn("effective", "date"),
        ExportColumn("summary", "text"),
        ExportColumn("evidence", "text", "How its words are known"),
        ExportColumn("sources", "text", "Citations, a JSON list"),
    )
    rows = tuple(
        (
            *(item.id, item.title, item.kind, item.force, item.jurisdiction, item.citation),
            *(_day(item.published), _day(item.effective), item.summary, item.evidence),
            _json(item.sources),
        )
        for _, item in sorted(law.instruments.items())
    )
    return ExportTable("instruments", "Rules, letters, guidance and bills", columns, rows)


def _citations(
    facts: Iterable[tuple[str, str, Mapping[str, Fact]]], models: Iterable[Model]
) -> ExportTable:
    columns = (
        ExportColumn("table_name", "text", "Table of the record that cites"),
        ExportColumn("record", "text", "Its id"),
        ExportColumn("key", "text", "Kind of fact; null where the whole record rests on it"),
        ExportColumn("source", "text", refers_to="sources"),
        ExportColumn("place", "text", "Page, table or row"),
        ExportColumn("is_alternative", "flag", "Says something else than the fact"),
    )
    rows = [
        row
        for table, record, known in facts
        for key, fact in known.items()
        for row in _cited(table, record, key, fact)
    ]
    rows += [_citation("models", m.id, None, cited, False) for m in models for cited in m.sources]
    rows += [
        _citation("instruments", identifier, None, cited, False)
        for identifier, item in sorted(stock_law().instruments.items())
        for cited in item.sources
    ]
    return ExportTable("citations", "Which fact rests on which document", columns, tuple(rows))


def _cited(table: str, record: str, key: str, fact: Fact) -> Iterator[tuple[Value, ...]]:
    for cited in fact.sources:
        yield _citation(table, record, key, cited, False)
    for alternative in fact.alternatives:
        for cited in alternative.sources:
            yield _citation(table, record, key, cited, True)


def _citation(
    table: str, record: str, key: str | None, cited: str, is_alternative: bool
) -> tuple[Value, ...]:
    source, _, place = cited.partition("#")
    return (table, record, key, source, place or None, is_alternative)
