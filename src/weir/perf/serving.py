"""The steady state of continuous batching: what users see and what chips deliver.

A replica runs steps. Each step gives every decoding sequence a token; a step that also takes
prompt tokens is mixed, and longer. A finished request makes room for the next prompt, so prompts
arrive at the rate at which sequences finish, and the mean time between two tokens of a user is the
mean over plain and mixed steps. A request waits for the step that runs when it arrives, for prompts
before it, and for its own chunks.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.perf.operators import Batch
from weir.perf.step import Engine, StepTime

Array = NDArray[np.float64]

# The fixed point of the decoding batch contracts by the share of time spent in prefill, so that
# a dozen rounds leave less than the model's own error even where prefill takes half of it.
_ROUNDS: Final = 12
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
    """The replica at one guess of the decoding batch (of one pipeline micro-batch)."""

    decoding: Array
    share: Array
    tokens: Array
    plain: StepTime
    mixed: StepTime

    @property
    def tpot_s(self) -> Array:
        return (1.0 - self.share) * self.plain.time_s + self.share * self.mixed.time_s


def prefill_step(engine: Engine, work: Workload, sequences: ArrayLike = 1.0) -> StepTime:
    """The step, or one of the equal steps, that a prompt alone on the replica takes."""
    chunk = np.minimum(work.new_tokens, engine.stack.chunk_tokens)
    context = work.cached_tokens + (work.new_tokens + chunk) / 2
    return engine.step(
        Batch(prefill_sequences=sequences, prefill_tokens=chunk, prefill_context=context)
    )


def chunks(engine: Engine, work: Workload) -> Array:
    """Steps that the prompt of one request takes."""
    return np.ceil(work.new_tokens / engine.stack.chunk_tokens)


def _at(engine: Engine, work: Workload, decoding: Array) -> _Point:
    """Plain and mixed step where `decoding` sequences decode, prompts arriving as they finish."""
    layout, budget = engine.layout, engine.stack.chunk_tokens * engine.layout.dp
    arrivals = decoding / work.decode_steps
    demand = arrivals * work.new_tokens
    # Arrivals that fall into one step share it (Poisson); long prompts need several.
    share = np.clip(np.maximum(-np.expm1(-arrivals), demand / budget), 0.0, 1.0)
    tokens = np.minimum(demand / np.maximum(share, np.finfo(float).tiny), budget)
    chunk = np.minimum(work.new_tokens, engine.stack.chunk_tokens)
    context = work.cached_tokens + (work.new_tokens + chunk) / 2
    sequences = decoding * layout.pp
    mixed = Batch(
        prefill_sequences=np.maximum(tokens / chunk, 1.0),
        prefill_tokens=chunk,
        prefill_context=context,
        decode_sequences=sequences,
        decode_context=work.decode_context,
    )
    plain = Batch(decode_sequences=sequences, decode_context=work.decode_context)
    return _Point(decoding, share, tokens, engine.step(plain), engine.step(mixed))


def closed_loop(
    engine: Engine, work: Workload, users: ArrayLike, *, rounds: ArrayLike = np.inf
) -> Serving:
    """A fixed number of users, each of whom sends the next request when the last is answered.

    Args:
        engine: The replica.
        work: The requests.
        users: Users of the whole replica.
        rounds: Requests of each user in a measurement that starts with all users at once; the
            first of them queue behind each other. Infinity for the steady state.

    Returns:
        The replica in the steady state, averaged over the rounds.
    """
    pp = engine.layout.pp
    mine = np.maximum(np.asarray(users, dtype=np.float64) / pp, np.minimum(users, 1.0))
    decoding = mine
    budget = engine.stack.chunk_tokens * engine.layout.dp
    most = budget * work.decode_steps / work.new_tokens
    point = _at(engine, work, np.minimum(decoding, most))
    for _ in range(_ROUNDS):
        wait = _wait(engine, work, point)
        steps = work.decode_steps * point.tpot_s
        decoding = np.minimum(mine * steps / (steps + wait), most)
        decoding = np.maximum(decoding, np.minimum(mine, _HALF))
        point = _at(engine, work, decoding)
    per_s = point.decoding / (work.decode_steps * point.tpot_s)
    ttft = np.maximum(_wait(engine, work, point), mine / per_s - work.decode_steps * point.tpot_s)
    burst = _burst(engine, work, mine, point)
    first = 1.0 / np.asarray(rounds, dtype=np.float64)
    ttft = (1.0 - first) * ttft + first * np.maximum(burst, ttft) + engine.stack.request_s
    return _serving(engine, work, point, per_s * pp, ttft)


def _wait(engine: Engine, work: Workload, point: _Point) -> Array:
    """Mean time from arrival to first token, without the host's part.

    Half a running step, the queue of prompts (Pollaczek-Khinchine with equal services, at the
    share of the prompt budget in use, and at most one prompt of every other user), its own chunks.
    """
    own = chunks(engine, work) * point.mixed.time_s
    use = point.tokens * point.share / (engine.stack.chunk_tokens * engine.layout.dp)
    queue = np.where(use < 1.0, use / (2.0 * np.maximum(1.0 - use, 1.0 / _LONGEST_QUEUE)), 0.0)
    service = own * np.minimum(work.new_tokens / engine.stack.chunk_tokens, 1.0)
    return _HALF * point.tpot_s + own + np.minimum(queue, point.decoding / 2) * service


_LONGEST_QUEUE: Final = 1e3


def _burst(engine: Engine, work: Workload, users: Array, point: _Point) -> Array:
    """Mean time to first token where all users arrive at once: the middle of the row."""
    prompts = work.new_tokens * users
    steps = np.ceil(prompts / (engine.stack.chunk_tokens * engine.layout.dp))
    return np.asarray((steps + 1.0) / 2.0 * point.mixed.time_s)


def open_loop(engine: Engine, work: Workload, requests_per_s: ArrayLike) -> Serving:
    """Requests that arrive at a rate, whatever the replica does (Poisson).

    Args:
        engine: The replica.
        work: The requests.
        requests_per_s: Arrival rate of the whole replica.

    Returns:
        The steady state; infinite TTFT where the replica cannot keep up.
    """
    pp = engine.layout.pp
    rate = np.asarray(requests_per_s, dtype=np.float64) / pp
    budget = engine.stack.chunk_tokens * engine.layout.dp
    most = budget * work.decode_steps / work.new_tokens
    decoding = np.minimum(rate * 0.0 + 1.0, most)
    point = _at(engine, work, decoding)
    for _ in range(4 * _ROUNDS):
        wanted = rate * work.decode_steps * point.tpot_s
        point = _at(engine, work, np.minimum((point.decoding + wanted) / 2, most))
    reached = point.decoding / (work.decode_steps * point.tpot_s)
    keeps_up = reached >= rate * _TAIL
    ttft = np.where(keeps_up, _wait(engine, work, point), np.inf) + engine.stack.request_s
    return _serving(engine, work, point, np.minimum(reached, rate) * pp, ttft)


def _serving(engine: Engine, work: Workload, point: _Point, per_s: Array, ttft: Array) -> Serving:
    tpot, osl = point.tpot_s, np.asarray(work.osl, dtype=np.float64)
    plain, mixed, share = point.plain, point.mixed, point.share
    low = ((1.0 - share) * plain.low_s + share * mixed.low_s) / tpot
    high = ((1.0 - share) * plain.high_s + share * mixed.high_s) / tpot
    rate = per_s * osl
    return Serving(
        ttft_s=ttft,
        tpot_s=tpot,
        request_s=ttft + work.decode_steps * tpot,
        itl_p50_s=np.where(share > _HALF, mixed.time_s, plain.time_s),
        itl_p99_s=np.where(share > 1.0 - _TAIL, mixed.time_s, plain.time_s),
        requests_per_s=per_s,
        output_tokens_per_s=rate,
        output_tokens_per_s_per_chip=rate / engine.layout.chips,
        output_tokens_per_s_per_user=1.0 / tpot,
        decoding=point.decoding * engine.layout.pp,
        mixed_share=share,
        ttft_low_s=ttft * mixed.low_s / mixed.time_s,
        ttft_high_s=ttft * mixed.high_s / mixed.time_s,
        tpot_low_s=tpot * low,
        tpot_high_s=tpot * high,
        decode_step=plain,
        mixed_step=mixed,
    )
