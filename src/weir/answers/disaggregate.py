"""Prefill and decode apart, on the same chip or on two kinds: the best pair of pools."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weir.answers.estimate import DEFAULT_WORKLOAD
from weir.answers.placement import Deployment, Site, site_of
from weir.answers.plan import DEFAULT_MOST_CHIPS, Target, fitting_layouts
from weir.answers.pricing import hourly_price
from weir.catalog.entities import Model
from weir.catalog.query import Catalog
from weir.catalog.stack import load_assumptions
from weir.core.errors import NothingFitsError
from weir.core.units import KILO, MEGA, SECONDS_PER_HOUR
from weir.perf.disaggregated import (
    DecodePool,
    PrefillPool,
    decode_pools,
    matched_prefill_replicas,
    prefill_pool,
)
from weir.perf.parallel import Layout
from weir.perf.serving import Workload

Array = NDArray[np.float64]
_POINTS_PER_OCTAVE = 2


@dataclass(frozen=True, slots=True)
class Split:
    """Two pools with matched rates.

    Attributes:
        prefill_chip: Chip of the prefill pool.
        prefill_layout: Layout of a prefill replica.
        decode_chip: Chip of the decode pool.
        decode_layout: Layout of a decode replica.
        prefill_chips_per_decode_chip: How the fleet divides.
        sequences: Sequences of a decode replica.
        ttft_s: Mean time to first token.
        transfer_s: The hand-over of the cache in it.
        tpot_s: Mean time per output token.
        tpot_high_s: Upper end of its 80 % interval.
        tokens_per_s_per_user: 1 / TPOT.
        tokens_per_s_per_chip: Output tokens over all chips of both pools.
        usd_per_million_tokens: NaN where a price is unknown.
    """

    prefill_chip: str
    prefill_layout: Layout
    decode_chip: str
    decode_layout: Layout
    prefill_chips_per_decode_chip: float
    sequences: float
    ttft_s: float
    transfer_s: float
    tpot_s: float
    tpot_high_s: float
    tokens_per_s_per_user: float
    tokens_per_s_per_chip: float
    usd_per_million_tokens: float


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """The best split, and the front of tokens/s per chip against tokens/s per user.

    Attributes:
        best: The split with the most tokens/s per chip that reaches the target.
        front: The Pareto front, in order of falling tokens/s per user.
        assumptions: What a reader should know.
    """

    best: Split
    front: tuple[Split, ...]
    assumptions: tuple[str, ...]


def disaggregate(
    model: Model | str,
    prefill_chip: str,
    decode_chip: str | None = None,
    workload: Workload = DEFAULT_WORKLOAD,
    target: Target | None = None,
    catalog: Catalog | None = None,
    *,
    deployment: Deployment | None = None,
    most_chips: int = DEFAULT_MOST_CHIPS,
) -> SplitPlan:
    """The best pair of prefill and decode pools.

    Args:
        model: The model or its name.
        prefill_chip: Chip of the prefill pool.
        decode_chip: Chip of the decode pool; that of the prefill pool if left out.
        workload: Requests of one kind.
        target: What must be reached; anything if left out.
        catalog: Where names are looked up; the stock if left out.
        deployment: Framework, number formats and options; the layout is searched, so one that it
            names is left aside.
        most_chips: Chips of the largest replica.

    Raises:
        UnknownNameError: No such chip, model or framework.
        NothingFitsError: The model fits in neither pool, or the target is out of reach.
    """
    catalog = Catalog.from_environment() if catalog is None else catalog
    target = Target() if target is None else target
    model = catalog.model(model) if isinstance(model, str) else model
    deployment = deployment or Deployment()
    first = site_of(catalog.chip(prefill_chip), model, deployment, catalog)
    second = site_of(catalog.chip(decode_chip or prefill_chip), model, deployment, catalog)
    load = load_assumptions()["prefill_load"]
    prefill = _prefill(first, workload, target, most_chips, load.value)
    decode = _decode(second, workload, most_chips)
    prices = [hourly_price(site.chip, catalog, None).usd_per_hour for site in (first, second)]
    splits = [
        split
        for pool in decode
        for split in _splits(first, second, prefill, pool, workload, (prices[0], prices[1]))
    ]
    reaching = [split for split in splits if _tpot(split, target) <= target.tpot_s]
    if not reaching:
        shortest = min(split.tpot_s for split in splits)
        raise NothingFitsError(
            f"no decode pool of {second.chip.name} reaches a TPOT of {target.tpot_s * KILO:.1f} ms"
            f" for {model.name}; the shortest is {shortest * KILO:.1f} ms"
        )
    notes = (*first.notes, *second.notes, load.text)
    best = max(reaching, key=lambda split: split.tokens_per_s_per_chip)
    return SplitPlan(best, _front(splits), tuple(dict.fromkeys(notes)))


def _tpot(split: Split, target: Target) -> float:
    return split.tpot_high_s if target.is_sure else split.tpot_s


def _prefill(
    site: Site, workload: Workload, target: Target, most_chips: int, load: float
) -> PrefillPool:
    """The prefill replica with the most prompts per chip that is fast enough."""
    found, _ = fitting_layouts(site, workload, most_chips)
    pools = [prefill_pool(site.engine(layout), workload, load=load) for layout in found]
    if not pools:
        raise NothingFitsError(
            f"{site.model.name} does not fit on up to {most_chips} {site.chip.name}"
        )
    reaching = [pool for pool in pools if float(pool.ttft_s) <= target.ttft_s]
    if not reaching:
        shortest = min(float(pool.ttft_s) for pool in pools)
        raise NothingFitsError(
            f"no prefill pool of {site.chip.name} reaches a TTFT of {target.ttft_s * KILO:.0f} ms"
            f" for {site.model.name}; the shortest is {shortest * KILO:.0f} ms"
        )
    return max(reaching, key=lambda pool: float(pool.requests_per_s) / pool.engine.layout.chips)


def _decode(site: Site, workload: Workload, most_chips: int) -> list[DecodePool]:
    found, most = fitting_layouts(site, workload, most_chips)
    batches = [
        np.geomspace(1.0, limit, 2 + int(_POINTS_PER_OCTAVE * np.log2(limit))) for limit in most
    ]
    return decode_pools([site.engine(layout) for layout in found], workload, batches)


def _splits(
    first: Site,
    second: Site,
    prefill: PrefillPool,
    decode: DecodePool,
    workload: Workload,
    prices: tuple[float, float],
) -> list[Split]:
    replicas = matched_prefill_replicas(decode.requests_per_s, prefill.requests_per_s)
    one, other = prefill.engine.layout, decode.engine.layout
    ratio = replicas * one.chips / other.chips
    tokens = decode.requests_per_s * float(np.asarray(workload.osl)) / other.chips
    hourly = prices[0] * ratio + prices[1]
    return [
        Split(
            prefill_chip=first.chip.name,
            prefill_layout=one,
            decode_chip=second.chip.name,
            decode_layout=other,
            prefill_chips_per_decode_chip=float(ratio[i]),
            sequences=float(decode.sequences[i]),
            ttft_s=float(prefill.ttft_s),
            transfer_s=float(prefill.transfer_s),
            tpot_s=float(decode.tpot_s[i]),
            tpot_high_s=float(decode.tpot_high_s[i]),
            tokens_per_s_per_user=float(1.0 / decode.tpot_s[i]),
            tokens_per_s_per_chip=float(tokens[i] / (1.0 + ratio[i])),
            usd_per_million_tokens=float(hourly[i] / (tokens[i] * SECONDS_PER_HOUR / MEGA)),
        )
        for i in range(len(decode.sequences))
    ]


def _front(splits: list[Split]) -> tuple[Split, ...]:
    front: list[Split] = []
    for split in sorted(splits, key=lambda s: (-s.tokens_per_s_per_user, -s.tokens_per_s_per_chip)):
        if not front or split.tokens_per_s_per_chip > front[-1].tokens_per_s_per_chip:
            front.append(split)
    return tuple(front)
