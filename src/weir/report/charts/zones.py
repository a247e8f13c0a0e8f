"""The zones of a map: shaded rectangles and their names, set where nothing else stands."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from weir.report.charts.kit import (
    SMALL_SIZE,
    Spec,
    label_rows,
    layer,
    leader_layer,
    leader_rows,
    text_layer,
)
from weir.report.charts.labels import Box, Wish, overlaps, place, text_box, text_width
from weir.report.charts.marks import Axis, Paper, Zone
from weir.report.palette import PAPER, ZONE_LIGHT, ZONE_STRONG, ZONE_TEXT

_SCAN_STEP: Final = 6.0
_INSET: Final = 7.0
_SAMPLES: Final = 24
_CLEARANCE: Final = 12.0


def zone_rectangles(zones: Sequence[Zone], paper: Paper) -> Iterator[Spec]:
    """The shaded rectangles, the stronger shade over the weaker, a thin line between zones."""
    for strong, ink in ((False, ZONE_LIGHT), (True, ZONE_STRONG)):
        rows = []
        for zone in zones:
            if zone.strong is strong:
                left, right, bottom, top = paper.zone(zone)
                corners = {"x": left, "x2": right, "y": bottom, "y2": top}
                rows.append(corners | {"zone": zone.label})
        if rows:
            mark = {
                "type": "rect",
                "color": ink.light,
                "opacity": 1,
                "stroke": PAPER.light,
                "strokeWidth": 1.5,
            }
            yield layer(rows, mark, **paper.channels(), x2={"field": "x2"}, y2={"field": "y2"})


def _conditions(zone: Zone, axis: Axis) -> list[str]:
    if zone.condition:
        return [zone.condition]
    low = None if zone.y_min is None else zone.y_min / axis.unit
    high = None if zone.y_max is None else zone.y_max / axis.unit
    parts = (_range("TPP", zone.x_min, zone.x_max), _range(axis.short, low, high, axis.suffix))
    return [part for part in parts if part]


def _range(name: str, low: float | None, high: float | None, suffix: str = "") -> str:
    if low is not None and high is not None:
        return f"{low:,g} ≤ {name} < {high:,g}{suffix}"
    if low is not None:
        return f"{name} ≥ {low:,g}{suffix}"
    return f"{name} < {high:,g}{suffix}" if high is not None else ""


def zone_labels(
    zones: Sequence[Zone], paper: Paper, obstacles: Sequence[Box]
) -> tuple[list[Spec], list[Box]]:
    """Names each zone inside what can be seen of it, or beside it with a line where it is small."""
    taken = list(obstacles)
    own: list[Box] = []
    rows: list[Spec] = []
    outside: list[Wish] = []
    for position, zone in enumerate(zones):
        covers = [paper.zone_box(later) for later in zones[position + 1 :]]
        inner = paper.zone_box(zone)
        conditions = _conditions(zone, paper.axis)
        told = ", ".join(conditions)
        layouts = ([zone.label, told], [zone.label, *conditions], [zone.label])
        for clearance, lines in itertools.product((_CLEARANCE, 0.0), layouts):
            around = [box.grown(clearance) for box in (*taken, *own)]
            box = _free_place(lines, inner, around, covers)
            if box is not None:
                own.append(box)
                rows.extend(_zone_text(lines, box, paper))
                break
        else:
            x, y = _seen_middle(inner, covers)
            outside.append(Wish(f"{zone.label}: {told}", x, y, SMALL_SIZE))
    placed = place(outside, [*taken, *own], paper.box)
    rows.extend(label_rows(placed, paper.x, paper.y))
    leaders = leader_rows(placed, paper.x, paper.y)
    layers = [leader_layer(leaders, paper.channels(), ZONE_TEXT.light)] if leaders else []
    if rows:
        layers.append(text_layer(rows, paper.channels(), ZONE_TEXT.light, SMALL_SIZE))
    return layers, [*own, *(p.box for p in placed)]


def _zone_text(lines: Sequence[str], box: Box, paper: Paper) -> list[Spec]:
    step = (box.bottom - box.top) / len(lines)
    return [
        {
            "x": paper.x.from_px(box.left),
            "y": paper.y.from_px(box.top + step * (number + 0.5)),
            "text": line,
            "weight": 400 if number else 700,
        }
        for number, line in enumerate(lines)
    ]


def _free_place(
    lines: Sequence[str], inner: Box, taken: Sequence[Box], covers: Sequence[Box]
) -> Box | None:
    """The first place inside a zone, from its top left corner, that covers nothing."""
    width = max(text_width(line, SMALL_SIZE, bold=True) for line in lines)
    shape = text_box("", 0.0, 0.0, SMALL_SIZE, lines=len(lines))
    height = shape.bottom - shape.top
    tops = np.arange(inner.top + _INSET, inner.bottom - _INSET - height, _SCAN_STEP)
    lefts = np.arange(inner.left + _INSET, inner.right - _INSET - width, _SCAN_STEP)
    for top in tops.tolist():
        row = [Box(left, top, left + width, top + height) for left in lefts.tolist()]
        free = ~np.any(overlaps(row, [*taken, *covers]) > 0, axis=1)
        if np.any(free):
            return row[int(np.argmax(free))]
    return None


def _seen_middle(inner: Box, covers: Sequence[Box]) -> tuple[float, float]:
    """A pixel in the middle of what later zones leave to be seen of a zone."""
    steps = [(number + 0.5) / _SAMPLES for number in range(_SAMPLES)]
    spots = [
        (inner.left + u * (inner.right - inner.left), inner.top + v * (inner.bottom - inner.top))
        for u in steps
        for v in steps
    ]
    seen = [s for s in spots if not any(_holds(cover, s) for cover in covers)] or spots
    mean_x = sum(s[0] for s in seen) / len(seen)
    mean_y = sum(s[1] for s in seen) / len(seen)
    return min(seen, key=lambda s: (s[0] - mean_x) ** 2 + (s[1] - mean_y) ** 2)


def _holds(box: Box, spot: tuple[float, float]) -> bool:
    return box.left <= spot[0] <= box.right and box.top <= spot[1] <= box.bottom
