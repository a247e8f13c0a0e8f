"""The steady state of continuous batching: what users see and what chips deliver.

A replica runs steps. Each step gives every decoding sequence a token; a step that also takes
prompt tokens is mixed, and longer. A finished request makes room for the next prompt, so prompts
arrive at the rate at which sequences finish, and the mean time between two tokens of a user is the
mean over plain and mixed steps. A request waits for the step that runs when it arrives, for prompts
before it, and for its own chunks. Some frameworks do not mix: a step of prompts runs between decode
steps. Users who all start at once, with requests of equal length, may stay in step with each other:
then they queue for prefill together, and decode together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.perf.operators import Batch
from weir.perf.step import Engine, StepTime, step_times

Array = NDArray[np.float64]

# Steps are computed on a grid of decoding batches and once more at the batch that is found on it.
_POINTS_MIN: Final = 4
_POINTS_PER_OCTAVE: Final = 2
_GRID_START: Final = 0.1
_IDLE_BATCH: Final = 1e-2
# Mean queue of prompts that is worth telling from an endless one.
_LONGEST_QUEUE: Final = 1e3
LARGEST_BATCH: Final = 8192.0
_HALF: Final = 0.5
_TAIL: Final = 0.99


@dataclass(frozen=True, slots=True)
class Workload:
    """Requests of one kind.

    Attributes:
        isl: Prompt tokens.
        osl: Output tokens.
        prefix_hit_rate: Share of prompt tokens whose cache is already there.
    """

    isl: ArrayLike
    osl: ArrayLike
    prefix_hit_rate: float = 0.0

    @property
    def new_tokens(self) -> Array:
        """Prompt tokens that must be computed."""
        return np.maximum(np.asarray(self.isl) * (1.0 - self.prefix_hit_rate), 1.0)

    @property
    def cached_tokens(self) -> Array:
        """Prompt tokens found in the prefix cache."""
        return np.asarray(self.isl, dtype=np.float64) - self.new_tokens

    @property
    def decode_context(self) -> Array:
        """Mean context of a sequence while it decodes."""
        return np.asarray(self.isl, dtype=np.float64) + np.asarray(self.osl) / 2

    @property
    def decode_steps(self) -> Array:
        """Tokens of a request that come from decode steps; the first comes from prefill."""
        return np.maximum(np.asarray(self.osl, dtype=np.float64) - 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Serving:
    """One replica in the steady state.

    Attributes:
        ttft_s: Mean time to first token, queueing included.
        tpot_s: Mean time per output token of a request, first token left out.
        request_s: Mean time of a whole request.
        itl_p50_s: Median gap between two tokens.
        itl_p99_s: The gap that 99 of 100 do not exceed.
        requests_per_s: Requests the replica finishes.
        output_tokens_per_s: Output tokens of the replica.
        output_tokens_per_s_per_chip: The same for one of its chips.
        output_tokens_per_s_per_user: What one user sees while tokens flow: 1 / TPOT.
        users: Users of the replica, by Little's law.
        decoding: Mean number of sequences that decode.
        mixed_share: Share of steps with prompt tokens.
        ttft_low_s: Lower end of the 80 % interval of TTFT.
        ttft_high_s: Upper end.
        tpot_low_s: Lower end of the 80 % interval of TPOT.
        tpot_high_s: Upper end.
        decode_step: The plain step.
        mixed_step: The step with prompt tokens.
    """

    ttft_s: Array
    tpot_s: Array
    request_s: Array
    itl_p50_s: Array
    itl_p99_s: Array
    requests_per_s: Array
    output_tokens_per_s: Array
    output_tokens_per_s_per_chip: Array
    output_tokens_per_s_per_user: Array
    users: Array
    decoding: Array
    mixed_share: Array
    ttft_low_s: Array
    ttft_high_s: Array
    tpot_low_s: Array
    tpot_high_s: Array
    decode_step: StepTime
    mixed_step: StepTime


@dataclass(frozen=True, slots=True)
class _Point:
    """The replica at one guess of the decoding batch (of one pipeline micro-batch).

    Attributes:
        decoding: Sequences that decode.
        share: Steps with prompt tokens, as a share.
        tokens: Prompt tokens of such a step.
        plain: The step without prompt tokens.
        mixed: The step with them.
        plain_s: Time of the step without them, drafting included.
        mixed_s: Time from token to token over the step with them.
        gain: Tokens that a step gives each sequence.
    """

    decoding: Array
    share: Array
    tokens: Array
    plain: StepTime
    mixed: StepTime
    plain_s: Array
    mixed_s: Array
    gain: float

    @property
    def step_s(self) -> Array:
        """Mean time from step to step."""
        return (1.0 - self.share) * self.plain_s + self.share * self.mixed_s

    @property
    def tpot_s(self) -> Array:
        return self.step_s / self.gain

    def requests_per_s(self, work: Workload) -> Array:
        """Requests that finish: each decoding sequence does so every `decode_steps` tokens."""
        return np.asarray(self.decoding / (work.decode_steps * self.tpot_s))


def prefill_step(engine: Engine, work: Workload, sequences: ArrayLike = 1.0) -> StepTime:
    """The step, or one of the equal steps, that a prompt alone on the replica takes."""
    return engine.step(_prompts(engine, work, sequences))


def _prompts(
    engine: Engine, work: Workload, sequences: ArrayLike, decoding: Array | None = None
) -> Batch:
    """A step of prompt chunks at their mean context, beside decoding sequences if any."""
    chunk = np.minimum(work.new_tokens, engine.stack.chunk_tokens)
    return Batch(
        prefill_sequences=sequences,
        prefill_tokens=chunk,
        prefill_context=work.cached_tokens + (work.new_tokens + chunk) / 2,
        decode_sequences=decoding,
        decode_context=work.decode_context,
        decode_tokens=1.0 + engine.drafts.tokens,
    )


def _decode(engine: Engine, work: Workload, sequences: Array) -> Batch:
    return Batch(
        decode_sequences=sequences,
        decode_context=work.decode_context,
        decode_tokens=1.0 + engine.drafts.tokens,
    )


def chunks(engine: Engine, work: Workload) -> Array:
    """Steps that the prompt of one request takes."""
    return np.ceil(work.new_tokens / engine.stack.chunk_tokens)


def _at(engine: Engine, work: Workload, decoding: Array) -> _Point:
    """Plain and mixed step where `decoding` sequences decode, prompts arriving as they finish."""
    return _points([(engine, decoding)], work)[0]


def _points(wanted: Sequence[tuple[Engine, Array]], work: Workload) -> list[_Point]:
    """The same for several engines on one machine, whose kernels are priced together."""
    plans = [_plan(engine, work, decoding) for engine, decoding in wanted]
    pairs = [
        (engine, batch)
        for (engine, _), plan in zip(wanted, plans, strict=True)
        for batch in (plan.plain, plan.mixed)
    ]
    steps = step_times(pairs)
    return [
        _point(engine, plan, steps[2 * index], steps[2 * index + 1])
        for index, ((engine, _), plan) in enumerate(zip(wanted, plans, strict=True))
    ]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the steps of a point work on."""

    decoding: Array
    share: Array
    tokens: Array
    plain: Batch
    mixed: Batch


