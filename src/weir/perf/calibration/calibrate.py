"""All fits of the kernel model, and the intervals that leaving chips out teaches."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weir.catalog.calibration import Efficiency, Table
from weir.perf.calibration.cases import PROTOCOL, Case
from weir.perf.calibration.fit import Values, fit_format, pooled, replaced, residuals
from weir.perf.calibration.intervals import (
    ChipLevel,
    chip_spread,
    foreign_width,
    half_widths,
)
from weir.perf.kernels.attention import PrefillParameters
from weir.perf.kernels.collectives import CollectiveParameters
from weir.perf.kernels.convolution import (
    ConvolutionParameters,
    PromptConvolutionParameters,
)
from weir.perf.kernels.decode import DecodeParameters
from weir.perf.kernels.elementwise import ElementwiseParameters
from weir.perf.kernels.formats import kernel_format
from weir.perf.kernels.gemm import GemmParameters
from weir.perf.kernels.linear_attention import ScanParameters, UpdateParameters
from weir.perf.kernels.mla import LatentParameters
from weir.perf.kernels.moe import MoeParameters
from weir.perf.kernels.sparse_attention import (
    IndexerParameters,
    SelectionParameters,
    SparseParameters,
)

Array = NDArray[np.float64]

# Fewer chips teach nothing about the chip that is left out.
LEAST_CHIPS: Final = 3


@dataclass(frozen=True)
class KernelPlan:
    """How a kernel is fitted.

    Attributes:
        kind: Its parameter class.
        reference: The format that the shared values describe.
        restarts: Further searches of the reference fit.
        format_restarts: Further searches of the fit of every other format.
        idle: Parameters of the class that this kernel never reads; they keep their start.
        of_reference: Parameters that formats keep of the reference where the matrix unit multiplies
            them as they are, so that no work of the kernel comes between; one chip alone could not
            tell a share of its rate from what limits its power.
    """

    kind: type[Any]
    reference: str
    restarts: int
    format_restarts: int = 0
    idle: frozenset[str] = frozenset()
    of_reference: frozenset[str] = frozenset()

    def unfitted(self, dtype: str) -> frozenset[str]:
        """Parameters that a format does not fit."""
        is_native = dtype != self.reference and bool(self.of_reference)
        if is_native and kernel_format(dtype).quantises:
            return self.idle | self.of_reference
        return self.idle


# Latent attention has no window, no kernel for one head, and heads of one width.
_LATENT_PREFILL: Final = frozenset({"wide_head_share", "edge_s", "exponentials_per_clock"})
_LATENT_DECODE: Final = frozenset({"skip_s", "skip_most", "window_combine_s"})


PLANS: Final[Mapping[str, KernelPlan]] = {
    "gemm": KernelPlan(GemmParameters, "bf16", 5, 2, of_reference=frozenset({"matrix_efficiency"})),
    "attention_prefill": KernelPlan(PrefillParameters, "bf16-bf16", 5),
    "attention_decode": KernelPlan(DecodeParameters, "bf16", 5),
    "mla_prefill": KernelPlan(PrefillParameters, "bf16", 3, idle=_LATENT_PREFILL),
    "mla_decode": KernelPlan(LatentParameters, "bf16", 5, idle=_LATENT_DECODE),
    # Before the kernels that move data among other things and read how fast that goes.
    "elementwise": KernelPlan(ElementwiseParameters, "", 3),
    "moe_gemm": KernelPlan(MoeParameters, "bf16", 2),
    "all_reduce_library": KernelPlan(CollectiveParameters, "scale_up", 3),
    "all_reduce": KernelPlan(CollectiveParameters, "scale_up", 3),
    "all_gather": KernelPlan(CollectiveParameters, "scale_up", 3),
    "reduce_scatter": KernelPlan(CollectiveParameters, "scale_up", 3),
    "all_to_all": KernelPlan(CollectiveParameters, "scale_up", 3),
    "convolution_prefill": KernelPlan(PromptConvolutionParameters, "", 1),
    "convolution_decode": KernelPlan(ConvolutionParameters, "", 1),
    "linear_prefill": KernelPlan(ScanParameters, "gated_delta", 3),
    "linear_decode": KernelPlan(UpdateParameters, "gated_delta", 3),
    "indexer_prefill": KernelPlan(IndexerParameters, "fp8", 3),
    "indexer_decode": KernelPlan(IndexerParameters, "fp8", 3),
    "key_selection": KernelPlan(SelectionParameters, "", 3),
    "sparse_mla": KernelPlan(SparseParameters, "", 3),
}


@dataclass(frozen=True)
class Held:
    """A fit that never saw one chip.

    Attributes:
        chip: The chip.
        efficiency: Parameters fitted on the others.
    """

    chip: str
    efficiency: Efficiency


def fit_kernel(
    table: str, cases: Sequence[Case], start: Efficiency, *, only_reference: bool = False
) -> Efficiency:
    """Fits one kernel in every format that the cases have.

    Args:
        table: Kernel.
        cases: Its cases on calibration chips.
        start: Where to start.
        only_reference: Fit the reference format alone.
    """
    plan, cases = PLANS[table], _teaching(table, cases)
    present = {case.machine.generation for case in cases}
    # A generation without a calibration chip must not be served by where its fit would start.
    first = Values.of(start.tables[table])
    first.generation = {name: part for name, part in first.generation.items() if name in present}
    # Where a format starts on a generation must not be taken for what was fitted there.
    first.dtype = {key: part for key, part in first.dtype.items() if not _is_start(key)}
    found = replaced(start, table, first.table())
    formats = sorted(
        {case.dtype for case in cases}, key=lambda name: (name != plan.reference, name)
    )
    for dtype in formats[:1] if only_reference else formats:
        chosen = [case for case in cases if case.dtype == dtype]
        restarts = plan.restarts if dtype == plan.reference else plan.format_restarts
        found = _fit_one(table, chosen, found, start, restarts)
    if plan.kind is GemmParameters:
        found = _with_sustained_share(found, table, cases)
    return _with_generic(found, table, start)


def _fit_one(
    table: str, cases: Sequence[Case], found: Efficiency, start: Efficiency, restarts: int
) -> Efficiency:
    """Fits one format, given the formats before it."""
    plan = PLANS[table]
    keys = {f"{case.dtype}/{case.machine.generation}" for case in cases}
    found = _started(_with_generic(found, table, start), table, keys, start)
    found, _ = fit_format(
        plan.kind, cases, found, reference=plan.reference,
        idle=plan.unfitted(cases[0].dtype), restarts=restarts,
    )  # fmt: skip
    return found


def _is_start(key: str) -> bool:
    """Whether values of a format are where its fit starts on a generation."""
    return key.partition("/")[2] in _CALIBRATED


def _teaching(table: str, cases: Sequence[Case]) -> list[Case]:
    """The cases whose estimates a kernel's own table decides."""
    return [case for case in cases if case.read_from == table]


