"""What users of one deployment see under a trace or a random load, request by request.

The steady state of `weir.perf.serving` gives means; the simulator gives tails, bursts and traces.
Step times are those of the step model, tabulated once for the deployment.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.answers.estimate import METHOD, Ranged
from weir.answers.placement import (
    SENSIBLE_SEQUENCES,
    Deployment,
    Placement,
    Site,
    choose_layout,
    site_of,
)
from weir.catalog.entities import Chip, Model
from weir.catalog.query import Catalog
from weir.core.errors import InputError, NothingFitsError
from weir.core.provenance import Fact, Status, weakest
from weir.perf.operators import Batch
from weir.perf.parallel import Layout
from weir.perf.serving import Workload
from weir.perf.step import Engine, StepTime
from weir.sim import simulation
from weir.sim.outcome import Outcome, ServiceLevels, Spread
from weir.sim.scheduler import Limits
from weir.sim.simulation import Pool
from weir.sim.steps import StepTable
from weir.sim.workload import Requests

Array = NDArray[np.float64]

# Ratios of neighbouring points of a table axis. Kernels take whole tiles, so step times are stairs
# over batch and tokens, which a close grid follows; over contexts they are nearly straight lines.
_CLOSE: Final = 2.0**0.25
_MEDIUM: Final = 2.0**0.5
_OCTAVE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Simulated:
    """One load on one deployment.

    The ends of an interval are whole simulations, with the step times at the ends of their own
    80 % interval: a slow step near saturation makes long queues, and that is meant to be seen.

    Attributes:
        chip: Name of the chip.
        model: Name of the model.
        framework: Serving framework.
        layout: Parallel degrees of a replica.
        replicas: Replicas that share the load.
        chips: Chips of all replicas.
        policy: Scheduling policy.
        max_sequences: Sequences of a replica at once.
        cache_tokens: Tokens the cache of a replica holds.
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

    chip: str
    model: str
    framework: str
    layout: Layout
    replicas: int
    chips: int
    policy: str
    max_sequences: int
    cache_tokens: int
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


def simulate(
    chip: Chip | str,
    model: Model | str,
    requests: Requests,
    deployment: Deployment | None = None,
    catalog: Catalog | None = None,
    *,
    policy: str | None = None,
    replicas: int = 1,
    max_sequences: int | None = None,
    levels: ServiceLevels | None = None,
) -> Simulated:
    """Simulates a load on a deployment of one model on one kind of chip.

    Args:
        chip: The chip or its name.
        model: The model or its name.
        requests: The load: drawn (`weir.sim.workload.generate`) or read
            (`weir.sim.workload.from_trace`).
        deployment: Chips, layout, framework and formats; the smallest sensible one if left out.
        catalog: Where names are looked up; the stock if left out.
        policy: Scheduling policy; what the framework does if left out.
        replicas: Replicas that share the load.
        max_sequences: Sequences of a replica at once; as many as the cache holds at the mean
            length if left out.
        levels: Service levels for the goodput.

    Raises:
        UnknownNameError: No such chip, model, framework or policy.
        LayoutError: The layout does not divide the model.
        NothingFitsError: The model, or every request, does not fit.
        InputError: A count that is no count, or a datasheet that lacks what is needed.
    """
    for name, value in (("replicas", replicas), ("max_sequences", max_sequences)):
        if value is not None and value < 1:
            raise InputError(f"{name} is {value}; use a number of at least 1")
    catalog = Catalog.from_environment() if catalog is None else catalog
    deployment = Deployment() if deployment is None else deployment
    chip = catalog.chip(chip) if isinstance(chip, str) else chip
    model = catalog.model(model) if isinstance(model, str) else model
    site = site_of(chip, model, deployment, catalog)
    work = Workload(isl=_mean(requests.prompt_tokens), osl=_mean(requests.output_tokens))
    wanted = min(max_sequences or SENSIBLE_SEQUENCES, SENSIBLE_SEQUENCES)
    placed = choose_layout(site, work, sequences=wanted, chips=deployment.chips)
    engine = placed.engine
    limits = limits_of(placed, work, max_sequences)
    if policy is None:
        policy = "chunked-prefill" if engine.stack.mixes_prompts else "prefill-first"
    tables = step_tables(engine, limits, _longest(requests))
    workers = replicas * engine.layout.pp
    runs = [
        simulation.simulate(
            simulation.Deployment(
                policy, Pool(table, limits, workers), entry_s=engine.stack.request_s
            ),
            requests,
        )
        for table in tables
    ]
    return _simulated(site, placed, requests, policy, replicas, limits, runs, levels)


