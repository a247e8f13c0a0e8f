"""The whole answer of the planner: the plan, what bounds it, who wins when, how a trace fares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weir.answers.crossovers import CONTEXTS, DECODE_ALONE, USER_SPEEDS, Crossover, crossovers
from weir.answers.disaggregate import SplitPlan, disaggregate
from weir.answers.estimate import Estimate, estimate
from weir.answers.fleet import Choice, Plan, plan
from weir.answers.launch import launch_flags
from weir.answers.placement import Deployment, site_of
from weir.answers.plan import Target
from weir.answers.simulate import Fleet as Replicas
from weir.answers.simulate import Simulated, simulate
from weir.catalog.entities import Model
from weir.catalog.query import Catalog
from weir.catalog.traces import Trace
from weir.core.errors import InputError, NothingFitsError
from weir.perf.serving import Workload
from weir.sim.outcome import ServiceLevels
from weir.sim.workload import Requests, from_trace

# A trace is run this far: enough for a tail, and a plan stays a matter of seconds.
MOST_OF_TRACE: Final = 2000

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a plan is asked for.

    Attributes:
        chips: Names of the chips to choose among.
        workload: Requests of one kind; for a trace, its means.
        target: What a deployment must reach.
        objective: What is chosen by: the most "throughput", or the least "cost", "energy" or
            "chips".
        requests_per_s: The load; None without one.
        deployment: Framework, number formats and options; the layout is searched.
        most_chips: Chips of the largest replica.
        prefill_on: Chip that also computes the prompts of a split deployment; None for none.
    """

    chips: tuple[str, ...]
    workload: Workload
    target: Target
    objective: str
    requests_per_s: float | None
    deployment: Deployment
    most_chips: int
    prefill_on: str | None = None


@dataclass(frozen=True, slots=True)
class Planning:
    """A plan with what stands behind it.

    Attributes:
        plan: The plan.
        wanted: What was asked for.
        estimates: By chip, the estimate of its best deployment, with bottleneck and interval.
        other_flags: By chip, the command of each framework that starts the best deployment.
        crossovers: The best two chips beside each other, for whole requests and for decoding alone;
            none with one chip.
        splits: By decode chip, the best split with prefill on chips of its own; where there is
            none, the reason.
        trace: The trace on the smallest fleet; None without trace and load.
        assumptions: What a reader should know.
        sources: Citations of the facts that were used.
        data_version: Age of the catalogue.
    """

    plan: Plan
    wanted: Wanted
    estimates: Mapping[str, Estimate]
    other_flags: Mapping[str, Mapping[str, str]]
    crossovers: tuple[Crossover, ...]
    splits: Mapping[str, SplitPlan | str]
    trace: Simulated | None
    assumptions: tuple[str, ...]
    sources: tuple[str, ...]
    data_version: str


def steps_of(wanted: Wanted, *, compare: bool, has_trace: bool) -> int:
    """How often `planning` calls its progress, at most."""
    chips = len(wanted.chips)
    splits = 0 if wanted.prefill_on is None else chips
    return 1 + chips + splits + (4 * len(CONTEXTS) if compare and chips > 1 else 0) + has_trace


def workload_of(trace: Trace) -> tuple[Workload, float | None]:
    """The requests of a trace by mean and variation, and its rate where it has times.

    Args:
        trace: What was recorded.
    """
    requests = _requests(trace)
    hit = float(np.sum(requests.cached_tokens) / np.sum(requests.prompt_tokens))
    work = Workload(
        isl=float(np.mean(trace.prompt_tokens)),
        osl=float(np.mean(trace.output_tokens)),
        prefix_hit_rate=hit,
        isl_cv=_variation(trace.prompt_tokens),
        osl_cv=_variation(trace.output_tokens),
    )
    if trace.arrival_s is None or len(trace) < 2 or trace.arrival_s[-1] <= 0:  # noqa: PLR2004
        return work, None
    return work, float((len(trace) - 1) / trace.arrival_s[-1])


def _variation(tokens: NDArray[np.integer[Any]]) -> float:
    return float(np.std(tokens) / np.mean(tokens))


def planning(
    model: Model | str,
    wanted: Wanted,
    catalog: Catalog,
    *,
    trace: Trace | None = None,
    compare: bool = True,
    progress: Progress = lambda _: None,
) -> Planning:
    """Plans, and looks at the best deployments closely.

    Args:
        model: The model or its name.
        wanted: What is asked for.
        catalog: Where names are looked up.
        trace: Requests to run on the smallest fleet.
        compare: Also find where the best two chips change places.
        progress: Told what was finished; see `steps_of`.

    Raises:
        InputError: Something that was asked for makes no sense.
        NothingFitsError: No chip reaches the targets; the message names the nearest that can be.
    """
    model = catalog.model(model) if isinstance(model, str) else model
    found = plan(
        model, wanted.chips, wanted.workload, wanted.target, catalog,
        objective=wanted.objective, requests_per_s=wanted.requests_per_s,
        deployment=wanted.deployment, most_chips=wanted.most_chips,
    )  # fmt: skip
    progress("layouts searched")
    estimates: dict[str, Estimate] = {}
    flags: dict[str, dict[str, str]] = {}
    for item in found.chips:
        if item.best is not None:
            estimates[item.chip] = _looked_at(item.best, model, wanted, catalog)
            flags[item.chip] = _flags(item.best, model, wanted, catalog)
        progress(f"{item.chip} looked at")
    splits = _splits(model, wanted, catalog, progress)
    compared = _compared(model, found, wanted, catalog, progress) if compare else ()
    simulated = None
    if trace is not None:
        simulated = _on_fleet(model, found, wanted, trace, catalog)
        progress("trace simulated")
    notes = _assumptions(found, estimates, splits)
    return Planning(
        plan=found,
        wanted=wanted,
        estimates=estimates,
        other_flags=flags,
        crossovers=compared,
        splits=splits,
        trace=simulated,
        assumptions=notes,
        sources=tuple(dict.fromkeys(c for e in estimates.values() for c in e.sources)),
        data_version=catalog.data_version,
    )


