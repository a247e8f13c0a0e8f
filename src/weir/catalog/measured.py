"""A user's own kernel measurements, as `bench/measure_kernels.py` writes them."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
        chip: Chip as the user names it.
        framework: What ran it.
        kernel: A key of `SHAPES`.
        dtype: Kernel format; of attention, the format of the cache.
        shape: Its arguments.
        measured_s: Measured time.
    """

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
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise RecordError(path, [f"line 1: column '{name}' is missing" for name in missing])
            problems: list[str] = []
            rows = [_row(entry, reader.line_num, problems) for entry in reader]
    except OSError as error:
        raise RecordError(path, [f"cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise RecordError(path, [f"is not UTF-8 text (byte {error.start})"]) from None
    if not rows and not problems:
        problems.append("line 2: there are no measurements")
    if problems:
        raise RecordError(path, problems)
    return tuple(row for row in rows if row is not None)


def _row(entry: Mapping[str, str], line: int, problems: list[str]) -> MeasuredRow | None:
    kernel = entry["kernel"]
    if kernel not in SHAPES:
        problems.append(f"line {line}, column kernel: '{kernel}' is none of {', '.join(SHAPES)}")
        return None
    before = len(problems)
    numbers = {
        name: _number(entry[name], line, name, problems) for name in (*SHAPES[kernel], "measured_s")
    }
    if len(problems) > before:
        return None
    measured = numbers.pop("measured_s")
    return MeasuredRow(entry["chip"], entry["framework"], kernel, entry["dtype"], numbers, measured)


def _number(text: str, line: int, name: str, problems: list[str]) -> float:
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not (math.isfinite(value) and value > 0.0):
        problems.append(f"line {line}, column {name}: '{text}' is not a number above zero")
    return value
