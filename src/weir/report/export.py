"""The published form of the catalogue: the same tables as JSON, CSV, Parquet and SQLite.

Everything written is a function of the data alone, so that two exports are equal to the byte.
"""

import csv
import io
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from weir.answers.export import Export, ExportColumn, ExportTable, Kind
from weir.report.extras import require

METADATA: Final = "metadata.json"
DATABASE: Final = "weir"
LICENCE: Final = "CC-BY-4.0"
LICENCE_URL: Final = "https://creativecommons.org/licenses/by/4.0/"

_SQLITE_TYPES: Final[Mapping[Kind, str]] = {
    "text": "TEXT",
    "number": "REAL",
    "integer": "INTEGER",
    "flag": "INTEGER",
    "date": "TEXT",
}
_DUCKDB_TYPES: Final[Mapping[Kind, str]] = {
    "text": "VARCHAR",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "flag": "BOOLEAN",
    "date": "DATE",
}


def files_of(export: Export) -> dict[str, bytes]:
    """All but Parquet by path inside the exported folder."""
    files = {
        "LICENSE": export.licence_text.encode(),
        METADATA: _pretty(metadata(export)),
        f"{DATABASE}.sqlite": to_sqlite(export),
    }
    for table in export.tables:
        files[f"json/{table.name}.json"] = _pretty(_records(table))
        files[f"csv/{table.name}.csv"] = table_csv(table).encode()
    return files


def metadata(export: Export) -> dict[str, object]:
    """What datasette shows beside the tables: licence, attribution, meaning of each column."""
    attribution = f"Weir data, {LICENCE}, data of {export.data_version}"
    about: dict[str, object] = {
        "title": "Weir: AI accelerators, language models and export-control law",
        "description": (
            f"Attribute as: {attribution}. Each fact names its sources; documents keep their own "
            "licences, named in the table sources."
        ),
        "license": LICENCE,
        "license_url": LICENCE_URL,
        "source": attribution,
        "data_version": export.data_version,
        "own_records": list(export.own),
        "databases": {DATABASE: {"tables": {t.name: _described(t) for t in export.tables}}},
    }
    if export.own:
        about["description"] = (
            f"{about['description']} Records marked is_own ({len(export.own)}) come from a "
            "user's folder: the licence does not cover them."
        )
    return about


def _described(table: ExportTable) -> dict[str, object]:
    return {
        "description": table.about,
        "columns": {column.name: column.about for column in table.columns if column.about},
    }


def _pretty(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _records(table: ExportTable) -> list[dict[str, object]]:
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows]


def table_csv(table: ExportTable) -> str:
    """One table as CSV; unknown is an empty cell, flags are true and false."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in table.columns])
    for row in table.rows:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def to_sqlite(export: Export) -> bytes:
    """One SQLite file with a foreign key for each reference, which datasette turns into links."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT)")
        described = metadata(export)
        pairs = [(key, value) for key, value in described.items() if isinstance(value, str)]
        pairs.append(("licence_text", export.licence_text))
        connection.executemany("INSERT INTO metadata VALUES (?, ?)", pairs)
        for table in export.tables:
            _fill(connection, table)
        connection.commit()
        connection.execute("VACUUM")
        return connection.serialize()
    finally:
        connection.close()


def _fill(connection: sqlite3.Connection, table: ExportTable) -> None:
    columns = ", ".join(_sqlite_column(column) for column in table.columns)
    connection.execute(f"CREATE TABLE {_quoted(table.name)} ({columns})")
    marks = ", ".join("?" for _ in table.columns)
    connection.executemany(f"INSERT INTO {_quoted(table.name)} VALUES ({marks})", table.rows)  # noqa: S608
    for column in table.columns:
        if column.refers_to:
            index = _quoted(f"{table.name}_{column.name}")
            connection.execute(
                f"CREATE INDEX {index} ON {_quoted(table.name)} ({_quoted(column.name)})"
            )


def _sqlite_column(column: ExportColumn) -> str:
    text = f"{_quoted(column.name)} {_SQLITE_TYPES[column.kind]}"
    if column.name == "id":
        text += " PRIMARY KEY"
    if column.refers_to:
        text += f" REFERENCES {_quoted(column.refers_to)} (id)"
    return text


def _quoted(name: str) -> str:
    """An SQL identifier; names come from our own tables, some of them are words of SQL."""
    return f'"{name}"'


def require_parquet() -> None:
    """Fails at once where Parquet cannot be written.

    Raises:
        MissingExtraError: DuckDB is not installed.
    """
    require("duckdb", "Parquet", "duckdb", "tables")


def write_parquet(export: Export, folder: Path) -> None:
    """Writes `parquet/<table>.parquet` from the `csv/` that already lies in the folder.

    Raises:
        MissingExtraError: DuckDB is not installed.
    """
    duckdb = require("duckdb", "Parquet", "duckdb", "tables")
    (folder / "parquet").mkdir()
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        for table in export.tables:
            types = {column.name: _DUCKDB_TYPES[column.kind] for column in table.columns}
            rows = connection.read_csv(
                str(folder / "csv" / f"{table.name}.csv"),
                header=True,
                delimiter=",",
                quotechar='"',
                escapechar='"',
                columns=types,
                auto_detect=False,
            )
            rows.write_parquet(str(folder / "parquet" / f"{table.name}.parquet"))
