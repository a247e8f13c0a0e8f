"""A framework's own kernels over those the model prices, from the measured kernel tables."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.answers.accuracy.calibrate_kernels import machines, read_cases
from weir.answers.accuracy.serving_sample import calibration_chips
from weir.catalog.calibration import load_efficiency
from weir.catalog.kernel_tables import installed_tables
from weir.catalog.query import Catalog
from weir.catalog.stack import KernelFactors
from weir.perf.calibration.cases import Case
from weir.perf.calibration.least_squares import minimise
from weir.perf.kernels.efficiency import Efficiency

Array = NDArray[np.float64]

# Kernels that frameworks bring along; collectives are those of the library.
KERNELS: Final = (
    "gemm",
    "attention_prefill",
    "attention_decode",
    "mla_prefill",
    "mla_decode",
    "moe_gemm",
    "linear_prefill",
    "linear_decode",
)
# Rows of a step at which a kernel counts as one of decoding, and of prompts.
FEW_ROWS: Final = 256
ROWS: Final = 3000
# The argument that counts the rows of a step; the others run in one phase only.
_ROWS_OF: Final = {"gemm": "m", "moe_gemm": "tokens", "linear_prefill": "tokens"}
_FEWEST: Final = 20
# Largest logarithm of a factor, the error at which the loss bends, and how strongly the factors of
# a kernel are held together.
_WIDEST: Final = 3.0
_BEND: Final = 0.2
_PULL: Final = 0.1


@dataclass(frozen=True, slots=True)
class KernelRows:
    """Rows of one kernel: the parts of the priced time, measured time, and which are few."""

    launch_s: Array
    groups_s: Array
    work_s: Array
    measured_s: Array
    is_few: NDArray[np.bool_]

    def joined(self, other: "KernelRows") -> "KernelRows":
        """These rows and others."""
        return KernelRows(
            *(
                np.concatenate([getattr(self, item.name), getattr(other, item.name)])
                for item in fields(self)
            )
        )


def framework_kernels(
    framework: str, catalog: Catalog, efficiency: Efficiency | None = None
) -> Mapping[str, KernelFactors]:
    """What a framework's kernels take over the priced ones, by "kernel/format/generation".

    A call that measures long because of its launches says nothing of its work, and the other way
    round, so both are fitted apart, robustly and in logarithms. Only the calibration chips' tables
    are read, of the framework's current version.

    Args:
        framework: Key of the framework.
        catalog: Where the datasheets are.
        efficiency: Parameters of the kernels; those of the stock if left out.

    Raises:
        InputError: The tables are not installed.
    """
    tables = installed_tables()
    efficiency = load_efficiency() if efficiency is None else efficiency
    every = machines(tables, catalog)
    chips = {name: every[name] for name in calibration_chips()}
    cases = read_cases(tables, chips, framework=framework, rows=ROWS, only_fit=True)
    found: dict[str, KernelRows] = {}
    for kernel in KERNELS:
        for case in cases.get(kernel, []):
            key = f"{kernel}/{_form(case)}/{case.machine.generation}"
            rows = _rows(case, efficiency)
            found[key] = found[key].joined(rows) if key in found else rows
    return {key: fit_factors(rows) for key, rows in found.items()}


def _form(case: Case) -> str:
    arguments = case.arguments
    return str(arguments.get("dtype", arguments.get("kv_dtype", case.dtype)))


def _rows(case: Case, efficiency: Efficiency) -> KernelRows:
    priced = case.estimate(efficiency)
    shape = case.measured_s.shape
    name = _ROWS_OF.get(case.kernel)
    rows = np.asarray(0.0 if name is None else case.arguments[name])
    return KernelRows(
        np.broadcast_to(priced.launch_s, shape),
        np.broadcast_to(priced.groups_s, shape),
        np.broadcast_to(priced.time_s - priced.launch_s - priced.groups_s, shape),
        case.measured_s,
        np.broadcast_to(rows <= FEW_ROWS, shape),
    )


def fit_factors(rows: KernelRows) -> KernelFactors:
    """The factors under which priced calls come closest to measured ones.

    Too few rows of one kind, few tokens or many, share the factor of the other.
    """
    parts = np.array([rows.launch_s, rows.groups_s, rows.work_s])
    ratio = float(np.log(np.median(rows.measured_s / parts.sum(axis=0))))
    many = np.count_nonzero(~rows.is_few)
    has_both = min(many, rows.is_few.size - many) >= _FEWEST
    places = [0, 1, 2, 3 if has_both else 2]
    pull = _PULL * np.sqrt(rows.is_few.size)

    def residuals(x: Array) -> Array:
        launch, groups, few, other = np.exp(x[places])
        work = np.where(rows.is_few, few, other)
        estimate = launch * rows.launch_s + groups * rows.groups_s + work * rows.work_s
        # Where all calls are long, or all short, nothing tells the parts apart.
        alike = pull * (x[[0, 1, *places[3:]]] - x[2])
        return np.concatenate([np.log(estimate / rows.measured_s) / _BEND, alike])

    start = np.full(max(places) + 1, np.clip(ratio, -_WIDEST, _WIDEST))
    best = minimise(residuals, start, start * 0.0 - _WIDEST, start * 0.0 + _WIDEST).x
    return KernelFactors(*(float(value) for value in np.exp(best[places])))
