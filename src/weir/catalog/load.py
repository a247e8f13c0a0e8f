"""Data files to entities: read, validate, convert to SI; every problem with its file and key."""

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from weir.catalog.entities import Chip, Model, System
from weir.catalog.fields import CHIP_FIELDS, PUBLISHED_FIELDS, SYSTEM_FIELDS, Field
from weir.catalog.files import read_toml
from weir.catalog.schema import (
    AlternativeRecord,
    ChipRecord,
    FactRecord,
    ModelRecord,
    Scalar,
    SourceRecord,
    SystemRecord,
)
from weir.core.dates import parse_date
from weir.core.errors import DateError, RecordError, UnitError, nearest_names
from weir.core.provenance import Alternative, Fact, Source
from weir.core.units import to_si

WORDS = frozenset({"text", "flag", "date"})

R = TypeVar("R", bound=BaseModel)


def validate(record_type: type[R], raw: Mapping[str, Any], path: Path) -> R:
    """Checks a record against its schema; all problems at once.

    Raises:
        RecordError: One line per problem, with the key and, for unknown keys, the nearest known.
    """
    record, problems = _parse(record_type, raw, path)
    if record is None or problems:
        raise RecordError(path, problems)
    return record


def _parse(record_type: type[R], raw: Mapping[str, Any], path: Path) -> tuple[R | None, list[str]]:
    problems: list[str] = []
    identifier = raw.get("id")
    if isinstance(identifier, str) and identifier != path.stem:
        problems.append(f"id: is '{identifier}' but the file is named '{path.stem}'")
    try:
        return record_type.model_validate(raw), problems
    except ValidationError as error:
        return None, [*problems, *(_explain(item, record_type) for item in error.errors())]


def _keys_at(record_type: type[BaseModel], location: Sequence[int | str]) -> Iterable[str]:
    """The keys that the schema allows in the table that a location leads to."""
    kind: Any = record_type
    for part in location:
        if hasattr(kind, "model_fields"):
            kind = kind.model_fields[str(part)].annotation if part in kind.model_fields else None
        else:  # dict[key, kind] or tuple[kind, ...]
            inner = [argument for argument in get_args(kind) if argument is not ...]
            kind = inner[-1] if inner else None
    return [*getattr(kind, "model_fields", ()), *getattr(kind, "__dataclass_fields__", ())]


def _explain(item: ErrorDetails, record_type: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in item["loc"]) or "record"
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        near = nearest_names(str(item["loc"][-1]), _keys_at(record_type, item["loc"][:-1]))
        message = "unknown key" + (f"; did you mean {' or '.join(near)}?" if near else "")
    elif item["type"] == "missing":
        message = "is required"
    elif "input" in item and not isinstance(item["input"], dict | list):
        message = f"{message} (got {item['input']!r})"
    return f"{key}: {message}"


def load_source(path: Path) -> Source:
    """One cited document."""
    record = validate(SourceRecord, read_toml(path), path)
    return Source(**record.model_dump())


def load_chip(path: Path) -> Chip:
    """One chip, its facts in SI.

    Raises:
        RecordError: Unknown keys, wrong units, missing sources …, all of them.
    """
    record, facts = _validate_with_facts(ChipRecord, path, "facts", CHIP_FIELDS)
    return Chip(
        id=record.id,
        name=record.name,
        aliases=record.aliases,
        facts=facts,
        origin=str(path),
        note=record.note,
        verified_on=record.verified_on,
        designer=record.designer,
        generation=record.generation,
        ics_per_card=record.ics_per_card,
    )


def load_system(path: Path) -> System:
    """One node, rack or pod.

    Raises:
        RecordError: As for chips.
    """
    record, facts = _validate_with_facts(SystemRecord, path, "facts", SYSTEM_FIELDS)
    return System(
        id=record.id,
        name=record.name,
        aliases=record.aliases,
        facts=facts,
        origin=str(path),
        note=record.note,
        verified_on=record.verified_on,
        chip=record.chip,
    )


def load_model(path: Path) -> Model:
    """One language model.

    Raises:
        RecordError: As for chips.
    """
    record, facts = _validate_with_facts(ModelRecord, path, "published", PUBLISHED_FIELDS)
    return Model(
        id=record.id,
        name=record.name,
        organisation=record.organisation,
        aliases=record.aliases,
        sources=record.sources,
        status=record.status,
        shape=record.shape,
        attentions=record.attentions,
        feed_forwards=record.feed_forwards,
        layers=record.layers,
        published=facts,
        origin=str(path),
        released=record.released,
        licence=record.licence,
        note=record.note,
        verified_on=record.verified_on,
    )


