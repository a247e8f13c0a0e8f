"""The map of the law: chips as points on the plane that a rule draws its lines on."""

import datetime as dt
import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from weir.report.charts.kit import (
    LABEL_SIZE,
    PLOT_HEIGHT,
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
    tone_channels,
)
from weir.report.charts.labels import Box, Wish, place, text_width
from weir.report.charts.marks import Axis, Group, MapPoint, Paper, Shown, Zone, is_placeable
from weir.report.charts.zones import zone_labels, zone_rectangles
from weir.report.palette import MUTED, PAPER, TEXT, TONE_INKS

_ROOM: Final = 1.6
_BAR_HALF: Final = 3.0
_ISO_END: Final = 0.975
_ISO_LIFT: Final = 8.0
_ISO_PIECES: Final = 10
_ISO_STEP: Final = 8.0
_SAME_PLACE: Final = 4.0
_TICK: Final = 10.0
_OWN_ROOM: Final = 3.5
_NAME_LINE: Final = 26
_TIED: Final = "\u00a0"
_SIZES: Final = {Group.HIGHLIGHTED: 200, Group.COMPARED: 95, Group.OTHER: 36}


def plane(
    title: str,
    on: dt.date,
    zones: Sequence[Zone],
    points: Sequence[MapPoint],
    axis: Axis,
    die_areas_mm2: Sequence[float] = (),
) -> Spec:
    """Draws the map.

    Args:
        title: The finding or the question.
        on: The day whose rule the zones are.
        zones: The paragraphs in force on that day.
        points: The chips. One without any bound on an axis spans all of it; one without any bound
            on either is named under the title.
        axis: What the vertical axis shows.
        die_areas_mm2: Areas whose line of equal die area is drawn; only sensible where the
            vertical axis is performance density.

    Returns:
        A Vega-Lite specification.
    """
    shown = [Shown(point, axis) for point in points if is_placeable(point)]
    paper = _paper(zones, shown, axis)
    painted = sorted(zones, key=lambda zone: zone.strong)
    placed = [mark for mark in shown if not mark.on_edge]
    edged = [mark for mark in shown if mark.on_edge]
    marks = [box for mark in placed for box in (_dot_box(mark, paper), *_bar_boxes(mark, paper))]
    lines = [line for area in die_areas_mm2 if (line := _iso_line(area, paper))]
    lettering = [box for line in lines for box in line.boxes]
    zone_layers, zone_boxes = zone_labels(painted, paper, [*marks, *lettering])
    layers = [
        *zone_rectangles(painted, paper),
        *_iso_layers(lines, paper),
        *_bar_layers(placed, paper),
        *_edge_layers(edged, paper),
        *_point_layers(placed, paper),
        *zone_layers,
        *_name_layers(placed, paper, marks, [*lettering, *zone_boxes]),
    ]
    lost = [point.name for point in points if not is_placeable(point)]
    return frame(title, _subtitle(on, zones, shown, lost), layers)


def _paper(zones: Sequence[Zone], shown: Sequence[Shown], axis: Axis) -> Paper:
    across = [bound for zone in zones for bound in (zone.x_min, zone.x_max)]
    up = [bound for zone in zones for bound in (zone.y_min, zone.y_max)]
    xs = [bound for bound in across if bound is not None]
    ys = [bound / axis.unit for bound in up if bound is not None]
    x_low, x_high = span([*xs, *(bound for mark in shown for bound in mark.known_x)], _ROOM)
    y_low, y_high = span([*ys, *(bound for mark in shown for bound in mark.known_y)], _ROOM)
    return Paper(
        Scale(x_low, x_high, PLOT_WIDTH),
        Scale(y_low, y_high, PLOT_HEIGHT, upward=True),
        axis,
        tuple(mark.point.tone for mark in shown),
    )


def _subtitle(
    on: dt.date, zones: Sequence[Zone], shown: Sequence[Shown], lost: Sequence[str]
) -> list[str]:
    if zones:
        line = f"Shaded: where a paragraph of the rule in force on {on.isoformat()} applies."
    else:
        line = f"No paragraph with a line on this plane was in force on {on.isoformat()}."
    placed = [mark for mark in shown if not mark.on_edge]
    if not all(mark.is_exact for mark in placed):
        line += " Bars and open marks: known only within bounds."
    lines = [line]
    if any(None in (m.x_low, m.x_high, m.y_low, m.y_high) for m in placed):
        lines.append("A bar that reaches the edge of the map has no known bound on that side.")
    if len(placed) < len(shown):
        count = len(shown) - len(placed)
        lines.append(
            f"Ticks on the edge: {count} more chips, of which the other number is unknown."
        )
    if lost:
        lines.append(f"Not placed, numbers unknown: {named(lost)}.")
    return lines


@dataclass(frozen=True, slots=True)
class _IsoLine:
    """The chips of one die area: performance density = TPP / area, a slope on logarithmic axes."""

    area_mm2: float
    x: tuple[float, float]
    label: str
    label_x: float
    label_y: float
    angle: float
    boxes: tuple[Box, ...]


