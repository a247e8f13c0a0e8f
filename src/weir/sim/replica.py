"""One worker of a deployment: its waiting line, its batch, its cache, and step after step.

The state is what a step needs and no more: sums over the decoding sequences instead of the
sequences themselves, so that a step costs the same whatever the batch. A run of pure decode steps
between two things that happen is planned, and carried out, in one go; if something is delivered in
the middle it is cut at the step that is then under way. What comes out is bit for bit what steps
one by one give, because all times are added in the same order.
"""

import math
from array import array
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

import numpy as np

from weir.sim.cache import BlockCache
from weir.sim.log import Log, ResumedToken, Stretch
from weir.sim.scheduler import Limits, Policy, Role, Sequence
from weir.sim.steps import DecodeRuns, StepTimes

# Longer runs are cut: most are cut by an arrival anyway, and planning them would be wasted.
LONGEST_RUN: Final = 256


@dataclass(slots=True)
class Run:
    """Steps under way.

    Attributes:
        ends_s: When each step ends.
        decoding: Sequences that get a token in each; 0 for a step of prompts only.
        chunks: Prompt tokens of the one step, where it has any.
    """

    ends_s: list[float]
    decoding: int
    chunks: tuple[tuple[Sequence, int], ...]


@dataclass(frozen=True, slots=True)
class WorkerStats:
    """What a worker did.

    Attributes:
        role: What it was for.
        decode_steps: Steps that gave tokens to decoding sequences, mixed ones included.
        mixed_steps: Those of them that had prompt tokens too.
        prefill_steps: Steps with prompt tokens only.
        decode_tokens: Tokens of decode steps.
        prefill_tokens: Prompt tokens computed, recomputed ones included.
        preemptions: Sequences whose cache was dropped for want of blocks.
        peak_blocks: Most cache blocks in use at once.
        cache_blocks: Blocks there are.
        idle_s: Time without a step between the first step and the last.
        last_s: End of its last step; NaN if it had none.
    """

    role: Role
    decode_steps: int
    mixed_steps: int
    prefill_steps: int
    decode_tokens: int
    prefill_tokens: int
    preemptions: int
    peak_blocks: int
    cache_blocks: int
    idle_s: float
    last_s: float


