"""The published tables hold every record and nothing that the catalogue does not say."""

import json
import math
from pathlib import Path

import pytest

from weir.answers.export import Export, ExportTable, export
from weir.catalog.fields import CHIP_FIELDS
from weir.catalog.query import Catalog


@pytest.fixture(scope="module")
def exported(catalog: Catalog) -> Export:
    return export(catalog)


def table(exported: Export, name: str) -> ExportTable:
    return next(item for item in exported.tables if item.name == name)


def records(exported: Export, name: str) -> list[dict[str, object]]:
    found = table(exported, name)
    names = [column.name for column in found.columns]
    return [dict(zip(names, row, strict=True)) for row in found.rows]


def test_rows_are_as_wide_as_the_columns_and_names_are_unique(exported: Export) -> None:
    for item in exported.tables:
        names = [column.name for column in item.columns]
        assert len(set(names)) == len(names), item.name
        assert all(len(row) == len(names) for row in item.rows), item.name


def test_cells_are_of_the_kind_of_their_column(exported: Export) -> None:
    kinds = {
        "text": (str,),
        "date": (str,),
        "number": (float, int),
        "integer": (int,),
        "flag": (bool,),
    }
    for item in exported.tables:
        for position, column in enumerate(item.columns):
            for row in item.rows:
                cell = row[position]
                assert cell is None or isinstance(cell, kinds[column.kind]), (item.name, column)
                assert not (isinstance(cell, float) and not math.isfinite(cell))


def test_every_record_and_fact_is_there(exported: Export, catalog: Catalog) -> None:
    for name, shelf in (
        ("chips", catalog.chips),
        ("systems", catalog.systems),
        ("models", catalog.models),
        ("sources", catalog.sources),
    ):
        assert [row["id"] for row in records(exported, name)] == list(shelf.entries)
    facts = {(row["chip"], row["key"]): row for row in records(exported, "facts")}
    assert facts.keys() == {(c.id, key) for c in catalog.chips.all() for key in c.facts}
    assert len(records(exported, "offers")) == len(catalog.offers)


def test_a_fact_keeps_what_is_printed_and_its_si_value(exported: Export, catalog: Catalog) -> None:
    facts = {(row["chip"], row["key"]): row for row in records(exported, "facts")}
    row, fact = (
        facts["h20-96", "memory_bandwidth"],
        catalog.chip("h20-96").facts["memory_bandwidth"],
    )
    assert row["value_si"] == fact.number
    assert row["printed"] == fact.printed
    assert row["status"] == "stated"
    assert json.loads(str(row["sources"])) == list(fact.sources)
    disputed = facts["h20-96", "tdp"]
    assert len(json.loads(str(disputed["alternatives"]))) == 2
    wide = next(row for row in records(exported, "chips") if row["id"] == "h20-96")
    assert wide[CHIP_FIELDS["memory_bandwidth"].column] == fact.number
    assert wide["is_hbm"] is True


def test_unknown_is_null_and_never_zero(exported: Export, catalog: Catalog) -> None:
    for row, chip in zip(records(exported, "chips"), catalog.chips.all(), strict=True):
        for key in chip.unknown_keys:
            assert row[CHIP_FIELDS[key].column] is None


def test_references_and_citations_lead_somewhere(exported: Export) -> None:
    ids = {
        item.name: {row[0] for row in item.rows}
        for item in exported.tables
        if item.columns[0].name == "id"
    }
    for item in exported.tables:
        for position, column in enumerate(item.columns):
            if column.refers_to:
                assert {row[position] for row in item.rows} <= ids[column.refers_to], item.name


def test_own_records_are_marked(tmp_path: Path, exported: Export) -> None:
    path = tmp_path / "chips" / "mine.toml"
    path.parent.mkdir()
    path.write_text('id="mine"\nname="Mine"\ndesigner="E"\ngeneration="generic"\n[facts]\n')
    with_own = export(Catalog(tmp_path))
    assert with_own.own == ("mine",)
    assert [row["id"] for row in records(with_own, "chips") if row["is_own"]] == ["mine"]
    assert exported.own == ()


def test_the_licence_is_that_of_the_data(root: Path, exported: Export) -> None:
    assert exported.licence_text == (root / "LICENSE-DATA").read_text(encoding="utf-8")
