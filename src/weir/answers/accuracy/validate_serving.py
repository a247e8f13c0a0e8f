"""How well serving is predicted: every run of the sample against the model, and who was refused."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from weir.answers.accuracy.errors import Accuracy, errors
from weir.answers.accuracy.serving_deployments import (
    deployed,
    engine_of,
    launch_for,
    lengths_of,
    places_for,
)
from weir.answers.accuracy.serving_sample import Pools, SampleRow, read_sample
from weir.catalog.query import Catalog
from weir.catalog.stack import Client, Stack, load_clients
from weir.core.errors import LayoutError, MissingRateError, UnknownNameError, WeirError
from weir.perf.disaggregated import PooledState, closed_loop_pools
from weir.perf.kernels.efficiency import Efficiency
from weir.perf.serving import Serving, closed_loop

Array = NDArray[np.float64]


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
    """Errors for "ttft", "tpot" or "request"; a whole request has no interval."""
    chosen = tuple(items)
    if quantity == "request":
        return errors(
            [item.request_s for item in chosen], [item.measured_request_s for item in chosen]
        )
    low, middle, high = (
        [getattr(item, f"{quantity}{end}_s") for item in chosen] for end in ("_low", "", "_high")
    )
    return errors(middle, [getattr(item.row, f"{quantity}_s") for item in chosen], (low, high))


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
    efficiency: Efficiency | None = None,
) -> ServingValidation:
    """Predicts runs, those of one deployment together; see `validate_serving`."""
    clients = load_clients() if clients is None else clients
    found: dict[int, Prediction] = {}
    for members in alike(rows):
        chosen = [rows[index] for index in members]
        try:
            predictions = _predict_alike(chosen, catalog, stacks, clients, efficiency)
        except WeirError as error:
            predictions = [Prediction(row, reason=_reason(error)) for row in chosen]
        found.update(zip(members, predictions, strict=True))
    ordered = tuple(found[index] for index in range(len(rows)))
    refused = Counter(item.reason for item in ordered if item.reason)
    return ServingValidation(ordered, dict(refused.most_common()))


def alike(rows: Sequence[SampleRow]) -> list[list[int]]:
    """Indices of runs that differ only in lengths and users, together."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for index, row in enumerate(rows):
        key = row.chip, row.model, row.framework, row.layout, row.pools, row.weights, row.experts
        is_known = bool(np.isfinite(row.concurrency))
        groups.setdefault((*key, row.is_public, is_known, launch_for(row)), []).append(index)
    return list(groups.values())


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
    efficiency: Efficiency | None,
) -> list[Prediction]:
    first = rows[0]
    if first.layout is None and first.pools is None:
        reason = "disaggregated run without batch sizes and worker counts"
        return [Prediction(row, reason=reason) for row in rows]
    if not np.isfinite(first.concurrency):
        return [Prediction(row, reason="the row has no concurrency") for row in rows]
    if first.pools is not None:
        return _predict_pools(rows, first.pools, catalog, stacks, clients, efficiency)
    found = deployed(rows, catalog, stacks, clients, efficiency)
    state = closed_loop(
        found.engine,
        found.work,
        found.users,
        in_step=clients[found.client].habits(first.framework).in_step,
        turns=clients[found.client].turns,
        most_sequences=found.most_sequences,
    )
    return _predictions(rows, state)


def _predict_pools(
    rows: Sequence[SampleRow],
    pools: Pools,
    catalog: Catalog,
    stacks: Mapping[str, Stack] | None,
    clients: Mapping[str, Client],
    efficiency: Efficiency | None,
) -> list[Prediction]:
    first = rows[0]
    client = clients[first.client]
    state = closed_loop_pools(
        engine_of(first, catalog, stacks, pools.prefill, efficiency),
        pools.prefill_workers,
        engine_of(first, catalog, stacks, pools.decode, efficiency),
        pools.decode_workers,
        lengths_of(rows, client),
        np.array([row.concurrency for row in rows]),
        in_step=client.habits(first.framework).in_step,
        turns=client.turns,
        most_sequences=np.array([places_for(row, pools) for row in rows]),
    )
    return _predictions(rows, state)


def _predictions(rows: Sequence[SampleRow], state: Serving | PooledState) -> list[Prediction]:
    return [
        Prediction(
            row,
            ttft_s=float(state.ttft_s[index]),
            tpot_s=float(state.tpot_s[index]),
            ttft_low_s=float(state.ttft_low_s[index]),
            ttft_high_s=float(state.ttft_high_s[index]),
            tpot_low_s=float(state.tpot_low_s[index]),
            tpot_high_s=float(state.tpot_high_s[index]),
        )
        for index, row in enumerate(rows)
    ]
