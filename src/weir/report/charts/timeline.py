"""What the law said when: one bar per row, one colour per answer, the instrument at each change."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from weir.report.charts.kit import (
    LABEL_SIZE,
    PLOT_WIDTH,
    SMALL_SIZE,
    Spec,
    frame,
    halo_layer,
    layer,
    leader_layer,
    text_layer,
    tone_channels,
)
from weir.report.charts.labels import text_width
from weir.report.palette import GRID, MUTED, PAPER, TEXT, TONE_WORDS, Tone


@dataclass(frozen=True, slots=True)
class Period:
    """Days with one answer.

    Attributes:
        row: What the bar is about, such as a destination.
        start: The first day.
        end: The last day; None where it goes on.
        tone: The answer, as colour.
        status: The answer in the words of the determination.
        instrument: What made the answer change on the first day; empty where nothing did.
    """

    row: str
    start: dt.date
    end: dt.date | None
    tone: Tone
    status: str = ""
    instrument: str = ""


_BAR: Final = 30.0
_ROW_GAP: Final = 18.0
_LEVEL: Final = 16.0
_NAME: Final = 20.0
_TOP: Final = 26.0
_PAD: Final = 6.0
_SPARE: Final = 0.08
_LEAST_DAYS: Final = 30
_MONTHS: Final = 12
_DAYS_A_MONTH: Final = 30.44
_STEPS: Final = (1, 3, 6, 12, 24, 60, 120, 1200)
_TICK_ROOM: Final = 64.0


def timeline(
    title: str,
    periods: Sequence[Period],
    today: dt.date | None = None,
    horizon: dt.date | None = None,
) -> Spec:
    """Draws status periods as bars.

    Args:
        title: The finding or the question.
        periods: The periods, those of one row without gap or overlap.
        today: The day of the question, as a line.
        horizon: The last day for which the law was read, as a line; bars that go on end there.

    Returns:
        A Vega-Lite specification.
    """
    clock = _Clock(periods, today, horizon)
    rows = list(dict.fromkeys(period.row for period in periods))
    bars: list[Spec] = []
    inside: list[Spec] = []
    names: list[Spec] = []
    notes: list[Spec] = []
    top = _TOP
    for row in rows:
        own = sorted((p for p in periods if p.row == row), key=lambda p: p.start)
        if len(rows) > 1 or row:
            names.append({"x": 0.0, "y": top + _NAME / 2, "text": row, "weight": 700})
            top += _NAME
        for period in own:
            bars.append(_bar(period, top, clock))
            inside.extend(_status(period, top, clock))
        marks, levels = _instruments(own, top + _BAR, clock)
        notes.extend(marks)
        top += _BAR + _LEVEL * levels + _ROW_GAP
    at = _positions(top)
    layers = [
        *_grid(clock, top, at),
        *_bar_layers(bars, periods, at),
        *_days(clock, top, at),
        *_notes(notes, at),
    ]
    if names:
        layers.append(text_layer(names, at, TEXT.light, LABEL_SIZE))
    if inside:
        layers.append(text_layer(inside, at, PAPER.light, SMALL_SIZE))
    return frame(title, _subtitle(clock), layers, top)


class _Clock:
    """Days to pixels."""

    def __init__(
        self, periods: Sequence[Period], today: dt.date | None, horizon: dt.date | None
    ) -> None:
        marks = [day for day in (today, horizon) if day is not None]
        ends = [period.end for period in periods if period.end is not None]
        days = [*(period.start for period in periods), *ends, *marks]
        self.today, self.horizon = today, horizon
        self.first = min(days, default=dt.date.min)
        last = max(days, default=dt.date.min)
        # A bar that goes on needs room to be seen when nothing later is marked.
        goes_on = any(p.end is None and p.start >= last for p in periods)
        spare = max(_LEAST_DAYS, round((last - self.first).days * _SPARE)) if goes_on else 1
        self.last = last + dt.timedelta(days=spare)

    def to_px(self, day: dt.date) -> float:
        """The pixel at which a day begins."""
        return PLOT_WIDTH * (day - self.first).days / max(1, (self.last - self.first).days)

    def ends(self, period: Period) -> tuple[float, float]:
        """Where a period begins and ends: the last day included, or the last day known."""
        if period.end is not None:
            stop = period.end + dt.timedelta(days=1)
        else:
            stop = self.last if self.horizon is None else max(self.horizon, period.start)
        return self.to_px(period.start), self.to_px(stop)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Pixel and name of round months, as close as their names allow."""
        months = (self.last - self.first).days / _DAYS_A_MONTH
        step = next(s for s in _STEPS if s * PLOT_WIDTH / max(months, 1) >= _TICK_ROOM)
        at = self.first.year * _MONTHS
        while (day := _first_of(at)) <= self.last:
            if day >= self.first:
                yield self.to_px(day), str(day.year) if step >= _MONTHS else f"{day:%Y-%m}"
            at += step


