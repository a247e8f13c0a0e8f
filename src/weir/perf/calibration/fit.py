"""Fits the parameters of a kernel to measured cases.

The parameter classes say what may have a value of its own: one for all chips, one for each
generation, one for each number format. The reference format is fitted first, over all calibration
chips together; every other format then gets its own values of the parameters that formats differ
in, and keeps the rest.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weir.catalog.calibration import GENERIC, Efficiency, Table
from weir.perf.calibration.cases import Case
from weir.perf.calibration.least_squares import Fit, minimise

Array = NDArray[np.float64]

# Residuals of the logarithm beyond this count linearly: about the noise of the tables.
LOSS_BEND: Final = 0.1
# Spread of the disturbances of restarts, in logarithms or shares.
JITTER: Final = 0.4
_ADDS, _TIME, _RATE, _SHARE, _STATED = "adds", "time", "rate", "share", "stated"
_PER_CLOCK: Final = "/clock"
_SHARED, _GENERATION, _DTYPE = "shared", "generation", "dtype"
# Parameters are scaled by their start; one that starts at zero by this share of its upper bound.
_SCALE_OF_BOUND: Final = 1e-3


@dataclass(frozen=True)
class Free:
    """One number that a fit may change.

    Attributes:
        level: "shared", "generation" or "dtype" of the kernel's table.
        key: Which generation or format; empty for shared.
        name: Parameter.
        low: Lower bound.
        high: Upper bound.
    """

    level: str
    key: str
    name: str
    low: float
    high: float


@dataclass
class Values:
    """A table that a fit writes into."""

    shared: dict[str, float] = field(default_factory=dict)
    generation: dict[str, dict[str, float]] = field(default_factory=dict)
    dtype: dict[str, dict[str, float]] = field(default_factory=dict)
    seen: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Table) -> "Values":
        """A copy of a table."""
        return cls(
            dict(table.shared),
            {key: dict(values) for key, values in table.generation.items()},
            {key: dict(values) for key, values in table.dtype.items()},
            {key: list(bounds) for key, bounds in table.seen.items()},
        )

    def table(self) -> Table:
        """The table."""
        return Table(self.shared, self.generation, self.dtype, self.seen)

    def put(self, free: Free, value: float) -> None:
        """Sets one value."""
        self._place(free).update({free.name: value})

    def get(self, free: Free, default: float) -> float:
        """One value, or what it inherits."""
        return self._place(free).get(free.name, default)

    def _place(self, free: Free) -> dict[str, float]:
        if free.level == _SHARED:
            return self.shared
        group = self.generation if free.level == _GENERATION else self.dtype
        return group.setdefault(free.key, {})


def free_parameters(
    kind: type[Any],
    traits: Sequence[str],
    dtype: str,
    reference: str,
    idle: frozenset[str] = frozenset(),
) -> Iterator[Free]:
    """What is fitted in one format.

    Args:
        kind: Parameter class.
        traits: Trait sets of the calibration chips.
        dtype: The format.
        reference: The format that the shared values describe.
        idle: Parameters that are not fitted.
    """
    for item in fields(kind):
        per = item.metadata["per"]
        low, high = item.metadata["low"], item.metadata["high"]
        if "fixed" in per or item.name in idle or (dtype != reference and "format" not in per):
            continue
        if "generation" not in per:
            level, key = (_SHARED, "") if dtype == reference else (_DTYPE, dtype)
            yield Free(level, key, item.name, low, high)
            continue
        for name in traits:
            level, key = (_GENERATION, name) if dtype == reference else (_DTYPE, f"{dtype}/{name}")
            yield Free(level, key, item.name, low, high)


def replaced(efficiency: Efficiency, kernel: str, table: Table) -> Efficiency:
    """The same parameters with another table for one kernel."""
    return replace(efficiency, tables={**efficiency.tables, kernel: table})


def residuals(cases: Sequence[Case], efficiency: Efficiency) -> Array:
    """Logarithm of estimated over measured time, all cases one after the other."""
    return np.concatenate(
        [np.log(case.estimate(efficiency).time_s / case.measured_s) for case in cases]
    )


def fit_format(
    kind: type[Any],
    cases: Sequence[Case],
    efficiency: Efficiency,
    *,
    reference: str,
    iterations: int = 60,
    restarts: int = 0,
    idle: frozenset[str] = frozenset(),
) -> tuple[Efficiency, Fit]:
    """Fits one kernel in one format to cases of it.

    Args:
        kind: Parameter class of the kernel.
        cases: Cases of one kernel and format, on calibration chips.
        efficiency: Start; every other parameter is kept.
        reference: The kernel's reference format.
        iterations: Most iterations of one search.
        restarts: Further searches, each from a disturbed best point.
        idle: Parameters that are not fitted.
    """
    kernel, dtype = cases[0].table, cases[0].dtype
    start = efficiency.tables[kernel]
    traits = sorted({case.machine.generation for case in cases})
    values = Values.of(start)
    frees = list(free_parameters(kind, traits, dtype, reference, idle))
    space = _Space.of(frees, [_first(kind, efficiency, kernel, dtype, free) for free in frees])
    # Every case counts the same, however many rows it has.
    weight = np.concatenate(
        [np.full(len(case.measured_s), 1.0 / np.sqrt(len(case.measured_s))) for case in cases]
    )
    weight /= np.sqrt(np.mean(weight**2))

    def at(u: Array) -> Efficiency:
        for free, value in zip(frees, space.values(u), strict=True):
            values.put(free, float(value))
        return replaced(efficiency, kernel, Values.of(values.table()).table())

    def scaled(u: Array) -> Array:
        return weight * residuals(cases, at(u)) / LOSS_BEND

    best = minimise(scaled, space.start, space.low, space.high, iterations=iterations)
    draws = np.random.default_rng(len(frees)).normal(0.0, JITTER, (restarts, len(frees)))
    for index, draw in enumerate(draws):
        # Every other search leaves the best valley, where a parameter may have run to a bound.
        origin = best.x if index % 2 else space.start
        again = minimise(scaled, origin + draw, space.low, space.high, iterations=iterations)
        best = again if again.loss < best.loss else best
    return at(without_chance(scaled, best.x, space.start)), best


def without_chance(scaled: Callable[[Array], Array], x: Array, start: Array) -> Array:
    """The best point with every parameter that no row depends on back at its start.

    Restarts move such parameters by chance, and other trait sets average over them.

    Args:
        scaled: Residuals at a point.
        x: The best point.
        start: Where the search began.
    """
    found, settled = scaled(x), x.copy()
    for index in np.flatnonzero(x != start):
        moved = settled.copy()
        moved[index] = start[index]
        if np.array_equal(scaled(moved), found):
            settled = moved
    return settled


@dataclass(frozen=True)
class _Space:
    """Where the fit moves: logarithms of what must be positive, multiples of the start of the rest.

    Attributes:
        is_log: Which numbers move on a logarithmic scale.
        scale: Unit of the others.
        start: First guess.
        low: Lower bounds.
        high: Upper bounds.
        bounds: Both bounds of the parameters themselves.
    """

    is_log: NDArray[np.bool_]
    scale: Array
    start: Array
    low: Array
    high: Array
    bounds: tuple[Array, Array]

    @classmethod
    def of(cls, frees: Sequence[Free], first: Sequence[float]) -> "_Space":
        """The space around a first guess."""
        low = np.array([free.low for free in frees])
        high = np.array([free.high for free in frees])
        value = np.clip(np.array(first), low, high)
        is_log = low > 0.0
        scale = np.where(is_log, 1.0, np.maximum(np.abs(value), _SCALE_OF_BOUND * high))

        def inward(x: Array) -> Array:
            return np.where(is_log, np.log(np.where(is_log, x, 1.0)), x / scale)

        return cls(is_log, scale, inward(value), inward(low), inward(high), (low, high))

    def values(self, u: Array) -> Array:
        """Parameters of a point."""
        found = np.where(self.is_log, np.exp(np.where(self.is_log, u, 0.0)), u * self.scale)
        return np.clip(found, self.bounds[0], self.bounds[1])


def _first(kind: type[Any], efficiency: Efficiency, kernel: str, dtype: str, free: Free) -> float:
    """Where a fit starts: the value that the free number would inherit."""
    generation = free.key.rpartition("/")[2] if free.level == _DTYPE and "/" in free.key else ""
    if free.level == _GENERATION:
        generation = free.key
    inherited = efficiency.of(kind, kernel, generation or GENERIC, dtype)
    return float(getattr(inherited, free.name))


def pooled(kind: type[Any], table: Table, by_hand: Mapping[str, Mapping[str, float]]) -> Table:
    """Adds the generic trait set and those that are set by hand on top of it.

    The generic set is the geometric mean over the fitted generations; a set by hand, such as that
    of systolic arrays, replaces what no calibration chip can teach.

    Args:
        kind: Parameter class.
        table: Fitted table.
        by_hand: Trait sets that no calibration chip has, with the values they replace.
    """
    values = Values.of(table)
    own = [values.generation[name] for name in sorted(values.generation) if name not in by_hand]
    generic: dict[str, float] = {}
    for item in fields(kind):
        found = [traits[item.name] for traits in own if item.name in traits]
        if found:
            generic[item.name] = _mean(found)
    values.generation[GENERIC] = generic
    for name, replaced_by in by_hand.items():
        values.generation[name] = {**generic, **replaced_by}
    bounds = {item.name: (item.metadata["low"], item.metadata["high"]) for item in fields(kind)}
    ways = {item.name: _way(item.metadata["unit"], item.metadata["per"]) for item in fields(kind)}
    _spread_formats(values, generic, bounds, ways)
    return values.table()


def _spread_formats(
    values: Values,
    generic: Mapping[str, float],
    bounds: Mapping[str, tuple[float, float]],
    ways: Mapping[str, str],
) -> None:
    """Gives every trait set every format.

    What a format changes is taken as a ratio to the reference format, or as a difference where the
    parameter is a time that passes once, averaged over the generations that were measured in both,
    and applied to the trait set's own reference values. What is stated of the kernels of one
    generation says nothing of another's.
    """
    sets = dict(values.generation)
    measured = [key for key in values.dtype if key.partition("/")[2] in sets]
    for dtype in sorted({key.partition("/")[0] for key in measured}):
        found = {
            key.partition("/")[2]: values.dtype[key]
            for key in measured
            if key.partition("/")[0] == dtype
        }
        every = {name for part in found.values() for name in part}
        names = sorted(name for name in every if ways[name] != _STATED)
        values.dtype.setdefault(dtype, {})
        for traits, own in sets.items():
            if traits in found or not names:
                continue
            values.dtype[f"{dtype}/{traits}"] = {
                name: float(
                    np.clip(
                        _transferred(
                            name, own.get(name, generic.get(name, 0.0)), found, sets, ways[name]
                        ),
                        *bounds[name],
                    )
                )
                for name in names
            }


def _way(unit: str, per: Sequence[str]) -> str:
    """How a format's change of a parameter reaches other trait sets."""
    if "fixed" in per:
        return _STATED
    if "once" in per:
        return _ADDS
    if unit == "s":
        return _TIME
    return _RATE if unit.endswith(_PER_CLOCK) else _SHARE


