"""One deployment under one workload: arrivals, workers and transfers on one calendar.

At one instant the order is: what arrives, the steps that end (by worker), then the plans of the
workers (by worker). So a plan knows everything that happened up to and at its instant.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from weir.core.errors import InputError, NothingFitsError
from weir.sim.events import Calendar, Event
from weir.sim.log import Log
from weir.sim.outcome import Outcome, gather
from weir.sim.replica import Worker
from weir.sim.scheduler import Limits, Role, Sequence, policy_named
from weir.sim.steps import StepTimes
from weir.sim.workload import Requests

_ARRIVAL: Final = 0
_TRANSFER: Final = 1
_BOUNDARY: Final = 2
_PLAN: Final = 3


@dataclass(frozen=True, slots=True)
class Pool:
    """Equal workers.

    Attributes:
        steps: Step times of one.
        limits: What one can hold and do.
        workers: How many; a request goes to the one with the fewest unanswered.
    """

    steps: StepTimes
    limits: Limits
    workers: int = 1

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise InputError(f"pool: workers must be at least 1 (got {self.workers})")


@dataclass(frozen=True, slots=True)
class Link:
    """How the cache of a prompt gets from a prefill worker to a decode worker.

    Transfers do not slow each other down; a link that is shared and busy is slower than this.

    Attributes:
        latency_s: Time of an empty transfer.
        token_s: Time that each token adds.
    """

    latency_s: float = 0.0
    token_s: float = 0.0

    def transfer_s(self, tokens: int) -> float:
        """Time of the transfer of so many tokens."""
        return self.latency_s + tokens * self.token_s


@dataclass(frozen=True, slots=True)
class Deployment:
    """What serves the requests.

    Attributes:
        policy: Name of a scheduling policy.
        pool: The workers; with a decode pool, those for prefill.
        decode_pool: Workers that only decode.
        link: Between the pools; needed with a decode pool.
        entry_s: Time between arrival and the waiting line: network, tokeniser, admission.
    """

    policy: str
    pool: Pool
    decode_pool: Pool | None = None
    link: Link | None = None
    entry_s: float = 0.0

    def __post_init__(self) -> None:
        policy_named(self.policy)
        if (self.decode_pool is None) != (self.link is None):
            raise InputError("deployment: a decode pool and a link come together")
        if (self.decode_pool is not None) != (self.policy == "disaggregated"):
            raise InputError(
                "deployment: the policy 'disaggregated' and a decode pool come together"
            )


class Simulation:
    """A run that can be stopped, pickled, and taken up again.

    Args:
        deployment: What serves.
        requests: What is asked.
        jump: Take runs of decode steps in one go where the step times allow it; the outcome is
            the same either way.

    Raises:
        NothingFitsError: No request fits in the cache of a worker.
    """

    def __init__(self, deployment: Deployment, requests: Requests, *, jump: bool = True) -> None:
        self.deployment = deployment
        self.requests = requests
        self._calendar = Calendar()
        self._log = Log(len(requests))
        # Plain integers, which cost a tenth of NumPy's scalars one at a time.
        self._prompts: list[int] = requests.prompt_tokens.tolist()
        self._outputs: list[int] = requests.output_tokens.tolist()
        self._cached: list[int] = requests.cached_tokens.tolist()
        self._times: list[float] = requests.arrival_s.tolist()
        self._next = 0
        self._workers: list[Worker] = []
        self._front = self._pool(deployment.pool, jump=jump)
        split = deployment.decode_pool
        self._back = [] if split is None else self._pool(split, jump=jump, role=Role.DECODE)
        self._too_long = self._unfit()
        self._transfers: dict[int, tuple[Worker, Sequence]] = {}
        for _ in range(1 if requests.users is None else min(requests.users, len(requests))):
            self._call(0.0)

    @property
    def now_s(self) -> float:
        """Time of the last event."""
        return self._calendar.now_s

    @property
    def done(self) -> bool:
        """Whether nothing is left to happen."""
        return not self._calendar

    def run(self, until_s: float = math.inf) -> None:
        """Goes on until nothing is left, or past the last event at or before `until_s`."""
        calendar = self._calendar
        handlers = (self._arrive, self._deliver, self._boundary, self._plan)
        while calendar and calendar.next_s <= until_s:
            event = calendar.pop()
            handlers[event.kind](event)

    def outcome(self) -> Outcome:
        """What happened so far."""
        workers = [(worker.stats(), np.array(worker.tick_end_s)) for worker in self._workers]
        return gather(self._log, self.requests, workers)

    def _pool(self, pool: Pool, *, jump: bool, role: Role | None = None) -> list[Worker]:
        split = self.deployment.decode_pool is not None
        role = role or (Role.PREFILL if split else Role.BOTH)
        policy = policy_named(self.deployment.policy)
        first = len(self._workers)
        new = [
            Worker(first + n, role, pool.steps, pool.limits, policy, self._log, jump=jump)
            for n in range(pool.workers)
        ]
        self._workers += new
        return new

    def _unfit(self) -> list[bool]:
        """Which requests no worker's cache can hold; the last token's place is never needed."""
        prompts, outputs = self.requests.prompt_tokens, self.requests.output_tokens
        whole = self._workers[-1].limits
        unfit = prompts + outputs - 1 > whole.cache_blocks * whole.block_tokens
        front = self._workers[0].limits
        unfit |= prompts > front.cache_blocks * front.block_tokens
        if np.all(unfit):
            shortest = int(np.min(prompts + outputs - 1))
            raise NothingFitsError(
                f"no request fits: the shortest needs {shortest} tokens of cache and a worker has "
                f"{whole.cache_blocks} blocks of {whole.block_tokens}; "
                "give a worker more memory, or shorten the requests"
            )
        return list(unfit.tolist())

    def _call(self, now_s: float) -> None:
        """The next request sets out, if there is one."""
        if self._next == len(self._times):
            return
        request = self._next
        self._next += 1
        time = self._times[request]
        if self.requests.users is not None:
            time += now_s
            self._times[request] = time
        self._calendar.push(time + self.deployment.entry_s, 0, _ARRIVAL, request)

    def _arrive(self, event: Event) -> None:
        request = event.subject
        self._log.arrival_s[request] = self._times[request]
        if self.requests.users is None:
            self._call(self._times[request])
        if self._too_long[request]:
            self._log.rejected[request] = 1
            self._answered(event.time_s)
            return
        sequence = Sequence(
            request=request,
            target=self._prompts[request],
            done=self._cached[request],
            cached=self._cached[request],
            decodes=self._outputs[request] - 1,
            last_token_s=math.nan,
        )
        self._enter(sequence, self._front)

    def _answered(self, now_s: float) -> None:
        """A user of a closed loop thinks, and asks again."""
        if self.requests.users is not None:
            self._call(now_s)

    def _enter(self, sequence: Sequence, pool: list[Worker]) -> None:
        worker = pool[0] if len(pool) == 1 else min(pool, key=lambda worker: worker.load)
        worker.waiting.append(sequence)
        self._wake(worker)

    def _wake(self, worker: Worker) -> None:
        """Something changed for a worker: it plans anew as soon as it can."""
        now = self._calendar.now_s
        if worker.run is not None:
            end = worker.cut(now)
            if end is not None:
                self._push_boundary(worker, end)
        elif not worker.plan_pending:
            self._push_plan(worker, now)

    def _boundary(self, event: Event) -> None:
        worker = self._workers[event.subject]
        if event.version != worker.version:
            return
        now = event.time_s
        finished, handed = worker.commit(now)
        for _ in finished:
            self._answered(now)
        for sequence in handed:
            self._hand_over(worker, sequence, now)
        if self._calendar.next_s > now:
            self._begin(worker, now)
        else:
            self._push_plan(worker, now)

    def _plan(self, event: Event) -> None:
        self._begin(self._workers[event.subject], event.time_s)

    def _begin(self, worker: Worker, now_s: float) -> None:
        end = worker.begin(now_s)
        if end is not None:
            self._push_boundary(worker, end)

    def _hand_over(self, worker: Worker, sequence: Sequence, now_s: float) -> None:
        """The cache of a prompt sets out; the prefill worker keeps its copy until it is there."""
        link = self.deployment.link
        seconds = link.transfer_s(sequence.target) if link is not None else 0.0
        self._transfers[sequence.request] = (worker, sequence)
        self._calendar.push(now_s + seconds, 0, _TRANSFER, sequence.request)

    def _deliver(self, event: Event) -> None:
        worker, sequence = self._transfers.pop(event.subject)
        worker.release(sequence.target)
        self._wake(worker)
        sequence.cached = 0
        self._enter(sequence, self._back)

    def _push_boundary(self, worker: Worker, end_s: float) -> None:
        self._calendar.push(end_s, 1 + worker.index, _BOUNDARY, worker.index, worker.version)

    def _push_plan(self, worker: Worker, now_s: float) -> None:
        worker.plan_pending = True
        priority = 1 + len(self._workers) + worker.index
        self._calendar.push(now_s, priority, _PLAN, worker.index)


def simulate(deployment: Deployment, requests: Requests) -> Outcome:
    """Serves the requests to the end.

    Raises:
        NothingFitsError: No request fits in the cache of a worker.
        InputError: The step times gave something that is not a time.
    """
    simulation = Simulation(deployment, requests)
    simulation.run()
    return simulation.outcome()
