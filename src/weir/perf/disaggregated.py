"""Prefill and decode on chips of their own: two pools, a transfer of the cache, matched rates.

A prefill replica takes prompts one after the other and hands their cache over; a decode replica
never stops for prompts. The pools are sized so that both finish the same requests per second.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.perf.batching import Workload, chunks, decode_batch, drafting_s, prefill_step
from weir.perf.memory import cache_per_sequence
from weir.perf.step import Engine, step_times

Array = NDArray[np.float64]


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
    steps = chunks(engine, work)
    # Every data-parallel group works on a prompt of its own; so does every stage.
    prompt = steps * prefill_step(engine, work, float(engine.layout.dp)).time_s
    service = prompt / (engine.layout.pp * engine.layout.dp)
    queue = load / (2.0 * (1.0 - load)) * service
    transfer = transfer_s(engine, work)
    return PrefillPool(
        engine=engine,
        requests_per_s=np.asarray(load / service),
        ttft_s=np.asarray(queue + prompt + transfer + engine.stack.request_s),
        transfer_s=transfer,
    )


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


def matched_prefill_replicas(
    decode_requests_per_s: ArrayLike, prefill_requests_per_s: ArrayLike
) -> Array:
    """Prefill replicas, or a fraction of one, that feed one decode replica."""
    return np.asarray(np.divide(decode_requests_per_s, prefill_requests_per_s), dtype=np.float64)