def _started(efficiency: Efficiency, table: str, keys: set[str], start: Efficiency) -> Efficiency:
    """Puts in where the fit of a format is told to start on generations that have cases of it."""
    values, starts = Values.of(efficiency.tables[table]), start.tables[table].dtype
    values.dtype.update({key: dict(starts[key]) for key in sorted(keys & set(starts))})
    return replaced(efficiency, table, values.table())


def _with_sustained_share(efficiency: Efficiency, table: str, cases: Sequence[Case]) -> Efficiency:
    """Notes what share of their dense rate the calibration chips sustain, on average."""
    reference = PLANS[table].reference
    machines = {case.chip: case.machine for case in cases if case.dtype == reference}
    shares = []
    for machine in machines.values():
        p = efficiency.of(GemmParameters, table, machine.generation, reference)
        budget = machine.tdp_w * (1.0 - p.idle_power_share)
        rate = budget / (p.energy_j_s2_per_flop * machine.boost_clock_hz**2)
        shares.append(np.cbrt(np.minimum(rate / machine.dense_flop_per_s[reference], 1.0)))
    values = Values.of(efficiency.tables[table])
    values.shared["sustained_share"] = float(np.exp(np.mean(np.log(shares))))
    return replaced(efficiency, table, values.table())


# Trait sets that calibration chips have.
_CALIBRATED: Final = frozenset({"ampere", "ada", "hopper", "blackwell"})