def limits_of(placed: Placement, work: Workload, max_sequences: int | None = None) -> Limits:
    """What one worker of a placement holds; a replica has one for each pipeline stage.

    A pipeline with `pp` stages has as many batches under way, each with its share of the cache.

    Args:
        placed: The layout with its memory.
        work: Mean lengths, at which the cache of a sequence is measured.
        max_sequences: Sequences of the replica at once; those that fit if left out.
    """
    stack, layout = placed.engine.stack, placed.engine.layout
    context = float(np.asarray(work.isl) + np.asarray(work.osl))
    block = stack.cache_block_tokens
    rounded = math.ceil(context / block) * block
    free = float(placed.memory.usable_bytes - placed.memory.fixed_bytes)
    held = free / float(placed.memory.cache_bytes_per_sequence) * layout.dp
    return Limits(
        max_sequences=max(int((max_sequences or placed.max_users) / layout.pp), 1),
        token_budget=stack.chunk_tokens * layout.dp,
        cache_blocks=max(int(held * rounded / block / layout.pp), 1),
        block_tokens=block,
    )


def step_tables(
    engine: Engine, limits: Limits, longest_tokens: int
) -> tuple[StepTable, StepTable, StepTable]:
    """The step model on a grid, at the estimate and at both ends of its interval.

    Args:
        engine: The replica.
        limits: How far batch and token budget reach.
        longest_tokens: Longest context.

    Returns:
        Tables of the estimate, its lower end and its upper end.
    """
    most = min(limits.max_sequences, limits.cache_blocks * limits.block_tokens)
    sequences = _grid(most, _CLOSE)
    contexts = _grid(longest_tokens, _MEDIUM)
    decode = engine.step(_batch(engine, sequences[:, None], contexts[None, :]))
    tokens = _grid(max(limits.token_budget, longest_tokens), _MEDIUM)
    coarse = _grid(longest_tokens, _OCTAVE)
    beside = _grid(most, _OCTAVE)
    p, pc = tokens[:, None, None, None], coarse[None, :, None, None]
    alone = engine.step(_batch(engine, None, None, p, pc))
    mixed = engine.step(
        _batch(engine, beside[None, None, :, None], coarse[None, None, None, :], p, pc)
    )
    shape = (tokens.size, coarse.size, beside.size, coarse.size)
    grids = (tokens, coarse, np.append(0.0, beside), coarse)

    def table(end: str) -> StepTable:
        first = np.broadcast_to(getattr(alone, end), (*shape[:2], 1, shape[3]))
        rest = np.broadcast_to(getattr(mixed, end), shape)
        steps = np.broadcast_to(getattr(decode, end), (sequences.size, contexts.size))
        return StepTable(sequences, contexts, steps, *grids, np.concatenate([first, rest], axis=2))

    return table("time_s"), table("low_s"), table("high_s")


def exact_step(
    engine: Engine,
    prefill_tokens: float,
    prefill_context: float,
    decode_sequences: float,
    decode_context: float,
) -> StepTime:
    """The step that a table interpolates, from the step model itself."""
    prompts = (np.asarray(prefill_tokens), np.asarray(prefill_context)) if prefill_tokens else ()
    decoding = (
        (np.asarray(decode_sequences), np.asarray(decode_context))
        if decode_sequences
        else (None, None)
    )
    return engine.step(_batch(engine, *decoding, *prompts))


