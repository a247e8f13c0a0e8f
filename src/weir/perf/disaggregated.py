"""Prefill and decode on chips of their own: two pools, a transfer of the cache, matched rates.

A prefill replica takes prompts one after the other and hands their cache over; a decode replica
never stops for prompts. The pools are sized so that both finish the same requests per second.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.perf.batching import Workload, chunks, decode_batch, drafting_s, prefill_step
from weir.perf.memory import cache_per_sequence
from weir.perf.step import INTERVAL_DEVIATIONS, Engine, StepTime, step_times
from weir.perf.waves import line, steady_line

Array = NDArray[np.float64]

# Prefill workers are never quite busy, or their queue would have no end.
_BUSIEST: Final = 0.999
_GRID_START: Final = 0.02
_GRID_POINTS: Final = 24
# Halvings of the batch that is looked for, in logarithms: far below the spread of any measurement.
_HALVINGS: Final = 40
_HALF: Final = 0.5
# Decode steps before the first token: half of the one that runs, and the first of its own.
_TO_FIRST_TOKEN: Final = 1.5


@dataclass(frozen=True, slots=True)
class PrefillPool:
    """A prefill replica.

    Attributes:
        engine: The replica.
        requests_per_s: Prompts it takes through at its load.
        ttft_s: Mean time to first token: queue, prompt, transfer, host.
        transfer_s: Time to hand the cache over.
    """

    engine: Engine
    requests_per_s: Array
    ttft_s: Array
    transfer_s: Array


@dataclass(frozen=True, slots=True)
class DecodePool:
    """A decode replica over batches.

    Attributes:
        engine: The replica.
        sequences: Sequences that decode.
        requests_per_s: Requests it finishes.
        tpot_s: Mean time per output token.
        tpot_high_s: Upper end of its 80 % interval.
    """

    engine: Engine
    sequences: Array
    requests_per_s: Array
    tpot_s: Array
    tpot_high_s: Array


def prefill_pool(engine: Engine, work: Workload, *, load: float) -> PrefillPool:
    """A prefill replica that is busy for a share of the time.

    Args:
        engine: The replica.
        work: Requests of one kind.
        load: Share of time it works, below 1; the rest keeps the queue short (M/D/1).
    """
    prompt, service = _services(engine, work)
    own = prompt.time_s * chunks(engine, work)
    queue = steady_line(load) * service
    transfer = transfer_s(engine, work)
    return PrefillPool(
        engine=engine,
        requests_per_s=np.asarray(load / service),
        ttft_s=np.asarray(queue + own + transfer + engine.stack.request_s),
        transfer_s=transfer,
    )


def _services(engine: Engine, work: Workload) -> tuple[StepTime, Array]:
    """A step of a prompt alone, and the time a prompt takes of a worker that is never idle.

    Every data-parallel group works on prompts of its own; so does every stage. Where prompts wait,
    a step takes as many as its budget allows.
    """
    groups = float(engine.layout.dp)
    alone = prefill_step(engine, work, groups)
    together = np.maximum(np.floor(engine.stack.chunk_tokens / work.new_tokens), 1.0)
    full = prefill_step(engine, work, groups * together).time_s * chunks(engine, work)
    return alone, np.asarray(full / (together * groups * engine.layout.pp))


def transfer_s(engine: Engine, work: Workload) -> Array:
    """Time to hand the cache of one prompt over the network, every chip sending its share."""
    held = cache_per_sequence(engine.model, engine.layout, engine.precision, work.isl)
    rate = np.asarray(engine.machine.scale_out_bytes_per_s_per_direction, dtype=np.float64)
    return np.asarray(held / rate)


def decode_pools(engines: list[Engine], work: Workload, batches: list[Array]) -> list[DecodePool]:
    """Decode replicas over batches, priced together.

    Args:
        engines: Replicas on one machine.
        work: Requests of one kind.
        batches: Decoding sequences of each replica.
    """
    wanted = [
        (engine, decode_batch(engine, work, batch))
        for engine, batch in zip(engines, batches, strict=True)
    ]
    found = []
    for (engine, _), batch, step in zip(wanted, batches, step_times(wanted), strict=True):
        tpot = (step.time_s + drafting_s(engine, step)) / engine.drafts.gain
        found.append(
            DecodePool(
                engine=engine,
                sequences=batch,
                requests_per_s=np.asarray(batch / (work.decode_steps * tpot)),
                tpot_s=np.asarray(tpot),
                tpot_high_s=np.asarray(tpot * step.high_s / step.time_s),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class PooledState:
    """A closed loop over two pools.

    Attributes:
        ttft_s: Mean time to first token.
        tpot_s: Mean time per output token.
        ttft_low_s: Lower end of the 80 % interval of TTFT.
        ttft_high_s: Upper end.
        tpot_low_s: Lower end of the 80 % interval of TPOT.
        tpot_high_s: Upper end.
    """

    ttft_s: Array
    tpot_s: Array
    ttft_low_s: Array
    ttft_high_s: Array
    tpot_low_s: Array
    tpot_high_s: Array


def closed_loop_pools(
    prefill: Engine,
    prefill_workers: int,
    decode: Engine,
    decode_workers: int,
    work: Workload,
    users: ArrayLike,
    *,
    in_step: float = 0.0,
    turns: int = 0,
    most_sequences: ArrayLike = np.inf,
) -> PooledState:
    """A fixed number of users over prefill and decode workers.

    Decode workers take what prefill workers let through, up to the sequences they have places for.
    Where prompts or places are the bottleneck, users queue before them (Little's law). The decode
    worker streams the answer: a place on it, and the rest of its running step and a step of its
    own, come before the first token.

    Args:
        prefill: A prefill worker.
        prefill_workers: How many.
        decode: A decode worker.
        decode_workers: How many.
        work: Requests of one kind, or arrays of them.
        users: Users of all workers together.
        in_step: How far users send their requests together.
        turns: Requests each user sends after a common start; 0 for a steady state.
        most_sequences: Places of one decode worker.
    """
    everybody = np.asarray(users, dtype=np.float64)
    queue = _Line.of(prefill, prefill_workers, work, everybody, turns)
    top = np.minimum(everybody / decode_workers, most_sequences)
    low = np.minimum(np.minimum(1.0, top) * _GRID_START, top)
    grid = np.geomspace(float(np.min(low)), float(np.max(top)), _GRID_POINTS)
    batch = grid.reshape((-1,) + (1,) * everybody.ndim) + np.zeros_like(everybody)
    pool = decode_pools([decode], work, [batch])[0]

    def at(values: Array, count: Array) -> Array:
        return _interpolated(grid, values, count)

    step = decode.drafts.gain * _TO_FIRST_TOKEN

    def before_s(rate: Array, tpot: Array) -> Array:
        return np.asarray(queue.wait_s(rate) + step * tpot)

    def state(count: Array) -> tuple[Array, Array, Array]:
        """TPOT, requests per second and users present where workers decode so many."""
        tpot = at(pool.tpot_s, count)
        rate = decode_workers * count / (work.decode_steps * tpot)
        fed = np.minimum(rate, _BUSIEST * queue.capacity)
        waiting = np.where(rate < queue.capacity, fed * before_s(fed, tpot), np.inf)
        return tpot, fed, decode_workers * count + waiting

    lower, upper = np.broadcast_to(low, top.shape), top
    for _ in range(_HALVINGS):
        middle = np.sqrt(lower * upper)
        fits = state(middle)[2] <= everybody
        lower, upper = np.where(fits, middle, lower), np.where(fits, upper, middle)
    tpot, rate, _ = state(lower)
    # Whoever neither decodes nor is expected in the line stands before it.
    steady = np.maximum(before_s(rate, tpot), everybody / rate - work.decode_steps * tpot)
    burst = np.maximum(queue.burst_s(everybody) + step * tpot, steady)
    ttft = (1.0 - in_step) * steady + in_step * burst
    spread = INTERVAL_DEVIATIONS * prefill.stack.pools_log_sd
    prompt = queue.prompt
    up = np.hypot(np.log(prompt.high_s / prompt.time_s), spread)
    down = np.hypot(np.log(prompt.time_s / prompt.low_s), spread)
    apart = INTERVAL_DEVIATIONS * pool.engine.stack.pools_step_log_sd
    wide = np.exp(np.hypot(np.log(at(pool.tpot_high_s, lower) / tpot), apart))
    return PooledState(
        ttft, tpot, ttft * np.exp(-down), ttft * np.exp(up), tpot / wide, tpot * wide
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """The line before prefill workers in a closed loop.

    Attributes:
        prompt: The step of a prompt alone.
        own_s: A prompt alone, all its steps.
        service_s: Time a prompt takes of a worker that is never idle.
        fixed_s: Time of a request outside the line: its prompt, transfer, host.
        workers: Prefill workers.
        users: Users of all workers together.
        work: The requests.
        turns: Requests each user sends after a common start.
    """

    prompt: StepTime
    own_s: Array
    service_s: Array
    fixed_s: Array
    workers: int
    users: Array
    work: Workload
    turns: int

    @classmethod
    def of(cls, engine: Engine, workers: int, work: Workload, users: Array, turns: int) -> "_Line":
        """The line of so many workers for so many users."""
        prompt, service = _services(engine, work)
        own = np.asarray(prompt.time_s * chunks(engine, work))
        return cls(
            prompt=prompt,
            own_s=own,
            service_s=service,
            fixed_s=own
            + transfer_s(engine, work)
            + engine.stack.request_s
            + engine.stack.handover_s,
            workers=workers,
            users=users,
            work=work,
            turns=turns,
        )

    @property
    def capacity(self) -> Array:
        """Prompts per second of workers that are never idle."""
        return np.asarray(self.workers / self.service_s)

    def wait_s(self, rate: Array) -> Array:
        """Mean time to the first token at a rate of requests.

        Half the step that runs, if one does, and the prompts in line before it (their residual part
        is that of the step). A user finds both as the other users make them (Reiser and Lavenberg,
        1980).
        """
        use = np.minimum(rate / self.capacity, _BUSIEST)
        busy = np.minimum(rate * self.own_s / self.workers, 1.0)
        waiting = line(
            use,
            self.users / self.workers,
            service_cv=self.work.isl_cv,
            answer_cv=self.work.osl_cv,
            turns=self.turns,
        )
        before = np.maximum(waiting - _HALF * use, 0.0) * self.service_s
        others = np.maximum(self.users - 1.0, 0.0) / self.users
        return np.asarray(self.fixed_s + others * (_HALF * busy * self.own_s + before))

    def burst_s(self, users: Array) -> Array:
        """Mean time to the first token of users who all start together."""
        return np.asarray(self.fixed_s + _HALF * users / self.workers * self.service_s)


def _interpolated(grid: Array, values: Array, wanted: Array) -> Array:
    """Values at points between those of a grid along the first axis, linear in logarithms."""
    place = np.log(wanted / grid[0]) / np.log(grid[1] / grid[0])
    lower = np.clip(np.floor(place), 0, len(grid) - 2).astype(np.intp)[np.newaxis]
    y = np.log(np.broadcast_to(values, (len(grid), *np.shape(wanted))))
    y0, y1 = (np.take_along_axis(y, index, axis=0)[0] for index in (lower, lower + 1))
    return np.asarray(np.exp(y0 + (y1 - y0) * (place - lower[0])))


def matched_prefill_replicas(
    decode_requests_per_s: ArrayLike, prefill_requests_per_s: ArrayLike
) -> Array:
    """Prefill replicas, or a fraction of one, that feed one decode replica."""
    return np.asarray(np.divide(decode_requests_per_s, prefill_requests_per_s), dtype=np.float64)
