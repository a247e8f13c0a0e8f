"""A framework's own kernels over those the model prices, from the measured kernel tables."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.answers.calibrate_kernels import machines, read_cases
from weir.answers.validate_serving import CALIBRATION_CHIPS
from weir.catalog.calibration import load_efficiency
from weir.catalog.kernel_tables import installed_tables
from weir.catalog.query import Catalog
from weir.catalog.stack import KernelFactors
from weir.perf.calibration.cases import Case
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


def framework_kernels(
    framework: str, catalog: Catalog, efficiency: Efficiency | None = None
) -> Mapping[str, KernelFactors]:
    """Median of measured over priced times by "kernel/format/generation".

    Only the calibration chips' tables are read, of the framework's current version.

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
    chips = {name: every[name] for name in CALIBRATION_CHIPS}
    cases = read_cases(tables, chips, framework=framework, rows=ROWS, only_fit=True)
    errors: dict[tuple[str, str, str], list[tuple[Array, Array]]] = {}
    for kernel in KERNELS:
        for case in cases.get(kernel, []):
            key = kernel, _form(case), case.machine.generation
            errors.setdefault(key, []).append(_errors(case, efficiency))
    found = {}
    for (kernel, form, generation), parts in errors.items():
        few = np.concatenate([part[0] for part in parts])
        many = np.concatenate([part[1] for part in parts])
        name = f"{kernel}/{form}/{generation}"
        found[name] = KernelFactors(_median(few, many), _median(many, few))
    return found


def _form(case: Case) -> str:
    arguments = case.arguments
    return str(arguments.get("dtype", arguments.get("kv_dtype", case.dtype)))


def _errors(case: Case, efficiency: Efficiency) -> tuple[Array, Array]:
    """Logarithms of measured over priced times on few rows and on many."""
    error = np.log(case.measured_s / case.estimate(efficiency).time_s)
    name = _ROWS_OF.get(case.kernel)
    if name is None:
        return error, error
    rows = np.broadcast_to(np.asarray(case.arguments[name]), error.shape)
    return error[rows <= FEW_ROWS], error[rows > FEW_ROWS]


def _median(errors: Array, otherwise: Array) -> float:
    chosen = errors if len(errors) >= _FEWEST else otherwise
    return float(np.exp(np.median(chosen))) if len(chosen) else 1.0