def _iso_line(area: float, paper: Paper) -> _IsoLine | None:
    left = max(paper.x.low, paper.y.low * area)
    right = min(paper.x.high, paper.y.high * area)
    if left >= right:
        return None
    x0, y0 = paper.pixel(left, left / area)
    x1, y1 = paper.pixel(right, right / area)
    run, rise = x1 - x0, y1 - y0
    length = math.hypot(run, rise)
    label = f"{area:,g} mm² of die area"
    # The label ends where the line ends and stands off it to the upper left.
    share = (length * _ISO_END - text_width(label, SMALL_SIZE)) / length
    lift_x, lift_y = rise / length * _ISO_LIFT, -run / length * _ISO_LIFT
    start = (x0 + run * share + lift_x, y0 + rise * share + lift_y)
    end = (x0 + run * _ISO_END + lift_x, y0 + rise * _ISO_END + lift_y)
    boxes = [
        *_boxes_along(start, end, _ISO_PIECES, SMALL_SIZE / 2),
        *_boxes_along((x0, y0), (x1, y1), round(length / _ISO_STEP), 1.0),
    ]
    angle = math.degrees(math.atan2(rise, run))
    return _IsoLine(area, (left, right), label, *end, angle, tuple(boxes))


def _boxes_along(
    start: tuple[float, float], end: tuple[float, float], pieces: int, half: float
) -> Iterator[Box]:
    """Small boxes on a slope, since a box cannot lean."""
    for number in range(pieces + 1):
        at = number / pieces
        x, y = start[0] + (end[0] - start[0]) * at, start[1] + (end[1] - start[1]) * at
        yield Box(x - half, y - half, x + half, y + half)


def _iso_layers(lines: Sequence[_IsoLine], paper: Paper) -> Iterator[Spec]:
    if not lines:
        return
    rows = [{"x": x, "y": x / line.area_mm2, "area": line.label} for line in lines for x in line.x]
    mark = {"type": "line", "color": MUTED.light, "strokeWidth": 0.9, "strokeDash": [2, 4]}
    yield layer(rows, mark, **paper.channels(), detail={"field": "area"})
    for line in lines:
        text = {
            "type": "text",
            "align": "right",
            "baseline": "middle",
            "angle": line.angle,
            "fontSize": SMALL_SIZE,
            "color": MUTED.light,
        }
        place_at = {
            "x": paper.x.from_px(line.label_x),
            "y": paper.y.from_px(line.label_y),
            "text": line.label,
        }
        yield layer([place_at], text, **paper.channels(), text={"field": "text"})


def _dot_box(mark: Shown, paper: Paper) -> Box:
    x, y = paper.pixel(*paper.middle(mark))
    half = math.sqrt(_SIZES[mark.point.group]) / 2
    return Box(x - half, y - half, x + half, y + half)


def _bar_boxes(mark: Shown, paper: Paper) -> Iterator[Box]:
    middle_x, middle_y = paper.pixel(*paper.middle(mark))
    x_low, x_high = paper.ends(mark.x_low, mark.x_high, paper.x)
    y_low, y_high = paper.ends(mark.y_low, mark.y_high, paper.y)
    if x_low != x_high:
        left, right = paper.x.to_px(x_low), paper.x.to_px(x_high)
        yield Box(left, middle_y - _BAR_HALF, right, middle_y + _BAR_HALF)
    if y_low != y_high:
        top, bottom = paper.y.to_px(y_high), paper.y.to_px(y_low)
        yield Box(middle_x - _BAR_HALF, top, middle_x + _BAR_HALF, bottom)


def _bar_layers(shown: Sequence[Shown], paper: Paper) -> Iterator[Spec]:
    for group in (Group.OTHER, Group.COMPARED, Group.HIGHLIGHTED):
        rows: list[Spec] = []
        for mark in shown:
            if mark.point.group is group and not mark.is_exact:
                rows.extend(_bars(mark, paper))
        if rows:
            bold = group is Group.HIGHLIGHTED
            style = {"type": "rule", "strokeWidth": 2.5 if bold else 1.5, "strokeCap": "butt"}
            yield _rules(rows, style | {"opacity": 0.5 if group is Group.OTHER else 0.9}, paper)


def _bars(mark: Shown, paper: Paper) -> Iterator[Spec]:
    middle_x, middle_y = paper.middle(mark)
    x_low, x_high = paper.ends(mark.x_low, mark.x_high, paper.x)
    y_low, y_high = paper.ends(mark.y_low, mark.y_high, paper.y)
    if x_low != x_high:
        yield {"x": x_low, "x2": x_high, "y": middle_y, "y2": middle_y, "verdict": mark.words}
    if y_low != y_high:
        yield {"x": middle_x, "x2": middle_x, "y": y_low, "y2": y_high, "verdict": mark.words}


def _rules(rows: Sequence[Spec], style: Spec, paper: Paper) -> Spec:
    """Lines in the colour of their verdict."""
    ends = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    colour = tone_channels(paper.tones)["color"]
    return layer(rows, style, **paper.channels(), **ends, color=colour)


