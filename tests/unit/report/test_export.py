"""The published files hold the same tables, byte for byte the same each time."""

import csv
import io
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from weir.answers.export import Export, export
from weir.catalog.query import Catalog
from weir.report.export import files_of, metadata, require_parquet, to_sqlite, write_parquet
from weir.report.extras import MissingExtraError


@pytest.fixture(scope="module")
def exported(catalog: Catalog) -> Export:
    return export(catalog)


@pytest.fixture(scope="module")
def files(exported: Export) -> dict[str, bytes]:
    return files_of(exported)


@pytest.fixture(scope="module")
def database(
    exported: Export, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("export") / "weir.sqlite"
    path.write_bytes(to_sqlite(exported))
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def test_two_exports_are_equal_to_the_byte(files: dict[str, bytes]) -> None:
    assert files_of(export(Catalog())) == files


def test_each_table_is_in_each_format(files: dict[str, bytes], exported: Export) -> None:
    for table in exported.tables:
        rows = json.loads(files[f"json/{table.name}.json"])
        assert [tuple(row.values()) for row in rows] == list(table.rows)
        lines = list(csv.reader(io.StringIO(files[f"csv/{table.name}.csv"].decode(), newline="")))
        assert lines[0] == [column.name for column in table.columns]
        assert len(lines) == len(table.rows) + 1


def test_the_database_is_sound_and_whole(database: sqlite3.Connection, exported: Export) -> None:
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    for table in exported.tables:
        rows = database.execute(f'SELECT * FROM "{table.name}"').fetchall()  # noqa: S608
        assert rows == list(table.rows)


def test_the_database_answers_where_a_number_comes_from(database: sqlite3.Connection) -> None:
    found = database.execute(
        "SELECT sources.publisher, chips.name FROM facts JOIN chips ON chips.id = facts.chip "
        "JOIN citations ON citations.record = facts.chip AND citations.key = facts.key "
        "JOIN sources ON sources.id = citations.source "
        "WHERE facts.chip = 'h20-96' AND facts.key = 'memory_bandwidth'"
    ).fetchall()
    assert len(found) > 1
    assert {name for _, name in found} == {"NVIDIA H20 96GB"}


def test_licence_and_attribution_travel_with_the_data(
    files: dict[str, bytes], database: sqlite3.Connection, exported: Export
) -> None:
    about = json.loads(files["metadata.json"])
    assert about["license"] == "CC-BY-4.0"
    assert exported.data_version in about["source"]
    assert "Epoch AI" in files["LICENSE"].decode()
    stored = dict(database.execute("SELECT key, value FROM metadata").fetchall())
    assert stored["license"] == "CC-BY-4.0"
    assert stored["licence_text"].encode() == files["LICENSE"]


def test_metadata_describes_tables_and_columns_that_are_there(exported: Export) -> None:
    described = metadata(exported)["databases"]["weir"]["tables"]  # type: ignore[index]
    for table in exported.tables:
        columns = {column.name for column in table.columns}
        assert described[table.name]["columns"].keys() <= columns


def test_parquet_holds_the_same_values(exported: Export, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="the extra `tables` is not installed")
    (tmp_path / "csv").mkdir()
    for name, content in files_of(exported).items():
        if name.startswith("csv/"):
            (tmp_path / name).write_bytes(content)
    write_parquet(exported, tmp_path)
    for table in exported.tables:
        path = tmp_path / "parquet" / f"{table.name}.parquet"
        found = duckdb.read_parquet(str(path)).fetchall()
        plain = [
            tuple(
                str(c) if k.kind == "date" and c else c
                for c, k in zip(r, table.columns, strict=True)
            )
            for r in found
        ]
        assert plain == list(table.rows), table.name


def test_missing_duckdb_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(MissingExtraError, match=r"chipweir\[tables\]"):
        require_parquet()