def _validate_with_facts(
    record_type: type[R], path: Path, table: str, known: Mapping[str, Field]
) -> tuple[R, dict[str, Fact]]:
    """The record and its facts in SI; problems of the schema and of the units in one message."""
    raw = read_toml(path)
    record, problems = _parse(record_type, raw, path)
    facts, more = _facts(raw.get(table) if record is None else getattr(record, table), known, table)
    if record is None or problems or more:
        raise RecordError(path, problems + more)
    return record, facts


def _facts(
    raw: object, known: Mapping[str, Field], table: str
) -> tuple[dict[str, Fact], list[str]]:
    """Facts in the order of the fields, and what is wrong beyond the schema.

    Takes a table of records, or of what stands in the file where that is broken elsewhere.
    """
    facts: dict[str, Fact] = {}
    problems: list[str] = []
    for key, item in raw.items() if isinstance(raw, dict) else ():
        field = known.get(key)
        if field is None:
            near = nearest_names(key, known)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            problems.append(f"{table}.{key}: unknown fact{hint}")
            continue
        try:
            facts[key] = to_fact(FactRecord.model_validate(item), field)
        except ValidationError:
            continue  # the schema has complained already
        except (UnitError, DateError, ValueError) as error:
            problems.append(f"{table}.{key}: {error}")
    return {key: facts[key] for key in known if key in facts}, problems


def to_fact(record: FactRecord, field: Field) -> Fact:
    """Converts one fact record to SI.

    Raises:
        UnitError: The unit does not fit the field.
        ValueError: The value is not of the field's kind.
    """
    value, low, high = _convert(record, field)
    return Fact(
        name=field.key,
        value=value,
        dimension=field.dimension,
        printed=_printed(record.value, record.low, record.high, record.unit),
        status=record.status,
        sources=record.sources,
        low=low,
        high=high,
        how=record.how,
        note=record.note,
        alternatives=tuple(_alternative(item, field, record.unit) for item in record.alternatives),
        verified_on=record.verified_on,
    )


def _convert(record: FactRecord, field: Field) -> tuple[float | str | bool | None, float, float]:
    if field.dimension in WORDS:
        if record.unit or record.low is not None or record.high is not None:
            raise ValueError(f"is a {field.dimension}: it takes a value and no unit, low or high")
        return _word(record.value, field), math.nan, math.nan
    for item in (_number(record.value), record.low, record.high):
        if item is not None and item < 0:
            raise ValueError(f"cannot be negative, but is {item}")
    unit = record.unit or ("count" if field.dimension == "count" else "")
    if not unit:
        raise UnitError(f"needs a unit of {field.dimension}")

    def convert(item: float | None) -> float:
        return math.nan if item is None else to_si(item, unit, field.dimension)

    value = convert(_number(record.value))
    low = value if record.low is None else convert(record.low)
    high = value if record.high is None else convert(record.high)
    if not math.isnan(value) and (low > value or high < value):
        raise ValueError(f"value {record.value} is outside {record.low} to {record.high}")
    return (None if math.isnan(value) else value), low, high


def _number(value: Scalar | None) -> float | None:
    if isinstance(value, bool | str | dt.date):
        raise ValueError(f"must be a number, not {value!r}")
    return value


def _word(value: Scalar | None, field: Field) -> str | bool:
    if field.dimension == "flag":
        if not isinstance(value, bool):
            raise ValueError(f"must be true or false, not {value!r}")
        return value
    if field.dimension == "date":
        return (value if isinstance(value, dt.date) else parse_date(str(value))).isoformat()
    if not isinstance(value, str):
        raise ValueError(f"must be a text in quotes, not {value!r}")
    word = value
    if field.choices and word not in field.choices:
        raise ValueError(f"'{word}' is not one of {', '.join(field.choices)}")
    return word


def _alternative(item: AlternativeRecord, field: Field, unit: str | None) -> Alternative:
    value: float | str
    if field.dimension in WORDS:
        value = str(item.value)
    else:
        chosen = item.unit or unit or ("count" if field.dimension == "count" else "")
        value = to_si(_number(item.value) or 0.0, chosen, field.dimension)
    printed = _printed(item.value, None, None, item.unit or unit)
    return Alternative(value=value, printed=printed, sources=item.sources, note=item.note)


def _printed(value: Scalar | None, low: float | None, high: float | None, unit: str | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        number = f"{value:,}" if abs(value) >= 1 or value == 0 else f"{value}"
    else:
        number = "" if value is None else str(value)
    if value is None:
        number = (
            f"{low:,} to {high:,}"
            if low is not None and high is not None
            else (f"at least {low:,}" if low is not None else f"at most {high:,}")
        )
    return f"{number} {unit}" if unit and unit != "count" else number
