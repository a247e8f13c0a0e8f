"""What the model says to one published speed, by what the source measured and how it ran."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.answers.placement import Deployment, Site, site_of
from weir.answers.plan import Target, search
from weir.catalog.published import (
    ANY,
    DECODING,
    FIRST_TOKEN,
    PER_CHIP,
    PER_USER,
    PROMPTS,
    PublishedSpeed,
)
from weir.catalog.query import Catalog
from weir.core.errors import NothingFitsError
from weir.perf.batching import chunks, decode_batch, prompt_budget
from weir.perf.burst import Run, bursts
from weir.perf.parallel import Layout, check_layout
from weir.perf.serving import Workload, closed_loop, prefill_step
from weir.perf.step import Engine, StepTime

Array = NDArray[np.float64]
# A value with the ends of its 80 % interval; None where no sequence fits.
Range = tuple[float, float, float]
Found = list[Range | None]

# The default of the vendor's benchmark; more sequences are never scheduled at once.
MOST_SEQUENCES: Final = 2048.0


def predicted(alike: Sequence[PublishedSpeed], catalog: Catalog) -> Found:
    """Predictions of speeds of one deployment that measure the same.

    Args:
        alike: Rows of one chip, model, layout, format and quantity; all with a number of queued
            requests or none.
        catalog: Where chips and models are looked up.

    Raises:
        WeirError: The deployment cannot be estimated.
    """
    first = alike[0]
    deployment = Deployment(
        framework=first.framework,
        weights=first.weights or None,
        kv_cache=first.kv_cache or None,
        exchange_overlap=first.overlap,
    )
    if any(name == ANY for name, _ in first.degrees):
        return [_in_any_layout(item, deployment, catalog) for item in alike]
    layout = Layout(**dict(first.degrees))
    model = catalog.model(first.model)
    check_layout(model, layout)
    site = site_of(catalog.chip(first.chip), model, replace(deployment, layout=layout), catalog)
    if first.experts:
        site = replace(site, precision=replace(site.precision, experts=first.experts))
    return _MEASURED[first.quantity](site, site.engine(layout), alike)


def _in_any_layout(item: PublishedSpeed, deployment: Deployment, catalog: Catalog) -> Range:
    """The best layout on up to so many chips, within the limits that were set.

    Where only the bounds of the prompts are known, the middle stands between what the shortest and
    the longest would give, and the interval reaches from one to the other.
    """
    most = dict(item.degrees)[ANY]
    target = Target(item.ttft_s, item.tpot_s)
    ends = []
    for isl in dict.fromkeys((item.isl, item.isl_high)):
        found = search(
            item.chip, item.model, Workload(isl, item.osl), catalog,
            deployment=deployment, most_chips=most,
        )  # fmt: skip
        allowed = np.flatnonzero(found.meets(target) & (found.users <= MOST_SEQUENCES))
        if not len(allowed):
            raise NothingFitsError("no layout keeps the limits")
        best = allowed[np.argmax(found.tokens_per_s_per_chip[allowed])]
        rate, tpot = float(found.tokens_per_s_per_chip[best]), float(found.tpot_s[best])
        slow, fast = tpot / float(found.tpot_high_s[best]), tpot / float(found.tpot_low_s[best])
        ends.append((rate, rate * slow, rate * fast))
    middle = float(np.exp(np.mean([np.log(rate) for rate, _, _ in ends])))
    return middle, min(low for _, low, _ in ends), max(high for _, _, high in ends)


def _served(site: Site, engine: Engine, alike: Sequence[PublishedSpeed]) -> Found:
    """Output tokens of a replica that prefills and decodes: in the steady state, or of a burst."""
    if alike[0].requests is not None:
        return _burst(site, engine, alike)
    work = _work(alike)
    held = _held(site, engine, work.decode_context)
    most = np.clip(held, 1.0, MOST_SEQUENCES * engine.layout.dp)
    asked = np.array([np.inf if item.users is None else item.users for item in alike])
    users = np.where(np.isinf(asked), most, asked)
    state = closed_loop(engine, work, users, most_sequences=most)
    if alike[0].quantity == PER_CHIP:
        middle = state.output_tokens_per_s_per_chip
    else:
        middle = np.array([item.osl for item in alike]) / state.request_s
    slow, fast = state.tpot_s / state.tpot_high_s, state.tpot_s / state.tpot_low_s
    return [
        (float(middle[i]), float(middle[i] * slow[i]), float(middle[i] * fast[i]))
        if held[i] >= 1.0
        else None
        for i in range(len(alike))
    ]


def _burst(site: Site, engine: Engine, alike: Sequence[PublishedSpeed]) -> Found:
    """Requests of equal length that were all queued at the start.

    The scheduler admits only what can run to its end, so a sequence takes the room of its whole
    length from the start.
    """
    runs: dict[int, Run] = {}
    for index, item in enumerate(alike):
        requests = float(item.requests or 0.0)
        if item.users is None:
            held = float(_held(site, engine, np.array(item.isl + item.osl)))
            room = min(held, MOST_SEQUENCES * engine.layout.dp)
        else:
            room = item.users
        if room >= 1.0:
            runs[index] = Run(Workload(item.isl, item.osl), requests, room)
    found = dict(zip(runs, bursts(engine, list(runs.values())), strict=True)) if runs else {}
    ranges: Found = []
    for index in range(len(alike)):
        burst = found.get(index)
        if burst is None:
            ranges.append(None)
            continue
        rate, time = burst.output_tokens_per_s_per_chip, burst.seconds
        ranges.append((rate, rate * time / burst.high_s, rate * time / burst.low_s))
    return ranges


def _prompts(_: Site, engine: Engine, alike: Sequence[PublishedSpeed]) -> Found:
    """Prompt tokens of a replica that only prefills, in full steps one after the other."""
    work = _work(alike)
    chunk = np.minimum(work.new_tokens, engine.stack.chunk_tokens)
    full = prompt_budget(engine) / chunk
    at_once = np.array(
        [full[i] if item.requests is None else item.requests for i, item in enumerate(alike)]
    )
    step = prefill_step(engine, work, at_once)
    return _rates(at_once * work.new_tokens / chunks(engine, work), step, engine)


def _decoding(site: Site, engine: Engine, alike: Sequence[PublishedSpeed]) -> Found:
    """Output tokens of a replica that only decodes."""
    work = _work(alike)
    held = _held(site, engine, work.decode_context)
    users = np.array(
        [held[i] if item.users is None else item.users for i, item in enumerate(alike)]
    )
    step = engine.step(decode_batch(engine, work, users))
    ranges = _rates(users * engine.drafts.gain, step, engine)
    return [found if held[i] >= 1.0 else None for i, found in enumerate(ranges)]


def _first_token(_: Site, engine: Engine, alike: Sequence[PublishedSpeed]) -> Found:
    """Seconds to the first token of a prompt alone, without a server around it."""
    work = _work(alike)
    step = prefill_step(engine, work)
    steps = chunks(engine, work)
    return [
        (float(middle), float(low), float(high))
        for middle, low, high in zip(
            step.time_s * steps, step.low_s * steps, step.high_s * steps, strict=True
        )
    ]


def _rates(tokens: Array, step: StepTime, engine: Engine) -> Found:
    chips = engine.layout.chips
    return [
        (float(middle), float(low), float(high))
        for middle, low, high in zip(
            tokens / step.time_s / chips,
            tokens / step.high_s / chips,
            tokens / step.low_s / chips,
            strict=True,
        )
    ]


def _work(alike: Sequence[PublishedSpeed]) -> Workload:
    return Workload(np.array([i.isl for i in alike]), np.array([i.osl for i in alike]))


def _held(site: Site, engine: Engine, context_tokens: Array) -> Array:
    """Sequences of a length that the replica holds."""
    return site.place(engine.layout, 1, context_tokens).memory.max_sequences


_MEASURED: Final[Mapping[str, Callable[[Site, Engine, Sequence[PublishedSpeed]], Found]]] = {
    PER_CHIP: _served,
    PER_USER: _served,
    PROMPTS: _prompts,
    DECODING: _decoding,
    FIRST_TOKEN: _first_token,
}
