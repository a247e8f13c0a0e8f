"""How well published speeds are predicted: overviews that vendors and model makers print."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.answers.placement import Deployment, site_of
from weir.answers.validate_serving import Accuracy
from weir.catalog.published import PER_CHIP, PublishedSpeed, load_published
from weir.catalog.query import Catalog
from weir.core.errors import NothingFitsError, WeirError
from weir.perf.memory import memory
from weir.perf.parallel import Layout, check_layout
from weir.perf.serving import Serving, Workload, closed_loop

Array = NDArray[np.float64]

# Chips on whose measurements kernels or frameworks were fitted.
CALIBRATION_CHIPS: Final = ("a100-sxm-80", "h100-sxm", "l40s", "b200-sxm")
# The default of the vendor's benchmark; more sequences are never scheduled at once.
MOST_SEQUENCES: Final = 2048.0


@dataclass(frozen=True, slots=True)
class PublishedPrediction:
    """One published speed beside its prediction.

    Attributes:
        speed: What was published.
        reason: Why there is no prediction; empty where there is one.
        predicted: Our value.
        low: Lower end of its 80 % interval.
        high: Upper end.
    """

    speed: PublishedSpeed
    reason: str = ""
    predicted: float = np.nan
    low: float = np.nan
    high: float = np.nan


@dataclass(frozen=True, slots=True)
class PublishedValidation:
    """All published speeds, and the refusals by reason.

    Attributes:
        predictions: One a row of the file, in its order.
        refused: Number of refused rows by reason.
        data_version: Age of the catalogue.
    """

    predictions: tuple[PublishedPrediction, ...]
    refused: Mapping[str, int]
    data_version: str

    @property
    def predicted(self) -> tuple[PublishedPrediction, ...]:
        """Those that were predicted."""
        return tuple(item for item in self.predictions if not item.reason)


def accuracy(items: Iterable[PublishedPrediction]) -> Accuracy:
    """Errors of a group."""
    chosen = tuple(items)
    if not chosen:
        return Accuracy(0, np.nan, np.nan, np.nan)
    ours, theirs, low, high = (
        np.array(values)
        for values in zip(
            *((i.predicted, i.speed.value, i.low, i.high) for i in chosen), strict=True
        )
    )
    error = np.abs(ours / theirs - 1.0)
    covered = float(np.mean((low <= theirs) & (theirs <= high)))
    bias = float(np.mean(np.log(ours / theirs)))
    return Accuracy(len(chosen), float(np.mean(error)), float(np.median(error)), bias, covered)


def validate_published(
    catalog: Catalog, speeds: Sequence[PublishedSpeed] | None = None
) -> PublishedValidation:
    """Predicts every published speed, those of one deployment together.

    Args:
        catalog: Where chips and models are looked up.
        speeds: What was published; that of the stock if left out.
    """
    chosen = load_published() if speeds is None else tuple(speeds)
    groups: dict[tuple[object, ...], list[int]] = {}
    for index, item in enumerate(chosen):
        key = (item.chip, item.model, item.framework, item.degrees, item.weights, item.kv_cache)
        groups.setdefault((*key, item.quantity), []).append(index)
    found: dict[int, PublishedPrediction] = {}
    for members in groups.values():
        alike = [chosen[index] for index in members]
        found.update(zip(members, _predict(alike, catalog), strict=True))
    ordered = tuple(found[index] for index in range(len(chosen)))
    refused = Counter(item.reason for item in ordered if item.reason)
    return PublishedValidation(ordered, dict(refused.most_common()), catalog.data_version)


def _predict(alike: Sequence[PublishedSpeed], catalog: Catalog) -> list[PublishedPrediction]:
    try:
        state, fits = _state(alike, catalog)
    except WeirError as error:
        reason = "nothing fits" if isinstance(error, NothingFitsError) else str(error)
        return [PublishedPrediction(item, reason) for item in alike]
    if alike[0].quantity == PER_CHIP:
        middle = state.output_tokens_per_s_per_chip
    else:
        middle = np.array([item.osl for item in alike]) / state.request_s
    slow, fast = state.tpot_high_s / state.tpot_s, state.tpot_low_s / state.tpot_s
    return [
        PublishedPrediction(
            item, "", float(middle[i]), float(middle[i] / slow[i]), float(middle[i] / fast[i])
        )
        if fits[i]
        else PublishedPrediction(item, "no sequence of this length fits in the memory")
        for i, item in enumerate(alike)
    ]


def _state(alike: Sequence[PublishedSpeed], catalog: Catalog) -> tuple[Serving, NDArray[np.bool_]]:
    """The steady state of each load; where nothing fits a single sequence stands in."""
    first = alike[0]
    layout = Layout(**dict(first.degrees))
    model = catalog.model(first.model)
    check_layout(model, layout)
    wanted = Deployment(
        framework=first.framework,
        layout=layout,
        weights=first.weights or None,
        kv_cache=first.kv_cache or None,
    )
    site = site_of(catalog.chip(first.chip), model, wanted, catalog)
    engine = site.engine(layout)
    work = Workload(
        isl=np.array([item.isl for item in alike]), osl=np.array([item.osl for item in alike])
    )
    held = memory(
        model, layout, site.precision, engine.stack, engine.machine.memory_capacity_bytes,
        sequences=1, context_tokens=work.decode_context,
    ).max_sequences  # fmt: skip
    most = np.clip(held, 1.0, MOST_SEQUENCES * layout.dp)
    asked = np.array([np.inf if item.users is None else item.users for item in alike])
    users = np.where(np.isinf(asked), most, asked)
    return closed_loop(engine, work, users, most_sequences=most), np.asarray(held >= 1.0)
