"""Request traces in the formats people publish them in.

A format is known by its columns: the Azure LLM inference traces (CSV), Mooncake's (JSON lines with
block hashes), BurstGPT's and Vidur's (CSV), and plain pairs of lengths, as people derive them from
ShareGPT. Text is not counted here: a number of tokens depends on the model's tokeniser.
"""

import csv
import datetime as dt
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weir.catalog.files import read_text
from weir.core.errors import InputError, RecordError
from weir.core.words import counted

_MOST_SHOWN: Final = 20
_MS_PER_S: Final = 1000.0
# Mooncake's published traces hash prompts in blocks of this many tokens.
_MOONCAKE_BLOCK_TOKENS: Final = 512


@dataclass(frozen=True)
class Trace:
    """Requests that were recorded, in order of arrival.

    Attributes:
        origin: The file.
        format: Name of its format.
        arrival_s: Seconds since the first request; None where the file has no times.
        prompt_tokens: Prompt of each request.
        output_tokens: Answer of each request.
        block_hashes: Ids of the prompt's blocks, equal where prefixes are equal; None where the
            file has none.
        hash_block_tokens: Tokens of such a block.
        problems: Lines that were left out, each with its number and why.
    """

    origin: str
    format: str
    arrival_s: NDArray[np.float64] | None
    prompt_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    block_hashes: tuple[tuple[int, ...], ...] | None = None
    hash_block_tokens: int = _MOONCAKE_BLOCK_TOKENS
    problems: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.prompt_tokens.size)


@dataclass(frozen=True, slots=True)
class _Format:
    """Columns of one format, and how its times become seconds."""

    name: str
    prompt: str
    output: str
    time: str | None
    seconds: Callable[[object], float]
    hashes: str | None = None