def _batch(
    engine: Engine,
    sequences: Array | None,
    context: Array | None,
    tokens: Array | None = None,
    attended: Array | None = None,
) -> Batch:
    """A step as the step model takes it.

    Prompt tokens with the mean of what they attend to become equal chunks, as few as that mean, a
    chunk's size and the data-parallel groups allow.
    """
    # The model divides sequences by the stages; a worker's batch is one stage's.
    decoding = None if sequences is None else sequences * engine.layout.pp
    cached = 0.0 if context is None else context
    if tokens is None or attended is None:
        return Batch(decode_sequences=decoding, decode_context=cached)
    largest = np.minimum(engine.stack.chunk_tokens, np.maximum(2.0 * attended - 1.0, 1.0))
    chunk = np.minimum(tokens, largest)
    return Batch(
        prefill_sequences=tokens / chunk,
        prefill_tokens=chunk,
        prefill_context=attended + (chunk - 1.0) / 2.0,
        decode_sequences=decoding,
        decode_context=cached,
    )


def _grid(most: float, ratio: float) -> Array:
    """Whole numbers from 1 to `most` or beyond, each about `ratio` times the one before."""
    points = max(math.ceil(math.log(max(most, 2.0)) / math.log(ratio)), 1)
    return np.unique(np.ceil(ratio ** np.arange(points + 1, dtype=np.float64)))


def _mean(tokens: NDArray[np.int64]) -> float:
    return float(np.mean(tokens))


def _longest(requests: Requests) -> int:
    return int(np.max(requests.prompt_tokens + requests.output_tokens))


def _simulated(
    site: Site,
    placed: Placement,
    requests: Requests,
    policy: str,
    replicas: int,
    limits: Limits,
    runs: list[Outcome],
    levels: ServiceLevels | None,
) -> Simulated:
    engine, middle = placed.engine, runs[0]
    stages, chips = engine.layout.pp, replicas * engine.layout.chips
    rejected = int(np.count_nonzero(middle.rejected))
    if rejected == len(requests):
        raise NothingFitsError("no request fits in the cache of a replica")
    tokens = _ranged([run.output_tokens_per_s for run in runs])
    wanted = levels or ServiceLevels()
    facts = site.hardware.facts
    return Simulated(
        chip=site.chip.name,
        model=site.model.name,
        framework=engine.stack.name,
        layout=engine.layout,
        replicas=replicas,
        chips=chips,
        policy=policy,
        max_sequences=limits.max_sequences * stages,
        cache_tokens=limits.cache_blocks * limits.block_tokens * stages,
        requests=len(requests),
        rejected=rejected,
        spreads=middle.spreads(),
        spreads_low=runs[1].spreads(),
        spreads_high=runs[2].spreads(),
        requests_per_s=_ranged([run.requests_per_s for run in runs]),
        output_tokens_per_s=tokens,
        output_tokens_per_s_per_chip=Ranged(
            tokens.value / chips, tokens.low / chips, tokens.high / chips
        ),
        goodput_requests_per_s=_ranged([run.goodput_requests_per_s(wanted) for run in runs]),
        outcome=middle,
        assumptions=_assumptions(site, engine, requests, rejected),
        facts=facts,
        sources=tuple(dict.fromkeys(c for fact in facts.values() for c in fact.sources)),
        status=weakest([*(fact.status for fact in facts.values()), engine.stack.status]),
    )


def _ranged(values: list[float]) -> Ranged:
    """Middle, and the ends in order: fast steps give high rates."""
    return Ranged(values[0], min(values), max(values))


def _assumptions(site: Site, engine: Engine, requests: Requests, rejected: int) -> tuple[str, ...]:
    notes = [METHOD, *site.notes, f"Framework overheads: {engine.stack.basis}."]
    if rejected:
        notes.append(
            f"{rejected} of {len(requests)} requests are longer than the cache of a replica and"
            " were refused."
        )
    if engine.layout.pp > 1:
        notes.append("The batches of a pipeline's stages are simulated as replicas of their own.")
    if bool(np.any(requests.cached_tokens)):
        notes.append("Blocks of a shared prefix are counted once for each request that holds them.")
    return tuple(notes)
