"""Maps of the law as pictures: the zones of the rule of a day, and where chips lie in them."""

import math
from collections.abc import Collection
from typing import Final

from weir.answers.law_map import DENSITY, MEMORY, TRANSFER, LawMap, Place, stored
from weir.catalog.law import METRICS
from weir.report.charts import Group, MapPoint, Zone, bandwidth_map, density_map, memory_map
from weir.report.determination import TONE_OF_LICENCE
from weir.report.document import Picture
from weir.rules.wording import interval
from weir.rules.zones import Zone as LawZone

AXIS_WORDS: Final = {
    DENSITY: "performance density",
    MEMORY: "memory bandwidth",
    TRANSFER: "transfer rate of all inputs and outputs",
}
_DRAW: Final = {DENSITY: density_map, MEMORY: memory_map, TRANSFER: bandwidth_map}
_STRONG: Final = ("3A090.a", "presumption_of_denial")
_NAMED_IN_ALT: Final = 12


def map_picture(
    answer: LawMap,
    key: str,
    title: str,
    highlighted: Collection[str] = (),
    compared: Collection[str] = (),
) -> Picture:
    """One map.

    Args:
        answer: The map.
        key: A name, unique in the document.
        title: The finding or the question.
        highlighted: Ids of the chips that the question is about.
        compared: Ids of chips to name beside them.
    """
    points = [_point(place, highlighted, compared) for place in answer.places]
    named = [_told(place, answer.y) for place in answer.places if place.chip_id in highlighted]
    told = f"Named: {', '.join(named[:_NAMED_IN_ALT])}." if named else ""
    if len(named) > _NAMED_IN_ALT:
        told = told.removesuffix(".") + f" and {len(named) - _NAMED_IN_ALT} more."
    lines = "; ".join(f"{zone.clause}: {_range(zone)}" for zone in answer.zones) or "none"
    return Picture(
        key=key,
        spec=_DRAW[answer.y](title, answer.on, [_zone(zone) for zone in answer.zones], points),
        caption=f"TPP against {AXIS_WORDS[answer.y]}, {answer.on.isoformat()}",
        alt=f"{title}. Zones by their numbers alone: {lines}. {told}".strip(),
        source=(
            "Zones from the law of that day, by its numbers alone: what else a clause asks, such "
            "as market, party or destination, is not drawn. Chips from the catalogue of Weir."
        ),
    )


def _point(place: Place, highlighted: Collection[str], compared: Collection[str]) -> MapPoint:
    group = Group.COMPARED if place.chip_id in compared else Group.OTHER
    return MapPoint(
        name=place.chip,
        x_low=_bound(place.x[0]),
        x_high=_bound(place.x[1]),
        y_low=_bound(place.y[0]),
        y_high=_bound(place.y[1]),
        group=Group.HIGHLIGHTED if place.chip_id in highlighted else group,
        tone=TONE_OF_LICENCE[place.licence_required],
    )


def _told(place: Place, y: str) -> str:
    factor = METRICS[y].factor
    up = interval(place.y[0] / factor, place.y[1] / factor)
    unit = "" if y == DENSITY else f" {METRICS[y].unit}"
    return f"{place.chip} (TPP {interval(*place.x)}, {AXIS_WORDS[y]} {up}{unit})"


def _bound(value: float) -> float | None:
    return value if math.isfinite(value) and value > 0 else None


def _zone(zone: LawZone) -> Zone:
    return Zone(
        label=zone.clause,
        x_min=_bound(zone.x_low),
        x_max=_bound(zone.x_high),
        y_min=stored(zone.y, zone.y_low),
        y_max=stored(zone.y, zone.y_high),
        strong=zone.paragraph in _STRONG or zone.effect == "require",
    )


def _range(zone: LawZone) -> str:
    parts = []
    for name, low, high in (
        ("TPP", zone.x_low, zone.x_high),
        (AXIS_WORDS[zone.y], zone.y_low, zone.y_high),
    ):
        if low > 0:
            parts.append(f"{name} from {low:,g}")
        if math.isfinite(high):
            parts.append(f"{name} up to {high:,g}")
    return ", ".join(parts)
