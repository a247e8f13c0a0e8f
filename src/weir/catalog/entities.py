"""What the catalogue hands out, in SI: chips, systems, models and offers with their facts."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from weir.catalog.architecture import Attention, FeedForward, Layers, Shape
from weir.catalog.fields import CHIP_FIELDS, DTYPES, SYSTEM_FIELDS
from weir.core.provenance import Fact, Status


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing with facts.

    Attributes:
        id: The file name without its ending.
        name: What people call it.
        aliases: Other names it answers to.
        facts: Fact by key; a key that is absent is unknown.
        origin: The file it was read from, for messages.
    """

    id: str
    name: str
    aliases: tuple[str, ...]
    facts: Mapping[str, Fact]
    origin: str
    note: str | None = None
    verified_on: dt.date | None = None

    def number(self, key: str) -> float:
        """The SI value of a fact, NaN where unknown."""
        fact = self.facts.get(key)
        return math.nan if fact is None else fact.number

    def bounds(self, key: str) -> tuple[float, float]:
        """Lower and upper bound of a fact in SI; (NaN, NaN) where unknown."""
        fact = self.facts.get(key)
        return (math.nan, math.nan) if fact is None else (fact.low, fact.high)

    def text(self, key: str) -> str:
        """The text of a fact, empty where unknown."""
        fact = self.facts.get(key)
        return "" if fact is None or fact.value is None else str(fact.value)


@dataclass(frozen=True, slots=True)
class Chip(Entity):
    """One accelerator package or card; keys are those of `CHIP_FIELDS`."""

    designer: str = ""
    generation: str = "generic"
    ics_per_card: int = 1

    @property
    def dense_flop_per_s(self) -> dict[str, float]:
        """Published dense rates by number format; a format that is absent has none."""
        rates = {dtype: self.number(f"dense_{dtype}") for dtype in DTYPES}
        return {dtype: rate for dtype, rate in rates.items() if not math.isnan(rate)}

    @property
    def launched(self) -> dt.date | None:
        """Day of launch, None where unknown."""
        text = self.text("launched")
        return dt.date.fromisoformat(text) if text else None

    @property
    def unknown_keys(self) -> tuple[str, ...]:
        """The facts of the datasheet that nobody has published."""
        return tuple(key for key in CHIP_FIELDS if key not in self.facts)


@dataclass(frozen=True, slots=True)
class System(Entity):
    """One node, rack or pod; keys are those of `SYSTEM_FIELDS`."""

    chip: str = ""

    @property
    def unknown_keys(self) -> tuple[str, ...]:
        """The facts that nobody has published."""
        return tuple(key for key in SYSTEM_FIELDS if key not in self.facts)


@dataclass(frozen=True, slots=True)
class Model:
    """One language model, as exact as its configuration."""

    id: str
    name: str
    organisation: str
    aliases: tuple[str, ...]
    sources: tuple[str, ...]
    status: Status
    shape: Shape
    attentions: Mapping[str, Attention]
    feed_forwards: Mapping[str, FeedForward]
    layers: tuple[Layers, ...]
    published: Mapping[str, Fact]
    origin: str
    released: dt.date | None = None
    licence: str | None = None
    note: str | None = None
    verified_on: dt.date | None = None

    @property
    def has_experts(self) -> bool:
        """Whether any layer is a mixture of experts."""
        return any(block.experts for block in self.feed_forwards.values())

    @property
    def layer_count(self) -> int:
        """Layers of the trunk, without draft layers."""
        return sum(layer.count for layer in self.layers)


@dataclass(frozen=True, slots=True)
class Offer:
    """What somebody asked for a chip, or an hour of it, on a day."""

    chip: str
    kind: str  # "purchase" or "rental per hour"
    price_usd: float
    on: dt.date
    region: str
    sources: tuple[str, ...]
    status: Status
    note: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a data file."""

    path: str
    message: str
    keys: tuple[str, ...] = field(default=())
