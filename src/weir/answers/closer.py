"""A deployment looked at closely: at a rate, in other layouts, with prefill on chips of its own."""

from dataclasses import dataclass, replace

import numpy as np

from weir.answers.estimate import Estimate, Ranged, site_of_estimate
from weir.answers.placement import Deployment, Site, choose_layout, placements, site_of
from weir.catalog.query import Catalog
from weir.catalog.stack import load_assumptions
from weir.core.errors import InputError, NothingFitsError
from weir.core.words import rounded
from weir.perf.disaggregated import PrefillPool, decode_pools, prefill_pool
from weir.perf.parallel import Layout
from weir.perf.serving import LARGEST_BATCH, Workload, closed_loop, open_loop


@dataclass(frozen=True, slots=True)
class AtRate:
    """One replica under requests that arrive at a rate, whatever it does.

    Attributes:
        requests_per_s: Arrivals.
        most_requests_per_s: What the replica carries at most.
        users: Requests under way in the mean.
        max_users: Sequences the cache holds; more wait, which the means leave out.
        ttft_s: Mean time to first token, queueing included.
        tpot_s: Mean time per output token.
        itl_p50_s: Median gap between two tokens.
        itl_p99_s: The gap that 99 of 100 do not exceed.
    """

    requests_per_s: float
    most_requests_per_s: float
    users: float
    max_users: int
    ttft_s: Ranged
    tpot_s: Ranged
    itl_p50_s: float
    itl_p99_s: float


@dataclass(frozen=True, slots=True)
class OtherLayout:
    """One legal layout on the same chips.

    Attributes:
        layout: Parallel degrees.
        max_users: Sequences it holds.
        ttft_s: Mean time to first token with the users asked for; NaN where they do not fit.
        tpot_s: The same of the mean time per output token.
        tokens_per_s_per_chip: The same of output tokens.
    """

    layout: Layout
    max_users: int
    ttft_s: float
    tpot_s: float
    tokens_per_s_per_chip: float


@dataclass(frozen=True, slots=True)
class Apart:
    """Prefill and decode on chips of their own.

    Attributes:
        prefill_chip: Name of the prefill chip.
        prefill_chips: How many.
        prefill_layout: Layout of a prefill replica.
        decode_chip: Name of the decode chip.
        decode_chips: How many.
        decode_layout: Layout of the decode replica.
        prefill_requests_per_s: Prompts that the prefill chips take.
        decode_requests_per_s: Requests that the decode chips finish with all users decoding.
        balanced_prefill_chips: Prefill chips, or a fraction, that feed the decode chips.
        ttft_s: Mean time to first token.
        transfer_s: The hand-over of the cache in it.
        tpot_s: Mean time per output token; its lower end is the mirror image of the upper.
        tokens_per_s_per_chip: Output tokens over all chips of both kinds.
        load: Share of time that prefill replicas are busy.
    """

    prefill_chip: str
    prefill_chips: int
    prefill_layout: Layout
    decode_chip: str
    decode_chips: int
    decode_layout: Layout
    prefill_requests_per_s: float
    decode_requests_per_s: float
    balanced_prefill_chips: float
    ttft_s: float
    transfer_s: float
    tpot_s: Ranged
    tokens_per_s_per_chip: float
    load: float

    @property
    def bottleneck(self) -> str:
        """The side that sets the rate."""
        is_prefill = self.prefill_requests_per_s < self.decode_requests_per_s
        return "prefill" if is_prefill else "decode"


def at_rate(
    answer: Estimate, deployment: Deployment, catalog: Catalog, requests_per_s: float
) -> AtRate:
    """The replica of an estimate under a random load (Poisson).

    Args:
        answer: The estimate.
        deployment: What it was asked for.
        catalog: Where chip and model are looked up.
        requests_per_s: Arrivals.

    Raises:
        InputError: The rate is no rate.
        NothingFitsError: The replica cannot keep up; the message says with what it can.
    """
    if not (np.isfinite(requests_per_s) and requests_per_s > 0):
        raise InputError(f"the rate is {requests_per_s}; use a number of requests per second")
    engine = site_of_estimate(answer, deployment, catalog).engine(answer.layout)
    work = answer.workload
    full = closed_loop(engine, work, min(float(answer.max_users), LARGEST_BATCH))
    most = float(full.requests_per_s)
    state = open_loop(engine, work, requests_per_s)
    if requests_per_s > most or not np.isfinite(float(state.ttft_s)):
        replicas = int(np.ceil(requests_per_s / most))
        raise NothingFitsError(
            f"{answer.chips} x {answer.chip} finish at most {rounded(most)} requests/s of this"
            f" kind, fewer than {rounded(requests_per_s)}; {replicas:,} replicas carry it, or"
            " `weir plan --load` finds the smallest fleet"
        )
    return AtRate(
        requests_per_s=requests_per_s,
        most_requests_per_s=most,
        users=float(state.users),
        max_users=answer.max_users,
        ttft_s=Ranged(float(state.ttft_s), float(state.ttft_low_s), float(state.ttft_high_s)),
        tpot_s=Ranged(float(state.tpot_s), float(state.tpot_low_s), float(state.tpot_high_s)),
        itl_p50_s=float(state.itl_p50_s),
        itl_p99_s=float(state.itl_p99_s),
    )


