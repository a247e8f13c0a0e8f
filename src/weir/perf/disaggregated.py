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
from weir.perf.step import INTERVAL_DEVIATIONS, Engine, step_times

Array = NDArray[np.float64]

# Prefill workers are never quite busy, or their queue would have no end.
_BUSIEST: Final = 0.95
_GRID_START: Final = 0.02
_GRID_POINTS: Final = 64


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
    queue = load / (2.0 * (1.0 - load)) * service
    transfer = transfer_s(engine, work)
    return PrefillPool(
        engine=engine,
        requests_per_s=np.asarray(load / service),
        ttft_s=np.asarray(queue + prompt + transfer + engine.stack.request_s),
        transfer_s=transfer,
    )


def _services(engine: Engine, work: Workload) -> tuple[Array, Array]:
    """Time of a prompt alone, and time a prompt takes of a worker that is never idle.

    Every data-parallel group works on prompts of its own; so does every stage. Where prompts wait,
    a step takes as many as its budget allows.
    """
    groups = float(engine.layout.dp)
    alone = prefill_step(engine, work, groups).time_s * chunks(engine, work)
    together = np.maximum(np.floor(engine.stack.chunk_tokens / work.new_tokens), 1.0)
    full = prefill_step(engine, work, groups * together).time_s * chunks(engine, work)
    return np.asarray(alone), np.asarray(full / (together * groups * engine.layout.pp))


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
) -> PooledState:
    """A fixed number of users over prefill and decode workers.

    Decode workers take what prefill workers let through; where those are the bottleneck, users
    queue before them (Little's law).

    Args:
        prefill: A prefill worker.
        prefill_workers: How many.
        decode: A decode worker.
        decode_workers: How many.
        work: Requests of one kind, or arrays of them.
        users: Users of all workers together.
        in_step: How far users send their requests together.
    """
    everybody = np.asarray(users, dtype=np.float64)
    prompt = prefill_step(prefill, work, float(prefill.layout.dp))
    own, service = _services(prefill, work)
    capacity = _BUSIEST * prefill_workers / service
    fixed = own + transfer_s(prefill, work) + prefill.stack.request_s
    lowest = max(float(np.min(everybody)) * _GRID_START, 1.0 / decode_workers)
    grid = np.geomspace(lowest / decode_workers, float(np.max(everybody)), _GRID_POINTS)
    batch = grid.reshape((-1,) + (1,) * everybody.ndim) + np.zeros_like(everybody)
    pool = decode_pools([decode], work, [batch])[0]
    wanted = decode_workers * pool.requests_per_s
    rate = np.minimum(wanted, capacity)
    use = rate / capacity * _BUSIEST
    queue = use / (2.0 * (1.0 - use)) * service
    present = rate * (work.decode_steps * pool.tpot_s + fixed + queue)
    # A batch beyond what prefill feeds never comes about: its users wait before it.
    distance = np.where(wanted > capacity, np.inf, np.abs(np.log(present / everybody)))
    where = np.argmin(distance, axis=0)[np.newaxis]

    def at(values: Array) -> Array:
        full = np.broadcast_to(values, batch.shape)
        return np.asarray(np.take_along_axis(full, where, axis=0)[0])

    tpot, reached = at(pool.tpot_s), at(rate)
    steady = np.maximum(fixed + at(queue), everybody / reached - work.decode_steps * tpot)
    row = everybody / prefill_workers * service / 2.0 + fixed
    ttft = (1.0 - in_step) * steady + in_step * np.maximum(row, steady)
    spread = INTERVAL_DEVIATIONS * prefill.stack.queue_log_sd
    up = np.hypot(np.log(prompt.high_s / prompt.time_s), spread)
    down = np.hypot(np.log(prompt.time_s / prompt.low_s), spread)
    wide = at(pool.tpot_high_s) / tpot
    return PooledState(
        ttft, tpot, ttft * np.exp(-down), ttft * np.exp(up), tpot / wide, tpot * wide
    )


def matched_prefill_replicas(
    decode_requests_per_s: ArrayLike, prefill_requests_per_s: ArrayLike
) -> Array:
    """Prefill replicas, or a fraction of one, that feed one decode replica."""
    return np.asarray(np.divide(decode_requests_per_s, prefill_requests_per_s), dtype=np.float64)
