"""Is the catalogue sound: what is broken, what contradicts what, and what it consists of."""

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from weir.answers.classify import chip_inputs
from weir.catalog.checks import (
    apply_waivers,
    check_file_name,
    check_hardware,
    check_names,
    check_verification,
    citations,
)
from weir.catalog.citations import (
    calibration_files,
    citations_in,
    claim_citations,
    published_citations,
)
from weir.catalog.claims import PATH as CLAIMS_PATH
from weir.catalog.entities import Chip, Entity, Model, Problem, System
from weir.catalog.files import read_toml
from weir.catalog.law import Law
from weir.catalog.law_stock import stock_law
from weir.catalog.limits import Limits, load_limits
from weir.catalog.published import PATH as SPEEDS_PATH
from weir.catalog.query import Catalog, Shelf
from weir.core.errors import RecordError
from weir.core.provenance import Fact, Status
from weir.perf.parameters import (
    active_as_published,
    kv_cache_bytes_per_token,
    total_as_published,
)
from weir.rules.inputs import columns

# Parameters counted from an architecture and published ones agree within this share; a coarser
# published figure only within the rounding of its last digit.
PARAMETER_TOLERANCE: Final = 0.005
# A cache per token is a product of integers: nothing but the rounding of a printed figure.
EXACT: Final = 1e-9


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many records of a kind there are.

    Attributes:
        kind: What they are, in the plural.
        records: Records that can be read, overlays over the stock.
        own: How many of them come from a user's folder.
        statuses: How many facts of these records are known in which way.
    """

    kind: str
    records: int
    own: int
    statuses: Mapping[Status, int]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A computed quantity against the published figures for it.

    Attributes:
        quantity: What is compared.
        compared: How many records publish it.
        tolerance: The share within which they are to agree.
        close: How many do; the others are coarsely rounded or waived with a reason.
        largest: The largest difference, computed over published minus one.
        subject: The record where it is largest, empty where nothing was compared.
    """

    quantity: str
    compared: int
    tolerance: float
    close: int
    largest: float
    subject: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What the catalogue consists of and what is wrong with it.

    Attributes:
        kinds: Records and facts by kind.
        comparisons: Computed against published figures.
        problems: Everything broken or contradictory, in order of file.
        on: The day from which staleness is measured.
        data_version: Age of the catalogue.
    """

    kinds: tuple[KindCount, ...]
    comparisons: tuple[Comparison, ...]
    problems: tuple[Problem, ...]
    on: dt.date
    data_version: str


def audit(catalog: Catalog, on: dt.date) -> Audit:
    """Checks every record by itself and against the others.

    Args:
        catalog: The stock, with or without overlays.
        on: The day from which staleness is measured.
    """
    limits = load_limits()
    chips, broken = _loaded(catalog.chips)
    systems, more = _loaded(catalog.systems)
    broken += more
    models, more = _loaded(catalog.models)
    broken += more
    law, law_problems = _law()
    tpp, density = _metrics(chips)
    elsewhere = [
        *_cited_by_models(models),
        *_cited_by_law(law),
        *_cited_by_files(catalog, {problem.path for problem in broken}),
    ]
    problems = [
        *_hardware(catalog, on, tpp, density, [citation for _, _, citation in elsewhere]),
        *broken,
        *apply_waivers(_check_models(models, limits, on), ()),
        *(problem for model in models for problem in check_counts(model)),
        *law_problems,
        *_calibration(),
        *_stale_law(law, limits, on),
        *_dangling(elsewhere, catalog),
        *catalog.problems,
    ]
    return Audit(
        kinds=tuple(_kinds(catalog, chips, systems, models, law)),
        comparisons=(
            _largest("TPP", _off("published_tpp", chips, tpp), limits.metric_tolerance),
            _largest(
                "performance density",
                _off("published_performance_density", chips, density),
                limits.metric_tolerance,
            ),
            *(_compare_models(key, models) for key in COUNTED),
        ),
        problems=tuple(sorted(dict.fromkeys(problems), key=lambda item: item.path)),
        on=on,
        data_version=catalog.data_version,
    )


def _loaded(shelf: Shelf[Any]) -> tuple[list[Any], list[Problem]]:
    found: list[Any] = []
    problems: list[Problem] = []
    for record, more in shelf.audit():
        problems += more
        if record is not None:
            found.append(record)
    return found, problems


def _hardware(
    catalog: Catalog,
    on: dt.date,
    tpp: Mapping[str, float],
    density: Mapping[str, float],
    elsewhere: list[str],
) -> tuple[Problem, ...]:
    try:
        return check_hardware(catalog, on, tpp, density, elsewhere)
    except RecordError as error:  # a broken price list of the stock
        return tuple(Problem(error.path, text) for text in error.problems)


# --- the metrics of the law -----------------------------------------------------------------


def _metrics(chips: Iterable[Chip]) -> tuple[dict[str, float], dict[str, float]]:
    """TPP and performance density by chip.

    Where a rate or an area is known within bounds only, every value between them agrees with the
    facts; the one compared is that nearest to what is published.
    """
    found = [_at_its_values(chip) for chip in chips]
    if not found:
        return {}, {}
    table = columns([chip_inputs(chip) for chip in found]).metrics

    def nearest(metric: str, key: str) -> dict[str, float]:
        low, high = table[metric]
        return {
            chip.id: _nearest(chip.number(key), float(low[i]), float(high[i]))
            for i, chip in enumerate(found)
        }

    return (
        nearest("tpp", "published_tpp"),
        nearest("performance_density", "published_performance_density"),
    )


def _at_its_values(chip: Chip) -> Chip:
    """The chip without the uncertainty of facts that name a value within their bounds."""
    facts = {
        key: fact if math.isnan(fact.number) else replace(fact, low=fact.number, high=fact.number)
        for key, fact in chip.facts.items()
    }
    return replace(chip, facts=facts)


def _nearest(published: float, low: float, high: float) -> float:
    if math.isnan(published) or high == 0:  # no density on a planar node
        return math.nan
    return min(max(published, low), high)


def _off(key: str, chips: Iterable[Chip], computed: Mapping[str, float]) -> dict[str, float]:
    return {chip.id: computed[chip.id] / chip.number(key) - 1 for chip in chips}


def _largest(quantity: str, off: Mapping[str, float], tolerance: float) -> Comparison:
    known = {subject: value for subject, value in off.items() if not math.isnan(value)}
    worst = max(known, key=lambda subject: abs(known[subject]), default="")
    return Comparison(
        quantity=quantity,
        compared=len(known),
        tolerance=tolerance,
        close=sum(abs(value) <= tolerance for value in known.values()),
        largest=known.get(worst, math.nan),
        subject=worst,
    )


# --- models ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counted:
    """How a quantity is counted from an architecture and how near a published one must be.

    Attributes:
        label: What people call it.
        count: Counts it as the publisher does.
        share: The largest relative difference.
        steps: Or so many units of the last printed digit: publishers round. Where one cuts the
            fraction off ("47B" is printed for 47.9), the record has the bounds of the figure.
    """

    label: str
    count: Callable[[Model], float]
    share: float
    steps: float


COUNTED: Final = {
    "total_parameters": Counted(
        "total parameters", total_as_published, PARAMETER_TOLERANCE, steps=0.5
    ),
    "active_parameters": Counted(
        "active parameters", active_as_published, PARAMETER_TOLERANCE, steps=0.5
    ),
    "kv_bytes_per_token": Counted(
        "KV cache per token",
        lambda model: float(kv_cache_bytes_per_token(model)),
        EXACT,
        steps=0.5,
    ),
}


def printed_step(fact: Fact) -> float:
    """One unit in the last digit that the source prints, in SI."""
    number = fact.printed.split()[0].replace(",", "")
    decimals = len(number.partition(".")[2])
    return fact.number / float(number) * 10.0**-decimals if float(number) else 0.0


def agrees(computed: float, fact: Fact, share: float, steps: float) -> bool:
    """True where a computed value lies within a share, or some steps of the last printed digit.

    Bounds, where the fact has them, take the place of both tolerances.

    Args:
        computed: In SI.
        fact: The published value, its bounds, or both.
        share: Relative tolerance.
        steps: Tolerance in units of the last printed digit.
    """
    bounded = fact.value is None or fact.low < fact.high
    if bounded:  # an open bound is NaN and excludes nothing
        return not (computed < fact.low or computed > fact.high)
    slack = max(share * fact.number, steps * printed_step(fact))
    return abs(computed - fact.number) <= slack


def check_counts(model: Model) -> Iterator[Problem]:
    """Parameters and cache counted from the architecture, where they contradict what is printed."""
    for key, counted in COUNTED.items():
        fact = model.published.get(key)
        if fact is None:
            continue
        computed = counted.count(model)
        if not agrees(computed, fact, counted.share, counted.steps):
            difference = f" ({computed / fact.number - 1:+.2%})" if fact.number else ""
            message = f"{fact.printed}, but {computed:,.0f} counted from the shape{difference}"
            yield Problem(model.origin, f"published.{key}: {message}", (key,))


def _check_models(models: Iterable[Model], limits: Limits, on: dt.date) -> Iterator[Any]:
    entities = [_as_entity(model) for model in models]
    for entity in entities:
        yield from check_file_name(entity)
        yield from check_verification(entity, limits, on)
    yield from check_names(entities)


def _as_entity(model: Model) -> Entity:
    return Entity(
        id=model.id,
        name=model.name,
        aliases=model.aliases,
        facts=model.published,
        origin=model.origin,
        verified_on=model.verified_on,
    )


def _compare_models(key: str, models: Iterable[Model]) -> Comparison:
    counted = COUNTED[key]
    off = {
        model.id: counted.count(model) / model.published[key].number - 1
        for model in models
        if key in model.published and model.published[key].number
    }
    return _largest(counted.label, off, PARAMETER_TOLERANCE)


# --- law and citations ----------------------------------------------------------------------


def _law() -> tuple[Law | None, list[Problem]]:
    try:
        return stock_law(), []
    except RecordError as error:
        return None, [Problem(error.path, text) for text in error.problems]


def _calibration() -> Iterator[Problem]:
    for path in calibration_files():
        try:
            read_toml(path)
        except RecordError as error:
            yield from (Problem(error.path, text) for text in error.problems)


def _law_file(identifier: str) -> str:
    return f"rules/{identifier}"


def _stale_law(law: Law | None, limits: Limits, on: dt.date) -> Iterator[Problem]:
    for instrument in law.instruments.values() if law else ():
        day = instrument.verified_on
        if day > on:
            message = f"verified_on: {day} is not yet"
        elif on - day > limits.stale_after:
            message = f"verified_on: not compared for {(on - day).days} days"
        else:
            continue
        yield Problem(_law_file(instrument.id), message, ("verified_on",))


# Where a citation stands: file, key, the citation itself.
_Cited = tuple[str, str, str]


def _cited_by_models(models: Iterable[Model]) -> Iterator[_Cited]:
    for model in models:
        for citation in model.sources:
            yield model.origin, "sources", citation
        for key, citation in citations(_as_entity(model)):
            yield model.origin, f"published.{key}", citation


def _cited_by_law(law: Law | None) -> Iterator[_Cited]:
    for instrument in law.instruments.values() if law else ():
        for citation in instrument.sources:
            yield _law_file(instrument.id), "sources", citation
    for group, members in law.groups.items() if law else ():
        for member in members:
            if member.source:
                yield "rules/tables", f"groups.{group}.{member.country}", member.source


def _cited_by_files(catalog: Catalog, broken: Collection[str]) -> Iterator[_Cited]:
    """Citations of calibration files, and of records that are replaced or could not be read.

    The latter count, so that a broken record or an overlay makes no orphans.
    """
    for path in calibration_files():
        for key, citation in citations_in(path):
            yield str(path), key, citation
    for key, citation in claim_citations():
        yield str(CLAIMS_PATH), key, citation
    for key, citation in published_citations():
        yield str(SPEEDS_PATH), key, citation
    shelves: tuple[Shelf[Any], ...] = (catalog.chips, catalog.systems, catalog.models)
    for shelf in shelves:
        for entry in shelf.entries.values():
            for layer in entry.chain():
                if layer is not entry or str(layer.path) in broken:
                    for key, citation in citations_in(layer.path):
                        yield str(layer.path), key, citation


def _dangling(cited: Iterable[_Cited], catalog: Catalog) -> Iterator[Problem]:
    for path, key, citation in cited:
        identifier = citation.partition("#")[0]
        if identifier not in catalog.sources.entries:
            yield Problem(path, f"{key}: no source '{identifier}'", (key,))


# --- counts ---------------------------------------------------------------------------------


def _kinds(
    catalog: Catalog,
    chips: list[Chip],
    systems: list[System],
    models: list[Model],
    law: Law | None,
) -> Iterator[KindCount]:
    sources, _ = _loaded(catalog.sources)
    yield KindCount("chips", len(chips), _own(catalog.chips), _statuses(c.facts for c in chips))
    yield KindCount(
        "systems", len(systems), _own(catalog.systems), _statuses(s.facts for s in systems)
    )
    yield KindCount(
        "models", len(models), _own(catalog.models), _statuses(m.published for m in models)
    )
    try:
        offers = catalog.offers
        stock = offers if len(catalog.roots) == 1 else Catalog().offers
    except RecordError:
        offers, stock = (), ()
    yield KindCount(
        "offers", len(offers), len(offers) - len(stock), Counter(offer.status for offer in offers)
    )
    yield KindCount("instruments of law", len(law.instruments) if law else 0, 0, {})
    yield KindCount("sources", len(sources), _own(catalog.sources), {})


def _own(shelf: Shelf[Any]) -> int:
    return sum(1 for entry in shelf.entries.values() if entry.layer)


def _statuses(tables: Iterable[Mapping[str, Fact]]) -> Mapping[Status, int]:
    return Counter(fact.status for facts in tables for fact in facts.values())
