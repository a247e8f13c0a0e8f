"""What would change a verdict, as exact statements, and which uncertain inputs decide it."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from weir.catalog.law import FACTS
from weir.core.units import GIGA
from weir.rules.determination import Flip
from weir.rules.evaluate import NONE, NOT_YET, UNDETERMINED
from weir.rules.inputs import ChipColumns
from weir.rules.logic import UNKNOWN, YES, Answer
from weir.rules.scenarios import Sweep
from weir.rules.verdicts import Verdict
from weir.rules.wording import number

_UNITS = {
    "tpp": ("TPP", "", 1.0),
    "die_area": ("the applicable die area", "mm²", 1.0),
    "memory_bandwidth": ("memory bandwidth", "GB/s", GIGA),
    "io_bidirectional": ("the I/O rate, both directions,", "GB/s", GIGA),
}


def find_flips(
    now: Verdict, plans: Sequence[Sweep], moved: Sequence[Verdict], chips: ChipColumns
) -> tuple[tuple[Flip, ...], frozenset[str]]:
    """Where the verdict is another when one input moves.

    Args:
        now: The verdict on the first row of `chips`.
        plans: Which input was moved to which points.
        moved: The verdict at every point.
        chips: The chip.

    Returns:
        Every region of an input in which the verdict is another, and the names of the inputs
        whose uncertainty leaves the verdict open.
    """
    flips: list[Flip] = []
    decisive: set[str] = set()
    for plan in plans:
        found = list(moved[plan.start : plan.stop])
        if _is_decisive(plan, found, chips):
            decisive.add(plan.variable)
        regions = _market(plan, found) if plan.variable == "datacentre" else _regions(plan, found)
        flips += [region for region in regions if _key(region) != now]
    return tuple(flips), frozenset(decisive)


def _key(flip: Flip) -> Verdict:
    return flip.eccn, flip.licence_required, flip.policy


def _is_decisive(plan: Sweep, verdicts: list[Verdict], chips: ChipColumns) -> bool:
    if plan.variable == "datacentre":
        market = chips.facts.get("datacentre")
        return market is not None and int(market[0]) == UNKNOWN and verdicts[0] != verdicts[-1]
    low, high = (float(bound[0]) for bound in chips.metrics[plan.variable])
    if low == high:
        return False
    inside = {
        verdict
        for place, verdict in enumerate(verdicts)
        if _cell_meets(plan.points, place, low, high)
    }
    return len(inside) > 1


def _cell_meets(points: NDArray[np.float64], place: int, low: float, high: float) -> bool:
    if place % 2:
        return bool(low <= points[place] <= high)
    left = points[place - 1] if place else 0.0
    right = points[place + 1] if place + 1 < points.size else math.inf
    return bool(low < right and high > left)


def _regions(plan: Sweep, verdicts: list[Verdict]) -> Iterator[Flip]:
    points = plan.points.tolist()
    last = len(points) - 1
    start = 0
    for place in range(last + 1):
        if place < last and verdicts[place + 1] == verdicts[start]:
            continue
        yield _flip(
            plan.variable,
            verdicts[start],
            (0.0 if start == 0 else points[start if start % 2 else start - 1]),
            (math.inf if place == last else points[place if place % 2 else place + 1]),
            includes_low=start % 2 == 1,
            includes_high=place % 2 == 1,
        )
        start = place + 1


def _flip(
    variable: str,
    verdict: Verdict,
    low: float,
    high: float,
    *,
    includes_low: bool,
    includes_high: bool,
) -> Flip:
    label, unit, factor = _UNITS[variable]
    low, high = low / factor, high / factor
    where = _range_text(label, unit, low, high, includes_low, includes_high)
    return Flip(
        variable=variable,
        low=low,
        high=high,
        unit=unit,
        includes_low=includes_low,
        includes_high=includes_high,
        eccn=verdict[0],
        licence_required=verdict[1],
        policy=verdict[2],
        text=f"{_verdict_text(verdict)} if {where}",
    )


def _range_text(
    label: str, unit: str, low: float, high: float, includes_low: bool, includes_high: bool
) -> str:
    def with_unit(value: float) -> str:
        return f"{number(value)} {unit}".rstrip()

    if low == high:
        return f"{label} is exactly {with_unit(low)}"
    from_text = f"at least {with_unit(low)}" if includes_low else f"above {with_unit(low)}"
    to_text = f"at most {with_unit(high)}" if includes_high else f"below {with_unit(high)}"
    if math.isinf(high):
        return f"{label} is {from_text}"
    return f"{label} is {to_text}" if low <= 0 else f"{label} is {from_text} and {to_text}"


def _market(plan: Sweep, verdicts: list[Verdict]) -> Iterator[Flip]:
    for point, verdict in zip(plan.points, verdicts, strict=True):
        word = "is" if point == YES else "is not"
        yield Flip(
            variable="datacentre",
            low=float(point),
            high=float(point),
            unit="",
            includes_low=True,
            includes_high=True,
            eccn=verdict[0],
            licence_required=verdict[1],
            policy=verdict[2],
            text=f"{_verdict_text(verdict)} if the item {word} {FACTS['datacentre']}",
        )


def _verdict_text(verdict: Verdict) -> str:
    eccn, licence, policy = verdict
    words = {
        NONE: "in no paragraph of 3A090",
        NOT_YET: "before 3A090",
        UNDETERMINED: "classification undetermined",
    }.get(eccn, f"controlled under {eccn}")
    need = {"yes": "licence required", "no": "no licence requirement", "unknown": "licence open"}
    review = f", {policy.replace('_', ' ')}" if policy and licence is Answer.YES else ""
    return f"{words}, {need[licence.value]}{review}"
