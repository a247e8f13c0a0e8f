"""What all pictures share: size, type, scales known in pixels, and pieces of a specification."""

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from weir.report.charts.labels import Placed
from weir.report.palette import GRID, MUTED, PAPER, RULE, TEXT, TONE_INKS, TONE_WORDS, Tone

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
# Faces of nearly the same width, since labels are placed by an estimate of it.
FONT: Final = (
    "Helvetica, Arial, 'Liberation Sans', 'Nimbus Sans', Roboto, 'Noto Sans', "
    "'DejaVu Sans Condensed', sans-serif"
)
PLOT_WIDTH: Final = 780
PLOT_HEIGHT: Final = 520
TITLE_SIZE: Final = 17
LABEL_SIZE: Final = 12
SMALL_SIZE: Final = 11

TONE_SHAPES: Final = {
    Tone.PLAIN: "circle",
    Tone.NOT_REQUIRED: "circle",
    Tone.REQUIRED: "square",
    Tone.UNKNOWN: "diamond",
    Tone.WARNING: "triangle-up",
}

_TICK_STEPS: Final = (1, 2, 5)
_DECADE: Final = 10
# A leader keeps off the text it starts at and the mark it ends at.
_LEADER_GAP: Final = 3.0
_LEADER_STOP: Final = 7.0
_HALO: Final = 4
_MEAN_WIDTH: Final = 0.53  # of a letter, in units of the font size
_MOST_NAMES: Final = 6
_PLAIN_WEIGHT: Final = 400
_BOLD_WEIGHT: Final = 700

Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis whose pixels are known before drawing.

    Attributes:
        low: The smallest value shown.
        high: The largest value shown.
        length: Pixels from one to the other.
        log: Logarithmic or linear.
        upward: True for a vertical axis, whose pixels are counted from the top.
    """

    low: float
    high: float
    length: float
    log: bool = True
    upward: bool = False

    def to_px(self, value: float) -> float:
        """The pixel of a value, values outside set on the edge."""
        inside = min(max(value, self.low), self.high)
        share = self._position(inside) / self._position(self.high)
        return self.length * (1 - share if self.upward else share)

    def from_px(self, pixel: float) -> float:
        """The value at a pixel, which may lie outside the plot."""
        share = 1 - pixel / self.length if self.upward else pixel / self.length
        if self.log:
            return self.low * math.exp(share * self._position(self.high))
        return self.low + (self.high - self.low) * share

    def _position(self, value: float) -> float:
        return math.log(value / self.low) if self.log else value - self.low

    @property
    def ticks(self) -> list[float]:
        """Round values on a logarithmic axis: 1, 2 and 5 times the powers of ten."""
        first = math.floor(math.log10(self.low))
        last = math.ceil(math.log10(self.high))
        values = [s * float(_DECADE) ** e for e in range(first, last + 1) for s in _TICK_STEPS]
        return [value for value in values if self.low <= value <= self.high]

    def encoding(self, field: str, title: str, **axis: object) -> Spec:
        """The position channel of a field on this axis."""
        scale: Spec = {"domain": [self.low, self.high], "nice": False}
        if self.log:
            scale["type"] = "log"
            axis = {"values": self.ticks} | axis
        else:
            scale["zero"] = False
        channel = {"field": field, "type": "quantitative", "scale": scale}
        number = ",~g" if self.log else ",~f"
        return channel | {"axis": {"title": title, "format": number, **axis}}


def span(values: Iterable[float], room: float) -> tuple[float, float]:
    """A logarithmic axis that holds all values, widened by the factor `room` at both ends."""
    known = [value for value in values if value > 0 and math.isfinite(value)]
    return (min(known) / room, max(known) * room) if known else (1 / room, room)


def frame(
    title: str, subtitle: Sequence[str], layers: Sequence[Spec], height: float = PLOT_HEIGHT
) -> Spec:
    """A whole picture of layers, with the house style."""
    return {
        "$schema": SCHEMA,
        "title": {"text": _wrapped([title], TITLE_SIZE), "subtitle": _wrapped(subtitle)},
        "width": PLOT_WIDTH,
        "height": height,
        "layer": list(layers),
        "config": _config(),
    }


def _wrapped(lines: Sequence[str], size: float = LABEL_SIZE) -> list[str]:
    """Lines short enough to stand over the plot without widening the picture."""
    characters = round(PLOT_WIDTH / (size * _MEAN_WIDTH))
    return [part for line in lines for part in textwrap.wrap(line, characters)]


def named(names: Sequence[str], most: int = _MOST_NAMES) -> str:
    """A list of names that stops before it fills the picture."""
    if len(names) <= most + 1:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} others"


def _config() -> Spec:
    axis = {
        "labelColor": MUTED.light,
        "titleColor": TEXT.light,
        "labelFontSize": SMALL_SIZE,
        "titleFontSize": LABEL_SIZE,
        "titleFontWeight": "normal",
        "titlePadding": 10,
        "gridColor": GRID.light,
        "domainColor": RULE.light,
        "tickColor": RULE.light,
        "labelOverlap": True,
    }
    title = {
        "anchor": "start",
        "frame": "group",
        "color": TEXT.light,
        "subtitleColor": MUTED.light,
        "fontSize": TITLE_SIZE,
        "subtitleFontSize": LABEL_SIZE,
        "subtitleLineHeight": 16,
        "subtitlePadding": 6,
        "offset": 14,
    }
    return {
        "font": FONT,
        "background": PAPER.light,
        "padding": 12,
        "view": {"stroke": RULE.light},
        "axis": axis,
        "title": title,
        "text": {"fontSize": LABEL_SIZE, "color": TEXT.light, "align": "left"},
    }


def layer(
    rows: Sequence[Mapping[str, object]], mark: Mapping[str, object], **encoding: object
) -> Spec:
    """One layer: rows, the mark that draws them, and its channels."""
    return {"data": {"values": list(rows)}, "mark": dict(mark), "encoding": dict(encoding)}


def tone_channels(tones: Iterable[Tone], *, shapes: bool = True) -> Spec:
    """Colour (and shape) of the tones that occur, with one legend that names them.

    The field is `verdict`, which holds the words of the tone.
    """
    used = [tone for tone in Tone if tone in set(tones)]
    words = [TONE_WORDS[tone] for tone in used]
    legend = {
        "title": None,
        "orient": "top",
        "direction": "horizontal",
        "labelFontSize": LABEL_SIZE,
        "labelColor": TEXT.light,
        "symbolSize": 110,
        "symbolOpacity": 1,
        "labelLimit": 0,
        "columnPadding": 22,
        "offset": 6,
    }
    colour = {
        "field": "verdict",
        "type": "nominal",
        "scale": {"domain": words, "range": [TONE_INKS[tone].light for tone in used]},
        "legend": legend,
    }
    if not shapes:
        return {"color": colour}
    shape = {
        "field": "verdict",
        "type": "nominal",
        "scale": {"domain": words, "range": [TONE_SHAPES[tone] for tone in used]},
        "legend": legend,
    }
    return {"color": colour, "shape": shape}


def label_rows(placed: Iterable[Placed], x: Scale, y: Scale) -> list[Spec]:
    """Rows of a text layer for placed labels, in the units of the axes.

    Each is aligned on the side of its point, so that a wrongly estimated width does no harm there.
    """
    rows = []
    for p in placed:
        if p.box.right <= p.wish.x:
            align, at = "right", p.box.right
        elif p.box.left >= p.wish.x:
            align, at = "left", p.box.left
        else:
            align, at = "center", (p.box.left + p.box.right) / 2
        weight = _BOLD_WEIGHT if p.wish.bold else _PLAIN_WEIGHT
        for line, middle in zip(p.wish.lines, p.middles, strict=True):
            row = {"x": x.from_px(at), "y": y.from_px(middle), "text": line}
            rows.append(row | {"align": align, "weight": weight})
    return rows


def leader_rows(placed: Iterable[Placed], x: Scale, y: Scale) -> list[Spec]:
    """Rows of a rule layer (x, y, x2, y2) from labels to the points they name."""
    rows = []
    for p in placed:
        near_x, near_y = p.near
        run, rise = p.wish.x - near_x, p.wish.y - near_y
        length = math.hypot(run, rise)
        if p.leader and length > _LEADER_GAP + _LEADER_STOP:
            first, last = _LEADER_GAP / length, 1 - _LEADER_STOP / length
            rows.append(
                {
                    "x": x.from_px(near_x + run * first),
                    "y": y.from_px(near_y + rise * first),
                    "x2": x.from_px(near_x + run * last),
                    "y2": y.from_px(near_y + rise * last),
                }
            )
    return rows


def text_layer(
    rows: Sequence[Mapping[str, object]], positions: Spec, ink: str, size: float = LABEL_SIZE
) -> Spec:
    """Texts whose edge and vertical middle are the rows' x and y.

    A row's `weight` is its font weight; its `align` says which edge x is, the left one by default.
    """
    mark = {
        "type": "text",
        "align": {"expr": "datum.align || 'left'"},
        "baseline": "middle",
        "fontSize": size,
        "color": ink,
        "fontWeight": {"expr": "datum.weight"},
    }
    return layer(rows, mark, **positions, text={"field": "text"})


def halo_layer(
    rows: Sequence[Mapping[str, object]], positions: Spec, paper: str, size: float = LABEL_SIZE
) -> Spec:
    """Paper-coloured edges under the texts of a `text_layer`, so that lines do not touch them."""
    halo = text_layer(rows, positions, paper, size)
    halo["mark"] |= {"stroke": paper, "strokeWidth": _HALO, "strokeJoin": "round"}
    return halo


def leader_layer(rows: Sequence[Mapping[str, object]], positions: Spec, ink: str) -> Spec:
    """Thin lines from labels to what they name."""
    mark = {"type": "rule", "color": ink, "strokeWidth": 0.8, "opacity": 0.8}
    return layer(rows, mark, **positions, x2={"field": "x2"}, y2={"field": "y2"})
