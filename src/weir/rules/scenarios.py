"""Other points at which to ask the law: possible worlds of an uncertain chip, one input moved.

The law is piecewise constant between its thresholds, so that one point in every cell and one on
every line is enough, and the answers are exact.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from weir.rules.evaluate import NO_POLICY, Outcome, evaluate, undetermined
from weir.rules.inputs import ChipColumns
from weir.rules.logic import NO, UNKNOWN, YES, Truth
from weir.rules.metrics import Bounds, performance_density
from weir.rules.scene import Day

_TRUTHS = np.array([NO, YES], np.int8)


def cells(thresholds: Sequence[float]) -> NDArray[np.float64]:
    """One point in every open cell and every threshold itself, in ascending order.

    Even places are cells (before the first threshold, between two, after the last), odd places
    are the thresholds.
    """
    lines = sorted({line for line in thresholds if 0 < line < math.inf})
    if not lines:
        return np.array([1.0])
    points = [lines[0] / 2, lines[0]]
    for left, right in pairwise(lines):
        points += [(left + right) / 2, right]
    points.append(lines[-1] * 2)
    return np.array(points)


@dataclass(frozen=True)
class Worlds:
    """Rows of certain TPP, density and market, and the row of the chip each stands for."""

    chips: ChipColumns
    owner: NDArray[np.intp]


def is_uncertain(chips: ChipColumns) -> NDArray[np.bool_]:
    """Rows whose TPP, performance density or market is not one value."""
    tpp_low, tpp_high = chips.metrics["tpp"]
    density_low, density_high = chips.metrics["performance_density"]
    market = chips.facts.get("datacentre")
    is_open = np.not_equal(tpp_low, tpp_high) | np.not_equal(density_low, density_high)
    return is_open if market is None else np.logical_or(is_open, market == UNKNOWN)


def worlds(day: Day, chips: ChipColumns) -> Worlds:
    """Every distinguishable combination of TPP, density and market that a row leaves open.

    Each row of `chips` yields the same number of worlds; duplicates do no harm. An input that is
    certain in every row is not multiplied.
    """
    count = chips.rows
    tpp_low, tpp_high = (bound[:, None] for bound in chips.metrics["tpp"])
    if np.array_equal(tpp_low, tpp_high):
        tpp = tpp_low
    else:
        tpp = np.clip(cells(day.thresholds.get("tpp", ()))[None, :], tpp_low, tpp_high)
    area_low, area_high = (bound[:, None] for bound in chips.metrics["die_area"])
    least, most = density_between(tpp, area_low, area_high)
    if np.array_equal(least, most):
        density = least[..., None]
    else:
        points = cells(day.thresholds.get("performance_density", ()))
        density = np.clip(points[None, None, :], least[..., None], most[..., None])
    known = chips.facts.get("datacentre")
    truths = _TRUTHS if known is None or (known == UNKNOWN).any() else _TRUTHS[:1]
    shape = (count, tpp.shape[1], density.shape[2], truths.size)
    rows = np.broadcast_to(np.arange(count)[:, None, None, None], shape).ravel()
    taken = chips.take(rows)
    flat_tpp = np.broadcast_to(tpp[:, :, None, None], shape).ravel()
    flat_density = np.broadcast_to(density[..., None], shape).ravel()
    market = taken.facts.get("datacentre", np.full(rows.size, UNKNOWN, np.int8))
    either_market = np.broadcast_to(truths, shape).ravel()
    return Worlds(
        chips=ChipColumns(
            metrics={
                **taken.metrics,
                "tpp": (flat_tpp, flat_tpp),
                "bits_times_tops": (flat_tpp, flat_tpp),
                "performance_density": (flat_density, flat_density),
            },
            facts={
                **taken.facts,
                "datacentre": np.where(market == UNKNOWN, either_market, market).astype(np.int8),
            },
            roster=taken.roster,
            identity=taken.identity,
        ),
        owner=rows,
    )


def density_between(
    tpp: NDArray[np.float64], area_low: NDArray[np.float64], area_high: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least and most performance density of certain TPP on an interval of areas."""
    return performance_density((tpp, tpp), (area_low, area_high), ~np.isinf(area_low))


