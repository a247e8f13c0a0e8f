"""Puts names beside points so that none covers another: pixels in, pixels out.

The picture's scales are known before it is drawn, so labels are placed here and handed to the
picture as positions. Placement is greedy by priority with a few rounds of improvement, and has no
randomness: the same points give the same picture.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Widths in units of the font size, for the common sans-serif faces.
_NARROW: Final = frozenset("ijl.,:;'|!I ")
_SLIM: Final = frozenset("ftr()[]-/")
_BROAD: Final = frozenset("mwMW@%—…")
_WIDTH_NARROW: Final = 0.28
_WIDTH_SLIM: Final = 0.35
_WIDTH_BROAD: Final = 0.88
_WIDTH_CAPITAL: Final = 0.69
_WIDTH_OTHER: Final = 0.56
_WIDTH_EAST_ASIAN: Final = 1.0
_FIRST_EAST_ASIAN: Final = "\u2e80"
_BOLD: Final = 1.07
_LINE_HEIGHT: Final = 1.2

_RINGS: Final = (8.0, 13.0, 20.0, 30.0, 44.0, 62.0, 84.0)
_LEADER_FROM: Final = 20.0
_ROUNDS: Final = 3
_MARGIN: Final = 1.5
_OVERLAP_COST: Final = 4.0
_TOUCH_COST: Final = 25.0
_CROSS_COST: Final = 30.0
_LINE_PIECES: Final = 8


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def grown(self, by: float) -> "Box":
        """The box with a margin."""
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)


@dataclass(frozen=True, slots=True)
class Wish:
    """A label that wants to stand near a point.

    Attributes:
        text: What it says; a line break starts a new line.
        x: The point, in pixels from the left of the frame.
        y: The point, in pixels from its top.
        size: The font size in pixels.
        bold: Whether it is set in bold.
        optional: Whether it may be left out where it finds no free place.
        directions: Angles in degrees, counted clockwise from the right, best first.
    """

    text: str
    x: float
    y: float
    size: float
    bold: bool = False
    optional: bool = False
    directions: tuple[int, ...] = (0, 180, 270, 90, 315, 45, 225, 135)

    @property
    def lines(self) -> list[str]:
        """The text line by line."""
        return self.text.split("\n")


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a label stands: its box, and whether a line should lead back to its point."""

    wish: Wish
    box: Box
    leader: bool
    covered: float = field(compare=False, default=0.0)

    @property
    def middles(self) -> list[float]:
        """The vertical middle of each line."""
        lines = len(self.wish.lines)
        step = (self.box.bottom - self.box.top) / lines
        return [self.box.top + step * (number + 0.5) for number in range(lines)]

    @property
    def line(self) -> list[Box]:
        """Small boxes on the line back to the point; none where no line is drawn."""
        if not self.leader:
            return []
        (x0, y0), (x1, y1) = self.near, (self.wish.x, self.wish.y)
        shares = [(number + 0.5) / _LINE_PIECES for number in range(_LINE_PIECES)]
        spots = [(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share) for share in shares]
        return [Box(x - 1, y - 1, x + 1, y + 1) for x, y in spots]

    @property
    def near(self) -> tuple[float, float]:
        """The place on the box that is nearest to the point."""
        x = min(max(self.wish.x, self.box.left), self.box.right)
        y = min(max(self.wish.y, self.box.top), self.box.bottom)
        return x, y


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """An estimate of the width of a text in pixels, good to about a tenth."""
    units = sum(_char_width(ch) for ch in text)
    return units * size * (_BOLD if bold else 1.0)


def _char_width(ch: str) -> float:
    if ch >= _FIRST_EAST_ASIAN:
        return _WIDTH_EAST_ASIAN
    for family, width in (
        (_NARROW, _WIDTH_NARROW),
        (_SLIM, _WIDTH_SLIM),
        (_BROAD, _WIDTH_BROAD),
    ):
        if ch in family:
            return width
    return _WIDTH_CAPITAL if ch.isupper() else _WIDTH_OTHER


def text_box(
    text: str, left: float, middle: float, size: float, *, bold: bool = False, lines: int = 1
) -> Box:
    """The box of a text whose left edge and vertical middle are given."""
    half = size * _LINE_HEIGHT * lines / 2
    return Box(left, middle - half, left + text_width(text, size, bold=bold), middle + half)


def place(wishes: Sequence[Wish], obstacles: Sequence[Box], frame: Box) -> tuple[Placed, ...]:
    """Places labels, the first wish with the first choice.

    Args:
        wishes: The labels, the most important first.
        obstacles: Boxes that labels should not cover.
        frame: The rectangle that they must not leave.

    Returns:
        One `Placed` per wish in the same order, without the optional ones that would cover
        something.
    """
    needed = [wish for wish in wishes if not wish.optional]
    chosen = _settled(needed, obstacles, frame)
    for wish in wishes:
        if wish.optional:
            options = _candidates(wish, frame)
            best = _best(options, _covered(_boxes(options), obstacles), chosen)
            if not best.covered:
                chosen.append(best)
    order = {id(wish): position for position, wish in enumerate(wishes)}
    return tuple(sorted(chosen, key=lambda placed: order[id(placed.wish)]))


