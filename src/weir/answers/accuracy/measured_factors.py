"""How a user's own measurements compare with the kernel model: one factor a kernel and format."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from weir.answers.machines import machine_of
from weir.catalog.calibration import load_efficiency
from weir.catalog.measured import SHAPES, MeasuredRow, read_measured
from weir.catalog.query import Catalog
from weir.core.errors import InputError, RecordError
from weir.perf import kernels
from weir.perf.calibration.statistics import Accuracy, accuracy
from weir.perf.kernels.cost import Cost

# Attention runs in 16-bit arithmetic; its format is that of the cache.
_ARITHMETIC: Final = {"attention_prefill": "bf16"}


@dataclass(frozen=True)
class MeasuredFactor:
    """What a stack's kernels take over the model's, on one chip.

    Attributes:
        chip: Name of the chip.
        framework: What ran the kernels.
        kernel: Kernel.
        dtype: Format.
        factor: Median of measured over estimated time.
        before: Accuracy of the model as it is.
        after: Accuracy of the model times the factor.
        inside: Share of rows inside the model's 80 % interval.
    """

    chip: str
    framework: str
    kernel: str
    dtype: str
    factor: float
    before: Accuracy
    after: Accuracy
    inside: float


def measured_factors(path: Path, catalog: Catalog | None = None) -> tuple[MeasuredFactor, ...]:
    """Fits one factor to each group of rows of a CSV file of measurements.

    Args:
        path: The file, with the columns of `weir.catalog.measured.COLUMNS`.
        catalog: Where the datasheets come from; the stock if not given.

    Raises:
        RecordError: The file is broken, or names a chip or format that is not known or a format
            that the chip has no rate for; every problem with its line.
    """
    stock = catalog or Catalog()
    groups: dict[tuple[str, ...], list[MeasuredRow]] = {}
    for row in read_measured(path):
        groups.setdefault((row.chip, row.framework, row.kernel, row.dtype), []).append(row)
    found: list[MeasuredFactor] = []
    problems: list[str] = []
    for _, rows in sorted(groups.items()):
        try:
            found.append(_factor(rows, stock))
        except InputError as error:
            problems.append(f"line {rows[0].line}: {error}")
    if problems:
        raise RecordError(path, problems)
    return tuple(found)


def _factor(rows: Sequence[MeasuredRow], catalog: Catalog) -> MeasuredFactor:
    first = rows[0]
    chip = catalog.chip(first.chip)
    machine = machine_of(chip, catalog).machine
    arguments: dict[str, Any] = {
        name: np.array([row.shape[name] for row in rows]) for name in SHAPES[first.kernel]
    }
    if first.kernel == "gemm":
        arguments["dtype"] = first.dtype
    elif first.kernel != "elementwise":
        arguments["kv_dtype"] = first.dtype
    if first.kernel in _ARITHMETIC:
        arguments["dtype"] = _ARITHMETIC[first.kernel]
    cost: Cost = getattr(kernels, first.kernel)(machine, load_efficiency(), **arguments)
    measured = np.array([row.measured_s for row in rows])
    factor = float(np.exp(np.median(np.log(measured / cost.time_s))))
    return MeasuredFactor(
        chip=chip.name,
        framework=first.framework,
        kernel=first.kernel,
        dtype=first.dtype,
        factor=factor,
        before=accuracy(cost.time_s, measured),
        after=accuracy(cost.time_s * factor, measured),
        inside=float(np.mean((cost.low_s <= measured) & (measured <= cost.high_s))),
    )
