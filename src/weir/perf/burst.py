"""A burst: so many equal requests at once, served until the last is answered.

Benchmarks of the most that a system gives queue some thousand requests of one length and divide
tokens by the time to the end. That is no steady state: the batch fills as prompts are computed,
requests of equal length leave in the order in which they came, the last wave may fill a part of the
room only, and the batch drains. Between two prompts or answers nothing changes, so the run is
followed from event to event.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.perf.batching import Workload, chunks, decode_batch, prompt_batch, prompt_budget
from weir.perf.operators import Batch
from weir.perf.step import Engine, StepTime, step_times

Array = NDArray[np.float64]

# Steps are computed for so many decoding batches and read between them.
_GRID_POINTS: Final = 12
_HALF: Final = 0.5


@dataclass(frozen=True, slots=True)
class Burst:
    """What came of a burst on one replica.

    Attributes:
        seconds: Time from the first prompt to the last token.
        low_s: Lower end of its 80 % interval.
        high_s: Upper end.
        output_tokens_per_s_per_chip: Output tokens over that time.
    """

    seconds: float
    low_s: float
    high_s: float
    output_tokens_per_s_per_chip: float


@dataclass(frozen=True, slots=True)
class Run:
    """One burst to follow.

    Attributes:
        work: Requests of one length.
        requests: How many are queued at the start.
        room: Sequences that the replica holds at once.
    """

    work: Workload
    requests: float
    room: float


def bursts(engine: Engine, runs: Sequence[Run]) -> list[Burst]:
    """Follows bursts on one replica; the kernels of all of them are priced together.

    Args:
        engine: The replica. A pipeline takes its micro-batches as so many equal replicas.
        runs: The bursts.
    """
    plans = [_plan(engine, run) for run in runs]
    steps = iter(step_times([(engine, batch) for _, batches in plans for batch in batches]))
    return [
        _follow(engine, run, grid, plain=next(steps), mixed=next(steps), alone=next(steps))
        for run, (grid, _) in zip(runs, plans, strict=True)
    ]


def _plan(engine: Engine, run: Run) -> tuple[Array, tuple[Batch, Batch, Batch]]:
    """A grid of decoding batches; the steps on it without and with prompts, and prompts alone."""
    stages = engine.layout.pp
    room = min(run.room, run.requests) / stages
    grid = np.geomspace(min(1.0, room * _HALF), room, _GRID_POINTS)
    at_once = _at_once(engine, run.work)
    beside = grid * stages if engine.stack.mixes_prompts else None
    return grid, (
        decode_batch(engine, run.work, grid * stages),
        prompt_batch(engine, run.work, at_once, beside),
        prompt_batch(engine, run.work, at_once),
    )


def _at_once(engine: Engine, work: Workload) -> float:
    """Prompts, or chunks of prompts, that fill a step."""
    chunk = min(float(work.new_tokens), engine.stack.chunk_tokens)
    return max(float(int(prompt_budget(engine) / chunk)), 1.0)


def _follow(
    engine: Engine, run: Run, grid: Array, *, plain: StepTime, mixed: StepTime, alone: StepTime
) -> Burst:
    stages = engine.layout.pp
    at_once, own = _at_once(engine, run.work), float(chunks(engine, run.work))
    # Frameworks that do not mix stop decoding while prompts run.
    moves = own if engine.stack.mixes_prompts else 0.0
    beside = np.broadcast_to(mixed.time_s, grid.shape)
    base = plain.time_s if engine.stack.mixes_prompts else np.zeros_like(grid)
    lasts = float(run.work.decode_steps) / engine.drafts.gain
    waiting, room = run.requests / stages, min(run.room, run.requests) / stages
    leaving: deque[tuple[float, float]] = deque()
    active = step = seconds = 0.0
    while waiting > 0.0 or leaving:
        joining = min(at_once, waiting, room - active)
        if joining > 0.0:
            share = joining / at_once
            if active > 0.0:
                idle = float(np.interp(active, grid, base))
                extra = float(np.interp(active, grid, beside)) - idle
                seconds += own * (idle + share * extra)
            else:
                seconds += own * share * float(alone.time_s)
            step += moves
            active += joining
            waiting -= joining
            leaving.append((step + lasts, joining))
        else:
            seconds += (leaving[0][0] - step) * float(np.interp(active, grid, plain.time_s))
            step = leaving[0][0]
        while leaving and leaving[0][0] <= step:
            active -= leaving.popleft()[1]
        active = max(active, 0.0)
    middle = float(plain.time_s[-1])
    low, high = float(plain.low_s[-1]) / middle, float(plain.high_s[-1]) / middle
    tokens = run.requests * float(np.asarray(run.work.osl))
    return Burst(seconds, seconds * low, seconds * high, tokens / seconds / engine.layout.chips)
