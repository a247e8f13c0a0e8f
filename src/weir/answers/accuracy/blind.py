"""Predictions of chips that no measurement was read of, as they are, to be compared later."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from weir.answers.estimate import DEFAULT_WORKLOAD, Estimate, estimate
from weir.answers.placement import Deployment
from weir.catalog.query import Catalog
from weir.core.errors import WeirError
from weir.perf.serving import Workload

CHIPS: Final = ("H20", "H800", "Ascend 910C", "MI308X")
# DeepSeek-V3 has the shape and the formats of DeepSeek-R1.
MODELS: Final = ("DeepSeek-R1", "Qwen3-32B", "Qwen3-235B-A22B")
FRAMEWORKS: Final = ("vllm", "sglang")
USERS: Final = (1, 32, 128)


@dataclass(frozen=True, slots=True)
class BlindPrediction:
    """One deployment of one model on one chip.

    Attributes:
        chip: Name of the chip.
        model: Name of the model.
        framework: Serving framework.
        users: Users of the replica.
        estimate: The prediction; None where there is none.
        reason: Why there is none.
    """

    chip: str
    model: str
    framework: str
    users: int
    estimate: Estimate | None
    reason: str


@dataclass(frozen=True, slots=True)
class BlindTable:
    """All blind predictions.

    Attributes:
        workload: The requests.
        predictions: One a chip, model, framework and number of users; a chip that cannot be
            predicted at all stands once.
        data_version: Age of the catalogue.
    """

    workload: Workload
    predictions: tuple[BlindPrediction, ...]
    data_version: str


def predict_blind(catalog: Catalog, workload: Workload = DEFAULT_WORKLOAD) -> BlindTable:
    """Predicts every blind chip on every model, on the chips that the larger loads need.

    Args:
        catalog: Where names are looked up.
        workload: The requests.
    """
    found = tuple(
        item for chip in CHIPS for model in MODELS for item in _on(catalog, chip, model, workload)
    )
    return BlindTable(workload, found, catalog.data_version)


def _on(catalog: Catalog, chip: str, model: str, work: Workload) -> Iterator[BlindPrediction]:
    """One model on one chip; all loads on the same number of chips, so that they compare."""
    names = catalog.chip(chip).name, catalog.model(model).name
    try:
        largest = estimate(chip, model, Deployment(), work, catalog, users=USERS[-1])
    except WeirError as error:
        yield BlindPrediction(*names, FRAMEWORKS[0], USERS[-1], None, str(error))
        return
    for framework in FRAMEWORKS:
        deployment = Deployment(layout=largest.layout, framework=framework)
        for users in USERS:
            try:
                answer = estimate(chip, model, deployment, work, catalog, users=users)
            except WeirError as error:
                yield BlindPrediction(*names, framework, users, None, str(error))
            else:
                yield BlindPrediction(*names, framework, users, answer, "")
