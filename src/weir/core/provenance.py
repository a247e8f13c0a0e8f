"""Where a number comes from: the source, the fact, and how far to trust what is made of them."""

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """How a fact is known, from firm to weak."""

    STATED = "stated"  # a named source says so
    MEASURED = "measured"  # somebody measured it and says how
    DERIVED = "derived"  # computed from stated or measured facts by a rule that is written down
    ESTIMATED = "estimated"  # a judgement with a stated basis
    DISPUTED = "disputed"  # sources disagree; the alternatives are listed
    RECALLED = "recalled"  # from memory; the document that would prove it is not opened yet

    @property
    def rank(self) -> int:
        """0 for the firmest, higher for weaker."""
        return _RANK[self]


_RANK: Final = {status: rank for rank, status in enumerate(Status)}


def weakest(statuses: Iterable[Status]) -> Status:
    """The status of a result: the weakest of what it was made of, and at best derived."""
    return max((*statuses, Status.DERIVED), key=lambda status: status.rank)


@dataclass(frozen=True, slots=True)
class Source:
    """One document that facts cite."""

    id: str
    title: str
    publisher: str
    kind: str
    accessed: dt.date
    licence: str
    url: str | None = None
    published: dt.date | None = None
    quote: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Alternative:
    """What another source says about the same fact."""

    value: float | str
    printed: str
    sources: tuple[str, ...]
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One sourced value.

    Attributes:
        name: The key, for example "memory_bandwidth".
        value: SI float, text or flag; None where only bounds are known.
        low: Lower bound in SI, equal to the value where there is no range.
        high: Upper bound in SI, likewise.
        dimension: What the number measures, "text" or "flag" for the others.
        printed: Value and unit as the source prints them.
        sources: "source-id#locator" citations; empty only for recalled facts.
        status: How it is known.
        how: The arithmetic or the reason, where the source does not print the value itself.
        note: What a reader should know beside the number.
        alternatives: What other sources say, for disputed facts.
        verified_on: The day somebody last compared it with its source.
    """

    name: str
    value: float | str | bool | None
    dimension: str
    printed: str
    status: Status
    sources: tuple[str, ...] = ()
    low: float = math.nan
    high: float = math.nan
    how: str | None = None
    note: str | None = None
    alternatives: tuple[Alternative, ...] = ()
    verified_on: dt.date | None = None

    def __reduce__(self) -> tuple[type["Fact"], tuple[object, ...]]:
        # A catalogue keeps thousands of facts; what dataclasses do by themselves is much slower.
        return Fact, tuple(getattr(self, name) for name in Fact.__slots__)

    @property
    def number(self) -> float:
        """The value as an SI float.

        NaN where the fact is no number or only bounds are known.
        """
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            return math.nan
        return float(self.value)

    @property
    def source_ids(self) -> tuple[str, ...]:
        """The cited documents without their locators."""
        return tuple(citation.partition("#")[0] for citation in self.sources)
