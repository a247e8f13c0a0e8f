"""The regions of the law of a day, for a map of TPP against performance density or bandwidth."""

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from weir.catalog.law import METRICS, AllOf, AnyOf, Compare, Condition, Law, Provision
from weir.rules.scene import law_on

UNBOUNDED = (0.0, math.inf)


@dataclass(frozen=True, slots=True)
class Zone:
    """One rectangle of a map in which a clause holds.

    Attributes:
        clause: Provision id.
        paragraph: What it leads to: "3A090.a", a policy, "25 percent" …
        effect: "classify", "exclude", "require", "review" or "tariff".
        title: For people.
        x: Metric on the horizontal axis.
        y: Metric on the vertical axis.
        x_low: Least value, in the unit people read (TPP, GB/s).
        x_high: Greatest value, inf where open.
        y_low: Least value.
        y_high: Greatest value, inf where open.
        includes: Of x_low, x_high, y_low, y_high: does the edge belong to the zone?
        citation: The paragraph.
        others: Metrics that the clause tests as well and that are not on the map, so that the zone
            is larger than the clause.
    """

    clause: str
    paragraph: str
    effect: str
    title: str
    x: str
    y: str
    x_low: float
    x_high: float
    y_low: float
    y_high: float
    includes: tuple[bool, bool, bool, bool]
    citation: str
    others: tuple[str, ...] = ()


def zones(
    law: Law,
    on: dt.date,
    x: str = "tpp",
    y: str = "performance_density",
    effects: Sequence[str] = ("classify",),
) -> tuple[Zone, ...]:
    """The rectangles of every clause in force that tests one of two metrics.

    Only numeric tests are drawn; what else a clause asks (market, destination, party) is left out.
    Tests of other metrics are left out as well, so that a zone may be larger than the clause: take
    maps whose two metrics are those of the clauses.

    Args:
        law: The law, with or without what-ifs.
        on: The day.
        x: Metric of `weir.catalog.law.METRICS` on the horizontal axis.
        y: Metric on the vertical axis.
        effects: Kinds of provisions to draw.
    """
    day = law_on(law, on)
    return tuple(
        zone for effect in effects for item in day.of(effect) for zone in _zones(item, x, y)
    )


def _zones(item: Provision, x: str, y: str) -> Iterator[Zone]:
    for box in _boxes(item.when):
        on_axes = {_axis(leaf.metric) for leaf in box} & {x, y}
        if not on_axes:
            continue
        x_low, x_high, keeps_x = _range(box, x)
        y_low, y_high, keeps_y = _range(box, y)
        if x_low > x_high or y_low > y_high:
            continue
        yield Zone(
            clause=item.id,
            paragraph=item.result[0] if item.result else item.id,
            effect=item.effect,
            title=item.title,
            x=x,
            y=y,
            x_low=x_low,
            x_high=x_high,
            y_low=y_low,
            y_high=y_high,
            includes=(*keeps_x, *keeps_y),
            citation=item.citation,
            others=tuple(sorted({_axis(leaf.metric) for leaf in box} - {x, y})),
        )


def _axis(metric: str) -> str:
    return "tpp" if metric == "bits_times_tops" else metric


def _boxes(condition: Condition) -> Iterator[tuple[Compare, ...]]:
    """The comparisons of each alternative of a condition."""
    if isinstance(condition, Compare):
        yield (condition,)
    elif isinstance(condition, AnyOf):
        for part in condition.parts:
            yield from _boxes(part)
    elif isinstance(condition, AllOf):
        boxes: list[tuple[Compare, ...]] = [()]
        for part in condition.parts:
            inner = list(_boxes(part)) or [()]
            boxes = [(*left, *right) for left in boxes for right in inner]
        yield from (box for box in boxes if box)


def _range(box: tuple[Compare, ...], axis: str) -> tuple[float, float, tuple[bool, bool]]:
    (low, high), keeps_low, keeps_high = UNBOUNDED, True, False
    for leaf in box:
        if _axis(leaf.metric) != axis:
            continue
        value = leaf.threshold / METRICS[leaf.metric].factor
        if leaf.comparison in {"ge", "gt"} and value >= low:
            low, keeps_low = value, leaf.comparison == "ge"
        elif leaf.comparison in {"le", "lt"} and value <= high:
            high, keeps_high = value, leaf.comparison == "le"
    return low, high, (keeps_low, keeps_high)