def agree(values: Sequence[NDArray[np.int8]], count: int, each: int) -> NDArray[np.int8]:
    """Yes where all worlds of a row say yes, no where all say no, else unknown.

    Args:
        values: Truths of all worlds, those of one row next to each other.
        count: Rows.
        each: Worlds of one row.

    Returns:
        One line per truth, one column per row.
    """
    table = np.array(values, np.int8).reshape(len(values), count, each)
    low, high = table.min(axis=2), table.max(axis=2)
    return np.where(low == high, low, np.int8(UNKNOWN))


def agree_policy(
    found: Outcome, code: NDArray[np.int8] | int, start: int, count: int
) -> NDArray[np.int8]:
    """The policy of a row where all its worlds that need a licence have the same.

    Else the code for undetermined.
    """
    rows = found.scene.chips.rows
    table = np.broadcast_to(np.asarray(code, np.int8), (rows,))[start:].reshape(count, -1)
    most = table.max(axis=1)
    least = np.where(table == NO_POLICY, most[:, None], table).min(axis=1)
    return np.where(least == most, most, undetermined(found.scene.day.law)).astype(np.int8)


@dataclass(frozen=True)
class Sweep:
    """One input moved through all its cells, the others as they are.

    Attributes:
        variable: "tpp", "die_area", "memory_bandwidth", "io_bidirectional" or "datacentre".
        points: Where it was put; odd places are exact lines of the law.
        start: First row among the scenarios.
    """

    variable: str
    points: NDArray[np.float64]
    start: int

    @property
    def stop(self) -> int:
        """One past the last row."""
        return self.start + self.points.size


def sweeps(day: Day, chips: ChipColumns) -> tuple[ChipColumns, list[Sweep]]:
    """The first row of `chips` with one input at a time moved through every cell of the law.

    Returns:
        Rows for all sweeps, and which rows belong to which.
    """
    density = day.thresholds.get("performance_density", ())
    tpp = chips.metrics["tpp"]
    area = chips.metrics["die_area"]
    tpp_lines = [*day.thresholds.get("tpp", ())]
    tpp_lines += [d * float(bound[0]) for d in density for bound in area]
    area_lines = [float(bound[0]) / d for d in density for bound in tpp]
    plans: list[tuple[str, NDArray[np.float64]]] = [
        ("tpp", cells(tpp_lines)),
        ("die_area", cells(area_lines)),
        *(
            (name, cells(_lines_with_sum(day, chips, name)))
            for name in ("memory_bandwidth", "io_bidirectional")
        ),
        ("datacentre", _TRUTHS.astype(float)),
    ]
    total = sum(points.size for _, points in plans)
    rows = chips.take(np.zeros(total, np.intp))
    found: list[Sweep] = []
    start = 0
    for name, points in plans:
        sweep = Sweep(name, points, start)
        _MOVES[name](rows.metrics, rows.facts, slice(sweep.start, sweep.stop), points)
        found.append(sweep)
        start = sweep.stop
    return rows, found


def _lines_with_sum(day: Day, chips: ChipColumns, name: str) -> list[float]:
    other = "io_bidirectional" if name == "memory_bandwidth" else "memory_bandwidth"
    lines = [*day.thresholds.get(name, ())]
    for total in day.thresholds.get("memory_plus_io", ()):
        lines += [total - float(bound[0]) for bound in chips.metrics[other]]
    return lines


def joined(*parts: ChipColumns) -> ChipColumns:
    """The rows of all, which share their distinct chips."""
    first = parts[0]

    def joint(name: str) -> Bounds:
        bounds = [part.metrics[name] for part in parts]
        least = np.concatenate([low for low, _ in bounds])
        if all(low is high for low, high in bounds):
            return least, least
        return least, np.concatenate([high for _, high in bounds])

    return ChipColumns(
        metrics={name: joint(name) for name in first.metrics},
        facts={name: np.concatenate([part.facts[name] for part in parts]) for name in first.facts},
        roster=first.roster,
        identity=np.concatenate([part.identity for part in parts]),
    )