def _plan(engine: Engine, work: Workload, decoding: Array) -> _Plan:
    budget = _budget(engine)
    arrivals = decoding * engine.drafts.gain / work.decode_steps
    demand = arrivals * work.new_tokens
    # Arrivals that fall into one step share it (Poisson); long prompts need several.
    share = np.clip(np.maximum(-np.expm1(-arrivals), demand / budget), 0.0, 1.0)
    tokens = np.minimum(demand / np.maximum(share, np.finfo(float).tiny), budget)
    chunk = np.minimum(work.new_tokens, engine.stack.chunk_tokens)
    sequences = decoding * engine.layout.pp
    beside = sequences if engine.stack.mixes_prompts else None
    mixed = _prompts(engine, work, np.maximum(tokens / chunk, 1.0), beside)
    plain = _decode(engine, work, sequences)
    return _Plan(decoding, share, tokens, plain, mixed)


def _point(engine: Engine, plan: _Plan, plain: StepTime, mixed: StepTime) -> _Point:
    drafts = engine.drafts
    # A draft layer is of the make of the model's own layers, and runs once for each drafted token.
    drafting = drafts.tokens * drafts.layers / engine.model.layer_count * plain.kernel_s
    plain_s = np.asarray(plain.time_s + drafting)
    mixed_s = np.asarray(mixed.time_s + (drafting if engine.stack.mixes_prompts else plain_s))
    return _Point(
        plan.decoding, plan.share, plan.tokens, plain, mixed, plain_s, mixed_s, drafts.gain
    )