class Worker:
    """One copy of the model, or one side of a disaggregated one.

    Args:
        index: Its number in the deployment.
        role: What it is for.
        steps: Step times.
        limits: Batch, tokens and cache.
        policy: What to do next.
        log: Where times are written down.
        jump: Take runs of decode steps in one go where the step times allow it.
    """

    def __init__(
        self,
        index: int,
        role: Role,
        steps: StepTimes,
        limits: Limits,
        policy: Policy,
        log: Log,
        *,
        jump: bool = True,
    ) -> None:
        self.index = index
        self.role = role
        self.steps = steps
        self.limits = limits
        self.policy = policy
        self.log = log
        self.runs = steps if jump and isinstance(steps, DecodeRuns) else None
        self.cache = BlockCache(limits.cache_blocks, limits.block_tokens)
        self.waiting: deque[Sequence] = deque()
        self.running: dict[int, Sequence] = {}
        self.prefilling: dict[int, Sequence] = {}
        self.decoding = 0
        self.tick = 0
        self.tick_end_s = array("d")
        self.run: Run | None = None
        self.version = 0
        self.plan_pending = False
        self._context = 0
        self._finish: list[tuple[int, int]] = []
        self._counts = dict.fromkeys(("mixed", "prefill_steps", "prefill", "decode", "preempt"), 0)
        self._idle_s = 0.0
        self._last_s = math.nan

    @property
    def load(self) -> int:
        """Requests it has not answered."""
        return len(self.waiting) + len(self.running)

    @property
    def admitted(self) -> int:
        """See `View`."""
        return len(self.running)

    @property
    def room_blocks(self) -> int:
        """See `View`."""
        return self.cache.free - self.cache.blocks_at(self.tick)

    def blocks_to_admit(self, sequence: Sequence) -> int:
        """See `View`; with room for the first token of a decode step where one follows here."""
        grows = self.role is not Role.PREFILL and sequence.decodes > 0
        return self.cache.blocks_of(sequence.target + grows)

    def begin(self, now_s: float) -> float | None:
        """Plans what comes next.

        Returns:
            When it ends; None where there is nothing to do.
        """
        self.plan_pending = False
        self._make_room()
        plan = self.policy(self, self.limits)
        for _ in range(plan.admit):
            self._admit(self.waiting.popleft(), now_s)
        chunks = tuple(chunk for chunk in plan.chunks if chunk[1])
        decoding = self.decoding if plan.decode else 0
        if chunks:
            ends = [now_s + self._step_s(chunks, decoding)]
        elif decoding:
            ends = self._decode_run(now_s, decoding)
        else:
            return None
        if not math.isnan(self._last_s):
            self._idle_s += now_s - self._last_s
        self.run = Run(ends, decoding, chunks)
        return ends[-1]

    def cut(self, now_s: float) -> float | None:
        """Ends the run under way with the step that is on at `now_s`.

        Returns:
            When that step ends, if the run gets shorter; None if not.
        """
        run = self.run
        if run is None:
            return None
        step = bisect_left(run.ends_s, now_s)
        if step + 1 >= len(run.ends_s):
            return None
        del run.ends_s[step + 1 :]
        self.version += 1
        return run.ends_s[-1]

    def commit(self, now_s: float) -> tuple[list[Sequence], list[Sequence]]:
        """Carries out the run that ends now.

        Returns:
            Sequences that are finished, and those whose prefill is done for another worker.
        """
        run = self.run
        if run is None:
            return [], []
        self.run = None
        finished: list[Sequence] = []
        handed: list[Sequence] = []
        if run.decoding:
            self._decoded(run, finished)
        for sequence, tokens in run.chunks:
            sequence.done += tokens
            self.log.prefilled_tokens[sequence.request] += tokens
            self._counts["prefill"] += tokens
            if sequence.done == sequence.target:
                self._prefilled(sequence, now_s, finished, handed)
        if run.chunks:
            self._counts["mixed" if run.decoding else "prefill_steps"] += 1
        self._last_s = now_s
        return finished, handed

    def release(self, tokens: int) -> None:
        """Frees the cache of a sequence that went to another worker."""
        self.cache.give(self.cache.blocks_of(tokens))

    def stats(self) -> WorkerStats:
        """What it did so far."""
        count = self._counts
        return WorkerStats(
            role=self.role,
            decode_steps=self.tick,
            mixed_steps=count["mixed"],
            prefill_steps=count["prefill_steps"],
            decode_tokens=count["decode"],
            prefill_tokens=count["prefill"],
            preemptions=count["preempt"],
            peak_blocks=self.cache.peak,
            cache_blocks=self.cache.blocks,
            idle_s=self._idle_s,
            last_s=self._last_s,
        )

    def _step_s(self, chunks: tuple[tuple[Sequence, int], ...], decoding: int) -> float:
        tokens = attended = 0
        for sequence, chunk in chunks:
            tokens += chunk
            # The j-th token of a chunk attends to what was there and to j tokens of its own.
            attended += 2 * chunk * sequence.done + chunk * (chunk + 1)
        context = (self._context + decoding) / decoding if decoding else 0.0
        return self.steps.step_s(tokens, attended / (2 * tokens), decoding, context)

    def _decode_run(self, now_s: float, decoding: int) -> list[float]:
        """Ends of decode steps until a sequence finishes or blocks run out."""
        ticks = 1
        if self.runs is not None:
            ticks = self.cache.ticks_that_fit(
                self.tick, min(self._next_finish() - self.tick, LONGEST_RUN)
            )
        if self.runs is None or ticks == 1:
            context = (self._context + decoding) / decoding
            return [now_s + self.steps.step_s(0, 0.0, decoding, context)]
        contexts = (self._context + decoding * np.arange(1, ticks + 1)) / decoding
        times = np.empty(ticks + 1)
        times[0] = now_s
        times[1:] = self.runs.decode_steps_s(decoding, contexts)
        ends: list[float] = np.add.accumulate(times)[1:].tolist()
        return ends

    def _next_finish(self) -> int:
        """The decode step before which the next sequence is finished."""
        while self._stale(*self._finish[0]):
            heappop(self._finish)
        return self._finish[0][0]

    def _stale(self, tick: int, request: int) -> bool:
        """A sequence that was preempted leaves its entry behind."""
        sequence = self.running.get(request)
        return sequence is None or sequence.finish_tick != tick

    def _make_room(self) -> None:
        """Preempts, last admitted first, until the next decode step has its blocks.

        Who is preempted last stands first in line and needs no less than it gave, which was more
        than what is left over: nobody is admitted again before a sequence finishes.
        """
        while self.cache.blocks_at(self.tick) > self.cache.free:
            self._preempt(self.running[next(reversed(self.running))])

    def _preempt(self, sequence: Sequence) -> None:
        """Drops a sequence's cache; it waits at the head of the line to be recomputed."""
        self._counts["preempt"] += 1
        self.log.preemptions[sequence.request] += 1
        if sequence.finish_tick >= 0:
            generated = self.tick - sequence.start_tick
            self._leave(sequence)
            # The tokens that came out are part of what is recomputed; its end gives the next one.
            sequence.decodes -= generated + 1
            sequence.target += generated + 1
            self.cache.give(self.cache.blocks_of(sequence.target - 1))
        else:
            del self.prefilling[sequence.request]
            self.cache.give(self.cache.blocks_of(sequence.target))
        del self.running[sequence.request]
        sequence.done = sequence.cached
        self.waiting.appendleft(sequence)

    def _admit(self, sequence: Sequence, now_s: float) -> None:
        request = sequence.request
        self.cache.take(self.cache.blocks_of(sequence.target))
        self.running[request] = sequence
        if math.isnan(self.log.scheduled_s[request]):
            self.log.scheduled_s[request] = now_s
        if sequence.to_prefill:
            self.prefilling[request] = sequence
        else:
            self._join(sequence)

    def _prefilled(
        self, sequence: Sequence, now_s: float, finished: list[Sequence], handed: list[Sequence]
    ) -> None:
        """The last prompt token is through, and an output token comes out."""
        request = sequence.request
        del self.prefilling[request]
        if math.isnan(sequence.last_token_s):
            self.log.first_token_s[request] = now_s
        else:
            gap = now_s - sequence.last_token_s
            self.log.resumed.append(ResumedToken(request, now_s, gap))
        sequence.last_token_s = now_s
        if sequence.decodes == 0:
            del self.running[request]
            self.cache.give(self.cache.blocks_of(sequence.target))
            self.log.finish_s[request] = now_s
            finished.append(sequence)
        elif self.role is Role.PREFILL:
            del self.running[request]
            handed.append(sequence)
        else:
            self._join(sequence)

    def _join(self, sequence: Sequence) -> None:
        sequence.start_tick = self.tick
        sequence.finish_tick = self.tick + sequence.decodes
        heappush(self._finish, (sequence.finish_tick, sequence.request))
        self.cache.join(sequence.target, self.tick)
        self.decoding += 1
        self._context += sequence.target

    def _leave(self, sequence: Sequence) -> None:
        """Takes a sequence out of the decoding batch and notes its stretch."""
        generated = self.tick - sequence.start_tick
        self.cache.leave(sequence.target, sequence.start_tick)
        self.decoding -= 1
        self._context -= sequence.target + generated
        if generated:
            self.log.stretches.append(
                Stretch(
                    sequence.request,
                    self.index,
                    sequence.start_tick,
                    self.tick,
                    sequence.last_token_s,
                )
            )
            sequence.last_token_s = self.tick_end_s[-1]
        sequence.finish_tick = -1

    def _decoded(self, run: Run, finished: list[Sequence]) -> None:
        """Carries out the decode steps of a run."""
        ticks = len(run.ends_s)
        self.cache.take(self.cache.blocks_of_run(self.tick, ticks))
        self.tick += ticks
        self.tick_end_s.extend(run.ends_s)
        self._context += run.decoding * ticks
        self._counts["decode"] += run.decoding * ticks
        while self._finish and self._finish[0][0] <= self.tick:
            tick, request = heappop(self._finish)
            if self._stale(tick, request):
                continue
            sequence = self.running.pop(request)
            self._leave(sequence)
            self.cache.give(self.cache.blocks_of(sequence.target + sequence.decodes))
            self.log.finish_s[request] = self.tick_end_s[-1]
            finished.append(sequence)
