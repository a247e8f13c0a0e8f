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

from weir.perf.batching import (
    Point,
    Workload,
    chunks,
    decode_batch,
    drafting_s,
    most_decoding,
    per_micro_batch,
    point_at,
    points,
    prefill_step,
    prompt_batch,
    prompt_budget,
    wait_s,
)
from weir.perf.step import INTERVAL_DEVIATIONS, Engine, StepTime, step_times, with_stack

__all__ = [
    "Priced",
    "Serving",
    "Workload",
    "closed_loop",
    "curves",
    "open_loop",
    "prefill_step",
    "price",
    "settle",
    "throughput",
]

Array = NDArray[np.float64]

# Steps are computed on a grid of decoding batches and once more at the batch that is found on it.
_POINTS_MIN: Final = 4
_POINTS_PER_OCTAVE: Final = 2
_GRID_START: Final = 0.1
_IDLE_BATCH: Final = 1e-2
LARGEST_BATCH: Final = 8192.0
_HALF: Final = 0.5
_TAIL: Final = 0.99


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


def closed_loop(
    engine: Engine,
    work: Workload,
    users: ArrayLike,
    *,
    in_step: float = 0.0,
    turns: int = 0,
    most_sequences: ArrayLike = np.inf,
) -> Serving:
    """A fixed number of users, each of whom sends the next request when the last is answered.

    Args:
        engine: The replica.
        work: The requests.
        users: Users of the whole replica.
        in_step: How far users stay in step: 0 where requests come at any time, 1 where all users
            send their next request together, as after a common start with equal lengths.
        turns: Requests each user sends after a common start; 0 for a steady state. The waves that
            follow the start are told by `weir.perf.waves`, the start itself by `in_step`.
        most_sequences: Sequences the replica can hold; more users queue outside.

    Returns:
        The replica in the steady state.
    """
    priced = price(engine, work, users, most_sequences=most_sequences, with_row=in_step > 0.0)
    decoding = _invert(_present(engine, work, priced), priced.curve.decoding, priced.inside)
    point = point_at(engine, work, np.minimum(decoding, most_decoding(engine, work)))
    wait = wait_s(engine, work, point, turns=turns)
    apart = _apart(engine, work, priced.inside, point.tpot_s, wait)
    ttft, tpot, per_s = _mixed(engine, work, priced, apart, in_step)
    return _serving(engine, work, point, per_s=per_s, ttft=ttft, tpot=tpot)


@dataclass(frozen=True, slots=True)
class Priced:
    """The steps of a closed loop, before any question of how they are strung together.

    Attributes:
        everybody: Users of one pipeline micro-batch.
        inside: Those whose sequences fit.
        curve: Steps over a grid of decoding batches, on a new first axis.
        row: A full step of prompts, where all users queue together; None if not asked for.
        beat: The decode step of all of them.
    """

    everybody: Array
    inside: Array
    curve: Point
    row: StepTime | None
    beat: StepTime | None


def price(
    engine: Engine,
    work: Workload,
    users: ArrayLike,
    *,
    most_sequences: ArrayLike = np.inf,
    with_row: bool = False,
) -> Priced:
    """Prices the kernels of a closed loop; see `closed_loop` for the arguments."""
    everybody = per_micro_batch(engine, users)
    inside = np.minimum(everybody, per_micro_batch(engine, most_sequences))
    curve = _curve(engine, work, inside, float(np.min(inside)) * _GRID_START)
    if not with_row:
        return Priced(everybody, inside, curve, None, None)
    beside = inside * engine.layout.pp * _HALF if engine.stack.mixes_prompts else None
    row, beat = step_times(
        [
            (engine, prompt_batch(engine, work, _at_once(engine, work, inside), beside)),
            (engine, decode_batch(engine, work, inside * engine.layout.pp)),
        ]
    )
    return Priced(everybody, inside, curve, row, beat)


def settle(
    engine: Engine, work: Workload, priced: Priced, *, in_step: float = 0.0, turns: int = 0
) -> tuple[Array, Array]:
    """TTFT and TPOT from kernels already priced, under a framework that may be another.

    What `closed_loop` computes at the solved batch is read from the curve here, so that a
    framework's parameters can be tried by the thousand.

    Args:
        engine: The replica, with the framework to try; one that takes prompts in equal chunks.
        work: The requests.
        priced: Its kernels.
        in_step: How far users stay in step.
        turns: Requests each user sends; see `closed_loop`.
    """
    curve = priced.curve.under(engine)
    priced = Priced(priced.everybody, priced.inside, curve, priced.row, priced.beat)
    present = _present(engine, work, priced)
    tpot = _invert(present, curve.tpot_s, priced.inside)
    wait = _invert(present, wait_s(engine, work, curve, turns=turns), priced.inside)
    apart = _apart(engine, work, priced.inside, tpot, wait)
    ttft, tpot, _ = _mixed(engine, work, priced, apart, in_step)
    return ttft, tpot


def _present(engine: Engine, work: Workload, priced: Priced) -> Array:
    """Users at each batch of the curve: those who decode and those who wait (Little's law)."""
    curve = priced.curve
    wait = wait_s(engine, work, curve) + engine.stack.request_s
    return np.asarray(curve.decoding + curve.requests_per_s(work) * wait)


