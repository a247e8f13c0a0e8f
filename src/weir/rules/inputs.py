"""What the law reads of chips, as columns of intervals and three-valued facts."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.catalog.fields import DTYPE_BITS
from weir.catalog.law import FACTS
from weir.core.errors import InputError
from weir.rules import metrics
from weir.rules.logic import NO, TRUTH_OF_WORD, UNKNOWN, YES
from weir.rules.metrics import Bounds
from weir.rules.places import fold

UNPUBLISHED = (math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a chip is, for instruments that name chips or bind companies."""

    id: str
    names: frozenset[str] = frozenset()  # folded
    designer: str = ""


class Roster:
    """The distinct chips behind rows, asked by instruments that name chips or companies.

    Args:
        identities: The chips.
    """

    def __init__(self, identities: Sequence[Identity]) -> None:
        self.identities = tuple(identities)
        self._companies = tuple(fold(item.designer) for item in self.identities)
        self._known: dict[tuple[str, tuple[str, ...]], NDArray[np.int8]] = {}

    def named(self, names: tuple[str, ...]) -> NDArray[np.int8]:
        """Which chips go by one of the folded names."""
        key = ("named", names)
        if key not in self._known:
            wanted = frozenset(names)
            self._known[key] = _truths(not wanted.isdisjoint(i.names) for i in self.identities)
        return self._known[key]

    def designed_by(self, names: tuple[str, ...]) -> NDArray[np.int8]:
        """Which chips are designed by a company whose folded name starts like one of these."""
        key = ("designer", names)
        if key not in self._known:
            self._known[key] = _truths(item.startswith(names) for item in self._companies)
        return self._known[key]


def _truths(flags: Iterable[bool]) -> NDArray[np.int8]:
    return np.fromiter((YES if flag else NO for flag in flags), np.int8)


@dataclass(frozen=True, slots=True)
class ChipInputs:
    """What the law reads of one integrated circuit; bounds are (low, high), NaN where unpublished.

    Attributes:
        id: Catalogue id, SKU or any label.
        name: What people call it.
        designer: Company; letters bind companies.
        names: All names it goes by.
        rates_flop_per_s: Dense rate of the whole circuit by number format.
        area_mm2: Applicable die area.
        has_area: False where no die is made on a non-planar node; such a circuit has none.
        memory_bytes_per_s: Bandwidth to DRAM.
        io_bytes_per_s: All I/O, both directions, without volatile memory.
        links_bytes_per_s: Scale-up links alone, both directions.
        host_bytes_per_s: Host interface alone, both directions.
        tpp: Total processing performance where it is given instead of rates.
        memory_bytes_per_s_per_mm2: Memory bandwidth density of an HBM stack or package.
        facts: Words "yes", "no", "contested" or "unknown" by fact of `weir.catalog.law.FACTS`.
    """

    id: str
    name: str = ""
    designer: str = ""
    names: tuple[str, ...] = ()
    rates_flop_per_s: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    area_mm2: tuple[float, float] = UNPUBLISHED
    has_area: bool = True
    memory_bytes_per_s: tuple[float, float] = UNPUBLISHED
    io_bytes_per_s: tuple[float, float] = UNPUBLISHED
    links_bytes_per_s: tuple[float, float] = UNPUBLISHED
    host_bytes_per_s: tuple[float, float] = UNPUBLISHED
    tpp: tuple[float, float] = UNPUBLISHED
    memory_bytes_per_s_per_mm2: tuple[float, float] = UNPUBLISHED
    facts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bounds = {
            "applicable die area": self.area_mm2,
            "memory bandwidth": self.memory_bytes_per_s,
            "I/O rate": self.io_bytes_per_s,
            "link rate": self.links_bytes_per_s,
            "host rate": self.host_bytes_per_s,
            "TPP": self.tpp,
            "memory bandwidth density": self.memory_bytes_per_s_per_mm2,
            **{f"dense {dtype} rate": pair for dtype, pair in self.rates_flop_per_s.items()},
        }
        for name, (low, high) in bounds.items():
            if low < 0 or high < 0:
                raise InputError(f"{self.id}: {name} is {min(low, high)}; it cannot be negative")
            if low > high:
                raise InputError(f"{self.id}: {name} has low {low} above high {high}; swap them")
        for dtype in self.rates_flop_per_s:
            if dtype not in DTYPE_BITS:
                known = ", ".join(DTYPE_BITS)
                raise InputError(f"{self.id}: no number format '{dtype}'; known: {known}")
        for fact, word in self.facts.items():
            if fact not in FACTS or word not in TRUTH_OF_WORD:
                raise InputError(
                    f"{self.id}: fact {fact} = '{word}'; write yes, no, contested or unknown"
                )


