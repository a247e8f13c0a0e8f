"""What handing requests from prefill to decode workers adds, from calibration chips alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.answers.accuracy.serving_sample import SampleRow, calibration_chips
from weir.answers.accuracy.spread import coverage_spread
from weir.answers.accuracy.validate_serving import Prediction, predict
from weir.catalog.query import Catalog
from weir.catalog.stack import Client, Stack
from weir.perf.kernels.efficiency import Efficiency

Array = NDArray[np.float64]

# The longest time between two workers that is looked for.
_LONGEST_S: Final = 2.0
# So few users hardly wait for each other, so that what is left over is the way between workers.
_LIGHT_USERS: Final = 16.0
_BISECTIONS: Final = 40


def with_pools(
    stacks: Mapping[str, Stack],
    clients: Mapping[str, Client],
    rows: Sequence[SampleRow],
    catalog: Catalog,
    efficiency: Efficiency | None = None,
) -> dict[str, Stack]:
    """Frameworks with the time between workers, and the spreads, of disaggregated runs.

    The time is that at which half the runs of the calibration chips with few users take longer. A
    framework without such runs keeps none. The spreads are one for all frameworks: four fifths of
    the runs of a chip lie inside that the time was not taken from; no TPOT of such a run is fitted.

    Args:
        stacks: Frameworks as fitted on runs without separate workers.
        clients: Benchmark clients as fitted.
        rows: Measured runs; those of test chips and those of one pool are left out.
        catalog: Where chips and models are looked up.
        efficiency: Parameters of the kernels; those of the stock if left out.
    """
    chosen = [row for row in rows if row.pools is not None and row.chip in calibration_chips()]
    bare = {
        key: replace(stack, handover_s=0.0, pools_log_sd=0.0, pools_step_log_sd=0.0)
        for key, stack in stacks.items()
    }
    predicted = predict(chosen, catalog, bare, clients, efficiency).predicted
    found = {key: _of(predicted, framework=key) for key in stacks}
    if not any(found.values()):
        return dict(stacks)
    first = _spread([item for mine in found.values() for item in _held_out(mine)])
    step = _spread([_tpot_error(item) for mine in found.values() for item in mine])
    return {
        key: replace(
            stack, handover_s=_handover_s(found[key]), pools_log_sd=first, pools_step_log_sd=step
        )
        for key, stack in stacks.items()
    }


def _of(found: Sequence[Prediction], *, framework: str) -> list[Prediction]:
    """Runs of a framework, each measurement once."""
    once: dict[tuple[float, float], Prediction] = {}
    for item in found:
        if item.row.framework == framework and item.row.is_public:
            once.setdefault((round(item.row.ttft_s, 6), round(item.row.tpot_s, 6)), item)
    return list(once.values())


def _handover_s(found: Sequence[Prediction]) -> float:
    """The time at which predictions of lightly loaded runs are too short as often as too long."""
    light = [item for item in found if item.row.concurrency <= _LIGHT_USERS]
    if not light:
        return 0.0
    measured = np.array([item.row.ttft_s for item in light])
    predicted = np.array([item.ttft_s for item in light])
    return _root(lambda added: float(np.median(np.log(measured / (predicted + added)))))


def _root(excess: Callable[[float], float]) -> float:
    """Where a falling function is zero, or the nearer end."""
    low, high = 0.0, _LONGEST_S
    if excess(low) <= 0.0:
        return low
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if excess(middle) > 0.0 else (low, middle)
    return high


def _held_out(found: Sequence[Prediction]) -> list[tuple[float, float, float]]:
    """Errors on each chip with the time of the others, beside the width the kernels give."""
    errors = []
    for chip in calibration_chips():
        mine = [item for item in found if item.row.chip == chip]
        rest = [item for item in found if item.row.chip != chip]
        added = _handover_s(rest or mine)
        errors += [
            (
                float(np.log(item.row.ttft_s / (item.ttft_s + added))),
                float(np.log(item.ttft_s / item.ttft_low_s)),
                float(np.log(item.ttft_high_s / item.ttft_s)),
            )
            for item in mine
        ]
    return errors


def _tpot_error(item: Prediction) -> tuple[float, float, float]:
    return (
        float(np.log(item.row.tpot_s / item.tpot_s)),
        float(np.log(item.tpot_s / item.tpot_low_s)),
        float(np.log(item.tpot_high_s / item.tpot_s)),
    )


def _spread(errors: Sequence[tuple[float, float, float]]) -> float:
    error, down, up = (np.array(values) for values in zip(*errors, strict=True))
    return coverage_spread(error, down, up)
