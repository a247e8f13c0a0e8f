"""The published schemas are those of the code, and know every fact with its units."""

import json
from pathlib import Path

import pytest

from weir.catalog.fields import CHIP_FIELDS, SYSTEM_FIELDS
from weir.catalog.json_schema import DIALECT, KINDS, json_schema, units_of
from weir.core.units import UNITS

FOLDER = "docs/reference/schema"


@pytest.mark.parametrize("kind", KINDS)
def test_the_published_schema_is_that_of_the_code(kind: str, root: Path) -> None:
    published = json.loads((root / FOLDER / f"{kind}.schema.json").read_text(encoding="utf-8"))
    assert published == json_schema(kind), (
        f"run: weir data schema {kind} -o {FOLDER}/{kind}.schema.json"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_reference_inside_a_schema_leads_somewhere(kind: str) -> None:
    schema = json_schema(kind)
    assert schema["$schema"] == DIALECT
    assert schema["additionalProperties"] is False

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for inner in value.values() for found in references(inner)]
        if isinstance(value, list):
            return [found for inner in value for found in references(inner)]
        return []

    for reference in references(schema):
        assert reference.removeprefix("#/$defs/") in schema["$defs"]


@pytest.mark.parametrize(("kind", "fields"), [("chip", CHIP_FIELDS), ("system", SYSTEM_FIELDS)])
def test_each_fact_has_its_meaning_and_its_units(kind: str, fields: dict) -> None:
    facts = json_schema(kind)["properties"]["facts"]
    assert list(facts["properties"]) == list(fields)
    assert facts["additionalProperties"] is False
    for key, field in fields.items():
        fact = facts["properties"][key]
        assert field.label in fact["description"]
        unit = fact["properties"]["unit"]
        if field.dimension in {"text", "flag", "date"}:
            assert unit is False
        else:
            assert field.column in fact["description"]
            assert all(UNITS[symbol].dimension == field.dimension for symbol in unit["enum"])
            assert ("unit" in fact.get("required", ())) == (field.dimension != "count")


def test_choices_are_listed() -> None:
    fact = json_schema("chip")["properties"]["facts"]["properties"]["availability"]
    assert fact["properties"]["value"] == {"enum": list(CHIP_FIELDS["availability"].choices)}


def test_units_of_a_dimension() -> None:
    assert "TB/s" in units_of("bytes_per_s")
    assert "TB" not in units_of("bytes_per_s")