def _deployment(choice: Choice, wanted: Wanted) -> Deployment:
    return replace(wanted.deployment, chips=choice.chips, layout=choice.layout)


def _looked_at(choice: Choice, model: Model, wanted: Wanted, catalog: Catalog) -> Estimate:
    """The estimate of a choice; users who only wait are left out where the cache is full."""
    deployment = _deployment(choice, wanted)
    work = wanted.workload
    site = site_of(catalog.chip(choice.chip), model, deployment, catalog)
    held = site.place(choice.layout, 1, work.longest_tokens).max_users
    users = max(min(choice.users, held), 1.0)
    return estimate(choice.chip, model, deployment, work, catalog, users=users)


def _flags(choice: Choice, model: Model, wanted: Wanted, catalog: Catalog) -> dict[str, str]:
    site = site_of(catalog.chip(choice.chip), model, _deployment(choice, wanted), catalog)
    return {name: launch_flags(site, choice.layout, name) for name in ("vllm", "sglang")}


def _compared(
    model: Model, found: Plan, wanted: Wanted, catalog: Catalog, progress: Progress
) -> tuple[Crossover, ...]:
    """The best chip beside the next; nothing where no other holds the model."""
    first, second = [*(item.chip for item in found.chips if item.front), "", ""][:2]
    if not second:
        return ()
    speeds = set(USER_SPEEDS)
    osl = np.asarray(wanted.workload.osl, dtype=np.float64).item()
    if np.isfinite(wanted.target.tpot_s):
        speeds.add(float(1.0 / wanted.target.tpot_s))
    try:
        return tuple(
            crossovers(
                model, first, second, catalog,
                osl=osl, prefix_hit_rate=hits,
                speeds=sorted(speeds), deployment=wanted.deployment,
                most_chips=wanted.most_chips, progress=lambda: progress("lengths compared"),
            )
            for hits in (wanted.workload.prefix_hit_rate, DECODE_ALONE)
        )  # fmt: skip
    except NothingFitsError:
        # The longest prompts do not fit on one of them, so there is nothing to compare.
        return ()


def _splits(
    model: Model, wanted: Wanted, catalog: Catalog, progress: Progress
) -> dict[str, SplitPlan | str]:
    """The best split for each decode chip."""
    found: dict[str, SplitPlan | str] = {}
    if wanted.prefill_on is None:
        return found
    catalog.chip(wanted.prefill_on)
    for name in wanted.chips:
        try:
            split: SplitPlan | str = disaggregate(
                model, wanted.prefill_on, name, wanted.workload, wanted.target, catalog,
                deployment=wanted.deployment, most_chips=wanted.most_chips,
            )  # fmt: skip
        except (NothingFitsError, InputError) as error:
            split = str(error)
        found[catalog.chip(name).name] = split
        progress("split searched")
    return found


def _on_fleet(
    model: Model, found: Plan, wanted: Wanted, trace: Trace, catalog: Catalog
) -> Simulated | None:
    """The trace on the smallest fleet of the best chip."""
    fleet = found.chips[0].fleet
    if fleet is None or trace.arrival_s is None:
        return None
    target = wanted.target
    levels = ServiceLevels(
        ttft_s=target.ttft_s if np.isfinite(target.ttft_s) else None,
        tpot_s=target.tpot_s if np.isfinite(target.tpot_s) else None,
    )
    replicas = Replicas(
        fleet.choice.chip, _deployment(fleet.choice, wanted), replicas=fleet.replicas
    )
    return simulate(replicas, model, _requests(trace), catalog, levels=levels)


def _requests(trace: Trace) -> Requests:
    timed = trace
    if trace.arrival_s is None:
        timed = replace(trace, arrival_s=np.zeros(len(trace)))
    return from_trace(timed, count=MOST_OF_TRACE)


def _assumptions(
    found: Plan, estimates: Mapping[str, Estimate], splits: Mapping[str, SplitPlan | str]
) -> tuple[str, ...]:
    notes = [text for item in estimates.values() for text in item.assumptions]
    notes += [text for item in found.chips for text in item.assumptions]
    notes += [
        t for item in splits.values() if isinstance(item, SplitPlan) for t in item.assumptions
    ]
    return tuple(dict.fromkeys(notes))
