"""What a map is made of: zones, chips, the vertical axis, and the paper they are drawn on."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from weir.report.charts.kit import Scale, Spec
from weir.report.charts.labels import Box
from weir.report.palette import TONE_WORDS, Tone

X_TITLE: Final = "Total processing performance (TPP)"


class Group(StrEnum):
    """How much a chip matters to the question."""

    HIGHLIGHTED = "highlighted"  # the chip that was asked about
    COMPARED = "compared"  # named beside it
    OTHER = "other"  # a dot


@dataclass(frozen=True, slots=True)
class Zone:
    """Where one paragraph applies: a rectangle whose lower bounds belong to it.

    Attributes:
        label: The paragraph, such as "3A090.a.1".
        x_min: Least TPP; None means no bound, and likewise below.
        x_max: TPP from which it no longer applies.
        y_min: Least value on the vertical axis, in the unit of the map's points.
        y_max: Value on the vertical axis from which it no longer applies.
        strong: The stronger of two shades, painted over the weaker one.
        condition: The bounds in words; written from the numbers where empty.
    """

    label: str
    x_min: float | None = None
    x_max: float | None = None
    y_min: float | None = None
    y_max: float | None = None
    strong: bool = True
    condition: str = ""


@dataclass(frozen=True, slots=True)
class MapPoint:
    """One chip; low and high differ where a number is known only within bounds.

    Attributes:
        name: The chip.
        x_low: Least TPP; None means no bound is known, and likewise below.
        x_high: Greatest TPP.
        y_low: Least value on the vertical axis: performance density, or a rate in bytes/s.
        y_high: Greatest value on the vertical axis.
        group: How much the chip matters to the question.
        tone: What the determination says, as colour and shape.
    """

    name: str
    x_low: float | None
    x_high: float | None
    y_low: float | None
    y_high: float | None
    group: Group = Group.OTHER
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Axis:
    """The vertical axis of a map: its title, a short name for conditions, its printed unit."""

    title: str
    short: str
    unit: float = 1.0
    suffix: str = ""


def is_placeable(point: MapPoint) -> bool:
    """True where the chip can be shown.

    One that is only a dot needs both bounds on an axis; the others one bound other than zero.
    """
    if point.group is Group.OTHER:
        across = bool(point.x_low and point.x_high)
        return across or bool(point.y_low and point.y_high)
    return any((point.x_low, point.x_high, point.y_low, point.y_high))


class Shown:
    """A point with its bounds in the printed units of the axes, None where there is no bound."""

    def __init__(self, point: MapPoint, axis: Axis) -> None:
        self.point = point
        self.x_low, self.x_high = _bound(point.x_low, 1.0), _bound(point.x_high, 1.0)
        self.y_low, self.y_high = _bound(point.y_low, axis.unit), _bound(point.y_high, axis.unit)

    @property
    def known_x(self) -> list[float]:
        """The known bounds of TPP."""
        return [bound for bound in (self.x_low, self.x_high) if bound is not None]

    @property
    def known_y(self) -> list[float]:
        """The known bounds on the vertical axis."""
        return [bound for bound in (self.y_low, self.y_high) if bound is not None]

    @property
    def is_exact(self) -> bool:
        """True where both numbers are known as single values."""
        return self.x_low == self.x_high is not None and self.y_low == self.y_high is not None

    @property
    def on_edge(self) -> str:
        """The axis of the one number known of a chip that is only a dot, "x" or "y", or "".

        A bar across the whole map for each of them would hide the map.
        """
        if self.point.group is not Group.OTHER:
            return ""
        if None in (self.y_low, self.y_high):
            return "x"
        return "y" if None in (self.x_low, self.x_high) else ""

    @property
    def words(self) -> str:
        """What the determination says."""
        return TONE_WORDS[self.point.tone]


def _bound(value: float | None, unit: float) -> float | None:
    return value / unit if value and math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Paper:
    """The two axes of one map, and the tones of all its marks, which share one legend."""

    x: Scale
    y: Scale
    axis: Axis
    tones: tuple[Tone, ...] = ()

    @property
    def box(self) -> Box:
        """The whole map in pixels."""
        return Box(0.0, 0.0, self.x.length, self.y.length)

    def ends(self, low: float | None, high: float | None, scale: Scale) -> tuple[float, float]:
        """Two values on an axis, the edge of the map where there is no bound."""
        return low if low is not None else scale.low, high if high is not None else scale.high

    def middle(self, mark: Shown) -> tuple[float, float]:
        """Where the mark stands: the geometric middle of its bounds."""
        x_low, x_high = self.ends(mark.x_low, mark.x_high, self.x)
        y_low, y_high = self.ends(mark.y_low, mark.y_high, self.y)
        return math.sqrt(x_low * x_high), math.sqrt(y_low * y_high)

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of a point of the map."""
        return self.x.to_px(x), self.y.to_px(y)

    def zone(self, zone: Zone) -> tuple[float, float, float, float]:
        """The rectangle of a zone in the units of the axes, cut to the map."""
        unit = self.axis.unit
        left, right = self.ends(zone.x_min, zone.x_max, self.x)
        low = None if zone.y_min is None else zone.y_min / unit
        high = None if zone.y_max is None else zone.y_max / unit
        bottom, top = self.ends(low, high, self.y)
        return left, right, bottom, top

    def zone_box(self, zone: Zone) -> Box:
        """The rectangle of a zone in pixels."""
        left, right, bottom, top = self.zone(zone)
        (x0, y1), (x1, y0) = self.pixel(left, bottom), self.pixel(right, top)
        return Box(x0, y0, x1, y1)

    def channels(self) -> Spec:
        """The two position channels of every layer."""
        return {
            "x": self.x.encoding("x", X_TITLE, grid=False),
            "y": self.y.encoding("y", self.axis.title, grid=False),
        }
