"""How accurate the kernel model is against measured tables, beside two simple baselines."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.answers.accuracy.calibrate_kernels import FIT_ROWS, machines, read_cases
from weir.catalog.calibration import START, Efficiency, load_efficiency, read_efficiency
from weir.catalog.kernel_tables import KernelTables, installed_tables
from weir.catalog.query import Catalog
from weir.perf.calibration.calibrate import PLANS, leave_one_out
from weir.perf.calibration.cases import PROTOCOL, Case
from weir.perf.calibration.statistics import LARGE_S, Accuracy, TwoNumbers, accuracy, two_numbers

Array = NDArray[np.float64]

# Rows of one kernel, format and chip that are scored, spread evenly over the table.
SCORED_ROWS: Final = 4000
WORST: Final = 20
# Errors below this are of no use in a list of the worst: clocks and launches scatter.
_SHORTEST_WORST_S: Final = 1e-5
_FORMATS_OF_CASE: Final = ("dtype", "kv_dtype", "scope", "library", "variant")

Progress = Callable[[str], None]


@dataclass(frozen=True)
class OpsRow:
    """Accuracy of one kernel in one format under one framework on one chip.

    Attributes:
        kernel: Kernel.
        dtype: Format.
        framework: Framework whose kernels were measured.
        chip: The tables' name of the chip.
        role: "calibration", "test", or "left out": a calibration chip that this fit never saw.
        model: Accuracy of the model.
        large: The same over rows above `LARGE_S`.
        roofline: Accuracy of the peak roofline on the same rows.
        two_numbers: Accuracy of a fixed time and one share of the roofline, fitted on the same
            calibration rows as the model, on the same rows.
        coverage: Share of the rows inside the 80 % interval.
        factor: What the framework's kernels take over those of the reference framework: one number
            a kernel and format, fitted on calibration chips.
    """

    kernel: str
    dtype: str
    framework: str
    chip: str
    role: str
    model: Accuracy
    large: Accuracy
    roofline: Accuracy
    two_numbers: Accuracy
    coverage: float
    factor: float = 1.0


@dataclass(frozen=True)
class WorstCase:
    """One row that the model misses by far.

    Attributes:
        kernel: Kernel.
        dtype: Format.
        chip: Chip.
        shape: Its arguments.
        measured_s: Measured time.
        estimate_s: Estimated time.
    """

    kernel: str
    dtype: str
    chip: str
    shape: str
    measured_s: float
    estimate_s: float


@dataclass(frozen=True)
class Residuals:
    """Measured times and errors of one kernel on the test chips, for a picture.

    Attributes:
        kernel: Kernel.
        measured_s: Measured times.
        log_error: ln(estimate / measured).
    """

    kernel: str
    measured_s: Array
    log_error: Array


@dataclass(frozen=True)
class OpsReport:
    """The accuracy of the kernel model.

    Attributes:
        rows: One entry for each kernel, format, framework, chip and role.
        worst: The largest errors on test chips, longest-lasting kernels only.
        residuals: Errors on test chips by kernel.
        tables: Package and version of the tables.
        scored_rows: Most rows scored of one table, format and chip; 0 for all.
    """

    rows: tuple[OpsRow, ...]
    worst: tuple[WorstCase, ...]
    residuals: tuple[Residuals, ...]
    tables: str
    scored_rows: int


def validate_ops(
    catalog: Catalog | None = None,
    *,
    rows: int = SCORED_ROWS,
    left_out: bool = True,
    frameworks: Sequence[str] | None = None,
    progress: Progress = lambda _: None,
) -> OpsReport:
    """Scores the kernel model on every table that is installed.

    Args:
        catalog: Where the datasheets come from; the stock if not given.
        rows: Most rows of one kernel, format and chip; 0 for all.
        left_out: Also fit without each calibration chip and score that chip.
        frameworks: Frameworks to score; all of them if not given.
        progress: Told what is being done.

    Raises:
        InputError: The tables are not installed or of another version.
    """
    tables = installed_tables()
    every = machines(tables, catalog or Catalog())
    efficiency = load_efficiency()
    roles = {chip.name: chip.calibrates for chip in tables.chips}
    fitted_on = {name: every[name] for name, calibrates in roles.items() if calibrates}
    fit = read_cases(tables, fitted_on, framework=tables.reference, rows=FIT_ROWS, only_fit=True)
    baselines = _baselines(fit, efficiency)
    found: list[OpsRow] = []
    reference: dict[str, list[Case]] = {}
    for framework in frameworks or _frameworks(tables):
        progress(f"scoring {framework}")
        cases = read_cases(tables, every, framework=framework, rows=rows)
        own = framework != tables.reference
        reference = reference if own else cases
        found += _scored(cases, efficiency.under(framework), baselines, roles, own_kernels=own)
    if left_out:
        found += _left_out(fit, reference, baselines, progress)
    tested = [
        case for group in reference.values() for case in group
        if not roles[case.chip] and _serves(efficiency, case)
    ]  # fmt: skip
    return OpsReport(
        rows=tuple(found),
        worst=_worst(tested, efficiency),
        residuals=tuple(_residuals(tested, efficiency)),
        tables=f"{tables.plan['package']} {tables.version}",
        scored_rows=rows,
    )


def _frameworks(tables: KernelTables) -> list[str]:
    names = [name for name in tables.plan["versions"] if name != "nccl"]
    return sorted(names, key=lambda name: (name != tables.reference, name))


def _serves(efficiency: Efficiency, case: Case) -> bool:
    """Whether the model has the case's format and the chip a rate for it."""
    formats = {name.partition("/")[0] for name in efficiency.tables[case.table].dtype}
    return (not case.dtype or case.dtype in formats) and case.has_rate