def _apart(
    engine: Engine, work: Workload, users: Array, tpot: Array, wait: Array
) -> tuple[Array, Array]:
    """TTFT and TPOT of users who send requests at any time.

    Where prompts pile up, whoever does not decode waits, and that is more than the usual wait.
    """
    decoding = np.minimum(users, most_decoding(engine, work))
    piled = (users / decoding - 1.0) * work.decode_steps * tpot
    return np.maximum(wait + engine.stack.request_s, piled), tpot


def _mixed(
    engine: Engine,
    work: Workload,
    priced: Priced,
    apart: tuple[Array, Array],
    in_step: float,
) -> tuple[Array, Array, Array]:
    """TTFT, TPOT and requests per second between users apart and users in step."""
    ttft, tpot = apart
    if in_step > 0.0 and priced.row is not None and priced.beat is not None:
        row, beat = _together(engine, work, priced.inside, priced.row, priced.beat)
        ttft = (1.0 - in_step) * ttft + in_step * (row + engine.stack.request_s)
        tpot = (1.0 - in_step) * tpot + in_step * beat
    per_s = priced.inside / (ttft + work.decode_steps * tpot)
    return ttft + (priced.everybody - priced.inside) / per_s, tpot, per_s


def _at_once(engine: Engine, work: Workload, users: Array) -> Array:
    """Prompts of a full step."""
    chunk = np.minimum(work.new_tokens, engine.stack.chunk_tokens)
    return np.asarray(np.minimum(prompt_budget(engine) / chunk, users))


def _together(
    engine: Engine, work: Workload, users: Array, row: StepTime, beat: StepTime
) -> tuple[Array, Array]:
    """Mean TTFT and TPOT of users who all send their requests at the same moment.

    Prompts go through in full steps; the middle of the row waits for half of them. Whoever is
    through waits for the others, or decodes beside them, before all decode together.
    """
    full, plain = with_stack(row, engine), with_stack(beat, engine)
    chunk = np.minimum(work.new_tokens, engine.stack.chunk_tokens)
    own = chunks(engine, work)
    steps = np.maximum(users * work.new_tokens / (_at_once(engine, work, users) * chunk), own)
    through = (steps + own) * _HALF * full.time_s
    others = (steps - own) * _HALF * full.time_s
    each = (plain.time_s + drafting_s(engine, plain)) / engine.drafts.gain
    return np.asarray(through), np.asarray(each + others / work.decode_steps)


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
    most = np.minimum(most_decoding(engine, work), LARGEST_BATCH)
    curve = _curve(engine, work, most, _IDLE_BATCH)
    rates = curve.requests_per_s(work)
    decoding = _invert(rates, curve.decoding, rate)
    point = point_at(engine, work, np.minimum(decoding, most))
    # Against the curve, not against the point found on it: between grid points steps are stairs, so
    # that the point may miss the rate by a little however much room there is.
    highest = np.max(rates, axis=0)
    wait = wait_s(engine, work, point) + engine.stack.request_s
    wait = np.where(rate <= highest, wait, np.inf)
    per_s = np.minimum(highest, rate)
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
        np.minimum(_grid(float(per_micro_batch(e, most)), 1.0), most_decoding(e, work))
        for e, most in zip(engines, largest, strict=True)
    ]
    found = points(list(zip(engines, grids, strict=True)), work)
    return [
        _serving(
            engine,
            work,
            point,
            per_s=point.requests_per_s(work),
            ttft=wait_s(engine, work, point) + engine.stack.request_s,
            tpot=point.tpot_s,
        )
        for engine, point in zip(engines, found, strict=True)
    ]


def throughput(engines: Sequence[Engine], work: Workload, users: ArrayLike) -> list[Array]:
    """Output tokens per second of replicas with so many users, in one look.

    Good enough to rank layouts: the batch is taken as all users, and their wait is subtracted.

    Args:
        engines: Replicas on one machine, in different layouts.
        work: The requests.
        users: Users of each replica.
    """
    mine = [np.minimum(per_micro_batch(e, users), most_decoding(e, work)) for e in engines]
    found = points(list(zip(engines, mine, strict=True)), work)
    return [
        np.asarray(
            point.decoding
            * np.asarray(work.osl)
            / (work.decode_steps * point.tpot_s + wait_s(engine, work, point))
            * engine.layout.pp
        )
        for engine, point in zip(engines, found, strict=True)
    ]


def _curve(engine: Engine, work: Workload, largest: Array, smallest: float) -> Point:
    """Steps over a grid of decoding batches, on a new first axis."""
    top = np.minimum(largest, most_decoding(engine, work))
    grid = _grid(float(np.max(top)), smallest).reshape((-1,) + (1,) * np.ndim(top))
    return point_at(engine, work, np.minimum(grid, most_decoding(engine, work)))


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


def _serving(
    engine: Engine, work: Workload, point: Point, *, per_s: Array, ttft: Array, tpot: Array
) -> Serving:
    osl = np.asarray(work.osl, dtype=np.float64)
    per_s = per_s * engine.layout.pp
    plain, mixed, share = point.plain, point.mixed, point.share
    queue = INTERVAL_DEVIATIONS * engine.stack.queue_log_sd
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
        ttft_low_s=ttft * np.exp(-np.hypot(np.log(mixed.time_s / mixed.low_s), queue)),
        ttft_high_s=ttft * np.exp(np.hypot(np.log(mixed.high_s / mixed.time_s), queue)),
        tpot_low_s=tpot * low,
        tpot_high_s=tpot * high,
        decode_step=plain,
        mixed_step=mixed,
    )