def closed_loop(
    engine: Engine,
    work: Workload,
    users: ArrayLike,
    *,
    in_step: float = 0.0,
    most_sequences: ArrayLike = np.inf,
) -> Serving:
    """A fixed number of users, each of whom sends the next request when the last is answered.

    Args:
        engine: The replica.
        work: The requests.
        users: Users of the whole replica.
        in_step: How far users stay in step: 0 where requests come at any time, 1 where all users
            send their next request together, as after a common start with equal lengths.
        most_sequences: Sequences the replica can hold; more users queue outside.

    Returns:
        The replica in the steady state.
    """
    everybody = _per_micro_batch(engine, users)
    mine = np.minimum(everybody, _per_micro_batch(engine, most_sequences))
    curve = _curve(engine, work, mine, float(np.min(mine)) * _GRID_START)
    host = engine.stack.request_s
    present = curve.decoding + curve.requests_per_s(work) * (_wait(engine, work, curve) + host)
    decoding = _invert(present, curve.decoding, mine)
    point = _at(engine, work, np.minimum(decoding, _most(engine, work)))
    tpot = point.tpot_s
    # Whoever does not decode waits (Little's law); more than the usual wait where prompts pile up.
    absent = mine / point.requests_per_s(work) - work.decode_steps * tpot
    ttft = np.maximum(_wait(engine, work, point) + host, absent)
    if in_step > 0.0:
        row, beat = _together(engine, work, mine)
        ttft = (1.0 - in_step) * ttft + in_step * (row + host)
        tpot = (1.0 - in_step) * tpot + in_step * beat
    per_s = mine / (ttft + work.decode_steps * tpot)
    outside = (everybody - mine) / per_s
    return _serving(engine, work, point, per_s=per_s, ttft=ttft + outside, tpot=tpot)


def _together(engine: Engine, work: Workload, users: Array) -> tuple[Array, Array]:
    """Mean TTFT and TPOT of users who all send their requests at the same moment.

    Prompts go through in full steps; the middle of the row waits for half of them. Whoever is
    through waits for the others, or decodes beside them, before all decode together.
    """
    chunk = np.minimum(work.new_tokens, engine.stack.chunk_tokens)
    at_once = np.minimum(_budget(engine) / chunk, users)
    beside = users * engine.layout.pp * _HALF if engine.stack.mixes_prompts else None
    decode = _decode(engine, work, users * engine.layout.pp)
    full, plain = step_times([(engine, _prompts(engine, work, at_once, beside)), (engine, decode)])
    drafting = engine.drafts.tokens * engine.drafts.layers / engine.model.layer_count
    beat = (plain.time_s + drafting * plain.kernel_s) / engine.drafts.gain
    steps = np.maximum(users * work.new_tokens / (at_once * chunk), chunks(engine, work))
    row = (steps + chunks(engine, work)) * _HALF * full.time_s
    others = (steps - chunks(engine, work)) * _HALF * full.time_s
    return np.asarray(row), np.asarray(beat + others / work.decode_steps)