def _with_generic(efficiency: Efficiency, table: str, start: Efficiency) -> Efficiency:
    values = Values.of(efficiency.tables[table])
    values.generation = {
        name: part for name, part in values.generation.items() if name in _CALIBRATED
    }
    hand_made = {
        name: part
        for name, part in start.tables[table].generation.items()
        if name not in _CALIBRATED
    }
    return replaced(efficiency, table, pooled(PLANS[table].kind, values.table(), hand_made))


def leave_one_out(table: str, cases: Sequence[Case], start: Efficiency) -> Iterator[Held]:
    """Fits of the reference format, each without one chip."""
    reference = [case for case in _teaching(table, cases) if case.dtype == PLANS[table].reference]
    chips = sorted({case.chip for case in reference})
    if len(chips) < LEAST_CHIPS:
        return
    for chip in chips:
        others = [case for case in reference if case.chip != chip]
        gone = {case.machine.generation for case in reference} - {
            case.machine.generation for case in others
        }
        yield Held(chip, fit_kernel(table, others, _without(start, gone), only_reference=True))


def leave_formats_out(
    table: str, cases: Sequence[Case], fitted: Efficiency, start: Efficiency
) -> Iterator[Array]:
    """Errors of chips in formats that were fitted without them, while their reference was not.

    Args:
        table: Kernel.
        cases: Its cases on calibration chips.
        fitted: Parameters fitted on all of them.
        start: Where the fit started.
    """
    cases = _teaching(table, cases)
    for dtype in sorted({case.dtype for case in cases} - {PLANS[table].reference}):
        chosen = [case for case in cases if case.dtype == dtype]
        values = Values.of(fitted.tables[table])
        told = start.tables[table].dtype
        values.dtype = {
            **{key: part for key, part in values.dtype.items() if not _is_of(key, dtype)},
            **{
                key: dict(part)
                for key, part in told.items()
                if _is_of(key, dtype) and not _is_start(key)
            },
        }
        plain = replaced(fitted, table, values.table())
        for gone in chosen if len(chosen) > 1 else ():
            others = [case for case in chosen if case is not gone]
            found = _with_generic(_fit_one(table, others, plain, start, 0), table, start)
            yield residuals([gone], found)


def _is_of(key: str, dtype: str) -> bool:
    """Whether values are those of a format, on some generation or on all."""
    return key.partition("/")[0] == dtype


def _without(efficiency: Efficiency, gone: Set[str]) -> Efficiency:
    """Parameters without some trait sets: kernels read each other's, and these saw the chip."""
    tables = {}
    for kernel, table in efficiency.tables.items():
        values = Values.of(table)
        values.generation = {
            name: part for name, part in values.generation.items() if name not in gone
        }
        values.dtype = {
            key: part for key, part in values.dtype.items() if key.partition("/")[2] not in gone
        }
        tables[kernel] = values.table()
    return replace(efficiency, tables=tables)


