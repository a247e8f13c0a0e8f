"""How many wait how long: the cumulative share of times, one named line per metric."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from weir.report.charts.kit import (
    LABEL_SIZE,
    PLOT_WIDTH,
    Scale,
    Spec,
    frame,
    label_rows,
    layer,
    leader_layer,
    leader_rows,
    span,
    text_layer,
)
from weir.report.charts.labels import Box, Wish, place
from weir.report.palette import MUTED, SERIES_INKS

_HEIGHT: Final = 380
_ROOM: Final = 1.4
_DASHES: Final[tuple[list[int], ...]] = ([], [6, 3], [2, 3], [8, 3, 2, 3])
# Names stand at different heights, so that close lines stay apart.
_NAMES_FROM: Final = 0.85
_NAMES_STEP: Final = 0.15
_DIRECTIONS: Final = (180, 0, 135, 45, 225, 315)


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric.

    Attributes:
        name: What it is called.
        times_s: Times in ascending order.
        shares: Share of the observations that do not exceed each, 0 to 1.
        limit_s: The service level; None without one.
    """

    name: str
    times_s: tuple[float, ...]
    shares: tuple[float, ...]
    limit_s: float | None = None


def _line_boxes(curve: Curve, x: Scale, y: Scale) -> Iterator[Box]:
    """Where a line runs, so that no name stands on it."""
    spots = [(x.to_px(t), y.to_px(s)) for t, s in zip(curve.times_s, curve.shares, strict=True)]
    for (x0, y0), (x1, y1) in itertools.pairwise(spots):
        yield Box(min(x0, x1) - 1, min(y0, y1) - 1, max(x0, x1) + 1, max(y0, y1) + 1)


def tails(title: str, curves: Sequence[Curve]) -> Spec:
    """Cumulative shares over a logarithmic axis of times; service levels as upright rules.

    Args:
        title: The finding or the question.
        curves: The metrics; those without observations are left out.

    Returns:
        A Vega-Lite specification.
    """
    shown = [curve for curve in curves if curve.times_s]
    limits = [curve.limit_s for curve in shown if curve.limit_s is not None]
    x = Scale(*span([t for curve in shown for t in curve.times_s] + limits, _ROOM), PLOT_WIDTH)
    y = Scale(0.0, 1.0, _HEIGHT, log=False, upward=True)
    positions = {
        "x": x.encoding("x", "Time (s)"),
        "y": y.encoding("y", "Share of observations up to this time", format=".0%"),
    }
    layers, wishes = [], []
    for number, curve in enumerate(shown):
        ink = SERIES_INKS[number % len(SERIES_INKS)].light
        dash = _DASHES[number % len(_DASHES)]
        rows = [
            {"x": t, "y": s, "metric": curve.name}
            for t, s in zip(curve.times_s, curve.shares, strict=True)
        ]
        line = {"type": "line", "color": ink, "strokeWidth": 2, "strokeDash": dash}
        layers.append(layer(rows, line | {"interpolate": "step-after"}, **positions))
        if curve.limit_s is not None:
            rule = {"type": "rule", "color": ink, "strokeDash": [2, 2], "strokeWidth": 1.2}
            layers.append(layer([{"x": curve.limit_s}], rule, x=positions["x"]))
        level = _NAMES_FROM - number * _NAMES_STEP
        at = next((i for i, s in enumerate(curve.shares) if s >= level), 0)
        spot = x.to_px(curve.times_s[at]), y.to_px(curve.shares[at])
        wishes.append(Wish(curve.name, *spot, LABEL_SIZE, bold=True, directions=_DIRECTIONS))
    lines = [box for curve in shown for box in _line_boxes(curve, x, y)]
    placed = place(wishes, lines, Box(0.0, 0.0, PLOT_WIDTH, _HEIGHT))
    leaders = leader_rows(placed, x, y)
    if leaders:
        layers.append(leader_layer(leaders, positions, MUTED.light))
    for number, curve in enumerate(shown):
        rows = label_rows([p for p in placed if p.wish.text == curve.name], x, y)
        ink = SERIES_INKS[number % len(SERIES_INKS)].light
        layers.append(text_layer(rows, positions, ink, LABEL_SIZE))
    subtitle = ["Further left is better."]
    if limits:
        subtitle = ["Further left is better. Upright dotted lines: the service levels."]
    return frame(title, subtitle, layers, _HEIGHT)