def open_loop(engine: Engine, work: Workload, requests_per_s: ArrayLike) -> Serving:
    """Requests that arrive at a rate, whatever the replica does (Poisson).

    Args:
        engine: The replica.
        work: The requests.
        requests_per_s: Arrival rate of the whole replica.

    Returns:
        The steady state; infinite TTFT where the replica cannot keep up.
    """
    rate = np.asarray(requests_per_s, dtype=np.float64) / engine.layout.pp
    most = np.minimum(_most(engine, work), LARGEST_BATCH)
    curve = _curve(engine, work, most, _IDLE_BATCH)
    decoding = _invert(curve.requests_per_s(work), curve.decoding, rate)
    point = _at(engine, work, np.minimum(decoding, most))
    reached = point.requests_per_s(work)
    keeps_up = reached >= rate * _TAIL
    wait = np.where(keeps_up, _wait(engine, work, point) + engine.stack.request_s, np.inf)
    per_s = np.minimum(reached, rate)
    return _serving(engine, work, point, per_s=per_s, ttft=wait, tpot=point.tpot_s)


def curves(engines: Sequence[Engine], work: Workload, largest: Sequence[float]) -> list[Serving]:
    """Replicas from one decoding sequence to so many, without asking for a number of users.

    The kernels of all replicas are priced together, which is what makes a search cheap.

    Args:
        engines: Replicas on one machine, in different layouts.
        work: Requests of one kind.
        largest: Most decoding sequences of each replica.

    Returns:
        One state a replica, over a grid of batches; `users` follows from each.
    """
    grids = [
        np.minimum(_grid(float(_per_micro_batch(e, most)), 1.0), _most(e, work))
        for e, most in zip(engines, largest, strict=True)
    ]
    points = _points(list(zip(engines, grids, strict=True)), work)
    return [
        _serving(
            engine,
            work,
            point,
            per_s=point.requests_per_s(work),
            ttft=_wait(engine, work, point) + engine.stack.request_s,
            tpot=point.tpot_s,
        )
        for engine, point in zip(engines, points, strict=True)
    ]


def throughput(engines: Sequence[Engine], work: Workload, users: ArrayLike) -> list[Array]:
    """Output tokens per second of replicas with so many users, in one look.

    Good enough to rank layouts: the batch is taken as all users, and their wait is subtracted.

    Args:
        engines: Replicas on one machine, in different layouts.
        work: The requests.
        users: Users of each replica.
    """
    mine = [np.minimum(_per_micro_batch(e, users), _most(e, work)) for e in engines]
    points = _points(list(zip(engines, mine, strict=True)), work)
    return [
        np.asarray(
            point.decoding
            * np.asarray(work.osl)
            / (work.decode_steps * point.tpot_s + _wait(engine, work, point))
            * engine.layout.pp
        )
        for engine, point in zip(engines, points, strict=True)
    ]


def _per_micro_batch(engine: Engine, users: ArrayLike) -> Array:
    """Users of one pipeline micro-batch, each of which is an engine of its own."""
    count = np.asarray(users, dtype=np.float64)
    return np.maximum(count / engine.layout.pp, np.minimum(count, 1.0))


def _budget(engine: Engine) -> float:
    """Prompt tokens that one step takes at most, over all data-parallel groups."""
    return float(engine.stack.chunk_tokens * engine.layout.dp)


def _most(engine: Engine, work: Workload) -> Array:
    """The decoding batch at which finished requests make room for as many prompts as fit."""
    return np.asarray(_budget(engine) * work.decode_steps / work.new_tokens / engine.drafts.gain)


def _curve(engine: Engine, work: Workload, largest: Array, smallest: float) -> _Point:
    """Steps over a grid of decoding batches, on a new first axis."""
    top = np.minimum(largest, _most(engine, work))
    grid = _grid(float(np.max(top)), smallest).reshape((-1,) + (1,) * np.ndim(top))
    return _at(engine, work, np.minimum(grid, _most(engine, work)))


