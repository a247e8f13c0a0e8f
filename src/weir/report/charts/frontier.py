"""What a chip serves against how fast each user is served, one line per chip."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from weir.report.charts.kit import (
    LABEL_SIZE,
    PLOT_WIDTH,
    SMALL_SIZE,
    Scale,
    Spec,
    frame,
    label_rows,
    layer,
    leader_layer,
    leader_rows,
    named,
    span,
    text_layer,
)
from weir.report.charts.labels import Box, Wish, place, text_width
from weir.report.palette import MUTED, PAPER, SERIES_INKS


@dataclass(frozen=True, slots=True)
class ServingPoint:
    """One operating point of one chip.

    Attributes:
        user_tokens_per_s: What one user gets (interactivity).
        chip_tokens_per_s: What one chip serves to all its users.
        low: Lower bound of `chip_tokens_per_s`; None where no interval is given.
        high: Upper bound, likewise.
        batch: Sequences decoded together.
        chips: Chips that serve them.
    """

    user_tokens_per_s: float
    chip_tokens_per_s: float
    low: float | None = None
    high: float | None = None
    batch: int | None = None
    chips: int | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One chip's operating points; `highlighted` is the chip that was asked about."""

    name: str
    points: tuple[ServingPoint, ...]
    highlighted: bool = False


_HEIGHT: Final = 460
_ROOM: Final = 1.35
_NAME_ROOM: Final = 24.0
_DOT: Final = 5.0
_STEPS: Final = 24
_SAME_PLACE: Final = 6.0
_DASHES: Final[tuple[list[int], ...]] = ([], [6, 3], [2, 3], [8, 3, 2, 3])
_SHAPES: Final = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
_END: Final = (0, 45, 315, 90, 270, 135, 225, 180)


def frontier(title: str, series: Sequence[Series]) -> Spec:
    """Tokens/s per chip (logarithmic) against tokens/s per user, one named line per chip.

    The band of the highlighted chip is the interval of its estimate. Batch sizes stand beside its
    points where they fit. A chip without points is named under the title.

    Args:
        title: The finding or the question.
        series: The chips; the order decides colour, dash and mark.

    Returns:
        A Vega-Lite specification.
    """
    styled = [_Styled(one, position) for position, one in enumerate(series) if one.points]
    x, y = _axes(styled)
    lines = [box for one in styled for box in _line_boxes(one, x, y)]
    names, batches = _wishes(styled, x, y)
    placed = place([*names, *batches], lines, Box(0.0, 0.0, PLOT_WIDTH, _HEIGHT))
    positions = {
        "x": x.encoding("x", "Interactivity (output tokens/s per user)", tickCount=10),
        "y": y.encoding("y", "Throughput (output tokens/s per chip)"),
    }
    layers = [*_bands(styled, positions), *_lines(styled, positions)]
    leaders = leader_rows(placed, x, y)
    if leaders:
        layers.append(leader_layer(leaders, positions, MUTED.light))
    inks = {one.series.name: one.ink for one in styled}
    for name, ink in inks.items():
        rows = label_rows([p for p in placed if p.wish.text == name], x, y)
        layers.append(text_layer(rows, positions, ink, LABEL_SIZE))
    small = label_rows([p for p in placed if p.wish.text not in inks], x, y)
    if small:
        layers.append(text_layer(small, positions, MUTED.light, SMALL_SIZE))
    return frame(title, _subtitle(series), layers, _HEIGHT)


class _Styled:
    """A series with its points in order and its place in the palette."""

    def __init__(self, series: Series, position: int) -> None:
        self.series = series
        self.points = sorted(series.points, key=lambda point: point.user_tokens_per_s)
        self.ink = SERIES_INKS[position % len(SERIES_INKS)].light
        self.dash = [] if series.highlighted else _DASHES[position % len(_DASHES)]
        self.shape = _SHAPES[position % len(_SHAPES)]

    @property
    def has_band(self) -> bool:
        bounded = [p.low is not None and p.high is not None for p in self.points]
        return self.series.highlighted and all(bounded)


def _axes(styled: Sequence[_Styled]) -> tuple[Scale, Scale]:
    points = [point for one in styled for point in one.points]
    fastest = max((point.user_tokens_per_s for point in points), default=1.0)
    rates = [point.chip_tokens_per_s for point in points]
    for one in styled:
        if one.has_band:
            rates.extend(bound for p in one.points for bound in (p.low, p.high) if bound)
    low, high = span(rates, _ROOM)
    # The axis goes on far enough for the name of the fastest line to stand behind its end.
    widest = max((text_width(one.series.name, LABEL_SIZE, bold=True) for one in styled), default=0)
    room = PLOT_WIDTH / (PLOT_WIDTH - min(widest + _NAME_ROOM, PLOT_WIDTH / 2))
    return (
        Scale(0.0, fastest * room, PLOT_WIDTH, log=False),
        Scale(low, high, _HEIGHT, upward=True),
    )


