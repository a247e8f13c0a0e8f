"""Evaluates conditions: one day of the law, one transaction, many chips.

The same functions serve one chip and a million: values that depend on the transaction alone are
plain integers, values that depend on the chip are arrays of one element a row.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weir.catalog.law import (
    AllOf,
    AnyOf,
    Certified,
    Compare,
    Condition,
    FactIs,
    InZone,
    KindIs,
    Law,
    Named,
    NotThat,
    Paragraph,
    PartyIs,
    Provision,
)
from weir.core.trace import Step
from weir.rules.inputs import ChipColumns
from weir.rules.logic import NO, UNKNOWN, YES, Truth, both, compare, either, negate
from weir.rules.places import fold, in_zone
from weir.rules.transaction import Case


@dataclass(frozen=True, eq=False)
class Day:
    """The provisions in force on a day, by effect, in the order in which they are evaluated."""

    law: Law
    on: dt.date
    by_effect: Mapping[str, tuple[Provision, ...]]
    not_enforced: tuple[Provision, ...]
    not_yet_applied: tuple[Provision, ...]
    texts: dict[int, str] = field(default_factory=dict)
    compared: dict[int, tuple[Compare, ...]] = field(default_factory=dict)
    steps: dict[tuple[int, int], Step] = field(default_factory=dict)
    _order: dict[int, tuple[Condition, ...]] = field(default_factory=dict)

    def ordered(self, condition: AllOf | AnyOf) -> tuple[Condition, ...]:
        """The parts of a condition, the cheapest to test first; remembered."""
        key = id(condition)
        found = self._order.get(key)
        if found is None:
            found = self._order[key] = _by_cost(condition)
        return found

    def of(self, effect: str) -> tuple[Provision, ...]:
        """The provisions of one effect."""
        return self.by_effect.get(effect, ())

    @cached_property
    def all(self) -> tuple[Provision, ...]:
        """Every provision in force."""
        return tuple(item for items in self.by_effect.values() for item in items)

    @cached_property
    def thresholds(self) -> Mapping[str, tuple[float, ...]]:
        """Every threshold that anything in force compares a metric with, by metric, ascending."""
        found: dict[str, set[float]] = {}
        for item in self.all:
            for leaf in leaves(item.when):
                if isinstance(leaf, Compare):
                    name = "tpp" if leaf.metric == "bits_times_tops" else leaf.metric
                    found.setdefault(name, set()).add(leaf.threshold)
        return {name: tuple(sorted(values)) for name, values in found.items()}

    @cached_property
    def of_case(self) -> frozenset[int]:
        """The conditions, by identity, that the transaction alone decides on this day."""
        found: set[int] = set()
        for item in (*self.all, *self.not_enforced, *self.not_yet_applied):
            _decided_by_case(item.when, found)
        return frozenset(found)


def _decided_by_case(condition: Condition, found: set[int]) -> bool:
    """Whether a condition reads nothing of the chip; notes it and its parts that do not."""
    if isinstance(condition, AllOf | AnyOf):
        parts = [_decided_by_case(part, found) for part in condition.parts]  # notes every part
        decided = all(parts)
    elif isinstance(condition, NotThat):
        decided = _decided_by_case(condition.part, found)
    else:
        decided = isinstance(condition, _CHEAP)
    if decided:
        found.add(id(condition))
    return decided


def comparisons(day: "Day", condition: Condition) -> tuple[Compare, ...]:
    """The comparisons a condition is made of; remembered."""
    key = id(condition)
    found = day.compared.get(key)
    if found is None:
        found = tuple(leaf for leaf in leaves(condition) if isinstance(leaf, Compare))
        day.compared[key] = found
    return found


def leaves(condition: Condition) -> Iterator[Condition]:
    """The tests a condition is made of, without "all", "any" and "not"."""
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from leaves(part)
    elif isinstance(condition, NotThat):
        yield from leaves(condition.part)
    else:
        yield condition


def law_on(law: Law, on: dt.date) -> Day:
    """The law of a day; all days between two changes share one object."""
    return epoch(law, bisect_right(law.breakpoints, on))


_EPOCH_ORDINAL: Final = dt.date(1970, 1, 1).toordinal()  # day 0 of datetime64


def epoch_of(law: Law, days: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many changes of the law lie on or before each day, counted from 1970-01-01."""
    return np.searchsorted(_starts(law), days, side="right")


@lru_cache(maxsize=64)
def _starts(law: Law) -> NDArray[np.int64]:
    return np.array([day.toordinal() - _EPOCH_ORDINAL for day in law.breakpoints], np.int64)


@lru_cache(maxsize=4096)
def epoch(law: Law, index: int) -> Day:
    """The law between change number `index` and the next; 0 is before the first."""
    on = law.breakpoints[index - 1] if index else law.breakpoints[0] - dt.timedelta(days=1)
    active = [item for item in law.provisions if on in item.period]
    by_effect: dict[str, list[Provision]] = {}
    dormant = [item for item in active if not item.is_enforced]
    coming = [item for item in active if item.is_enforced and on < item.first_applied]
    for item in active:
        if item.is_enforced and on >= item.first_applied:
            by_effect.setdefault(item.effect, []).append(item)
    ordered = {
        effect: tuple(sorted(items, key=lambda item: (item.order, bool(item.yields_to), item.id)))
        for effect, items in by_effect.items()
    }
    return Day(law, on, ordered, tuple(dormant), tuple(coming))