def _baselines(
    fit: Mapping[str, Sequence[Case]], efficiency: Efficiency
) -> dict[tuple[str, str], TwoNumbers]:
    found = {}
    for kernel, cases in fit.items():
        for dtype in sorted({case.dtype for case in cases}):
            chosen = [case for case in cases if case.dtype == dtype]
            found[kernel, dtype] = two_numbers(chosen, efficiency)
    return found


def _scored(
    cases: Mapping[str, Sequence[Case]],
    efficiency: Efficiency,
    baselines: Mapping[tuple[str, str], TwoNumbers],
    roles: Mapping[str, bool],
    *,
    own_kernels: bool,
) -> Iterator[OpsRow]:
    for kernel, group in cases.items():
        served = [case for case in group if _serves(efficiency, case)]
        for dtype in sorted({case.dtype for case in served}):
            chosen = [case for case in served if case.dtype == dtype]
            factor = _stack_factor(chosen, efficiency, roles) if own_kernels else 1.0
            for case in chosen:
                role = "calibration" if roles[case.chip] else "test"
                yield _row(
                    case, efficiency, baselines.get((kernel, dtype)), role=role, factor=factor
                )


def _stack_factor(
    cases: Sequence[Case], efficiency: Efficiency, roles: Mapping[str, bool]
) -> float:
    """Median of measured over estimated time on calibration chips; one without any."""
    ratios = [
        np.log(case.measured_s / case.estimate(efficiency).time_s)
        for case in cases
        if roles[case.chip]
    ]
    return float(np.exp(np.median(np.concatenate(ratios)))) if ratios else 1.0


def _row(
    case: Case,
    efficiency: Efficiency,
    baseline: TwoNumbers | None,
    *,
    role: str,
    factor: float = 1.0,
) -> OpsRow:
    cost = case.estimate(efficiency)
    estimate, measured = cost.time_s * factor, case.measured_s
    large = measured > LARGE_S
    inside = (cost.low_s * factor <= measured) & (measured <= cost.high_s * factor)
    simple = baseline.estimate(cost.hardware_s) if baseline else np.full_like(measured, np.nan)
    return OpsRow(
        kernel=case.table,
        dtype=case.dtype,
        framework=case.framework,
        chip=case.chip,
        role=role,
        model=accuracy(estimate, measured),
        large=accuracy(estimate[large], measured[large]),
        roofline=accuracy(cost.hardware_s, measured),
        two_numbers=accuracy(simple, measured),
        coverage=float(np.mean(inside)),
        factor=factor,
    )


def _left_out(
    fit: Mapping[str, Sequence[Case]],
    scored: Mapping[str, Sequence[Case]],
    baselines: Mapping[tuple[str, str], TwoNumbers],
    progress: Progress,
) -> Iterator[OpsRow]:
    start = read_efficiency(START)
    for kernel, plan in PLANS.items():
        progress(f"leaving chips out of {kernel}")
        for held in leave_one_out(kernel, fit[kernel], start):
            others = [
                case for case in fit[kernel]
                if case.chip != held.chip and case.dtype == plan.reference
            ]  # fmt: skip
            baseline = two_numbers(others, held.efficiency)
            for case in scored[kernel]:
                if case.chip == held.chip and case.dtype == plan.reference:
                    yield _row(case, held.efficiency, baseline, role="left out")


def _worst(cases: Sequence[Case], efficiency: Efficiency) -> tuple[WorstCase, ...]:
    """The largest errors, at most one of a kernel, format and chip."""
    found = []
    for case in cases:
        estimate = case.estimate(efficiency).time_s
        error = np.abs(np.log(estimate / case.measured_s))
        error = np.where(case.measured_s < _SHORTEST_WORST_S, 0.0, error)
        index = int(np.argmax(error))
        found.append((float(error[index]), case, index, float(estimate[index])))
    found.sort(key=lambda entry: -entry[0])
    return tuple(
        WorstCase(
            case.table, case.dtype, case.chip, _shape(case, index),
            float(case.measured_s[index]), estimate,
        )
        for _, case, index, estimate in found[:WORST]
    )  # fmt: skip


def _shape(case: Case, index: int) -> str:
    parts = []
    for name, value in case.arguments.items():
        if name in (*_FORMATS_OF_CASE, *PROTOCOL):
            continue
        number = value[index] if isinstance(value, np.ndarray) else value
        parts.append(f"{name} {number:g}")
    return ", ".join(parts)


def _residuals(cases: Sequence[Case], efficiency: Efficiency) -> Iterator[Residuals]:
    for kernel in PLANS:
        chosen = [case for case in cases if case.table == kernel]
        if chosen:
            measured = np.concatenate([case.measured_s for case in chosen])
            estimate = np.concatenate([case.estimate(efficiency).time_s for case in chosen])
            yield Residuals(kernel, measured, np.log(estimate / measured))