def _transferred(
    name: str,
    own: float,
    found: Mapping[str, Mapping[str, float]],
    sets: Mapping[str, Mapping[str, float]],
    way: str,
) -> float:
    """The value of a format on a trait set that was not measured in it.

    Where a generation has no part in a cost, its time is next to nothing and its rate next to
    unlimited, and their ratio means nothing; so ratios of times are those of their sums over
    generations, and ratios of rates those of the sums of what a unit of work takes.
    """
    pairs = [
        (part[name], sets[traits][name])
        for traits, part in found.items()
        if name in part and name in sets.get(traits, {})
    ]
    if not pairs:
        return own
    if way == _ADDS:
        return own + float(np.mean([value - reference for value, reference in pairs]))
    if way == _SHARE:
        if any(reference <= 0.0 or value <= 0.0 for value, reference in pairs):
            return own
        return own * _mean([value / reference for value, reference in pairs])
    if way == _RATE:
        pairs = [(1.0 / reference, 1.0 / value) for value, reference in pairs]
    above, below = (sum(column) for column in zip(*pairs, strict=True))
    return own * above / below if below > 0.0 else own


def _mean(found: Sequence[float]) -> float:
    array = np.asarray(found)
    return float(np.exp(np.mean(np.log(array)))) if np.all(array > 0.0) else float(np.mean(array))