def _clock(value: object) -> float:
    """Seconds of a date and time; without an offset it is taken as UTC."""
    moment = dt.datetime.fromisoformat(str(value).strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return moment.timestamp()


def _number(value: object) -> float:
    return float(str(value))


def _milliseconds(value: object) -> float:
    return _number(value) / _MS_PER_S


# The first format whose columns are all there is taken, so those with times stand first.
_FORMATS: Final = (
    _Format("Azure LLM inference", "ContextTokens", "GeneratedTokens", "TIMESTAMP", _clock),
    _Format("Mooncake", "input_length", "output_length", "timestamp", _milliseconds, "hash_ids"),
    _Format("BurstGPT", "Request tokens", "Response tokens", "Timestamp", _number),
    _Format("Vidur", "num_prefill_tokens", "num_decode_tokens", "arrived_at", _number),
    _Format("Vidur lengths", "num_prefill_tokens", "num_decode_tokens", None, _number),
    _Format("lengths with times", "prompt_tokens", "output_tokens", "arrival_s", _number),
    _Format("lengths", "prompt_tokens", "output_tokens", None, _number),
    _Format("lengths", "input_tokens", "output_tokens", None, _number),
    _Format("lengths", "prompt_len", "output_len", None, _number),
    _Format("lengths", "input_length", "output_length", None, _number),
)


@dataclass(frozen=True, slots=True)
class _Row:
    time_s: float
    prompt: int
    output: int
    hashes: tuple[int, ...]


def read_trace(path: Path, *, skip_broken: bool = False) -> Trace:
    """Reads a trace; its format is known by its columns.

    Lines need not be in order of time; they are sorted, and times count from the first.

    Args:
        path: A CSV file with a header, or JSON lines.
        skip_broken: Leave broken lines out and say so in `Trace.problems`, instead of failing.

    Raises:
        RecordError: The file cannot be read, its format is unknown, no line is left, or lines are
            broken and `skip_broken` is not set; with their numbers.
    """
    text = read_text(path)
    first = text.lstrip()[:1]
    if not first:
        raise RecordError(path, ["is empty"])
    if first == "[":
        raise RecordError(
            path,
            [
                "is one JSON array; a trace needs one JSON object per line, with token counts "
                "(text must be counted with the model's tokeniser first)"
            ],
        )
    lines = _json_lines(text) if first == "{" else _csv_lines(text)
    return _collect(path, lines, skip_broken=skip_broken)


_Line = tuple[int, Mapping[str, Any] | str]


def _json_lines(text: str) -> Iterator[_Line]:
    """Number and object of each line, or what is wrong with it."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            yield number, f"is not JSON: {error.msg} (column {error.colno})"
            continue
        except RecursionError:
            yield number, "is nested too deeply for a request"
            continue
        yield number, value if isinstance(value, dict) else "is not a JSON object"


def _csv_lines(text: str) -> Iterator[_Line]:
    """Number and fields of each line after the header, or what is wrong with it."""
    reader = csv.reader(text.splitlines())
    header: list[str] = []
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, f"is not CSV: {error}"
            continue
        if not any(field.strip() for field in fields):
            continue
        if not header:
            header = [field.strip() for field in fields]
        elif len(fields) != len(header):
            wanted = f"{len(header)} fields as in the header"
            yield reader.line_num, f"has {len(fields)} fields, not the {wanted}"
        else:
            yield reader.line_num, dict(zip(header, fields, strict=True))


def _collect(path: Path, lines: Iterator[_Line], *, skip_broken: bool) -> Trace:
    rows: list[_Row] = []
    problems: list[str] = []
    known: _Format | None = None
    for number, line in lines:
        if isinstance(line, str):
            problems.append(f"line {number}: {line}")
            continue
        if known is None:
            known = _format_of(path, number, line)
        try:
            rows.append(_row(line, known))
        except InputError as error:
            problems.append(f"line {number}: {error}")
    if problems and not (skip_broken and rows):
        shown = problems[:_MOST_SHOWN]
        if len(problems) > len(shown):
            shown.append(f"and {counted(len(problems) - len(shown), 'more broken line')}")
        if rows:
            good = f"{counted(len(rows), 'line')} {'is' if len(rows) == 1 else 'are'} good"
            shown.append(f"the other {good}; skip the broken ones to run them")
        raise RecordError(path, shown)
    if known is None or not rows:
        raise RecordError(path, ["has no requests"])
    rows.sort(key=lambda row: row.time_s)
    times = np.array([row.time_s for row in rows])
    return Trace(
        origin=str(path),
        format=known.name,
        arrival_s=None if known.time is None else times - times[0],
        prompt_tokens=np.array([row.prompt for row in rows], dtype=np.int64),
        output_tokens=np.array([row.output for row in rows], dtype=np.int64),
        block_hashes=tuple(row.hashes for row in rows) if known.hashes else None,
        problems=tuple(problems),
    )


def _format_of(path: Path, number: int, line: Mapping[str, Any]) -> _Format:
    for known in _FORMATS:
        needed = (known.prompt, known.output, known.time, known.hashes)
        if all(name is None or name in line for name in needed):
            return known
    accepted = "; ".join(
        f"{known.name}: {', '.join(filter(None, (known.time, known.prompt, known.output)))}"
        for known in _FORMATS
    )
    raise RecordError(
        path,
        [
            f"line {number}: no known format has the columns {', '.join(line) or 'given'} "
            f"(accepted are {accepted})"
        ],
    )


def _row(line: Mapping[str, Any], known: _Format) -> _Row:
    """One request.

    Raises:
        InputError: A value is missing or makes no sense.
    """
    time_s = 0.0 if known.time is None else _value(line, known.time, known.seconds)
    hashes: tuple[int, ...] = ()
    if known.hashes is not None:
        raw = line.get(known.hashes)
        if not isinstance(raw, list) or not all(type(item) is int for item in raw):
            raise InputError(f"{known.hashes} must be a list of whole numbers")
        hashes = tuple(raw)
    return _Row(time_s, _tokens(line, known.prompt), _tokens(line, known.output), hashes)


def _value(line: Mapping[str, Any], name: str, convert: Callable[[object], float]) -> float:
    if line.get(name) is None:
        raise InputError(f"{name} is missing")
    try:
        value = convert(line[name])
    except (ValueError, OverflowError):
        raise InputError(f"{name} cannot be understood (got {line[name]!r})") from None
    if not math.isfinite(value):
        raise InputError(f"{name} must be finite (got {line[name]!r})")
    return value


def _tokens(line: Mapping[str, Any], name: str) -> int:
    value = _value(line, name, _number)
    if value != int(value) or value < 1:
        raise InputError(f"{name} must be a whole number of at least 1 (got {line[name]!r})")
    return int(value)
