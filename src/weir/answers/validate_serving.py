"""How well serving is predicted: every run of the sample against the model, and who was refused."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.answers.machines import machine_of
from weir.answers.serving_sample import SampleRow, read_sample
from weir.catalog.calibration import load_efficiency
from weir.catalog.entities import Model
from weir.catalog.query import Catalog
from weir.catalog.stack import Client, Stack, load_clients, load_stack
from weir.core.errors import LayoutError, MissingRateError, UnknownNameError, WeirError
from weir.perf.formats import Precision, choose_precision
from weir.perf.memory import memory
from weir.perf.parallel import check_layout
from weir.perf.serving import Workload, closed_loop
from weir.perf.step import Engine

Array = NDArray[np.float64]

CALIBRATION_CHIPS: Final = ("h100_sxm", "b200_sxm")
_CHIPS: Final = {
    "h100_sxm": "h100-sxm",
    "h200_sxm": "h200-sxm",
    "b200_sxm": "b200-sxm",
    "b300_sxm": "b300-sxm",
    "gb200": "gb200",
    "gb300": "gb300",
}
_MODELS: Final = {
    "Qwen/Qwen3-235B-A22B-FP8": "qwen3-235b-a22b",
    "nvidia/Llama-3.1-8B-Instruct-FP8": "llama-3.1-8b",
    "nvidia/DeepSeek-R1-NVFP4": "deepseek-r1",
    "nvidia/Qwen3-32B-NVFP4": "qwen3-32b",
    "nvidia/DeepSeek-V3.1-NVFP4": "deepseek-v3.1",
}
_FORMATS: Final = {"fp8": "fp8", "fp8_block": "fp8_block", "nvfp4": "nvfp4", "int4_wo": "int4_wo"}


@dataclass(frozen=True, slots=True)
class Prediction:
    """One run beside its prediction; `reason` says why there is none."""

    row: SampleRow
    reason: str = ""
    ttft_s: float = np.nan
    tpot_s: float = np.nan
    ttft_low_s: float = np.nan
    ttft_high_s: float = np.nan
    tpot_low_s: float = np.nan
    tpot_high_s: float = np.nan

    @property
    def request_s(self) -> float:
        """Predicted time of the whole request."""
        return self.ttft_s + (self.row.osl - 1.0) * self.tpot_s

    @property
    def measured_request_s(self) -> float:
        """Measured time of the whole request."""
        return self.row.ttft_s + (self.row.osl - 1.0) * self.row.tpot_s


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Errors of a group of runs for one quantity.

    Attributes:
        count: Runs.
        mape: Mean absolute percentage error.
        mdape: Median absolute percentage error.
        bias: Mean of the logarithm of predicted over measured.
        covered: Share of measurements inside the 80 % interval; NaN where there is none.
    """

    count: int
    mape: float
    mdape: float
    bias: float
    covered: float = np.nan


@dataclass(frozen=True, slots=True)
class ServingValidation:
    """All runs, and the refusals by reason.

    Attributes:
        predictions: One for each row of the sample, in its order.
        refused: Number of refused rows by reason.
    """

    predictions: tuple[Prediction, ...]
    refused: Mapping[str, int] = field(default_factory=dict)

    @property
    def predicted(self) -> tuple[Prediction, ...]:
        """The runs that were predicted."""
        return tuple(item for item in self.predictions if not item.reason)


def accuracy(items: Iterable[Prediction], quantity: str) -> Accuracy:
    """Errors for "ttft", "tpot" or "request"."""
    chosen = tuple(items)
    if not chosen:
        return Accuracy(0, np.nan, np.nan, np.nan)
    covered = np.nan
    if quantity == "request":
        predicted = np.array([item.request_s for item in chosen])
        measured = np.array([item.measured_request_s for item in chosen])
    else:
        predicted = np.array([getattr(item, f"{quantity}_s") for item in chosen])
        measured = np.array([getattr(item.row, f"{quantity}_s") for item in chosen])
        low = np.array([getattr(item, f"{quantity}_low_s") for item in chosen])
        high = np.array([getattr(item, f"{quantity}_high_s") for item in chosen])
        covered = float(np.mean((low <= measured) & (measured <= high)))
    error = np.abs(predicted / measured - 1.0)
    bias = float(np.mean(np.log(predicted / measured)))
    return Accuracy(len(chosen), float(np.mean(error)), float(np.median(error)), bias, covered)


def validate_serving(
    catalog: Catalog | None = None,
    *,
    path: Path | None = None,
    stacks: Mapping[str, Stack] | None = None,
    clients: Mapping[str, Client] | None = None,
) -> ServingValidation:
    """Predicts every run of the sample.

    Args:
        catalog: Where chips and models are looked up; the stock if left out.
        path: The sample; that of the installed package if left out.
        stacks: Framework parameters by key; those of the stock if left out.
        clients: Benchmark clients by key; those of the stock if left out.

    Raises:
        InputError: The package is not installed, or the file is not the sample.
    """
    catalog = Catalog() if catalog is None else catalog
    return predict(read_sample(path), catalog, stacks, clients)