def _subtitle(series: Sequence[Series]) -> list[str]:
    line = "Up and to the right is better. Each mark is one batch size."
    if any(one.points and _Styled(one, 0).has_band for one in series):
        line += " Band: the interval of the estimate."
    absent = [one.name for one in series if not one.points]
    return [line, f"No operating point: {named(absent)}."] if absent else [line]


def _pixel(point: ServingPoint, x: Scale, y: Scale) -> tuple[float, float]:
    return x.to_px(point.user_tokens_per_s), y.to_px(point.chip_tokens_per_s)


def _line_boxes(one: _Styled, x: Scale, y: Scale) -> Iterator[Box]:
    spots = [_pixel(point, x, y) for point in one.points]
    for spot_x, spot_y in spots:
        yield Box(spot_x - _DOT, spot_y - _DOT, spot_x + _DOT, spot_y + _DOT)
    for (x0, y0), (x1, y1) in itertools.pairwise(spots):
        pieces = max(1, math.ceil(math.hypot(x1 - x0, y1 - y0) / _STEPS))
        for number in range(pieces):
            left, right = number / pieces, (number + 1) / pieces
            ends_y = sorted((y0 + (y1 - y0) * left, y0 + (y1 - y0) * right))
            yield Box(x0 + (x1 - x0) * left, ends_y[0] - 1, x0 + (x1 - x0) * right, ends_y[1] + 1)


def _wishes(styled: Sequence[_Styled], x: Scale, y: Scale) -> tuple[list[Wish], list[Wish]]:
    names, batches = [], []
    for one in sorted(styled, key=lambda one: not one.series.highlighted):
        last_x, last_y = _pixel(one.points[-1], x, y)
        bold = one.series.highlighted
        names.append(Wish(one.series.name, last_x, last_y, LABEL_SIZE, bold=bold, directions=_END))
        if not bold:
            continue
        told: list[tuple[float, float]] = []
        for point in one.points:
            at = _pixel(point, x, y)
            apart = all(math.dist(at, other) > _SAME_PLACE for other in told)
            if point.batch is not None and apart:
                told.append(at)
                batches.append(Wish(f"batch {point.batch:,}", *at, SMALL_SIZE, optional=True))
    return names, batches


def _bands(styled: Sequence[_Styled], positions: Spec) -> Iterator[Spec]:
    for one in styled:
        if one.has_band:
            rows = [
                {"x": p.user_tokens_per_s, "y": p.low, "y2": p.high, "chip": one.series.name}
                for p in one.points
            ]
            mark = {"type": "area", "color": one.ink, "opacity": 0.16, "line": False}
            yield layer(rows, mark, **positions, y2={"field": "y2"})


def _lines(styled: Sequence[_Styled], positions: Spec) -> Iterator[Spec]:
    for one in sorted(styled, key=lambda one: one.series.highlighted):
        rows = [_row(one.series.name, point) for point in one.points]
        bold = one.series.highlighted
        line = {
            "type": "line",
            "color": one.ink,
            "strokeWidth": 3.2 if bold else 1.6,
            "strokeDash": one.dash,
        }
        yield layer(rows, line, **positions)
        mark = {
            "type": "point",
            "filled": True,
            "fill": one.ink,
            "stroke": PAPER.light,
            "strokeWidth": 1,
            "opacity": 1,
            "shape": one.shape,
            "size": 90 if bold else 48,
        }
        yield layer(rows, mark, **positions, tooltip=_TOOLTIP, description=_TOOLTIP[0])


_TOOLTIP: Final = [
    {"field": "chip", "type": "nominal", "title": "Chip"},
    {"field": "x", "type": "quantitative", "title": "Tokens/s per user", "format": ",.3~g"},
    {"field": "y", "type": "quantitative", "title": "Tokens/s per chip", "format": ",.4~g"},
    {"field": "batch", "type": "nominal", "title": "Batch"},
    {"field": "chips", "type": "nominal", "title": "Chips"},
]


def _row(name: str, point: ServingPoint) -> Spec:
    place_at = {"x": point.user_tokens_per_s, "y": point.chip_tokens_per_s}
    return {"chip": name, **place_at, "batch": point.batch, "chips": point.chips}
