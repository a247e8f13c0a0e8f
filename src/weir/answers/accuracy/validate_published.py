"""How well published speeds are predicted: overviews that vendors and model makers print."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from weir.answers.accuracy.errors import Accuracy, errors
from weir.answers.accuracy.published_speeds import predicted
from weir.catalog.kernel_tables import chips_of_tables
from weir.catalog.published import FIRST_TOKEN, PublishedSpeed, load_published
from weir.catalog.query import Catalog
from weir.core.errors import NothingFitsError, WeirError

NO_ROOM: Final = "no sequence of this length fits in the memory"


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


def calibration_chips() -> tuple[str, ...]:
    """Records of the chips on whose measurements kernels or frameworks were fitted."""
    return tuple(chip.record for chip in chips_of_tables() if chip.calibrates)


def accuracy(items: Iterable[PublishedPrediction]) -> Accuracy:
    """Errors of a group; a longer time counts as a lower speed."""
    chosen = tuple(items)
    return errors(
        [item.predicted for item in chosen],
        [item.speed.value for item in chosen],
        ([item.low for item in chosen], [item.high for item in chosen]),
        sign=[-1.0 if item.speed.quantity == FIRST_TOKEN else 1.0 for item in chosen],
    )


def validate_published(
    catalog: Catalog, speeds: Sequence[PublishedSpeed] | None = None
) -> PublishedValidation:
    """Predicts every published speed, those of one deployment together.

    Args:
        catalog: Where chips and models are looked up.
        speeds: What was published; that of the stock if left out.
    """
    chosen = load_published() if speeds is None else tuple(speeds)
    found = {
        index: PublishedPrediction(item, item.left_out)
        for index, item in enumerate(chosen)
        if item.left_out
    }
    groups: dict[tuple[object, ...], list[int]] = {}
    for index, item in enumerate(chosen):
        if not item.left_out:
            groups.setdefault(_alike(item), []).append(index)
    for members in groups.values():
        alike = [chosen[index] for index in members]
        found.update(zip(members, _predict(alike, catalog), strict=True))
    ordered = tuple(found[index] for index in range(len(chosen)))
    refused = Counter(item.reason for item in ordered if item.reason)
    return PublishedValidation(ordered, dict(refused.most_common()), catalog.data_version)


def _alike(item: PublishedSpeed) -> tuple[object, ...]:
    """What rows share that are predicted together."""
    deployment = (item.framework, item.degrees, item.weights, item.experts, item.kv_cache)
    limits = (item.overlap, item.ttft_s, item.tpot_s)
    return item.chip, item.model, *deployment, *limits, item.quantity, item.requests is None


def _predict(alike: Sequence[PublishedSpeed], catalog: Catalog) -> list[PublishedPrediction]:
    try:
        found = predicted(alike, catalog)
    except WeirError as error:
        reason = "nothing fits" if isinstance(error, NothingFitsError) else str(error)
        return [PublishedPrediction(item, reason) for item in alike]
    return [
        PublishedPrediction(item, NO_ROOM)
        if range_ is None
        else PublishedPrediction(item, "", *range_)
        for item, range_ in zip(alike, found, strict=True)
    ]