def with_intervals(
    table: str,
    cases: Sequence[Case],
    fitted: Efficiency,
    held: Sequence[Held],
    formats: Sequence[Array] = (),
) -> Efficiency:
    """Sets the interval of every format on every generation, and what a foreign chip adds.

    Rows of one chip err together, so there are two levels: the spread of rows about the mean error
    of their chip, and the spread of these means from chip to chip, which leaving chips out teaches
    (`weir.perf.calibration.intervals`).

    Args:
        table: Kernel.
        cases: Its cases on calibration chips.
        fitted: Parameters fitted on all of them.
        held: Fits without one chip each.
        formats: Errors of chips in formats that were fitted without them.
    """
    reference, cases = PLANS[table].reference, _teaching(table, cases)
    values = Values.of(fitted.tables[table])
    values.seen = seen_ranges(cases)
    unseen = [
        residuals([case], fit.efficiency)
        for fit in held
        for case in cases
        if case.chip == fit.chip and case.dtype == reference
    ]
    known = fitted.assumed.chip_log
    chips = {case.chip for case in cases if case.dtype == reference}
    level = ChipLevel(known, chip_spread(unseen) if unseen else known, len(chips), tuple(formats))
    sets = sorted(values.generation)
    for dtype in sorted({case.dtype for case in cases}):
        errors = {
            case.machine.generation: residuals([case], fitted)
            for case in cases
            if case.dtype == dtype
        }
        found = half_widths(errors, level)
        is_reference = dtype == reference
        shared = values.shared if is_reference else values.dtype.setdefault(dtype, {})
        shared["interval_log"] = found.known if is_reference else found.unseen
        for traits in sets if not is_reference else sorted(errors):
            group, key = (values.generation, traits) if is_reference else (
                values.dtype, f"{dtype}/{traits}"
            )  # fmt: skip
            own = found.of.get(traits, found.unseen)
            group.setdefault(key, {})["interval_log"] = own
    values.shared["foreign_interval_log"] = foreign_width(unseen, values.shared["interval_log"])
    return replaced(fitted, table, values.table())


def seen_ranges(cases: Sequence[Case]) -> dict[str, list[float]]:
    """Smallest and largest value of every argument with one value a row."""
    found: dict[str, list[float]] = {}
    for case in cases:
        for name, value in case.arguments.items():
            if isinstance(value, np.ndarray) and name not in PROTOCOL:
                low, high = found.get(name, (np.inf, -np.inf))
                found[name] = [min(low, float(value.min())), max(high, float(value.max()))]
    return found


def with_scaled(efficiency: Efficiency, scaled: Mapping[str, Mapping[str, Any]]) -> Efficiency:
    """Adds trait sets that differ from a fitted one by factors that a vendor states.

    Args:
        efficiency: Fitted parameters.
        scaled: By new trait set: under "of" the fitted one, and by kernel the factors.
    """
    tables: dict[str, Table] = dict(efficiency.tables)
    for name, entry in scaled.items():
        origin = entry["of"]
        for kernel, factors in entry.items():
            if kernel == "of":
                continue
            values = Values.of(tables[kernel])
            values.generation[name] = _times(values.generation[origin], factors)
            for key in [key for key in values.dtype if key.endswith(f"/{origin}")]:
                dtype = key.partition("/")[0]
                values.dtype[f"{dtype}/{name}"] = _times(values.dtype[key], factors)
            tables[kernel] = values.table()
    return replace(efficiency, tables=tables)


def _times(values: Mapping[str, float], factors: Mapping[str, float]) -> dict[str, float]:
    return {name: value * factors.get(name, 1.0) for name, value in values.items()}


def with_format_kin(efficiency: Efficiency) -> Efficiency:
    """Gives formats without measurements the parameters of those that serve them.

    A format may also be served on one generation alone ("mxfp4/blackwell-geforce"), where that runs
    another kernel than those it was measured on.
    """
    tables: dict[str, Table] = dict(efficiency.tables)
    for kernel, served in efficiency.kin_format.items():
        values = Values.of(tables[kernel])
        for dtype, kin in served.items():
            generation = dtype.partition("/")[2]
            if generation:
                whole = efficiency.served(kernel, generation, kin)
                values.dtype[dtype] = {**whole, **values.dtype.get(dtype, {})}
                continue
            for key in [name for name in values.dtype if name.partition("/")[0] == kin]:
                copy = key.replace(kin, dtype, 1)
                values.dtype[copy] = {**values.dtype[key], **values.dtype.get(copy, {})}
        tables[kernel] = values.table()
    return replace(efficiency, tables=tables)