def predict(
    rows: Sequence[SampleRow],
    catalog: Catalog,
    stacks: Mapping[str, Stack] | None = None,
    clients: Mapping[str, Client] | None = None,
) -> ServingValidation:
    """Predicts runs, those of one deployment together."""
    clients = load_clients() if clients is None else clients
    groups: dict[tuple[object, ...], list[int]] = {}
    for index, row in enumerate(rows):
        key = row.chip, row.model, row.framework, row.layout, row.weights, row.experts, row.mode
        groups.setdefault((*key, row.is_public), []).append(index)
    found: dict[int, Prediction] = {}
    for members in groups.values():
        chosen = [rows[index] for index in members]
        try:
            predictions = _predict_alike(chosen, catalog, stacks, clients)
        except WeirError as error:
            predictions = [Prediction(row, reason=_reason(error)) for row in chosen]
        found.update(zip(members, predictions, strict=True))
    ordered = tuple(found[index] for index in range(len(rows)))
    refused = Counter(item.reason for item in ordered if item.reason)
    return ServingValidation(ordered, dict(refused.most_common()))


def _reason(error: WeirError) -> str:
    if isinstance(error, LayoutError):
        return "the layout does not divide the model"
    if isinstance(error, MissingRateError):
        return "the chip has no rate for the number format"
    if isinstance(error, UnknownNameError):
        return f"unknown {error.kind} {error.name}"
    return str(error)


def _predict_alike(
    rows: Sequence[SampleRow],
    catalog: Catalog,
    stacks: Mapping[str, Stack] | None,
    clients: Mapping[str, Client],
) -> list[Prediction]:
    first = rows[0]
    if first.layout is None:
        reason = "disaggregated run without batch sizes and worker counts"
        return [Prediction(row, reason=reason) for row in rows]
    engine = engine_of(first, catalog, stacks)
    known = [row for row in rows if np.isfinite(row.concurrency)]
    unknown = {row.id: Prediction(row, reason="the row has no concurrency") for row in rows}
    if not known:
        return list(unknown.values())
    client = clients["public" if first.is_public else "maker"]
    work = Workload(
        isl=client.length_share * np.array([row.isl for row in known]),
        osl=client.length_share * np.array([row.osl for row in known]),
    )
    users = np.array([row.concurrency for row in known])
    held = memory(
        engine.model,
        engine.layout,
        engine.precision,
        engine.stack,
        engine.machine.memory_capacity_bytes,
        sequences=users,
        # Blocks are taken as sequences grow, so that the mean context fills the cache.
        context_tokens=work.decode_context,
    )
    state = closed_loop(
        engine,
        work,
        users,
        in_step=client.in_step(first.framework),
        most_sequences=np.maximum(held.max_sequences, 1.0),
    )
    done = {
        id(row): Prediction(
            row,
            ttft_s=float(state.ttft_s[index]),
            tpot_s=float(state.tpot_s[index]),
            ttft_low_s=float(state.ttft_low_s[index]),
            ttft_high_s=float(state.ttft_high_s[index]),
            tpot_low_s=float(state.tpot_low_s[index]),
            tpot_high_s=float(state.tpot_high_s[index]),
        )
        for index, row in enumerate(known)
    }
    return [done.get(id(row), unknown[row.id]) for row in rows]


def engine_of(
    row: SampleRow, catalog: Catalog, stacks: Mapping[str, Stack] | None = None
) -> Engine:
    """The replica that a run of the sample was measured on.

    Raises:
        UnknownNameError: The catalogue lacks the chip or model.
        LayoutError: The layout does not divide the model.
    """
    chip = catalog.chip(_CHIPS.get(row.chip, row.chip))
    model = catalog.model(_MODELS.get(row.model, row.model.rpartition("/")[2]))
    machine = machine_of(chip, catalog).machine
    layout = row.layout
    if layout is None:
        raise LayoutError("the row has no layout")
    check_layout(model, layout)
    stack = load_stack(row.framework) if stacks is None else stacks[row.framework]
    precision = _precision(row, model, frozenset(machine.dense_flop_per_s))
    return Engine(model, layout, precision, machine, load_efficiency(), stack)


def _precision(row: SampleRow, model: Model, rates: frozenset[str]) -> Precision:
    """The formats of a run: those of the row, where the model is not published in four bits."""
    published, _ = choose_precision(
        model.shape.weight_format, model.shape.expert_weight_format, rates
    )
    cache = "fp8" if row.framework == "trtllm" and row.weights else published.kv_cache
    if model.shape.expert_weight_format is not None or not row.weights:
        return Precision(published.weights, published.experts, cache)
    return Precision(_FORMATS[row.weights], _FORMATS[row.experts], cache)