def _first_of(months: int) -> dt.date:
    return dt.date(months // _MONTHS, months % _MONTHS + 1, 1)


def _subtitle(clock: _Clock) -> list[str]:
    lines = ["Below a bar: the instrument that changed the answer, on its first day of effect."]
    if clock.horizon is not None:
        lines.append(f"The law was read up to {clock.horizon.isoformat()}.")
    return lines


def _bar(period: Period, top: float, clock: _Clock) -> Spec:
    left, right = clock.ends(period)
    return {
        "x": left,
        "x2": right,
        "y": top,
        "y2": top + _BAR,
        "verdict": TONE_WORDS[period.tone],
        "row": period.row,
        "status": period.status,
        "instrument": period.instrument,
        "from": period.start.isoformat(),
        "until": period.end.isoformat() if period.end else "",
    }


def _status(period: Period, top: float, clock: _Clock) -> Iterator[Spec]:
    """The words of the answer, where the bar is long enough to hold them."""
    left, right = clock.ends(period)
    for words in (period.status, TONE_WORDS[period.tone]):
        if words and text_width(words, SMALL_SIZE, bold=True) + 2 * _PAD <= right - left:
            yield {"x": left + _PAD, "y": top + _BAR / 2, "text": words, "weight": 700}
            return


@dataclass(frozen=True, slots=True)
class _Note:
    """The name of an instrument under its bar, hung from the day it took effect."""

    x: float
    left: float
    right: float
    text: str
    level: int


def _instruments(own: Sequence[Period], bottom: float, clock: _Clock) -> tuple[list[Spec], int]:
    wanted = [
        (clock.to_px(p.start), f"{p.start.isoformat()}  {p.instrument}")
        for p in own
        if p.instrument
    ]
    notes = _hang(wanted)
    rows = []
    for note in notes:
        y = bottom + _LEVEL * (note.level + 1)
        row = {"y": y, "text": note.text, "at": note.x, "y0": bottom}
        # Set from its day outwards, so that an estimated width leaves no gap.
        if note.left < note.x:
            rows.append({"x": max(note.x - _PAD / 2, note.right), "align": "right"} | row)
        else:
            rows.append({"x": note.left, "align": "left"} | row)
    return rows, max((note.level + 1 for note in notes), default=0)


def _hang(wanted: Sequence[tuple[float, str]]) -> list[_Note]:
    """Gives each name a line on which nothing crosses it.

    A name stands right of its day where there is room and no later day hangs through it; the rest
    stand left of their day. Right-hand names are hung from the last day backwards and left-hand
    names from the first day onwards, so that a line further down is always free.
    """
    rightward: list[tuple[float, str]] = []
    leftward: list[tuple[float, str]] = []
    for x, text in sorted(wanted, reverse=True):
        end = x + _PAD / 2 + _note_width(text)
        through = any(x < other < end for other, _ in leftward)
        (leftward if through or end > PLOT_WIDTH else rightward).append((x, text))
    hung: list[_Note] = []
    for x, text in [*rightward, *reversed(leftward)]:
        width = _note_width(text)
        left = x + _PAD / 2 if (x, text) in rightward else max(0.0, x - _PAD / 2 - width)
        levels = (_Note(x, left, left + width, text, level) for level in range(len(wanted)))
        hung.append(min(levels, key=lambda note: (_crossings([*hung, note]), note.level)))
    return hung


def _note_width(text: str) -> float:
    return text_width(text, SMALL_SIZE) + _PAD


def _crossings(notes: Sequence[_Note]) -> int:
    """How often a name covers another name or the line from which another hangs."""
    found = 0
    for one in notes:
        for other in notes:
            if one is other:
                continue
            same = one.level == other.level and one.left < other.right and other.left < one.right
            through = other.level > one.level and one.left < other.x < one.right
            found += same + through
    return found


def _positions(height: float) -> Spec:
    def channel(field: str, domain: list[float]) -> Spec:
        scale = {"domain": domain, "nice": False, "zero": False}
        return {"field": field, "type": "quantitative", "scale": scale, "axis": None}

    return {"x": channel("x", [0.0, PLOT_WIDTH]), "y": channel("y", [height, 0.0])}


def _grid(clock: _Clock, height: float, at: Spec) -> Iterator[Spec]:
    ticks = list(clock.ticks())
    if ticks:
        lines = [{"x": x, "x2": x, "y": 0.0, "y2": height} for x, _ in ticks]
        yield leader_layer(lines, at, GRID.light)
        names = [{"x": x + _PAD / 2, "y": _TOP / 3, "text": t, "weight": 400} for x, t in ticks]
        yield text_layer(names, at, MUTED.light, SMALL_SIZE)


def _bar_layers(bars: Sequence[Spec], periods: Sequence[Period], at: Spec) -> Iterator[Spec]:
    if bars:
        mark = {"type": "rect", "stroke": PAPER.light, "strokeWidth": 1, "opacity": 1}
        told = [
            {"field": field, "type": "nominal", "title": field.capitalize()}
            for field in ("row", "status", "from", "until", "instrument")
        ]
        yield layer(
            bars,
            mark,
            **at,
            x2={"field": "x2"},
            y2={"field": "y2"},
            **tone_channels([period.tone for period in periods], shapes=False),
            tooltip=told,
        )


def _notes(notes: Sequence[Spec], at: Spec) -> Iterator[Spec]:
    if notes:
        lines = [{"x": n["at"], "x2": n["at"], "y": n["y0"], "y2": n["y"]} for n in notes]
        yield leader_layer(lines, at, MUTED.light)
        rows = [{**note, "weight": 400} for note in notes]
        yield halo_layer(rows, at, PAPER.light, SMALL_SIZE)
        yield text_layer(rows, at, TEXT.light, SMALL_SIZE)


def _days(clock: _Clock, height: float, at: Spec) -> Iterator[Spec]:
    """The day of the question and the evidence horizon, as dashed lines with a name."""
    wanted = [(clock.today, "asked"), (clock.horizon, "law read to")]
    marked = [(clock.to_px(day), f"{word} {day.isoformat()}") for day, word in wanted if day]
    if not marked:
        return
    lines = [{"x": x, "x2": x, "y": _TOP / 2, "y2": height} for x, _ in marked]
    mark = {"type": "rule", "color": TEXT.light, "strokeWidth": 1.2, "strokeDash": [5, 3]}
    yield layer(lines, mark, **at, x2={"field": "x2"}, y2={"field": "y2"})
    names: list[Spec] = []
    taken = 0.0
    for x, text in sorted(marked):
        width = text_width(text, SMALL_SIZE, bold=True)
        left = min(max(0.0, x - width / 2), PLOT_WIDTH - width)
        level = 2 if left < taken else 1
        taken = left + width + _PAD
        right = left + width >= PLOT_WIDTH
        at_x = {"x": PLOT_WIDTH, "align": "right"} if right else {"x": left, "align": "left"}
        names.append({**at_x, "y": height + _LEVEL * level, "text": text, "weight": 700})
    yield text_layer(names, at, TEXT.light, SMALL_SIZE)
