"""Lists of SKUs: a CSV in, one row at a time; the status of each row, a block at a time."""

import csv
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from textwrap import shorten
from typing import Final, TypeAlias

import numpy as np

from weir.answers.classify import chip_inputs
from weir.catalog.entities import Chip
from weir.catalog.fields import DTYPE_BITS
from weir.catalog.law import Law
from weir.core.errors import InputError, WeirError, nearest_names
from weir.core.units import GIGA, TERA
from weir.rules.inputs import ChipInputs, columns
from weir.rules.many import determine_many
from weir.rules.transaction import Transaction, resolve

BLOCK = 4096
SPECS = ("tpp", "die_area_mm2", "memory_gb_per_s", "io_gb_per_s")
WORDS = ("marketed_for_datacentre", "commercially_available_us")
SKU_COLUMNS = (
    "sku",
    "chip",
    "name",
    "designer",
    *(f"dense_{dtype}_tops" for dtype in DTYPE_BITS),
    *SPECS,
    *WORDS,
)
_LONGEST_HEADER: Final = 120
UNREADABLE: Final = "\ufffd"  # what stands for bytes that are no text


@dataclass(frozen=True, slots=True)
class SkuProblem:
    """A row that could not be read."""

    line: int
    message: str


Row: TypeAlias = "tuple[int, ChipInputs] | SkuProblem"


@dataclass(frozen=True, slots=True)
class SkuStatus:
    """The status of one row."""

    line: int
    sku: str
    eccn: str
    licence_required: str
    policy: str
    exception: str

    def as_row(self) -> dict[str, str | int]:
        """For CSV and tables."""
        return {
            "line": self.line,
            "sku": self.sku,
            "eccn": self.eccn,
            "licence_required": self.licence_required,
            "review_policy": self.policy,
            "exception": self.exception,
        }


def read_skus(lines: Iterable[str], find: Callable[[str], Chip] | None = None) -> Iterator[Row]:
    """Reads a CSV of SKUs row by row; a bad row is a problem with its line, the others go on.

    Columns are those of `SKU_COLUMNS`; all but `sku` may be missing. `chip` names a chip of the
    catalogue, whose facts hold where the row gives none. A number may be a range "2000..2400".

    Args:
        lines: Lines of the file.
        find: Finds a chip by any of its names, such as `Catalog.chip`.

    Raises:
        InputError: No header, unknown or repeated columns, or no column `sku`.
    """
    reader = csv.DictReader(lines)
    try:
        names = reader.fieldnames
    except csv.Error as error:
        raise InputError(f"line 1: not a row of CSV: {error}") from None
    _check_header(names)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield SkuProblem(reader.reader.line_num, f"not a row of CSV: {error}")
            continue
        try:
            yield reader.line_num, _sku(row, find)
        except (ValueError, WeirError) as error:
            yield SkuProblem(reader.line_num, str(error))


def _check_header(names: Sequence[str] | None) -> None:
    if names and any(UNREADABLE in name for name in names):
        raise InputError("line 1: is not UTF-8 text; save the list as CSV in UTF-8")
    if not names or "sku" not in names:
        hint = "; separate the columns by commas" if names and ";" in names[0] else ""
        found = shorten(", ".join(names), _LONGEST_HEADER) if names else "nothing"
        raise InputError(f"line 1: the list needs a header with 'sku'; found {found}{hint}")
    for name in names:
        if name not in SKU_COLUMNS:
            near = nearest_names(name, SKU_COLUMNS)
            hint = f"did you mean {near[0]}? " if near else ""
            known = ", ".join(SKU_COLUMNS)
            raise InputError(f"line 1: unknown column '{name}'; {hint}known: {known}")
        if list(names).count(name) > 1:
            raise InputError(f"line 1: the column '{name}' stands there twice; keep one")