_Metrics = Mapping[str, Bounds]
_Facts = Mapping[str, NDArray[np.int8]]


def _density_from(metrics: _Metrics, rows: slice) -> None:
    tpp, area = _part(metrics["tpp"], rows), _part(metrics["die_area"], rows)
    has_area = ~np.isinf(area[0])
    found = performance_density(tpp, area, bool(has_area.all()) or has_area)
    for bound, value in zip(metrics["performance_density"], found, strict=True):
        bound[rows] = value


def _part(bounds: Bounds, rows: slice) -> Bounds:
    low = bounds[0][rows]
    return low, low if bounds[0] is bounds[1] else bounds[1][rows]


def _set(metrics: _Metrics, name: str, rows: slice, points: NDArray[np.float64]) -> None:
    for bound in metrics[name]:
        bound[rows] = points


def _move_tpp(metrics: _Metrics, _: _Facts, rows: slice, points: NDArray[np.float64]) -> None:
    _set(metrics, "tpp", rows, points)
    _set(metrics, "bits_times_tops", rows, points)
    _density_from(metrics, rows)


def _move_area(metrics: _Metrics, _: _Facts, rows: slice, points: NDArray[np.float64]) -> None:
    _set(metrics, "die_area", rows, points)
    _density_from(metrics, rows)


def _move_bandwidth(name: str) -> Callable[[_Metrics, _Facts, slice, NDArray[np.float64]], None]:
    def move(metrics: _Metrics, _: _Facts, rows: slice, points: NDArray[np.float64]) -> None:
        _set(metrics, name, rows, points)
        for place in (0, 1):
            metrics["memory_plus_io"][place][rows] = (
                metrics["memory_bandwidth"][place][rows] + metrics["io_bidirectional"][place][rows]
            )

    return move


def _move_market(_: _Metrics, facts: _Facts, rows: slice, points: NDArray[np.float64]) -> None:
    if "datacentre" in facts:
        facts["datacentre"][rows] = points.astype(np.int8)


_MOVES = {
    "tpp": _move_tpp,
    "die_area": _move_area,
    "memory_bandwidth": _move_bandwidth("memory_bandwidth"),
    "io_bidirectional": _move_bandwidth("io_bidirectional"),
    "datacentre": _move_market,
}


def refine(outcome: Outcome, chips: ChipColumns, *, with_notices: bool = True) -> None:
    """Settles what holds in every possible world, though no single clause is certain.

    A chip of 2,600 TPP on 200 to 500 mm² is 3A090.a or 3A090.b: neither is certain, a licence
    requirement for both is. Each result becomes yes or no where all worlds agree.
    """
    scene = outcome.scene
    possible = worlds(scene.day, chips)
    found = evaluate(scene.of(possible.chips), with_notices=with_notices)
    settle(outcome, found, 0, chips.rows)


def settle(outcome: Outcome, found: Outcome, start: int, count: int) -> None:
    """Takes over what all worlds of a row agree on.

    Args:
        outcome: What is settled; afterwards it holds the first `count` rows alone.
        found: What was found of the worlds; may be the same.
        start: The row of `found` at which the worlds begin, those of one row next to each other.
        count: Rows that the worlds stand for.
    """
    each = (found.scene.chips.rows - start) // count
    names = ("paragraphs", "grounds", "exceptions", "warnings", "tariffs", "dormant")
    worldly: dict[tuple[str, str], Truth] = {
        (name, key): value for name in names for key, value in getattr(found, name).items()
    }
    worldly["", ""] = found.licence
    open_ones = {key: v[start:] for key, v in worldly.items() if not isinstance(v, int)}
    settled = worldly | dict(
        zip(open_ones, agree(list(open_ones.values()), count, each), strict=True)
    )
    outcome.licence = settled.pop(("", ""))
    for (name, key), value in settled.items():
        getattr(outcome, name)[key] = value
    outcome.scene.results.update(outcome.paragraphs)
    outcome.scene.results.update(outcome.grounds)
    outcome.policy = agree_policy(found, found.policy, start, count)
    for key, code in found.policy_of.items():
        outcome.policy_of[key] = agree_policy(found, code, start, count)
