"""Rows that stream into CSV or Parquet: written as they come, never held together."""

import csv
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO, Final

from weir.core.errors import InputError
from weir.report.extras import require

FORMATS: Final = (".csv", ".parquet")
_WHOLE_NUMBERS: Final = ("line",)
_DAYS: Final = ("since",)


def ending(path: Path) -> str:
    """What a file name says of its format; `x.CSV` is as good as `x.csv`."""
    return path.suffix.lower()


def check_format(path: Path) -> None:
    """Fails before any work where rows cannot be written under this name.

    Raises:
        InputError: Another ending than those of `FORMATS`.
        MissingExtraError: Parquet without DuckDB.
    """
    if ending(path) not in FORMATS:
        raise InputError(f"--output {path}: rows go to {' or '.join(FORMATS)}; change the ending")
    if ending(path) == ".parquet":
        require("duckdb", "Parquet", "duckdb", "tables")


def write_csv(file: IO[str], columns: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Writes a heading and rows; returns how many. Rows that fail at once leave no heading."""
    stream = iter(rows)
    first = list(islice(stream, 1))
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    count = 0
    for row in chain(first, stream):
        writer.writerow(row)
        count += 1
    return count


def csv_to_parquet(source: Path, target: Path, columns: Sequence[str]) -> None:
    """Rewrites what `write_csv` wrote as Parquet; numbers and days get their types.

    Raises:
        MissingExtraError: DuckDB is not installed.
    """
    duckdb = require("duckdb", "Parquet", "duckdb", "tables")
    types = {
        name: "BIGINT" if name in _WHOLE_NUMBERS else "DATE" if name in _DAYS else "VARCHAR"
        for name in columns
    }
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        rows = connection.read_csv(
            str(source),
            header=True,
            delimiter=",",
            quotechar='"',
            escapechar='"',
            columns=types,
            auto_detect=False,
        )
        rows.write_parquet(str(target))
