"""A user's own kernel measurements, as `bench/measure_kernels.py` writes them."""

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Final

from weir.catalog.files import read_text
from weir.core.errors import RecordError

# Arguments of each kernel that a row must give; all other shape columns stay empty.
SHAPES: Final[Mapping[str, tuple[str, ...]]] = {
    "gemm": ("m", "n", "k"),
    "attention_prefill": ("batch", "q_tokens", "kv_tokens", "heads", "kv_heads", "head_dim"),
    "attention_decode": ("batch", "kv_tokens", "heads", "kv_heads", "head_dim"),
    "elementwise": ("bytes_read", "bytes_written"),
}
COLUMNS: Final = (
    "chip",
    "framework",
    "kernel",
    "dtype",
    *dict.fromkeys(name for names in SHAPES.values() for name in names),
    "measured_s",
)


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """One measured kernel call.

    Attributes:
        line: Where it stands in the file.
        chip: Chip as the user names it.
        framework: What ran it.
        kernel: A key of `SHAPES`.
        dtype: Kernel format; of attention, the format of the cache.
        shape: Its arguments.
        measured_s: Measured time.
    """

    line: int
    chip: str
    framework: str
    kernel: str
    dtype: str
    shape: Mapping[str, float]
    measured_s: float


def read_measured(path: Path) -> tuple[MeasuredRow, ...]:
    """Reads a CSV file of measurements.

    Raises:
        RecordError: It cannot be read, lacks columns, or holds rows that are not measurements; all
            problems are listed with line and column.
    """
    reader = csv.DictReader(StringIO(read_text(path), newline=""))
    problems: list[str] = []
    rows: list[MeasuredRow] = []
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise RecordError(path, [f"line 1: column '{name}' is missing" for name in missing])
        for entry in reader:
            rows += _row(entry, reader.line_num, problems)
    except csv.Error as error:
        problems.append(f"line {reader.reader.line_num}: {error}")
    if not rows and not problems:
        problems.append("line 2: there are no measurements")
    if problems:
        raise RecordError(path, problems)
    return tuple(rows)


def _row(entry: Mapping[str, str], line: int, problems: list[str]) -> Iterator[MeasuredRow]:
    """The measurement of a line, or none and what is wrong with it."""
    if None in entry or None in entry.values():
        problems.append(f"line {line}: has not one cell for each column of line 1")
        return
    kernel = entry["kernel"]
    if kernel not in SHAPES:
        problems.append(f"line {line}, column kernel: '{kernel}' is none of {', '.join(SHAPES)}")
        return
    before = len(problems)
    if not entry["chip"]:
        problems.append(f"line {line}, column chip: is empty")
    shape = {name: _number(entry, line, name, problems, whole=True) for name in SHAPES[kernel]}
    measured = _number(entry, line, "measured_s", problems)
    if len(problems) == before and shape.get("heads", 0) % shape.get("kv_heads", 1):
        problems.append(
            f"line {line}, column kv_heads: {entry['kv_heads']} does not divide the"
            f" {entry['heads']} heads"
        )
    if len(problems) == before:
        yield MeasuredRow(
            line, entry["chip"], entry["framework"], kernel, entry["dtype"], shape, measured
        )


def _number(
    entry: Mapping[str, str], line: int, name: str, problems: list[str], *, whole: bool = False
) -> float:
    try:
        value = float(entry[name])
    except ValueError:
        value = math.nan
    if not 0.0 < value < math.inf or (whole and not value.is_integer()):
        what = "whole number" if whole else "number"
        problems.append(f"line {line}, column {name}: '{entry[name]}' is not a {what} above zero")
    return value
