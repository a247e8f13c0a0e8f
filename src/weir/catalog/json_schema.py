"""The records as JSON Schema, so that an editor completes keys and marks mistakes while typing.

The schema of a record comes from `schema`, the facts that it may hold from `fields`; the loader
remains the judge of what a schema cannot say.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel

from weir.catalog.fields import CHIP_FIELDS, PUBLISHED_FIELDS, SYSTEM_FIELDS, Field
from weir.catalog.schema import ChipRecord, ModelRecord, SourceRecord, SystemRecord
from weir.core.provenance import Status
from weir.core.units import UNITS

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

# Record, the table of its facts, and the facts that may stand there.
_RECORDS: Final[Mapping[str, tuple[type[BaseModel], str, Mapping[str, Field]]]] = {
    "chip": (ChipRecord, "facts", CHIP_FIELDS),
    "system": (SystemRecord, "facts", SYSTEM_FIELDS),
    "model": (ModelRecord, "published", PUBLISHED_FIELDS),
    "source": (SourceRecord, "", {}),
}
KINDS: Final = tuple(_RECORDS)


def _needs(statuses: Iterable[str], key: str) -> dict[str, Any]:
    has_status = {"properties": {"status": {"enum": list(statuses)}}, "required": ["status"]}
    return {"if": has_status, "then": {"required": [key]}}


# What `FactRecord` checks beyond the kinds of its keys.
_COMPLETE: Final = [
    {"anyOf": [{"required": [key]} for key in ("value", "low", "high")]},
    {
        "anyOf": [
            {"required": ["sources"]},
            {"required": ["how"]},
            {"required": ["status"], "properties": {"status": {"const": Status.RECALLED.value}}},
        ]
    },
    _needs((Status.DERIVED.value, Status.ESTIMATED.value), "how"),
    _needs((Status.DISPUTED.value,), "alternatives"),
]


def units_of(dimension: str) -> tuple[str, ...]:
    """The units that a fact of a dimension may be printed in."""
    return tuple(unit.symbol for unit in UNITS.values() if unit.dimension == dimension)


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of one of `KINDS`."""
    record, table, fields = _RECORDS[kind]
    schema = {"$schema": DIALECT, **record.model_json_schema()}
    schema["title"] = f"Weir {kind} record"
    if table:
        schema["$defs"]["FactRecord"]["allOf"] = _COMPLETE
        schema["properties"][table] = {
            "type": "object",
            "additionalProperties": False,
            "description": "Facts; one that is not known is left out.",
            "properties": {key: _fact(field) for key, field in fields.items()},
        }
    return schema


def _fact(field: Field) -> dict[str, Any]:
    about = f"{field.group}: {field.label}. {field.about}".strip()
    properties: dict[str, Any] = {"value": _value(field)}
    fact: dict[str, Any] = {"description": about, "properties": properties}
    if field.dimension in {"text", "flag", "date"}:
        properties |= {"unit": False, "low": False, "high": False}
    else:
        fact["description"] = f"{about} In formulas: {field.column}."
        properties["unit"] = {"enum": list(units_of(field.dimension))}
        properties |= {bound: {"type": "number", "minimum": 0} for bound in ("low", "high")}
        if field.dimension != "count":
            fact["required"] = ["unit"]
    return {"$ref": "#/$defs/FactRecord", **fact}


def _value(field: Field) -> dict[str, Any]:
    if field.dimension == "flag":
        return {"type": "boolean"}
    if field.dimension == "date":
        return {"type": "string", "format": "date"}
    if field.dimension == "text":
        return {"enum": list(field.choices)} if field.choices else {"type": "string"}
    return {"type": "number", "minimum": 0}
