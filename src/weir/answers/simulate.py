"""What users of one deployment see under a trace or a random load, request by request.

The steady state of `weir.perf.serving` gives means; the simulator gives tails, bursts and traces.
Step times are those of the step model, tabulated once for the deployment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from weir.answers.estimate import METHOD, Ranged
from weir.answers.placement import (
    SENSIBLE_SEQUENCES,
    Deployment,
    Placement,
    Site,
    choose_layout,
    site_of,
)
from weir.answers.step_tables import cache_bytes_per_token, limits_of, step_tables
from weir.catalog.entities import Chip, Model
from weir.catalog.query import Catalog
from weir.core.errors import InputError, NothingFitsError
from weir.core.provenance import Fact, Status, weakest
from weir.perf.parallel import Layout
from weir.perf.serving import Workload
from weir.sim import simulation
from weir.sim.outcome import Outcome, ServiceLevels, Spread
from weir.sim.simulation import Link, Pool
from weir.sim.workload import Requests


@dataclass(frozen=True, slots=True)
class Fleet:
    """Equal replicas.

    Attributes:
        chip: The chip or its name.
        deployment: Chips, layout, framework and formats of a replica; the smallest sensible one
            if left out.
        replicas: How many share the load.
        max_sequences: Sequences of a replica at once; as many as the cache holds at the mean
            length if left out.
    """

    chip: Chip | str
    deployment: Deployment = field(default_factory=Deployment)
    replicas: int = 1
    max_sequences: int | None = None

    def __post_init__(self) -> None:
        for name in ("replicas", "max_sequences"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} is {value}; use a number of at least 1")


@dataclass(frozen=True, slots=True)
class FleetUsed:
    """Replicas as they were simulated.

    Attributes:
        chip: Name of the chip.
        framework: Serving framework.
        layout: Parallel degrees of a replica.
        replicas: Replicas.
        max_sequences: Sequences of a replica at once.
        cache_tokens: Tokens the cache of a replica holds.
    """

    chip: str
    framework: str
    layout: Layout
    replicas: int
    max_sequences: int
    cache_tokens: int

    @property
    def chips(self) -> int:
        """Chips of all replicas."""
        return self.replicas * self.layout.chips


@dataclass(frozen=True, slots=True)
class Simulated:
    """One load on one deployment.

    The ends of an interval are whole simulations, with the step times at the ends of their own
    80 % interval: a slow step near saturation makes long queues, and that is meant to be seen.

    Attributes:
        model: Name of the model.
        policy: Scheduling policy.
        fleets: The replicas; two kinds where prefill and decode are apart, prefill first.
        chips: Chips of all of them.
        requests: Requests that were sent.
        rejected: Those that no cache can hold.
        spreads: TTFT, TPOT, ITL, E2E and queueing.
        spreads_low: The same with fast steps.
        spreads_high: The same with slow steps.
        requests_per_s: Requests finished per second of the whole run.
        output_tokens_per_s: Output tokens per second of the whole run.
        output_tokens_per_s_per_chip: The same for one chip.
        goodput_requests_per_s: Requests per second that meet the service levels; all finished
            ones where none were given.
        outcome: The simulation with the step times as estimated, request by request.
        assumptions: Every sentence a reader should know.
        facts: The facts of the datasheet that were used.
        sources: The citations behind them.
        status: The weakest status among what was used.
    """

    model: str
    policy: str
    fleets: tuple["FleetUsed", ...]
    chips: int
    requests: int
    rejected: int
    spreads: Mapping[str, Spread]
    spreads_low: Mapping[str, Spread]
    spreads_high: Mapping[str, Spread]
    requests_per_s: Ranged
    output_tokens_per_s: Ranged
    output_tokens_per_s_per_chip: Ranged
    goodput_requests_per_s: Ranged
    outcome: Outcome
    assumptions: tuple[str, ...]
    facts: Mapping[str, Fact]
    sources: tuple[str, ...]
    status: Status


@dataclass(frozen=True)
class _Side:
    """A fleet with its step times: at the estimate, and at both ends of its interval."""

    site: Site
    placed: Placement
    work: Workload
    fleet: Fleet
    pools: tuple[Pool, ...]

    @property
    def used(self) -> FleetUsed:
        """What the answer says of it."""
        engine, limits = self.placed.engine, self.pools[0].limits
        return FleetUsed(
            chip=self.site.chip.name,
            framework=engine.stack.name,
            layout=engine.layout,
            replicas=self.fleet.replicas,
            max_sequences=limits.max_sequences * engine.layout.pp,
            cache_tokens=limits.cache_blocks * limits.block_tokens * engine.layout.pp,
        )


def simulate(
    fleet: Fleet,
    model: Model | str,
    requests: Requests,
    catalog: Catalog | None = None,
    *,
    decode: Fleet | None = None,
    policy: str | None = None,
    levels: ServiceLevels | None = None,
) -> Simulated:
    """Simulates a load on replicas of one model.

    Args:
        fleet: The replicas; those for prefill where `decode` is given.
        model: The model or its name.
        requests: The load: drawn (`weir.sim.workload.generate`) or read
            (`weir.sim.workload.from_trace`).
        catalog: Where names are looked up; the stock if left out.
        decode: Replicas that only decode, on the same or another chip.
        policy: Scheduling policy; what the framework does if left out.
        levels: Service levels for the goodput.

    Raises:
        UnknownNameError: No such chip, model, framework or policy.
        LayoutError: The layout does not divide the model.
        NothingFitsError: The model, or every request, does not fit.
        InputError: A policy that does not go with the fleets, or a datasheet that lacks what is
            needed.
    """
    catalog = Catalog.from_environment() if catalog is None else catalog
    model = catalog.model(model) if isinstance(model, str) else model
    sides = [_side(one, model, requests, catalog) for one in (fleet, decode) if one is not None]
    stack = sides[0].placed.engine.stack
    if policy is None:
        apart = "chunked-prefill" if stack.mixes_prompts else "prefill-first"
        policy = apart if decode is None else "disaggregated"
    link = None if decode is None else _link(sides)
    runs = []
    for number, pool in enumerate(sides[0].pools):
        decoding = None if decode is None else sides[1].pools[number]
        served = simulation.Deployment(policy, pool, decoding, link, stack.request_s)
        runs.append(simulation.simulate(served, requests))
    return _simulated(sides, requests, policy, runs, levels or ServiceLevels())


def _side(fleet: Fleet, model: Model, requests: Requests, catalog: Catalog) -> _Side:
    chip = catalog.chip(fleet.chip) if isinstance(fleet.chip, str) else fleet.chip
    site = site_of(chip, model, fleet.deployment, catalog)
    prompts, answers = requests.prompt_tokens, requests.output_tokens
    work = Workload(isl=float(np.mean(prompts)), osl=float(np.mean(answers)))
    placed = _placed(site, fleet, work)
    limits = limits_of(placed, work, fleet.max_sequences)
    tables = step_tables(placed.engine, limits, int(np.max(prompts + answers)))
    workers = fleet.replicas * placed.engine.layout.pp
    return _Side(site, placed, work, fleet, tuple(Pool(table, limits, workers) for table in tables))


def _placed(site: Site, fleet: Fleet, work: Workload) -> Placement:
    """The layout of a replica.

    A size that was asked for is taken with as few sequences as it holds; where the size is free,
    it must hold a sensible batch.
    """
    chips = fleet.deployment.chips
    wanted = min(fleet.max_sequences or SENSIBLE_SEQUENCES, SENSIBLE_SEQUENCES)
    try:
        return choose_layout(site, work, sequences=wanted, chips=chips)
    except NothingFitsError:
        if chips is None and fleet.deployment.layout is None:
            raise
        return choose_layout(site, work, sequences=1, chips=chips)


def _link(sides: Sequence[_Side]) -> Link:
    """The way of a cache from one replica to another, over the network of their chips.

    Every chip sends or takes its share at once; the slower side counts.

    Raises:
        InputError: A chip has no network.
    """
    seconds = []
    for side in sides:
        machine = side.placed.engine.machine
        rate = float(np.min(machine.scale_out_bytes_per_s_per_direction))
        if not rate > 0:
            raise InputError(
                f"{machine.name} has no network to move a cache over; add scale_out_per_direction"
                " to its record, or serve prefill and decode together"
            )
        seconds.append(cache_bytes_per_token(side.placed, side.work) / rate)
    return Link(token_s=max(seconds))


def _simulated(
    sides: Sequence[_Side],
    requests: Requests,
    policy: str,
    runs: Sequence[Outcome],
    levels: ServiceLevels,
) -> Simulated:
    middle = runs[0]
    fleets = tuple(side.used for side in sides)
    chips = sum(fleet.chips for fleet in fleets)
    tokens = _ranged([run.output_tokens_per_s for run in runs])
    facts = {
        f"{side.site.chip.name}: {key}": fact
        for side in sides
        for key, fact in side.site.hardware.facts.items()
    }
    stacks = [side.placed.engine.stack.status for side in sides]
    return Simulated(
        model=sides[0].site.model.name,
        policy=policy,
        fleets=fleets,
        chips=chips,
        requests=len(requests),
        rejected=int(np.count_nonzero(middle.rejected)),
        spreads=middle.spreads(),
        spreads_low=runs[1].spreads(),
        spreads_high=runs[2].spreads(),
        requests_per_s=_ranged([run.requests_per_s for run in runs]),
        output_tokens_per_s=tokens,
        output_tokens_per_s_per_chip=Ranged(
            tokens.value / chips, tokens.low / chips, tokens.high / chips
        ),
        goodput_requests_per_s=_ranged([run.goodput_requests_per_s(levels) for run in runs]),
        outcome=middle,
        assumptions=_assumptions(sides, requests, middle),
        facts=facts,
        sources=tuple(dict.fromkeys(c for fact in facts.values() for c in fact.sources)),
        status=weakest([*(fact.status for fact in facts.values()), *stacks]),
    )


def _ranged(values: list[float]) -> Ranged:
    """Middle, and the ends in order: fast steps give high rates."""
    return Ranged(values[0], min(values), max(values))


def _assumptions(sides: Sequence[_Side], requests: Requests, outcome: Outcome) -> tuple[str, ...]:
    notes = [METHOD]
    for side in sides:
        notes += [*side.site.notes, f"Framework overheads: {side.placed.engine.stack.basis}."]
    if len(sides) > 1:
        notes.append("The cache moves over the chips' network at its full rate, without delay.")
    rejected = int(np.count_nonzero(outcome.rejected))
    if rejected:
        notes.append(
            f"{rejected} of {len(requests)} requests are longer than the cache of a replica and"
            " were refused."
        )
    if any(side.placed.engine.layout.pp > 1 for side in sides):
        notes.append("The batches of a pipeline's stages are simulated as replicas of their own.")
    if bool(np.any(requests.cached_tokens)):
        notes.append("Blocks of a shared prefix are counted once for each request that holds them.")
    return tuple(dict.fromkeys(notes))
