"""What changed between two days or two laws, and which chips flipped."""

import csv
import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from weir.answers.classify import chip_inputs
from weir.catalog.entities import Chip
from weir.catalog.fields import DTYPE_BITS
from weir.catalog.law import Instrument, Law, Overlay
from weir.core.errors import InputError, WeirError
from weir.core.units import GIGA, TERA
from weir.rules.determination import DISCLAIMER
from weir.rules.inputs import ChipInputs, columns
from weir.rules.many import determine_many
from weir.rules.parameters import apply_overlay
from weir.rules.periods import Cause, Status, causes, settled, status_of
from weir.rules.scene import law_on
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


@dataclass(frozen=True, slots=True)
class StatusFlip:
    """One chip whose status differs.

    Attributes:
        chip: Name.
        chip_id: Id or SKU.
        before: Status on the first day, or under the first law.
        after: Status on the last day, or under the second law.
        causes: What made the difference, empty for a what-if.
        since: First day of the status at the end; None for a what-if.
    """

    chip: str
    chip_id: str
    before: Status
    after: Status
    causes: tuple[Cause, ...]
    since: dt.date | None


@dataclass(frozen=True)
class Changes:
    """What changed in the law between two days, and which chips flipped.

    Attributes:
        since: First day.
        until: Last day.
        destination: As given.
        instruments: Those that took effect in between, the oldest first.
        flips: Chips whose status differs.
        unchanged: How many have the same status.
        assumptions: What was filled in.
    """

    since: dt.date
    until: dt.date
    destination: str
    instruments: tuple[Instrument, ...]
    flips: tuple[StatusFlip, ...]
    unchanged: int
    assumptions: tuple[str, ...]
    evidence_horizon: dt.date
    data_version: str
    disclaimer: str = DISCLAIMER


def changes(
    chips: Sequence[ChipInputs],
    since: dt.date,
    transaction: Transaction,
    law: Law,
    *,
    overlay: Overlay | None = None,
) -> Changes:
    """Compares the status of chips on two days.

    Args:
        chips: From `inputs_of` or `read_skus`.
        since: First day.
        transaction: The transaction; its day is the last one.
        law: The law.
        overlay: What-if changes, on both days.

    Raises:
        InputError: The first day is not before the last.
    """
    until = transaction.on
    if since >= until:
        raise InputError(f"changes from {since} until {until}: the first day must come first")
    changed = law if overlay is None else apply_overlay(law, overlay)
    first, last = (
        resolve(changed, replace(transaction, on=since)),
        resolve(changed, transaction),
    )
    flips: list[StatusFlip] = []
    for chip in chips:
        table = columns([chip])
        before = settled(law_on(changed, since), first, table)
        after = settled(law_on(changed, until), last, table)
        old, new = status_of(before), status_of(after)
        if old != new:
            start = _since(changed, chip, transaction, since, new)
            reasons = tuple(causes(before, after))
            flips.append(StatusFlip(chip.name or chip.id, chip.id, old, new, reasons, start))
    return Changes(
        since=since,
        until=until,
        destination=last.destination,
        instruments=instruments_between(changed, since, until),
        flips=tuple(flips),
        unchanged=len(chips) - len(flips),
        assumptions=last.assumptions,
        evidence_horizon=law.horizon,
        data_version=law.version,
    )


def _since(
    law: Law, chip: ChipInputs, transaction: Transaction, since: dt.date, status: Status
) -> dt.date:
    """The first day of the run of days that ends with the given status."""
    table = columns([chip])
    days = [day for day in law.breakpoints if since < day <= transaction.on]
    for place in range(len(days) - 1, -1, -1):
        earlier = days[place - 1] if place else since
        case = resolve(law, replace(transaction, on=earlier))
        if status_of(settled(law_on(law, earlier), case, table)) != status:
            return days[place]
    return since


def instruments_between(law: Law, since: dt.date, until: dt.date) -> tuple[Instrument, ...]:
    """Instruments that begin, apply or end after the first day and up to the last."""
    found: dict[str, dt.date] = {}
    for instrument in law.instruments.values():
        days = [instrument.effective, instrument.compliance, instrument.superseded]
        days += [day for item in instrument.provisions for day in (item.effective, item.applies)]
        inside = [day for day in days if day is not None and since < day <= until]
        if inside:
            found[instrument.id] = min(inside)
    return tuple(law.instruments[key] for key in sorted(found, key=lambda key: (found[key], key)))


def inputs_of(chips: Iterable[Chip]) -> list[ChipInputs]:
    """What the law reads of chips of the catalogue."""
    return [chip_inputs(chip) for chip in chips]


# --- lists of SKUs ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SkuProblem:
    """A row that could not be read."""

    line: int
    message: str


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


def read_skus(
    lines: Iterable[str], catalogue: Mapping[str, Chip] | None = None
) -> Iterator[tuple[int, ChipInputs] | SkuProblem]:
    """Reads a CSV of SKUs row by row; a bad row is a problem with its line, the others go on.

    Columns are those of `SKU_COLUMNS`; all but `sku` may be missing. `chip` names a chip of the
    catalogue, whose facts hold where the row gives none. A number may be a range "2000..2400".

    Args:
        lines: Lines of the file.
        catalogue: Chips by the names that may stand in `chip`.

    Raises:
        InputError: No header, unknown columns, or no column `sku`.
    """
    reader = csv.DictReader(lines)
    names = reader.fieldnames
    if not names or "sku" not in names:
        raise InputError(f"line 1: the list needs a header with 'sku'; found {names or 'nothing'}")
    unknown = [name for name in names if name not in SKU_COLUMNS]
    if unknown:
        allowed = ", ".join(SKU_COLUMNS)
        raise InputError(
            f"line 1: unknown columns {', '.join(map(str, unknown))}; known: {allowed}"
        )
    for row in reader:
        try:
            yield reader.line_num, _sku(row, catalogue or {})
        except (ValueError, WeirError) as error:
            yield SkuProblem(reader.line_num, str(error))


def _sku(row: Mapping[str, str | None], catalogue: Mapping[str, Chip]) -> ChipInputs:
    if None in row:
        raise ValueError("more cells than columns")
    cells = {key: (value or "").strip() for key, value in row.items()}
    sku = cells.get("sku", "")
    if not sku:
        raise ValueError("sku: is empty")
    base = ChipInputs(sku)
    if cells.get("chip"):
        known = catalogue.get(cells["chip"])
        if known is None:
            raise ValueError(f"chip: '{cells['chip']}' is not in the catalogue")
        base = replace(chip_inputs(known), id=sku)
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
    if any(math.isnan(bound) or math.isinf(bound) for bound in bounds):
        raise ValueError(f"{key}: '{cells[key]}' is not finite; leave it empty where unknown")
    return bounds


def check_skus(
    rows: Iterable[tuple[int, ChipInputs] | SkuProblem], transaction: Transaction, law: Law
) -> Iterator[SkuStatus | SkuProblem]:
    """The status of every row, a block at a time, so that lists of any length stream through."""
    stream = iter(rows)
    while block := list(islice(stream, BLOCK)):
        yield from sorted(_block(block, transaction, law), key=lambda item: item.line)


def _block(
    block: Sequence[tuple[int, ChipInputs] | SkuProblem], transaction: Transaction, law: Law
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