def _settled(wishes: Sequence[Wish], obstacles: Sequence[Box], frame: Box) -> list[Placed]:
    """Labels that must stand somewhere, moved in turn until none gains by moving."""
    choices = [_candidates(wish, frame) for wish in wishes]
    fixed = [_covered(_boxes(options), obstacles) for options in choices]
    chosen: list[Placed] = []
    for options, covered in zip(choices, fixed, strict=True):
        chosen.append(_best(options, covered, chosen))
    for _ in range(_ROUNDS):
        before = [placed.box for placed in chosen]
        for position, options in enumerate(choices):
            others = [*chosen[:position], *chosen[position + 1 :]]
            chosen[position] = _best(options, fixed[position], others)
        if before == [placed.box for placed in chosen]:
            break
    return chosen


def _boxes(options: Sequence[tuple[float, Placed]]) -> list[Box]:
    return [placed.box for _, placed in options]


def _candidates(wish: Wish, frame: Box) -> list[tuple[float, Placed]]:
    width = max(text_width(line, wish.size, bold=wish.bold) for line in wish.lines)
    height = wish.size * _LINE_HEIGHT * len(wish.lines)
    rings = _RINGS[:2] if wish.optional else _RINGS
    found = []
    for ring in rings:
        for rank, degrees in enumerate(wish.directions):
            across = math.cos(math.radians(degrees))
            down = math.sin(math.radians(degrees))
            middle_x = wish.x + ring * across + width / 2 * _sign(across)
            middle_y = wish.y + ring * down + height / 2 * _sign(down)
            box = Box(
                middle_x - width / 2,
                middle_y - height / 2,
                middle_x + width / 2,
                middle_y + height / 2,
            )
            box = _pushed_in(box, frame)
            found.append((ring + rank, Placed(wish, box, leader=ring >= _LEADER_FROM)))
    return found


def _sign(value: float) -> int:
    return 0 if math.isclose(value, 0, abs_tol=1e-9) else int(math.copysign(1, value))


def _pushed_in(box: Box, frame: Box) -> Box:
    right = max(0.0, frame.left - box.left) - max(0.0, box.right - frame.right)
    down = max(0.0, frame.top - box.top) - max(0.0, box.bottom - frame.bottom)
    return Box(box.left + right, box.top + down, box.right + right, box.bottom + down)


def _best(
    options: Sequence[tuple[float, Placed]], fixed: NDArray[np.float64], others: Sequence[Placed]
) -> Placed:
    names = [other.box for other in others]
    lines = [piece for other in others for piece in other.line]
    covered = fixed + _covered(_boxes(options), [*names, *lines]) + _crossed(options, names)
    total = covered + np.array([base for base, _ in options])
    cheapest = int(np.argmin(total))
    return dataclasses.replace(options[cheapest][1], covered=float(covered[cheapest]))


def _covered(boxes: Sequence[Box], taken: Sequence[Box]) -> NDArray[np.float64]:
    """What each box would cost for covering the taken ones, shape (boxes,)."""
    shares = overlaps([box.grown(_MARGIN) for box in boxes], taken)
    cost: NDArray[np.float64] = np.sum(shares * _OVERLAP_COST + (shares > 0) * _TOUCH_COST, axis=1)
    return cost


def _crossed(options: Sequence[tuple[float, Placed]], names: Sequence[Box]) -> NDArray[np.float64]:
    """What each option would cost for leading its line through other names, shape (options,)."""
    cost = np.zeros(len(options))
    led = [position for position, (_, placed) in enumerate(options) if placed.leader]
    if led and names:
        pieces = [piece for position in led for piece in options[position][1].line]
        hits = overlaps(pieces, names).reshape(len(led), -1) > 0
        cost[led] = _CROSS_COST * np.any(hits, axis=1)
    return cost


def overlaps(boxes: Sequence[Box], others: Sequence[Box]) -> NDArray[np.float64]:
    """The shared areas of all pairs in square pixels, shape (boxes, others)."""
    left, top, right, bottom = _edges(boxes)
    other_left, other_top, other_right, other_bottom = (edge.T for edge in _edges(others))
    wide = np.minimum(right, other_right) - np.maximum(left, other_left)
    high = np.minimum(bottom, other_bottom) - np.maximum(top, other_top)
    shared: NDArray[np.float64] = np.maximum(wide, 0.0) * np.maximum(high, 0.0)
    return shared


def _edges(boxes: Sequence[Box]) -> tuple[NDArray[np.float64], ...]:
    rows = np.array([[b.left, b.top, b.right, b.bottom] for b in boxes], dtype=np.float64)
    return tuple(rows.reshape(-1, 4, 1).transpose(1, 0, 2))