def _sku(row: Mapping[str | None, str | None], find: Callable[[str], Chip] | None) -> ChipInputs:
    if None in row:
        raise ValueError("more cells than columns")
    cells = {str(key): (value or "").strip() for key, value in row.items()}
    if any(UNREADABLE in text for text in cells.values()):
        raise ValueError("not UTF-8 text; save the list as UTF-8")
    sku = cells.get("sku", "")
    if not sku:
        raise ValueError("sku: is empty")
    base = ChipInputs(sku)
    if cells.get("chip"):
        if find is None:
            raise ValueError("chip: no catalogue to look it up in")
        base = replace(chip_inputs(find(cells["chip"])), id=sku)
    rates = {
        dtype: _range(cells, f"dense_{dtype}_tops", TERA)
        for dtype in DTYPE_BITS
        if cells.get(f"dense_{dtype}_tops")
    }
    facts = {**base.facts, **{_FACT[key]: cells[key] for key in WORDS if cells.get(key)}}
    given = {
        field: _range(cells, key, factor)
        for field, key, factor in (
            ("tpp", "tpp", 1.0),
            ("area_mm2", "die_area_mm2", 1.0),
            ("memory_bytes_per_s", "memory_gb_per_s", GIGA),
            ("io_bytes_per_s", "io_gb_per_s", GIGA),
        )
        if cells.get(key)
    }
    return replace(
        base,
        name=cells.get("name") or base.name or sku,
        designer=cells.get("designer") or base.designer,
        rates_flop_per_s=rates or base.rates_flop_per_s,
        facts=facts,
        **given,  # type: ignore[arg-type]
    )


_FACT = {
    "marketed_for_datacentre": "datacentre",
    "commercially_available_us": "commercially_available_us",
}


def _range(cells: Mapping[str, str], key: str, factor: float) -> tuple[float, float]:
    low, _, high = cells[key].partition("..")
    try:
        bounds = float(low) * factor, float(high or low) * factor
    except ValueError:
        raise ValueError(f"{key}: '{cells[key]}' is not a number or a range LOW..HIGH") from None
    if min(bounds) < 0:
        raise ValueError(f"{key}: '{cells[key]}' cannot be negative")
    if bounds[0] > bounds[1]:
        raise ValueError(f"{key}: '{cells[key]}' has its low end above its high end; swap them")
    if any(math.isnan(bound) or math.isinf(bound) for bound in bounds):
        raise ValueError(f"{key}: '{cells[key]}' is not finite; leave it empty where unknown")
    return bounds


def check_skus(
    rows: Iterable[Row], transaction: Transaction, law: Law
) -> Iterator[SkuStatus | SkuProblem]:
    """The status of every row, a block at a time, so that lists of any length stream through.

    Raises:
        WeirError: At once, a transaction that is not understood.
    """
    resolve(law, transaction)
    return _checked(rows, transaction, law)


def _checked(
    rows: Iterable[Row], transaction: Transaction, law: Law
) -> Iterator[SkuStatus | SkuProblem]:
    stream = iter(rows)
    while block := list(islice(stream, BLOCK)):
        yield from sorted(_block(block, transaction, law), key=lambda item: item.line)


def _block(
    block: Sequence[Row], transaction: Transaction, law: Law
) -> Iterator[SkuStatus | SkuProblem]:
    yield from (item for item in block if isinstance(item, SkuProblem))
    good = [item for item in block if not isinstance(item, SkuProblem)]
    if not good:
        return
    on = np.full(len(good), np.datetime64(transaction.on))
    table = columns([chip for _, chip in good])
    found = determine_many(law, table, on, (transaction.destination,), None, transaction)
    words = ("no", "unknown", "yes")
    for row, (line, chip) in enumerate(good):
        yield SkuStatus(
            line=line,
            sku=chip.id,
            eccn=found.eccn_name(row),
            licence_required=words[int(found.licence_required[row])],
            policy=found.policy_name(row),
            exception=("none", "perhaps", "open")[int(found.exception[row])],
        )
