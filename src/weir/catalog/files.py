"""Reading data files: where the stock is, TOML and text, and what to say when that fails."""

import csv
import re
import textwrap
import tomllib
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any, Final, TypeVar

from weir.core.errors import DateError, RecordError

T = TypeVar("T")

_LINE: Final = re.compile(r"at line (\d+)")
_LONGEST_LINE: Final = 60

STOCK = Path(__file__).resolve().parent.parent / "data"


def read_text(path: Path) -> str:
    """Reads a UTF-8 file, with or without a byte order mark.

    Raises:
        RecordError: The file cannot be opened or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RecordError(path, [f"cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise RecordError(
            path, [f"is not UTF-8 text (byte {error.start}); save it as UTF-8"]
        ) from None


def read_toml(path: Path) -> dict[str, Any]:
    """Reads one TOML file.

    Raises:
        RecordError: The file cannot be opened, is not UTF-8, or is not TOML.
    """
    text = read_text(path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecordError(path, [f"is not valid TOML: {_with_line(str(error), text)}"]) from None


def _with_line(message: str, text: str) -> str:
    """The parser's message with the line it means, because it names no key."""
    place = _LINE.search(message)
    lines = text.splitlines()
    number = int(place[1]) if place else 0
    if not 0 < number <= len(lines) or not lines[number - 1].strip():
        return message
    return f"{message}: {textwrap.shorten(lines[number - 1].strip(), _LONGEST_LINE)}"


def read_table(
    path: Path, columns: tuple[str, ...], parse: Callable[[dict[str, str]], T]
) -> tuple[T, ...]:
    """Reads every row of a CSV file whose columns are fixed, in the order of the file.

    Args:
        path: The file.
        columns: The columns it must have.
        parse: Makes a record of a row, or raises ValueError or DateError with what is wrong.

    Raises:
        RecordError: No such file, other columns, or rows that have not one cell for each column or
            do not parse, each with its line number.
    """
    reader = csv.DictReader(StringIO(read_text(path), newline=""))
    found, problems = [], []
    try:
        if tuple(reader.fieldnames or ()) != columns:
            raise RecordError(path, [f"line 1: columns must be {', '.join(columns)}"])
        for row in reader:
            try:
                found.append(parse(_full(row)))
            except (ValueError, DateError) as error:
                problems.append(f"line {reader.line_num}: {error}")
    except csv.Error as error:
        problems.append(f"line {reader.reader.line_num}: {error}")
    if problems:
        raise RecordError(path, problems)
    return tuple(found)


def _full(row: dict[str, str]) -> dict[str, str]:
    """A row that has one cell for each column."""
    if None in row or None in row.values():
        columns = sum(name is not None for name in row)
        raise ValueError(f"has not {columns} cells; quote a cell that holds a comma")
    return row
