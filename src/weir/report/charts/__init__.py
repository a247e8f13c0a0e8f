"""Pictures as Vega-Lite specifications: pure functions of plain records.

`density_map`, `bandwidth_map` and `memory_map` draw chips against the lines of a rule; `frontier`
draws throughput against interactivity; `timeline` draws what the law said when.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from weir.core.units import GIGA
from weir.report.charts.frontier import Series, ServingPoint, frontier
from weir.report.charts.kit import Spec
from weir.report.charts.marks import Axis, Group, MapPoint, Zone
from weir.report.charts.plane import plane
from weir.report.charts.timeline import Period, timeline

__all__ = [
    "Group",
    "MapPoint",
    "Period",
    "Series",
    "ServingPoint",
    "Spec",
    "Zone",
    "bandwidth_map",
    "density_map",
    "frontier",
    "memory_map",
    "timeline",
]

_DENSITY: Final = Axis("Performance density (TPP per mm² of applicable die area)", "density")
_TRANSFER: Final = Axis(
    "Aggregate bidirectional transfer rate (GB/s)", "transfer rate", GIGA, " GB/s"
)
_MEMORY: Final = Axis("Memory bandwidth (GB/s)", "memory bandwidth", GIGA, " GB/s")


def density_map(
    title: str,
    on: dt.date,
    zones: Sequence[Zone],
    points: Sequence[MapPoint],
    die_areas_mm2: Sequence[float] = (),
) -> Spec:
    """TPP against performance density, both logarithmic.

    Args:
        title: The finding or the question.
        on: The day whose rule the zones are.
        zones: The paragraphs in force; the vertical bounds are performance densities.
        points: The chips; the vertical bounds are performance densities.
        die_areas_mm2: Die areas whose diagonal is drawn, such as the reticle limit.
    """
    return plane(title, on, zones, points, _DENSITY, die_areas_mm2)


def bandwidth_map(
    title: str, on: dt.date, zones: Sequence[Zone], points: Sequence[MapPoint]
) -> Spec:
    """TPP against the aggregate bidirectional transfer rate that the rule of 2022 limits.

    Args:
        title: The finding or the question.
        on: The day whose rule the zones are.
        zones: The paragraphs in force; the vertical bounds are bytes/s.
        points: The chips; the vertical bounds are bytes/s.
    """
    return plane(title, on, zones, points, _TRANSFER)


def memory_map(title: str, on: dt.date, zones: Sequence[Zone], points: Sequence[MapPoint]) -> Spec:
    """TPP against memory bandwidth, which letters to single companies limit.

    Args:
        title: The finding or the question.
        on: The day whose rule or letter the zones are.
        zones: The limits in force; the vertical bounds are bytes/s.
        points: The chips; the vertical bounds are bytes/s.
    """
    return plane(title, on, zones, points, _MEMORY)
