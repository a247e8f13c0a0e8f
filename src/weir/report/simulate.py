"""A simulation as a document: percentiles with counts, goodput, what the workers did."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from weir.answers.estimate import Ranged
from weir.answers.simulate import Simulated
from weir.core.provenance import Source
from weir.core.units import format_si
from weir.core.words import rounded
from weir.report.charts.tails import Curve, tails
from weir.report.document import (
    Align,
    Block,
    Cell,
    Column,
    Document,
    Item,
    Listing,
    Paragraph,
    Picture,
    Section,
    Table,
    Weight,
)
from weir.report.estimate import ranged_number
from weir.report.spreads import spread_table
from weir.sim.outcome import Distribution, ServiceLevels
from weir.sim.workload import Requests

# Points of a drawn distribution.
_POINTS: Final = np.concatenate([np.linspace(0.0, 98.0, 50), [98.5, 99.0, 99.5, 99.9, 100.0]])
_PERCENT: Final = 100.0


def simulation_document(
    answer: Simulated,
    requests: Requests,
    levels: ServiceLevels,
    sources: tuple[Source, ...],
    data_version: str,
) -> Document:
    """One load on one deployment.

    Args:
        answer: What came out.
        requests: What was sent.
        levels: The service levels of the goodput.
        sources: Documents behind the facts.
        data_version: Age of the catalogue.
    """
    where = " and ".join(f"{f.chips:,} x {f.chip}" for f in answer.fleets)
    return Document(
        title=f"{answer.model} on {where}, request by request",
        lead=_lead(answer, levels),
        facts=tuple(_facts(answer, requests, levels, data_version)),
        sections=(
            Section("What users see", tuple(_seen(answer, levels))),
            Section("What the chips deliver", (_rates(answer, levels),)),
            Section("What the workers did", tuple(_workers(answer))),
            Section("Assumptions", (Listing(tuple(Item(text) for text in answer.assumptions)),)),
            Section("Facts used", (_facts_table(answer),)),
        ),
        sources=sources,
    )


def _facts_table(answer: Simulated) -> Table:
    rows = tuple(
        (key.replace("_", " "), Cell(fact.printed, cites=fact.sources, status=fact.status))
        for key, fact in answer.facts.items()
    )
    return Table("Datasheet facts that the simulation used", ("", "As printed"), rows)


def _limited(levels: ServiceLevels) -> str:
    limits = [
        f"{name} up to {format_si(value, 's', 3)}"
        for name, value in (("TTFT", levels.ttft_s), ("TPOT", levels.tpot_s), ("E2E", levels.e2e_s))
        if value is not None
    ]
    return " and ".join(limits)


def _lead(answer: Simulated, levels: ServiceLevels) -> str:
    ttft, tpot = answer.spreads["ttft_s"], answer.spreads["tpot_s"]
    lead = (
        f"TTFT {format_si(ttft.p50, 's', 3)} (median), {format_si(ttft.p99, 's', 3)} (p99); TPOT"
        f" {format_si(tpot.p50, 's', 3)} (median), {format_si(tpot.p99, 's', 3)} (p99);"
        f" {rounded(answer.requests_per_s.value)} requests/s finished"
    )
    wanted = _limited(levels)
    if wanted:
        good = float(np.mean(answer.outcome.meets(levels)))
        lead += f"; {good:.1%} of the requests have {wanted}"
    return f"{lead}."


def _facts(
    answer: Simulated, requests: Requests, levels: ServiceLevels, data_version: str
) -> Iterator[tuple[str, str]]:
    apart = ("Prefill replicas", "Decode replicas")
    for fleet, label in zip(
        answer.fleets, apart if len(answer.fleets) > 1 else ("Replicas",), strict=True
    ):
        yield (
            label,
            f"{fleet.replicas} of {fleet.chip}, {fleet.layout}, {fleet.framework}; each holds"
            f" {fleet.max_sequences:,} sequences and {fleet.cache_tokens:,} tokens",
        )
    yield "Policy", answer.policy
    prompts, outputs = requests.prompt_tokens, requests.output_tokens
    yield (
        "Requests",
        f"{answer.requests:,}; mean {np.mean(prompts):,.0f} tokens in (p99"
        f" {np.percentile(prompts, 99):,.0f}), {np.mean(outputs):,.0f} out (p99"
        f" {np.percentile(outputs, 99):,.0f})",
    )
    hits = float(np.sum(requests.cached_tokens) / np.sum(prompts))
    if hits:
        yield "Prefix hits", f"{hits:.1%} of prompt tokens"
    if requests.users is not None:
        yield "Users", f"{requests.users:,}, each with one request at a time"
    elif len(requests) > 1 and requests.arrival_s[-1] > 0:
        rate = (len(requests) - 1) / (requests.arrival_s[-1] - requests.arrival_s[0])
        yield "Arrivals", f"{rounded(rate)} requests/s"
    if _limited(levels):
        yield "Service levels", _limited(levels)
    yield "Weakest input", answer.status.value
    yield "Data of", data_version


def _seen(answer: Simulated, levels: ServiceLevels) -> Iterator[Block]:
    yield spread_table(
        "Times of requests and gaps between tokens",
        answer.spreads,
        answer.spreads_low,
        answer.spreads_high,
    )
    outcome = answer.outcome
    if answer.rejected:
        yield Paragraph(
            f"{answer.rejected:,} of {answer.requests:,} requests are longer than the cache of a"
            " replica and were refused; they count as missing every service level.",
            weight=Weight.CAUTION,
        )
    waits = answer.spreads["queue_s"]
    if _grows(outcome.queue_s):
        yield Paragraph(
            f"The waiting line still grew at the end (mean {format_si(waits.mean, 's', 3)}): the"
            " load is more than the replicas carry, and every figure depends on how long the run"
            " is. Add replicas or lower the rate.",
            weight=Weight.CAUTION,
        )
    curves = (
        _curve("TTFT", Distribution(outcome.ttft_s), levels.ttft_s),
        _curve("TPOT", Distribution(outcome.tpot_s), levels.tpot_s),
        _curve("ITL", outcome.itl_s(), None),
        _curve("E2E", Distribution(outcome.e2e_s), levels.e2e_s),
    )
    yield Picture(
        key="tails",
        spec=tails(f"{answer.model}: how many wait how long", curves),
        caption="Cumulative share of TTFT, TPOT, ITL and request time",
        alt=_lead(answer, levels),
        source="Simulated by Weir with the step times of its speed model.",
    )


def _grows(queue_s: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bool:
    """Whether the last tenth of the requests waited far longer than those before the middle."""
    known = queue_s[~np.isnan(queue_s)]
    tenth = known.size // 10
    if tenth < 5:  # noqa: PLR2004
        return False
    first, last = float(np.mean(known[: known.size // 2])), float(np.mean(known[-tenth:]))
    return last > 1.0 and last > 2.0 * first


def _curve(name: str, values: Distribution, limit_s: float | None) -> Curve:
    if not values.count:
        return Curve(name, (), ())
    times = tuple(values.percentile(float(point)) for point in _POINTS)
    return Curve(name, times, tuple(float(point) / _PERCENT for point in _POINTS), limit_s)


def _rates(answer: Simulated, levels: ServiceLevels) -> Table:
    wanted = _limited(levels) or "no service level given: every finished request counts"
    pairs: tuple[tuple[str, Ranged], ...] = (
        ("requests/s finished", answer.requests_per_s),
        ("goodput, requests/s", answer.goodput_requests_per_s),
        ("output tokens/s", answer.output_tokens_per_s),
        ("output tokens/s per chip", answer.output_tokens_per_s_per_chip),
    )
    return Table(
        "Rates over the whole run, start and end included",
        ("", Column("Value and 80 % interval", align=Align.RIGHT)),
        tuple((name, Cell(ranged_number(value), status=answer.status)) for name, value in pairs),
        (f"Goodput: {wanted}.",),
    )


def _workers(answer: Simulated) -> Iterator[Block]:
    rows = tuple(
        (
            f"{number} ({stats.role.value})",
            f"{stats.decode_steps:,}",
            f"{stats.mixed_steps:,}",
            f"{stats.prefill_steps:,}",
            f"{stats.preemptions:,}",
            f"{stats.peak_blocks / stats.cache_blocks:.0%}",
            format_si(stats.idle_s, "s", 3),
        )
        for number, stats in enumerate(answer.outcome.workers, start=1)
    )
    yield Table(
        "Steps and cache of each worker",
        (
            "Worker",
            Column("Decode steps", align=Align.RIGHT),
            Column("mixed", align=Align.RIGHT),
            Column("Prefill steps", align=Align.RIGHT),
            Column("Preemptions", align=Align.RIGHT),
            Column("Cache, peak", align=Align.RIGHT),
            Column("Idle", align=Align.RIGHT),
        ),
        rows,
        ("Mixed: decode steps that took prompt tokens too.",),
    )
