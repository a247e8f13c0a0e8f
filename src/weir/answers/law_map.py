"""Maps of the law: chips and the zones of the rule of a day, on the two numbers that it limits."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from weir.answers.changes import statuses
from weir.catalog.law import METRICS, Compare, Law
from weir.rules.inputs import ChipInputs, columns
from weir.rules.logic import Answer
from weir.rules.scene import law_on, leaves
from weir.rules.transaction import Transaction
from weir.rules.zones import Zone, zones

TPP: Final = "tpp"
DENSITY: Final = "performance_density"
MEMORY: Final = "memory_bandwidth"
TRANSFER: Final = "io_bidirectional"
_WIDE: Final = ("classify", "require", "review")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chip lies; bounds in the unit of the metric as stored, 0 and inf where unknown.

    Attributes:
        chip: Name.
        chip_id: Id.
        x: Lower and upper TPP.
        y: Lower and upper value on the vertical axis.
        licence_required: What the law of the map says of it.
    """

    chip: str
    chip_id: str
    x: tuple[float, float]
    y: tuple[float, float]
    licence_required: Answer


@dataclass(frozen=True)
class LawMap:
    """One map.

    Attributes:
        on: The day of the law.
        y: Metric of the vertical axis.
        zones: Where a clause holds, by its numbers alone.
        places: The chips.
    """

    on: dt.date
    y: str
    zones: tuple[Zone, ...]
    places: tuple[Place, ...]


def rule_axis(law: Law, on: dt.date) -> str:
    """The number beside TPP on which the classification of a day turns.

    The rule of 2022 limits the transfer rate; those since 2023 performance density.
    """
    tested = {
        leaf.metric
        for item in law_on(law, on).of("classify")
        for leaf in leaves(item.when)
        if isinstance(leaf, Compare)
    }
    return TRANSFER if TRANSFER in tested and DENSITY not in tested else DENSITY


def law_map(chips: Sequence[ChipInputs], transaction: Transaction, law: Law, y: str) -> LawMap:
    """Chips and zones on TPP and another metric.

    Only clauses are drawn whose numbers are those of the map: a clause that asks for another number
    as well would seem larger than it is.

    Args:
        chips: What the law reads of each.
        transaction: Gives the day and what is said of each chip.
        law: The law, as it is or with what-ifs.
        y: Metric of the vertical axis.
    """
    on = transaction.on
    effects = _WIDE if y == MEMORY else ("classify",)
    table = columns(chips)
    told = statuses(chips, transaction, law)
    (x_low, x_high), (y_low, y_high) = table.metrics[TPP], table.metrics[y]
    return LawMap(
        on=on,
        y=y,
        zones=tuple(zone for zone in zones(law, on, TPP, y, effects) if not zone.others),
        places=tuple(
            Place(
                chip=_short(chip),
                chip_id=chip.id,
                x=(float(x_low[row]), float(x_high[row])),
                y=(float(y_low[row]), float(y_high[row])),
                licence_required=told[row].licence_required,
            )
            for row, chip in enumerate(chips)
        ),
    )


def _short(chip: ChipInputs) -> str:
    """The name without its maker, which costs room on a map."""
    name = chip.name or chip.id
    return name.removeprefix(f"{chip.designer} ") if chip.designer else name


def stored(metric: str, value: float) -> float | None:
    """A bound of a zone in the stored unit of its metric; None where open."""
    if value <= 0 or math.isinf(value):
        return None
    return value * METRICS[metric].factor