def _grid(high: float, low: float) -> Array:
    """Batches from the smallest to the largest, evenly by octave."""
    low = min(low, high / 2.0)
    points = _POINTS_MIN + int(_POINTS_PER_OCTAVE * np.log2(high / low))
    return np.geomspace(low, high, points)


def _invert(values: Array, grid: Array, wanted: Array) -> Array:
    """The grid value at which an increasing function of it takes the value wanted.

    Linear between logarithms; the ends stand for what lies beyond them.

    Args:
        values: The function on the grid, which runs along the first axis.
        grid: The grid.
        wanted: What to look for, in the shape of the other axes.
    """
    shape = np.broadcast_shapes(values.shape[1:], grid.shape[1:], wanted.shape)
    y = np.log(np.maximum.accumulate(np.broadcast_to(values, (len(values), *shape)), axis=0))
    x = np.log(np.broadcast_to(grid, (len(values), *shape)))
    target = np.log(np.broadcast_to(wanted, shape))
    upper = np.clip((y < target).sum(axis=0), 1, len(values) - 1)[np.newaxis]
    y0, y1 = (np.take_along_axis(y, index, axis=0)[0] for index in (upper - 1, upper))
    x0, x1 = (np.take_along_axis(x, index, axis=0)[0] for index in (upper - 1, upper))
    rise = np.maximum(y1 - y0, np.finfo(float).eps)
    return np.asarray(np.exp(x0 + (x1 - x0) * np.clip((target - y0) / rise, 0.0, 1.0)))


def _wait(engine: Engine, work: Workload, point: _Point) -> Array:
    """Mean time from arrival to first token, without the host's part.

    Half a running step and half the steps between two looks at the queue, the queue of prompts
    (Pollaczek-Khinchine with equal services, at the share of the prompt budget in use, and at most
    half the other users), its own chunks.
    """
    own = chunks(engine, work) * point.mixed.time_s
    use = point.tokens * point.share / _budget(engine)
    queue = np.where(use < 1.0, use / (2.0 * np.maximum(1.0 - use, 1.0 / _LONGEST_QUEUE)), 0.0)
    service = own * np.minimum(work.new_tokens / engine.stack.chunk_tokens, 1.0)
    look = _HALF * np.maximum(engine.stack.poll_steps, 1.0) * point.step_s
    return np.asarray(look + own + np.minimum(queue, point.decoding / 2) * service)


def _serving(
    engine: Engine, work: Workload, point: _Point, *, per_s: Array, ttft: Array, tpot: Array
) -> Serving:
    osl = np.asarray(work.osl, dtype=np.float64)
    per_s = per_s * engine.layout.pp
    plain, mixed, share = point.plain, point.mixed, point.share
    whole = (1.0 - share) * plain.time_s + share * mixed.time_s
    low = ((1.0 - share) * plain.low_s + share * mixed.low_s) / whole
    high = ((1.0 - share) * plain.high_s + share * mixed.high_s) / whole
    rate = per_s * osl
    return Serving(
        ttft_s=ttft,
        tpot_s=tpot,
        request_s=ttft + work.decode_steps * tpot,
        itl_p50_s=np.where(share > _HALF, point.mixed_s, point.plain_s),
        itl_p99_s=np.where(share > 1.0 - _TAIL, point.mixed_s, point.plain_s),
        requests_per_s=per_s,
        output_tokens_per_s=rate,
        output_tokens_per_s_per_chip=rate / engine.layout.chips,
        output_tokens_per_s_per_user=1.0 / tpot,
        users=per_s * (ttft + work.decode_steps * tpot),
        decoding=point.decoding * engine.layout.pp,
        mixed_share=share,
        ttft_low_s=ttft * mixed.low_s / mixed.time_s,
        ttft_high_s=ttft * mixed.high_s / mixed.time_s,
        tpot_low_s=tpot * low,
        tpot_high_s=tpot * high,
        decode_step=plain,
        mixed_step=mixed,
    )