@dataclass
class Scene:
    """One evaluation: the law of a day, a case, columns of chips, and what was found so far.

    Attributes:
        day: The law in force.
        case: The transaction.
        chips: One row per chip or scenario.
        results: Truth by paragraph and by requirement id, filled as evaluation goes on.
        presumed: Truth by fact that a presumption makes true.
        margins: What has been worked out of each comparison for the first row.
        quantities: Bounds of the first row by metric and unit, and their words.
    """

    day: Day
    case: Case
    chips: ChipColumns
    results: dict[str, Truth] = field(default_factory=dict)
    presumed: dict[str, Truth] = field(default_factory=dict)
    margins: dict[int, Any] = field(default_factory=dict)
    quantities: dict[tuple[str, str], tuple[float, float, str]] = field(default_factory=dict)
    _memo: dict[int, Truth] = field(default_factory=dict)

    def of(self, chips: ChipColumns) -> "Scene":
        """The same transaction on the same day with other chips."""
        kept = self._memo.keys() & self.day.of_case
        return Scene(self.day, self.case, chips, _memo={key: self._memo[key] for key in kept})

    def test(self, condition: Condition) -> Truth:
        """Truth of a condition, remembered."""
        key = id(condition)
        found = self._memo.get(key)
        if found is None:
            found = _TESTS[type(condition)](self, condition)
            self._memo[key] = found
        return found

    def bounds(self, metric: str) -> tuple[Any, Any]:
        """Lower and upper bound of a metric, from the transaction or the chips."""
        given = self.case.numbers.get(metric)
        if given is not None:
            return given
        return self.chips.metrics.get(metric, (0.0, np.inf))

    def fact(self, name: str) -> Truth:
        """Truth of a fact: said of the transaction, else of the chip, else unknown."""
        value: Truth
        if name in self.case.facts:
            value = self.case.facts[name]
        else:
            value = self.chips.facts.get(name, UNKNOWN)
        presumed = self.presumed.get(name)
        return value if presumed is None else either(value, presumed)


def _all_of(scene: Scene, condition: AllOf) -> Truth:
    value: Truth = YES
    for part in scene.day.ordered(condition):
        value = both(value, scene.test(part))
        if isinstance(value, int) and value == NO:
            return NO
    return value


def _any_of(scene: Scene, condition: AnyOf) -> Truth:
    value: Truth = NO
    for part in scene.day.ordered(condition):
        value = either(value, scene.test(part))
        if isinstance(value, int) and value == YES:
            return YES
    return value


_CHEAP: Final = (InZone, KindIs, Certified)


def _by_cost(condition: AllOf | AnyOf) -> tuple[Condition, ...]:
    """Parts in the order of their cost: what the transaction alone decides comes first."""

    def cost(part: Condition) -> int:
        if isinstance(part, NotThat):
            return cost(part.part)
        if isinstance(part, AllOf | AnyOf):
            return max((cost(inner) for inner in part.parts), default=0) + 1
        return 0 if isinstance(part, _CHEAP) else 2 if isinstance(part, Compare) else 1

    return tuple(sorted(condition.parts, key=cost))


def _compare(scene: Scene, condition: Compare) -> Truth:
    low, high = scene.bounds(condition.metric)
    value = compare(low, high, condition.comparison, condition.threshold)
    return int(value) if np.ndim(value) == 0 else value


def _fact(scene: Scene, condition: FactIs) -> Truth:
    value = scene.fact(condition.fact)
    return value if condition.is_yes else negate(value)


def _paragraph(scene: Scene, condition: Paragraph) -> Truth:
    return scene.results.get(condition.name, NO)


def _zone(scene: Scene, condition: InZone) -> Truth:
    case, law = scene.case, scene.day.law
    if condition.role == "headquarters":
        return max(
            in_zone(law, condition.zone, case.consignee, scene.day.on),
            in_zone(law, condition.zone, case.parent, scene.day.on),
        )
    code = getattr(case, condition.role)
    return in_zone(law, condition.zone, code, scene.day.on) if code else UNKNOWN


@lru_cache(maxsize=1024)
def _folded(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(fold(name) for name in names)


def _party(scene: Scene, condition: PartyIs) -> Truth:
    wanted = _folded(condition.names)
    if condition.role == "exporter" and scene.case.exporter:
        return YES if fold(scene.case.exporter).startswith(wanted) else NO
    return _per_chip(scene, scene.chips.roster.designed_by(wanted))


def _named(scene: Scene, condition: Named) -> Truth:
    return _per_chip(scene, scene.chips.roster.named(_folded(condition.names)))


def _per_chip(scene: Scene, values: NDArray[np.int8]) -> Truth:
    """Values of distinct chips, spread over the rows; one integer where all are the same."""
    if values.size == 1 or (values == values[0]).all():
        return int(values[0])
    return values[scene.chips.identity]


def _kind(scene: Scene, condition: KindIs) -> Truth:
    return YES if scene.case.kind in condition.kinds else NO


def _certified(scene: Scene, condition: Certified) -> Truth:
    return scene.case.certified.get(condition.name, UNKNOWN)


def _not(scene: Scene, condition: NotThat) -> Truth:
    return negate(scene.test(condition.part))


_TESTS: Final[dict[type, Callable[[Scene, Any], Truth]]] = {
    AllOf: _all_of,
    AnyOf: _any_of,
    Compare: _compare,
    FactIs: _fact,
    Paragraph: _paragraph,
    InZone: _zone,
    PartyIs: _party,
    Named: _named,
    KindIs: _kind,
    Certified: _certified,
    NotThat: _not,
}
