"""Fits the kernel model to the installed measured tables and writes the calibration files."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from weir.answers.machines import machine_of
from weir.catalog.calibration import START, Efficiency, read_efficiency
from weir.catalog.kernel_tables import KernelTables, installed_tables
from weir.catalog.query import Catalog
from weir.perf.calibration.calibrate import (
    PLANS,
    Held,
    fit_kernel,
    leave_formats_out,
    leave_one_out,
    with_format_kin,
    with_intervals,
    with_scaled,
)
from weir.perf.calibration.cases import TABLES, Case, spread_rows
from weir.perf.calibration.recurrent_cases import TABLES as RECURRENT
from weir.perf.calibration.sparse_cases import TABLES as SPARSE
from weir.perf.calibration.text import to_toml
from weir.perf.machine import Machine

KERNELS: Final = "kernels.toml"
MANIFEST: Final = "manifest.toml"
# Rows of one kernel, format and chip that a fit reads.
FIT_ROWS: Final = 1500
_READERS: Final = {**TABLES, **RECURRENT, **SPARSE}

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Calibration:
    """The outcome of all fits.

    Attributes:
        efficiency: Fitted parameters with their intervals.
        held: By kernel, fits without one chip each.
        rows: By kernel, rows that the fits read.
        version: Version of the tables.
        sha256: Hash of the table files that were read.
    """

    efficiency: Efficiency
    held: Mapping[str, tuple[Held, ...]]
    rows: Mapping[str, int]
    version: str
    sha256: str


def machines(tables: KernelTables, catalog: Catalog) -> dict[str, Machine]:
    """The machine of every chip of the tables, by the tables' name."""
    return {
        chip.name: machine_of(catalog.chip(chip.record), catalog).machine for chip in tables.chips
    }


def read_cases(
    tables: KernelTables,
    chips: Mapping[str, Machine],
    *,
    framework: str,
    rows: int,
    only_fit: bool = False,
) -> dict[str, list[Case]]:
    """Measured cases by kernel.

    Args:
        tables: The installed tables.
        chips: Chips to read, by the tables' name.
        framework: Framework whose kernels to read.
        rows: Most rows of one kernel, format and chip; 0 for all.
        only_fit: Leave out rows that no fit may use.
    """
    found: dict[str, list[Case]] = {}
    for table, cases_of in _READERS.items():
        for name, machine in chips.items():
            source = tables.source(table, name, framework)
            columns = tables.read(table, name, source, fit=only_fit) if source else None
            if source is None or columns is None:
                continue
            for case in cases_of(columns, machine, name, source):
                taken = case.take(spread_rows(len(case.measured_s), rows)) if rows else case
                if len(taken.measured_s):
                    _add(found.setdefault(taken.table, []), taken)
    return found


def _add(cases: list[Case], case: Case) -> None:
    """Adds a case, to its like from another table if there is one: a chip counts once."""
    for index, there in enumerate(cases):
        if there.is_like(case):
            cases[index] = there.joined(case)
            return
    cases.append(case)


def calibrate(
    catalog: Catalog | None = None, *, rows: int = FIT_ROWS, progress: Progress = lambda _: None
) -> Calibration:
    """Fits every kernel to the calibration chips.

    Args:
        catalog: Where the datasheets come from; the stock if not given.
        rows: Rows of one kernel, format and chip.
        progress: Told what is being done.

    Raises:
        InputError: The tables are not installed or of another version.
    """
    tables = installed_tables()
    every = machines(tables, catalog or Catalog())
    chips = {chip.name: every[chip.name] for chip in tables.chips if chip.calibrates}
    cases = read_cases(tables, chips, framework=tables.reference, rows=rows, only_fit=True)
    efficiency = read_efficiency(START)
    held: dict[str, tuple[Held, ...]] = {}
    for kernel in PLANS:
        progress(f"fitting {kernel}")
        efficiency, held[kernel] = _one_kernel(kernel, cases[kernel], efficiency)
    return Calibration(
        efficiency=with_scaled(with_format_kin(efficiency), efficiency.scaled),
        held=held,
        rows={kernel: _count(cases[kernel]) for kernel in PLANS},
        version=tables.version,
        sha256=tables.sha256(),
    )


def _one_kernel(
    kernel: str, cases: Sequence[Case], start: Efficiency
) -> tuple[Efficiency, tuple[Held, ...]]:
    fitted = fit_kernel(kernel, cases, start)
    held = tuple(leave_one_out(kernel, cases, start))
    formats = tuple(leave_formats_out(kernel, cases, fitted, start))
    return with_intervals(kernel, cases, fitted, held, formats), held


def _count(cases: Sequence[Case]) -> int:
    return sum(len(case.measured_s) for case in cases)


def files(calibration: Calibration, *, today: dt.date) -> dict[str, str]:
    """The parameters and their manifest, by file name.

    Args:
        calibration: What was fitted.
        today: The day to note.
    """
    tables = installed_tables()
    chips = ", ".join(f'"{chip.name}"' for chip in tables.chips if chip.calibrates)
    manifest = [
        "# What `weir calibrate` read for kernels.toml; do not edit.",
        f'package = "{tables.plan["package"]}"',
        f'version = "{calibration.version}"',
        f'licence = "{tables.plan["licence"]}"',
        f'sha256 = "{calibration.sha256}"',
        f'framework = "{tables.reference}"',
        f"chips = [{chips}]",
        f"date = {today.isoformat()}",
        "",
        "[rows]",
        *(f"{kernel} = {count}" for kernel, count in calibration.rows.items()),
        "",
    ]
    return {KERNELS: to_toml(calibration.efficiency), MANIFEST: "\n".join(manifest)}