def other_layouts(
    answer: Estimate, deployment: Deployment, catalog: Catalog
) -> tuple[OtherLayout, ...]:
    """Every sensible legal layout on the chips of an estimate, the fastest first.

    Args:
        answer: The estimate.
        deployment: What it was asked for.
        catalog: Where chip and model are looked up.
    """
    site = site_of_estimate(answer, deployment, catalog)
    found = []
    for placed in placements(site, answer.chips, answer.workload, answer.users):
        if placed.max_users < answer.users:
            nothing = float("nan")
            found.append(
                OtherLayout(placed.engine.layout, placed.max_users, nothing, nothing, nothing)
            )
            continue
        state = closed_loop(placed.engine, answer.workload, answer.users)
        found.append(
            OtherLayout(
                placed.engine.layout,
                placed.max_users,
                float(state.ttft_s),
                float(state.tpot_s),
                float(state.output_tokens_per_s_per_chip),
            )
        )
    return tuple(sorted(found, key=lambda item: -np.nan_to_num(item.tokens_per_s_per_chip)))


def apart(
    answer: Estimate,
    deployment: Deployment,
    catalog: Catalog,
    prefill_chips: int,
    prefill_chip: str | None = None,
) -> Apart:
    """The deployment of an estimate with prompts on chips of their own.

    Args:
        answer: The estimate; its chips and users decode.
        deployment: What it was asked for.
        catalog: Where chips and model are looked up.
        prefill_chips: Chips that only prefill.
        prefill_chip: Their kind; that of the estimate if left out.

    Raises:
        InputError: No prefill chips.
        NothingFitsError: The model does not fit on them.
    """
    if prefill_chips < 1:
        raise InputError(f"prefill chips are {prefill_chips}; use a number of at least 1")
    work, model = answer.workload, catalog.model(answer.model)
    first = site_of(
        catalog.chip(prefill_chip or answer.chip),
        model,
        replace(deployment, layout=None, chips=None),
        catalog,
    )
    second = site_of_estimate(answer, deployment, catalog)
    load = load_assumptions()["prefill_load"].value
    pool, replicas = _prefill(first, work, prefill_chips, load)
    decode = decode_pools([second.engine(answer.layout)], work, [np.asarray(answer.users)])[0]
    prompts = float(pool.requests_per_s) * replicas
    finished = float(decode.requests_per_s)
    tpot, high = float(decode.tpot_s), float(decode.tpot_high_s)
    chips = prefill_chips + answer.chips
    tokens = min(prompts, finished) * float(np.asarray(work.osl))
    return Apart(
        prefill_chip=first.chip.name,
        prefill_chips=prefill_chips,
        prefill_layout=pool.engine.layout,
        decode_chip=answer.chip,
        decode_chips=answer.chips,
        decode_layout=answer.layout,
        prefill_requests_per_s=prompts,
        decode_requests_per_s=finished,
        balanced_prefill_chips=prefill_chips * finished / prompts,
        ttft_s=float(pool.ttft_s),
        transfer_s=float(pool.transfer_s),
        tpot_s=Ranged(tpot, tpot * tpot / high, high),
        tokens_per_s_per_chip=tokens / chips,
        load=load,
    )


def _prefill(site: Site, work: Workload, chips: int, load: float) -> tuple[PrefillPool, int]:
    """The replicas of a number of chips that take the most prompts: a few large or many small."""
    pools: list[tuple[PrefillPool, int]] = []
    for size in (count for count in range(1, chips + 1) if chips % count == 0):
        pools += [
            (prefill_pool(placed.engine, work, load=load), chips // size)
            for placed in placements(site, size, work, 1)
            if placed.max_users >= 1
        ]
    if not pools:
        # Says what is missing, and how many chips would do.
        choose_layout(site, work, sequences=1, chips=chips)
    return max(pools, key=lambda item: float(item[0].requests_per_s) * item[1])