def _edge_layers(edged: Sequence[Shown], paper: Paper) -> Iterator[Spec]:
    """A tick on the edge of the map for each chip of which only one number is known."""
    rows = []
    for mark in edged:
        x, y = paper.middle(mark)
        row: Spec = {"verdict": mark.words, "name": mark.point.name}
        if mark.on_edge == "x":
            top = paper.y.from_px(paper.y.length - _TICK)
            rows.append(row | {"x": x, "x2": x, "y": paper.y.low, "y2": top})
        else:
            rows.append(row | {"x": paper.x.low, "x2": paper.x.from_px(_TICK), "y": y, "y2": y})
    if rows:
        yield _rules(rows, {"type": "rule", "strokeWidth": 1.4, "opacity": 0.8}, paper)


def _point_layers(placed: Sequence[Shown], paper: Paper) -> Iterator[Spec]:
    channels = tone_channels(paper.tones)
    for group in (Group.OTHER, Group.COMPARED, Group.HIGHLIGHTED):
        for exact in (True, False):
            rows = [
                _point_row(mark, paper)
                for mark in placed
                if mark.point.group is group and mark.is_exact is exact
            ]
            if not rows:
                continue
            style: Spec = {"type": "point", "filled": exact, "size": _SIZES[group], "opacity": 1}
            if exact:
                style |= {"stroke": PAPER.light, "strokeWidth": 1}
            else:
                style |= {"fill": PAPER.light, "strokeWidth": 1.8}
            if group is Group.OTHER:
                style["opacity"] = 0.75
            told = {"field": "name", "type": "nominal"}
            yield layer(
                rows,
                style,
                **paper.channels(),
                **channels,
                tooltip=_tooltip(paper),
                description=told,
            )


def _point_row(mark: Shown, paper: Paper) -> Spec:
    x, y = paper.middle(mark)
    return {
        "x": x,
        "y": y,
        "name": mark.point.name,
        "verdict": mark.words,
        "tpp": _bounds_words(mark.x_low, mark.x_high),
        "second": _bounds_words(mark.y_low, mark.y_high) + paper.axis.suffix,
    }


def _bounds_words(low: float | None, high: float | None) -> str:
    if low is not None and low == high:
        return f"{low:,g}"
    least = "?" if low is None else f"{low:,g}"
    most = "?" if high is None else f"{high:,g}"
    return f"{least} to {most}"


def _tooltip(paper: Paper) -> list[Spec]:
    titles = {
        "name": "Chip",
        "tpp": "TPP",
        "second": paper.axis.short.capitalize(),
        "verdict": "Answer",
    }
    return [{"field": field, "title": title} for field, title in titles.items()]


def _name_layers(
    shown: Sequence[Shown], paper: Paper, marks: Sequence[Box], lettering: Sequence[Box]
) -> Iterator[Spec]:
    # A name right beside a strange mark would seem to be its name.
    obstacles = [*(box.grown(_OWN_ROOM) for box in marks), *lettering]
    heaps = _together([mark for mark in shown if mark.point.group is not Group.OTHER], paper)
    wishes = []
    for heap in heaps:
        x, y = paper.pixel(*paper.middle(heap[0]))
        bold = heap[0].point.group is Group.HIGHLIGHTED
        names = ", ".join(mark.point.name for mark in heap)
        # Only commas may end a line, so that no name is torn apart.
        lines = textwrap.wrap(names.replace(" ", _TIED).replace(f",{_TIED}", ", "), _NAME_LINE)
        text = "\n".join(line.replace(_TIED, " ") for line in lines)
        wishes.append(Wish(text, x, y, LABEL_SIZE, bold=bold))
    placed = place(wishes, obstacles, paper.box)
    leaders = leader_rows(placed, paper.x, paper.y)
    if leaders:
        yield leader_layer(leaders, paper.channels(), MUTED.light)
    inks = [
        TONE_INKS[heap[0].point.tone].light if p.wish.bold else TEXT.light
        for heap, p in zip(heaps, placed, strict=True)
    ]
    for ink in dict.fromkeys(inks):
        own = [p for p, its in zip(placed, inks, strict=True) if its == ink]
        rows = label_rows(own, paper.x, paper.y)
        yield text_layer(rows, paper.channels(), ink, LABEL_SIZE)


def _together(marks: Sequence[Shown], paper: Paper) -> list[list[Shown]]:
    """Marks that share a place and a group, so that they share a label; the highlighted first."""
    heaps: list[list[Shown]] = []
    for mark in sorted(marks, key=lambda mark: mark.point.group is not Group.HIGHLIGHTED):
        here = paper.pixel(*paper.middle(mark))
        for heap in heaps:
            there = paper.pixel(*paper.middle(heap[0]))
            near = math.dist(here, there) < _SAME_PLACE
            if near and heap[0].point.group is mark.point.group:
                heap.append(mark)
                break
        else:
            heaps.append([mark])
    return heaps
