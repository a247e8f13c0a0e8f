"""What is this chip, may it be sold, what can it do: legality and performance in one answer."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from weir.answers.authorities import authorities
from weir.answers.classify import chip_inputs, determine
from weir.answers.datasheet import Datasheet, cited_sources, datasheet
from weir.answers.estimate import DEFAULT_WORKLOAD, Estimate, Frontier, estimate, frontier
from weir.answers.law_map import LawMap, law_map, rule_axis
from weir.catalog.entities import Chip, Model
from weir.catalog.law import Law
from weir.catalog.query import Catalog
from weir.core.dates import day_before
from weir.core.errors import InputError, NothingFitsError, RecordError
from weir.core.provenance import Source
from weir.perf.serving import Workload
from weir.rules.determination import Determination
from weir.rules.transaction import Transaction

BESIDE = ("H100", "H800", "H200", "A800", "Ascend 910B", "Ascend 910C")


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A chip that the work could not be estimated on, and why."""

    chip: str
    reason: str


@dataclass(frozen=True, slots=True)
class Peer:
    """A chip beside the one that was asked for, on the same work and the same transaction."""

    chip: Chip
    determination: Determination
    estimate: Estimate | Unavailable | None


@dataclass(frozen=True, slots=True)
class Assessment:
    """The whole answer; as JSON, these attributes are its top-level keys.

    Attributes:
        sheet: What the chip is.
        now: What the law says on the day.
        authorities: Source ids behind `now`, by the id of the clause, ground, exception or notice.
        before: What it said on the day before the last change; None where nothing changed.
        authorities_before: The same of `before`.
        changed_on: The day of that change.
        model: The model; None where only legality was asked for.
        workload: The requests the speed is estimated for.
        estimate: The chip on the model, or why not.
        peers: The chips beside it.
        frontiers: Throughput against interactivity, where pictures were asked for.
        law_map: Every chip against the lines of the rule, where pictures were asked for.
        sources: Every document that the answer cites.
        data_version: Age of the data.
    """

    sheet: Datasheet
    now: Determination
    authorities: Mapping[str, tuple[str, ...]]
    before: Determination | None
    authorities_before: Mapping[str, tuple[str, ...]]
    changed_on: dt.date | None
    model: Model | None
    workload: Workload
    estimate: Estimate | Unavailable | None
    peers: tuple[Peer, ...]
    frontiers: tuple[Frontier, ...]
    law_map: LawMap | None
    sources: tuple[Source, ...]
    data_version: str


def assess(
    chip: Chip,
    transaction: Transaction,
    catalog: Catalog,
    law: Law,
    *,
    model: Model | None = None,
    workload: Workload = DEFAULT_WORKLOAD,
    beside: Sequence[str] = BESIDE,
    pictures: bool = False,
) -> Assessment:
    """Legality and performance of a chip in one answer.

    Args:
        chip: The chip.
        transaction: What is done with it, on which day.
        catalog: Where the chips beside it are.
        law: From `weir.catalog.law_stock.stock_law`.
        model: The model to serve; only legality where None.
        workload: The requests.
        beside: Names of the chips to put beside it.
        pictures: Also compute what the pictures show.

    Raises:
        UnknownNameError: A chip or country that does not exist.
        InputError: Contradictory facts, or requests without tokens.
    """
    _check(workload)
    now = determine(chip, transaction, law)
    changed_on, before = last_change(chip, transaction, law, now)
    others = [other for other in map(catalog.chip, beside) if other.id != chip.id]
    peers = tuple(
        Peer(
            other,
            determine(other, transaction, law, trace=False),
            try_estimate(other, model, workload, catalog, transaction.on),
        )
        for other in others
    )
    drawn = [chip, *others] if pictures and model is not None else []
    answer = Assessment(
        sheet=datasheet(chip, catalog),
        now=now,
        authorities=authorities(now, law),
        before=before,
        authorities_before={} if before is None else authorities(before, law),
        changed_on=changed_on,
        model=model,
        workload=workload,
        estimate=try_estimate(chip, model, workload, catalog, transaction.on),
        peers=peers,
        frontiers=tuple(_frontiers(drawn, model, workload, catalog)),
        law_map=_law_map(catalog, transaction, law) if pictures else None,
        sources=(),
        data_version=catalog.data_version,
    )
    cited = cited_sources(tuple(_citations(answer)), catalog)
    every = {source.id: source for source in (*answer.sheet.sources, *cited)}
    return replace(answer, sources=tuple(every.values()))


def _check(workload: Workload) -> None:
    for name, tokens in (("input", workload.isl), ("output", workload.osl)):
        if not np.all(np.asarray(tokens) >= 1):
            raise InputError(f"{name} tokens are {np.asarray(tokens)}; a request has at least 1")


def _citations(answer: Assessment) -> Iterator[str]:
    for speed in (answer.estimate, *(peer.estimate for peer in answer.peers)):
        if isinstance(speed, Estimate):
            yield from speed.sources
    for found in (answer.now, answer.before, *(peer.determination for peer in answer.peers)):
        yield from () if found is None else found.sources
    for behind in (answer.authorities, answer.authorities_before):
        for sources in behind.values():
            yield from sources


def last_change(
    chip: Chip, transaction: Transaction, law: Law, now: Determination
) -> tuple[dt.date | None, Determination | None]:
    """The last day on or before the transaction's on which the status changed, and what was before.

    Status is classification, licence requirement, its grounds and the review policy.
    """
    for day in sorted((d for d in law.breakpoints if d <= transaction.on), reverse=True):
        earlier = replace(transaction, on=day_before(day))
        was = determine(chip, earlier, law, trace=False)
        if status(was) != status(now):
            return day, determine(chip, earlier, law)
    return None, None


def status(answer: Determination) -> tuple[object, ...]:
    """What makes two determinations the same to a reader."""
    grounds = tuple((ground.id, ground.answer) for ground in answer.grounds)
    return answer.eccn, answer.licence_required, grounds, answer.review.policy


def try_estimate(
    chip: Chip, model: Model | None, workload: Workload, catalog: Catalog, on: dt.date
) -> Estimate | Unavailable | None:
    """An estimate at the prices of a day, or why there is none; None without a model."""
    if model is None:
        return None
    try:
        return estimate(chip, model, workload=workload, catalog=catalog, on=on)
    except RecordError:  # broken data is nobody's answer
        raise
    except (InputError, NothingFitsError) as error:
        return Unavailable(chip.name, str(error).removesuffix("."))


def _frontiers(
    chips: Iterable[Chip], model: Model | None, workload: Workload, catalog: Catalog
) -> Iterable[Frontier]:
    if model is None:
        return
    for chip in chips:
        try:
            yield frontier(chip, model, workload=workload, catalog=catalog)
        except RecordError:
            raise
        except (InputError, NothingFitsError):
            continue


def _law_map(catalog: Catalog, transaction: Transaction, law: Law) -> LawMap:
    known = [chip_inputs(chip) for chip, _ in catalog.chips.audit() if chip is not None]
    return law_map(known, transaction, law, rule_axis(law, transaction.on))