@dataclass(frozen=True)
class ChipColumns:
    """Chips as columns: one row each.

    Attributes:
        metrics: Lower and upper bounds by metric of `weir.catalog.law.METRICS`, stored units.
        facts: Truth by fact; a fact that is absent is left to the transaction.
        roster: The distinct chips.
        identity: Row to index into the roster.
    """

    metrics: Mapping[str, Bounds]
    facts: Mapping[str, NDArray[np.int8]]
    roster: Roster
    identity: NDArray[np.intp]

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.identity)

    def take(self, rows: NDArray[np.intp]) -> "ChipColumns":
        """The given rows, in that order."""
        taken: dict[int, NDArray[np.float64]] = {}  # one array may serve several metrics

        def pick(column: NDArray[np.float64]) -> NDArray[np.float64]:
            if id(column) not in taken:
                taken[id(column)] = column[rows]
            return taken[id(column)]

        return replace(
            self,
            metrics={key: (pick(low), pick(high)) for key, (low, high) in self.metrics.items()},
            facts={key: value[rows] for key, value in self.facts.items()},
            identity=self.identity[rows],
        )

    @classmethod
    def from_arrays(
        cls,
        rates_flop_per_s: Mapping[str, Bounds],
        area_mm2: Bounds,
        memory_bytes_per_s: Bounds,
        io_bytes_per_s: Bounds,
        datacentre: NDArray[np.int8],
        commercially_available_us: NDArray[np.int8] | None = None,
        has_area: NDArray[np.bool_] | None = None,
        identities: Sequence[Identity] = (Identity(""),),
        identity: NDArray[np.intp] | None = None,
    ) -> "ChipColumns":
        """Columns from arrays of n rows each; NaN bounds mean unpublished.

        Args:
            rates_flop_per_s: Dense rates by number format, lower and upper bound.
            area_mm2: Applicable die area.
            memory_bytes_per_s: Bandwidth to DRAM.
            io_bytes_per_s: All I/O, both directions.
            datacentre: 0 no, 1 unknown or contested, 2 yes.
            commercially_available_us: The same for sale in the U.S.; unknown where left out.
            has_area: False where no die is non-planar.
            identities: Distinct chips or designers.
            identity: Row to index into `identities`.
        """
        count = len(datacentre)
        available = commercially_available_us
        if available is None:
            available = np.full(count, UNKNOWN, np.int8)
        index = np.zeros(count, np.intp) if identity is None else identity
        return cls(
            metrics=_metrics(
                metrics.tpp(rates_flop_per_s, DTYPE_BITS),
                metrics.known_or(*area_mm2),
                True if has_area is None else has_area,
                metrics.known_or(*memory_bytes_per_s),
                metrics.known_or(*io_bytes_per_s),
            ),
            facts={"datacentre": datacentre, "commercially_available_us": available},
            roster=Roster(identities),
            identity=index,
        )


def _metrics(
    tpp: Bounds,
    area: Bounds,
    has_area: NDArray[np.bool_] | bool,
    memory: Bounds,
    io: Bounds,
) -> dict[str, Bounds]:
    return {
        "tpp": tpp,
        "bits_times_tops": tpp,
        "performance_density": metrics.performance_density(tpp, area, has_area),
        "die_area": area if has_area is True else _no_area(area, has_area),
        "memory_bandwidth": memory,
        "io_bidirectional": io,
        "memory_plus_io": metrics.sum_of(memory, io),
    }


def _no_area(area: Bounds, has_area: NDArray[np.bool_] | bool) -> Bounds:
    return np.where(has_area, area[0], np.inf), np.where(has_area, area[1], np.inf)


def columns(chips: Sequence[ChipInputs]) -> ChipColumns:
    """Single chips as columns, one row each."""
    formats = sorted({dtype for chip in chips for dtype in chip.rates_flop_per_s})
    stated = _bounds(
        {dtype: [c.rates_flop_per_s.get(dtype, UNPUBLISHED) for c in chips] for dtype in formats}
        | {name: [getattr(chip, name) for chip in chips] for name in _STATED}
    )
    rates = {dtype: stated[dtype] for dtype in formats}
    has_area = np.array([chip.has_area for chip in chips], bool)
    table = _metrics(
        _tpp(stated["tpp"], rates, np.array([not chip.rates_flop_per_s for chip in chips], bool)),
        metrics.known_or(*stated["area_mm2"]),
        bool(has_area.all()) or has_area,
        metrics.known_or(*stated["memory_bytes_per_s"]),
        metrics.io_rate(
            stated["io_bytes_per_s"], stated["links_bytes_per_s"], stated["host_bytes_per_s"]
        ),
    )
    table["memory_bandwidth_density"] = metrics.known_or(*stated["memory_bytes_per_s_per_mm2"])
    named = {"datacentre", "commercially_available_us", *(f for c in chips for f in c.facts)}
    facts = {
        fact: np.array([TRUTH_OF_WORD[chip.facts.get(fact, "unknown")] for chip in chips], np.int8)
        for fact in sorted(named)
    }
    identities = tuple(
        Identity(
            chip.id,
            frozenset(fold(name) for name in (chip.id, chip.name, *chip.names) if name),
            chip.designer,
        )
        for chip in chips
    )
    return ChipColumns(table, facts, Roster(identities), np.arange(len(chips)))


# The bounds of `ChipInputs` beside its rates.
_STATED: Final = (
    "area_mm2",
    "memory_bytes_per_s",
    "io_bytes_per_s",
    "links_bytes_per_s",
    "host_bytes_per_s",
    "tpp",
    "memory_bytes_per_s_per_mm2",
)


def _bounds(pairs: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, Bounds]:
    """Columns of bounds; one array serves as both where they are the same in every row."""
    table = np.array(list(pairs.values()), float)
    low, high = table[..., 0], table[..., 1]
    is_certain = ((low == high) | (np.isnan(low) & np.isnan(high))).all(axis=1)
    return {
        name: (least, least if certain else most)
        for name, least, most, certain in zip(pairs, low, high, is_certain.tolist(), strict=True)
    }


def _tpp(given: Bounds, rates: Mapping[str, Bounds], is_bare: NDArray[np.bool_]) -> Bounds:
    """TPP as given, else by the rates; unbounded above where there is neither."""
    found = metrics.tpp(rates, DTYPE_BITS) if rates else (np.zeros(len(is_bare)),) * 2
    if np.isnan(given[0]).all() and np.isnan(given[1]).all() and not is_bare.any():
        return found
    low = np.where(np.isnan(given[0]), found[0], given[0])
    high = np.where(np.isnan(given[1]), np.where(is_bare, np.inf, found[1]), given[1])
    return low, high
