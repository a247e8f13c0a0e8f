"""Cross-record checks: what a single valid record cannot know about itself.

Every check takes loaded entities and returns `Finding`s; `apply_waivers` turns those that nobody
accepted into `Problem`s. Metrics of the law (TPP, performance density) are computed above this
package and passed in.
"""

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from weir.catalog.entities import Chip, Entity, Offer, Problem, System
from weir.catalog.limits import Limits, Waiver, load_limits, load_waivers
from weir.catalog.query import Catalog, fold
from weir.core.provenance import Fact, Status
from weir.core.units import BITS_PER_BYTE, GIBI, GIGA, MEGA

DIRECTIONS: Final = 2
# From wide to narrow; the two 16-bit formats share a step, because cards differ in accumulation.
FLOAT_LADDER: Final = (("fp32",), ("tf32",), ("bf16", "fp16"), ("fp8",), ("fp4",))
# TF32 accumulates in FP32, as BF16 does; FP8 on cards with two accumulators is like FP16.
HALVINGS: Final = (
    (("tf32",), ("bf16", "fp16")),
    (("bf16", "fp16"), ("fp8",)),
    (("fp8",), ("fp4",)),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem before waivers: which check found it, on which record and key."""

    check: str
    subject: str
    key: str
    problem: Problem


def _finding(check: str, entity: Entity, key: str, message: str, *more: str) -> Finding:
    problem = Problem(entity.origin, f"{key}: {message}", (key, *more))
    return Finding(check, entity.id, key, problem)


# --- one record -----------------------------------------------------------------------------


def check_file_name(entity: Entity) -> tuple[Finding, ...]:
    """The id of a record is the name of its file."""
    stem = Path(entity.origin).stem
    if stem == entity.id:
        return ()
    return (_finding("file_name", entity, "id", f"is '{entity.id}' in a file named '{stem}'"),)


def check_rates(chip: Chip, limits: Limits) -> tuple[Finding, ...]:
    """Narrower float formats are never slower, and gain no more than halved bits can give.

    The second half catches the commonest slip in published tables: a with-sparsity figure that
    stands beside dense ones.
    """
    rates = chip.dense_flop_per_s
    steps = [
        (max((d for d in step if d in rates), key=rates.__getitem__), step)
        for step in FLOAT_LADDER
        if any(d in rates for d in step)
    ]
    found: list[Finding] = []
    for (wide, _), (_, step) in pairwise(steps):
        for narrow in (d for d in step if d in rates and not _half_accumulated(d, rates)):
            if rates[narrow] < rates[wide] * (1 - limits.sum_tolerance):
                message = f"is below dense_{wide}; a narrower format is never slower"
                found.append(_finding("rates", chip, f"dense_{narrow}", message, f"dense_{wide}"))
    if {"bf16", "fp16"} <= rates.keys() and rates["fp16"] < rates["bf16"] * (
        1 - limits.sum_tolerance
    ):
        found.append(_finding("rates", chip, "dense_fp16", "is below dense_bf16", "dense_bf16"))
    return (*found, *_check_gains(chip, limits))


def _check_gains(chip: Chip, limits: Limits) -> Iterator[Finding]:
    rates = chip.dense_flop_per_s
    for wide, narrow in HALVINGS:
        wider = max((d for d in wide if d in rates), key=rates.__getitem__, default=None)
        faster = next((d for d in narrow if d in rates), None)
        if wider is None or faster is None:
            continue
        gain = rates[faster] / rates[wider]
        if gain > limits.most_gain_per_halving:
            message = (
                f"is {gain:.2f} times dense_{wider}, more than halved bits can give; "
                "is it a figure with sparsity?"
            )
            yield _finding("rates", chip, f"dense_{faster}", message, f"dense_{wider}")


def _half_accumulated(dtype: str, rates: Mapping[str, float]) -> bool:
    """BF16 beside a faster FP16 is the FP32-accumulated rate of a card with two of them."""
    return dtype == "bf16" and rates.get("fp16", 0.0) > rates["bf16"]


def check_memory(chip: Chip, limits: Limits) -> tuple[Finding, ...]:
    """Capacity and bandwidth fit the stacks; without a stack count, the most a package holds."""
    limit = limits.memory.get(chip.text("memory_type"))
    if limit is None:
        return ()
    found: list[Finding] = []
    stacks = chip.number("memory_stacks")
    capacity, bandwidth = chip.number("memory_capacity"), chip.number("memory_bandwidth")
    count = limit.most_stacks if math.isnan(stacks) else stacks
    if bandwidth > count * limit.bytes_per_s * (1 + limits.sum_tolerance):
        message = (
            f"is more than {count:g} stacks of {chip.text('memory_type')} give "
            f"({count * limit.bytes_per_s / GIGA:,.0f} GB/s)"
        )
        found.append(_finding("memory", chip, "memory_bandwidth", message, "memory_type"))
    if not math.isnan(stacks) and not math.isnan(capacity):
        share = [capacity / stacks / size for size in limit.sizes_bytes]
        if not any(limits.least_usable_share <= s <= 1 for s in share):
            message = (
                f"is {capacity / stacks / GIBI:.2f} GiB in each of {stacks:g} stacks, "
                "which is no size that is made"
            )
            found.append(_finding("memory", chip, "memory_capacity", message, "memory_stacks"))
    return tuple(found)


def check_links(chip: Chip, limits: Limits) -> tuple[Finding, ...]:
    """Both directions are twice one direction, PCIe follows from lanes, I/O is the sum."""
    found: list[Finding] = []

    def equal(key: str, expected: float, what: str, *more: str) -> None:
        value = chip.number(key)
        if math.isnan(value) or math.isnan(expected):
            return
        if abs(value - expected) > limits.sum_tolerance * max(value, expected):
            message = f"is {value / GIGA:,.4g} GB/s, but {what} is {expected / GIGA:,.4g} GB/s"
            found.append(_finding("links", chip, key, message, *more))

    one = chip.number("scale_up_per_direction")
    both, pcie = chip.number("scale_up_bidirectional"), chip.number("pcie_bidirectional")
    equal(
        "scale_up_bidirectional",
        DIRECTIONS * one,
        "twice scale_up_per_direction",
        "scale_up_per_direction",
    )
    generation = chip.number("pcie_generation")
    transfers = (
        math.nan
        if math.isnan(generation)
        else limits.pcie_transfers_per_s.get(int(generation), math.nan)
    )
    lanes = chip.number("pcie_lanes")
    equal("pcie_bidirectional", transfers * lanes * DIRECTIONS / BITS_PER_BYTE, "the lane rate")
    equal("io_total_bidirectional", both + pcie, "links and PCIe together")
    return tuple(found)


def check_die(chip: Chip, limits: Limits) -> tuple[Finding, ...]:
    """The applicable area holds the compute dies, fits the scanner, and is not too dense."""
    found: list[Finding] = []
    key = "die_area_applicable"
    _, area = chip.bounds(key)
    compute, _ = chip.bounds("die_area_compute")
    dies = chip.number("logic_dies")
    if area < compute * (1 - limits.sum_tolerance):
        message = f"is {area:,.0f} mm2, below the {compute:,.0f} mm2 of the compute dies alone"
        found.append(_finding("die", chip, key, message, "die_area_compute"))
    least, _ = chip.bounds(key)
    count = 1.0 if math.isnan(dies) else dies
    if least > count * limits.reticle_mm2 * chip.ics_per_card:
        message = (
            f"is {least:,.0f} mm2 on {count:g} logic dies; "
            f"the scanner field is {limits.reticle_mm2:,.0f} mm2"
        )
        found.append(_finding("die", chip, key, message, "logic_dies"))
    transistors, process = chip.number("transistors"), chip.text("process_node")
    for prefix, most in limits.transistors_per_mm2.items():
        if process.startswith(prefix) and transistors > area * most:
            message = (
                f"{transistors / area / MEGA:,.0f} million transistors per mm2 is more than "
                f"{prefix} holds ({most / MEGA:,.0f}); an area or a count is not the package's"
            )
            found.append(_finding("die", chip, key, message, "transistors"))
    return tuple(found)


def check_published_tpp(chip: Chip, computed_tpp: float, limits: Limits) -> tuple[Finding, ...]:
    """TPP as somebody published it agrees with TPP from the rates of the record.

    Args:
        chip: The chip with its `published_tpp`.
        computed_tpp: TPP by the definition of the law, NaN where a rate is unknown.
        limits: Carries the tolerance.
    """
    return _compare_metric(chip, "published_tpp", computed_tpp, limits)


def check_published_density(
    chip: Chip, computed_density: float, limits: Limits
) -> tuple[Finding, ...]:
    """The same for performance density."""
    return _compare_metric(chip, "published_performance_density", computed_density, limits)


def _compare_metric(chip: Chip, key: str, computed: float, limits: Limits) -> tuple[Finding, ...]:
    published = chip.number(key)
    if math.isnan(published) or math.isnan(computed):
        return ()
    difference = published / computed - 1
    if abs(difference) <= limits.metric_tolerance:
        return ()
    message = f"is {published:,.4g}, computed {computed:,.4g} ({difference:+.1%})"
    return (_finding(key, chip, key, message),)


def check_verification(entity: Entity, limits: Limits, today: dt.date) -> tuple[Finding, ...]:
    """Sourced facts carry a day of comparison that is neither stale nor in the future."""
    found: list[Finding] = []
    for key, fact in entity.facts.items():
        day = fact.verified_on or entity.verified_on
        if day is None:
            if fact.sources:
                found.append(
                    _finding("verification", entity, key, "has sources but no verified_on")
                )
        elif day > today:
            found.append(_finding("verification", entity, key, f"verified_on {day} is not yet"))
        elif today - day > limits.stale_after:
            age = (today - day).days
            found.append(_finding("verification", entity, key, f"not compared for {age} days"))
    return tuple(found)


# --- all records ----------------------------------------------------------------------------


def check_names(entities: Iterable[Entity]) -> tuple[Finding, ...]:
    """No two records of a kind answer to the same name; case and punctuation do not count."""
    owners: dict[str, Entity] = {}
    found: list[Finding] = []
    for entity in entities:
        for name in dict.fromkeys((entity.id, entity.name, *entity.aliases)):
            other = owners.setdefault(fold(name), entity)
            if other.id != entity.id:
                message = f"'{name}' is also a name of {other.id}"
                found.append(_finding("names", entity, "aliases", message))
    return tuple(found)


def citations(entity: Entity) -> Iterator[tuple[str, str]]:
    """Every (fact key, citation) of a record, alternatives included."""
    for key, fact in entity.facts.items():
        for citation in _cited(fact):
            yield key, citation


def _cited(fact: Fact) -> Iterator[str]:
    yield from fact.sources
    for alternative in fact.alternatives:
        yield from alternative.sources


def check_citations(
    entities: Iterable[Entity],
    offers: Iterable[Offer],
    sources: Collection[str],
    origins: Mapping[str, str],
    cited_elsewhere: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Every citation leads to a source, and every source is cited.

    Args:
        entities: Chips and systems.
        offers: Price offers.
        sources: Ids of all sources, those of broken records too.
        origins: The file of each source, for messages.
        cited_elsewhere: Citations of models, law and calibration, which other code reads.
    """
    found: list[Finding] = []
    used = Counter(citation.partition("#")[0] for citation in cited_elsewhere)
    for entity in entities:
        for key, citation in citations(entity):
            identifier = citation.partition("#")[0]
            used[identifier] += 1
            if identifier not in sources:
                found.append(_finding("citations", entity, key, f"no source '{identifier}'"))
    for offer in offers:
        for citation in offer.sources:
            identifier = citation.partition("#")[0]
            used[identifier] += 1
            if identifier not in sources:
                found.append(_offer_finding(offer, f"no source '{identifier}'"))
    for identifier in sources:
        if not used[identifier]:
            problem = Problem(
                origins.get(identifier, identifier), "id: no record cites it", ("id",)
            )
            found.append(Finding("citations", identifier, "id", problem))
    return tuple(found)


def check_systems(
    systems: Iterable[System], chips: Mapping[str, Chip], limits: Limits
) -> tuple[Finding, ...]:
    """A system is made of a chip that exists, and gives it no faster links than it has."""
    found: list[Finding] = []
    for system in systems:
        chip = chips.get(system.chip)
        if chip is None:
            found.append(_finding("systems", system, "chip", f"no chip '{system.chip}'"))
            continue
        key = "scale_up_per_direction"
        given, own = system.number(key), chip.number(key)
        if given > own * (1 + limits.sum_tolerance):
            message = f"is {given / GIGA:,.4g} GB/s, but {chip.id} has {own / GIGA:,.4g} GB/s"
            found.append(_finding("systems", system, key, message))
    return tuple(found)


def check_offers(
    offers: Iterable[Offer], chips: Collection[str], today: dt.date
) -> tuple[Finding, ...]:
    """A price is of a chip that exists, on a day that was, and says where it comes from."""
    found: list[Finding] = []
    for offer in offers:
        if offer.chip not in chips:
            found.append(_offer_finding(offer, f"no chip '{offer.chip}'"))
        if offer.on > today:
            found.append(_offer_finding(offer, f"the day {offer.on} is not yet"))
        if not offer.sources and offer.status is not Status.RECALLED:
            found.append(_offer_finding(offer, f"status '{offer.status}' needs a source"))
    return tuple(found)


def _offer_finding(offer: Offer, message: str) -> Finding:
    problem = Problem("prices/offers.csv", f"{offer.chip} {offer.on}: {message}", (offer.chip,))
    return Finding("offers", offer.chip, str(offer.on), problem)


def check_chip(chip: Chip, limits: Limits, today: dt.date) -> tuple[Finding, ...]:
    """All checks of one chip that need nothing from outside the catalogue."""
    plain: Sequence[Callable[[Chip, Limits], tuple[Finding, ...]]] = (
        check_rates,
        check_memory,
        check_links,
        check_die,
    )
    found = [*check_file_name(chip), *check_verification(chip, limits, today)]
    for check in plain:
        found += check(chip, limits)
    return tuple(found)


def apply_waivers(findings: Iterable[Finding], waivers: Sequence[Waiver]) -> tuple[Problem, ...]:
    """The findings that no waiver accepts, and the waivers that accept nothing."""
    accepted = {(w.check, w.subject, w.key) for w in waivers}
    met: set[tuple[str, str, str]] = set()
    problems: list[Problem] = []
    for finding in findings:
        place = (finding.check, finding.subject, finding.key)
        if place in accepted:
            met.add(place)
        else:
            problems.append(finding.problem)
    for check, subject, key in sorted(accepted - met):
        message = f"{check} {subject} {key}: nothing to waive any more; remove the line"
        problems.append(Problem("checks/waivers.csv", message, (key,)))
    return tuple(problems)


def check_hardware(
    catalog: Catalog,
    today: dt.date,
    computed_tpp: Mapping[str, float],
    computed_density: Mapping[str, float],
    cited_elsewhere: Collection[str] = (),
) -> tuple[Problem, ...]:
    """Everything above over the chips, systems, offers and sources of a catalogue.

    Args:
        catalog: The stock, with or without overlays.
        today: The day to measure staleness from.
        computed_tpp: TPP of one integrated circuit by chip id.
        computed_density: Performance density by chip id.
        cited_elsewhere: Citations of models, law and calibration.

    Returns:
        Broken records, differences that no waiver accepts, and waivers nobody needs.
    """
    limits, waivers = load_limits(), load_waivers()
    broken: list[Problem] = []
    chips: dict[str, Chip] = {}
    systems: list[System] = []
    for chip, problems in catalog.chips.audit():
        broken += problems
        if chip is not None:
            chips[chip.id] = chip
    for system, problems in catalog.systems.audit():
        broken += problems
        if system is not None:
            systems.append(system)
    for _, problems in catalog.sources.audit():
        broken += problems
    found: list[Finding] = []
    for chip in chips.values():
        found += check_chip(chip, limits, today)
        found += check_published_tpp(chip, computed_tpp.get(chip.id, math.nan), limits)
        found += check_published_density(chip, computed_density.get(chip.id, math.nan), limits)
    for system in systems:
        found += (*check_file_name(system), *check_verification(system, limits, today))
    found += (*check_names(chips.values()), *check_names(systems))
    origins = {entry.id: str(entry.path) for entry in catalog.sources.entries.values()}
    found += check_citations(
        [*chips.values(), *systems], catalog.offers, origins, origins, cited_elsewhere
    )
    found += check_systems(systems, chips, limits)
    found += check_offers(catalog.offers, chips, today)
    return (*broken, *apply_waivers(found, waivers))
