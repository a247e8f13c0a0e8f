"""Numbers to set beside published claims: what the law measures and where its lines are."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from weir.answers.accuracy.claim_facts import Arguments, Computation
from weir.answers.classify import chip_inputs, determine
from weir.catalog.law_stock import stock_law
from weir.catalog.query import Catalog
from weir.core.dates import parse_date
from weir.core.errors import InputError
from weir.rules.determination import Determination, Margin
from weir.rules.inputs import columns
from weir.rules.transaction import Transaction

_DESTINATION: Final = "CN"
_PARAGRAPHS: Final = ("3A090.a", "3A090.b")


def _metric(catalog: Catalog, name: str, metric: str) -> float:
    """A metric of the law; NaN where the facts leave it open."""
    low, high = columns([chip_inputs(catalog.chip(name))]).metrics[metric]
    return float(low[0]) if low[0] == high[0] else float("nan")


def tpp(catalog: Catalog, given: Arguments) -> float:
    """Total processing performance."""
    return _metric(catalog, given["chip"], "tpp")


def performance_density(catalog: Catalog, given: Arguments) -> float:
    """TPP over applicable die area, 1/mm2."""
    return _metric(catalog, given["chip"], "performance_density")


def tpp_ratio(catalog: Catalog, given: Arguments) -> float:
    """TPP of one chip over that of another."""
    return _metric(catalog, given["chip"], "tpp") / _metric(catalog, given["other"], "tpp")


def _determined(catalog: Catalog, name: str, on: str) -> Determination:
    wanted = Transaction(destination=_DESTINATION, on=parse_date(on))
    return determine(catalog.chip(name), wanted, stock_law(), trace=False)


def _lines(found: Determination, metric: str) -> Iterator[Margin]:
    """The lines that bring a chip into a paragraph of 3A090."""
    for margin in found.margins:
        bears = margin.clause.startswith(_PARAGRAPHS)
        if bears and margin.metric == metric and margin.comparison == "ge":
            yield margin


def headroom(catalog: Catalog, given: Arguments) -> float:
    """How far a chip stays under a line of a clause, in the unit of the line.

    Raises:
        InputError: The clause is not tested that day.
    """
    found = _determined(catalog, given["chip"], given["on"])
    for margin in found.margins:
        if margin.clause == given["clause"] and margin.metric == given["metric"]:
            return -margin.gap_high
    raise InputError(f"{given['clause']} has no line for {given['metric']} on {given['on']}")


def tpp_over_line(catalog: Catalog, given: Arguments) -> float:
    """TPP of a chip over the lowest TPP at which a paragraph of 3A090 can apply."""
    found = _determined(catalog, given["chip"], given["on"])
    return _metric(catalog, given["chip"], "tpp") / min(
        line.threshold for line in _lines(found, "tpp")
    )


def controlled(catalog: Catalog, given: Arguments) -> float:
    """1 where a chip falls under 3A090 that day, 0 where not; NaN where it is open."""
    eccn = _determined(catalog, given["chip"], given["on"]).eccn
    if eccn.startswith("3A090"):
        return 1.0
    return 0.0 if eccn == "none" else float("nan")


def area_to_stay_outside(catalog: Catalog, given: Arguments) -> float:
    """The least die area at which a chip of some TPP is outside every paragraph of 3A090, mm2.

    A paragraph applies where all its lines are reached, so the area must keep the performance
    density below the lowest line of those paragraphs whose TPP line is reached.
    """
    found = _determined(catalog, "H20", given["on"])
    performance = float(given["tpp"])
    reached = {line.clause for line in _lines(found, "tpp") if line.threshold <= performance}
    densities = [
        line.threshold for line in _lines(found, "performance_density") if line.clause in reached
    ]
    return performance / float(np.min(densities))


COMPUTATIONS: Final[Mapping[str, Computation]] = {
    each.__name__: each
    for each in (
        tpp, performance_density, tpp_ratio, headroom, tpp_over_line, controlled,
        area_to_stay_outside,
    )
}  # fmt: skip
