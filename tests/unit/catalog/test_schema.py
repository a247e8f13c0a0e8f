import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError

from weir.catalog.architecture import Attention, FeedForward
from weir.catalog.fields import CHIP_FIELDS, DTYPE_BITS, DTYPES, PUBLISHED_FIELDS, SYSTEM_FIELDS
from weir.catalog.schema import FactRecord, SourceRecord
from weir.core.provenance import Status
from weir.core.units import DIMENSIONS

FIELDS = [*CHIP_FIELDS.values(), *SYSTEM_FIELDS.values(), *PUBLISHED_FIELDS.values()]


@pytest.mark.parametrize("value", [700, 700.5, "HBM3", True, False, dt.date(2025, 7, 15)])
def test_a_value_stays_what_it_is_in_the_file(value: Any) -> None:
    record = FactRecord(value=value, sources=("a",))
    assert record.value == value
    assert type(record.value) is type(value)


@pytest.mark.parametrize("bound", [600, 600.5])
def test_a_bound_stays_what_it_is_in_the_file(bound: float) -> None:
    assert type(FactRecord(low=bound, sources=("a",)).low) is type(bound)


@pytest.mark.parametrize(
    "fact",
    [
        {"value": 1, "sources": ("a",)},
        {"value": 1, "status": "recalled"},
        {"value": 1, "how": "2 x 0.5"},
        {"value": 1, "status": "derived", "how": "2 x 0.5"},
        {"low": 1, "sources": ("a",)},
        {"high": 1, "sources": ("a",)},
        {"low": 1, "high": 1, "sources": ("a",)},
    ],
)
def test_a_fact_with_a_source_a_reason_or_a_memory_is_complete(fact: dict[str, Any]) -> None:
    assert FactRecord(**fact)


def test_a_fact_is_stated_where_nothing_else_is_said() -> None:
    assert FactRecord(value=1, sources=("a",)).status is Status.STATED


def test_records_do_not_change() -> None:
    record = FactRecord(value=1, sources=("a",))
    with pytest.raises(ValidationError, match="frozen"):
        record.value = 2


@pytest.mark.parametrize(
    "identifier", ["h20", "h200-sxm", "bis-2023-10-25", "qwen3-30b-a3b", "x.1"]
)
def test_identifiers(identifier: str) -> None:
    source = SourceRecord(
        id=identifier, title="t", publisher="p", kind="rule", accessed=dt.date(2025, 1, 1),
        licence="public domain",
    )  # fmt: skip
    assert source.id == identifier


@pytest.mark.parametrize("identifier", ["", "H20", "-h20", "h 20", "h20#1", "h20/1", "昇腾"])
def test_what_is_no_identifier(identifier: str) -> None:
    with pytest.raises(ValidationError, match="String should match pattern"):
        SourceRecord(
            id=identifier, title="t", publisher="p", kind="rule", accessed=dt.date(2025, 1, 1),
            licence="public domain",
        )  # fmt: skip


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.key)
def test_a_field_measures_what_a_unit_can_measure(field: Any) -> None:
    assert field.dimension in {*DIMENSIONS, "text", "flag", "date"}
    assert field.label
    assert not field.choices or field.dimension == "text"


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.key)
def test_a_column_tells_its_unit_once(field: Any) -> None:
    suffix = f"_{field.dimension}"
    if field.dimension in {"text", "flag", "date", "count", "tpp", "tpp_per_mm2"}:
        assert field.column == field.key
    else:
        assert field.column.endswith(suffix)
        assert not field.column.endswith(suffix * 2)


def test_every_format_has_a_width_and_a_rate() -> None:
    assert set(DTYPE_BITS) == set(DTYPES)
    assert {f"dense_{dtype}" for dtype in DTYPES} <= set(CHIP_FIELDS)


@pytest.mark.parametrize("kind", [Attention, FeedForward])
def test_no_part_of_an_architecture_is_negative(kind: Any) -> None:
    name = "heads" if kind is Attention else "intermediate"
    with pytest.raises(ValueError, match=f"{name} is -1; it cannot be negative"):
        kind(kind="none", **{name: -1})
