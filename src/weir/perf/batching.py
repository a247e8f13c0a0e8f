"""The steps of continuous batching: what runs beside what, and how long a request waits for it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.perf.operators import Batch
from weir.perf.step import Engine, StepTime, step_times, with_stack
from weir.perf.waves import line

Array = NDArray[np.float64]

_HALF: Final = 0.5


@dataclass(frozen=True, slots=True)
class Workload:
    """Requests by the mean and the spread of their lengths.

    Attributes:
        isl: Mean prompt tokens.
        osl: Mean output tokens.
        prefix_hit_rate: Share of prompt tokens whose cache is already there.
        isl_cv: Coefficient of variation of prompt tokens; 0 where all are equal.
        osl_cv: That of output tokens.
    """

    isl: ArrayLike
    osl: ArrayLike
    prefix_hit_rate: float = 0.0
    isl_cv: float = 0.0
    osl_cv: float = 0.0

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
        """Mean context of a sequence while it decodes.

        Who decodes at some moment is more often one with a long answer, in proportion to its
        length: half of it is osl (1 + cv^2) / 2 on average.
        """
        half = np.asarray(self.osl) / 2 * (1.0 + self.osl_cv**2)
        return np.asarray(self.isl, dtype=np.float64) + half

    @property
    def longest_tokens(self) -> float:
        """Prompt and answer of the longest of the requests, which the cache must hold."""
        return float(np.max(np.asarray(self.isl) + np.asarray(self.osl)))

    @property
    def token_prompt(self) -> Array:
        """Mean new tokens of the prompt that a prompt token belongs to: isl (1 + cv^2)."""
        return self.new_tokens * (1.0 + self.isl_cv**2)

    @property
    def decode_steps(self) -> Array:
        """Tokens of a request that come from decode steps; the first comes from prefill."""
        return np.maximum(np.asarray(self.osl, dtype=np.float64) - 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Point:
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
        """Mean time per output token of a sequence."""
        return self.step_s / self.gain

    def under(self, engine: Engine) -> "Point":
        """The same kernels under another framework."""
        plain, mixed = with_stack(self.plain, engine), with_stack(self.mixed, engine)
        plain_s, mixed_s = _beats(engine, plain, mixed)
        return replace(self, plain=plain, mixed=mixed, plain_s=plain_s, mixed_s=mixed_s)

    def requests_per_s(self, work: Workload) -> Array:
        """Requests that finish: each decoding sequence does so every `decode_steps` tokens."""
        return np.asarray(self.decoding / (work.decode_steps * self.tpot_s))


def prefill_step(engine: Engine, work: Workload, sequences: ArrayLike = 1.0) -> StepTime:
    """The step, or one of the equal steps, that a prompt alone on the replica takes."""
    return engine.step(prompt_batch(engine, work, sequences))


def prompt_batch(
    engine: Engine, work: Workload, sequences: ArrayLike, decoding: Array | None = None
) -> Batch:
    """A step of prompt chunks at their mean context, beside decoding sequences if any.

    Tokens are those of as many mean prompts; long ones among them bring more pairs of tokens.
    """
    mean = np.minimum(work.new_tokens, engine.stack.chunk_tokens)
    chunk = np.minimum(work.token_prompt, engine.stack.chunk_tokens)
    return Batch(
        prefill_sequences=np.asarray(sequences) * mean / chunk,
        prefill_tokens=chunk,
        prefill_context=work.cached_tokens + (work.token_prompt + chunk) / 2,
        decode_sequences=decoding,
        decode_context=work.decode_context,
        decode_tokens=1.0 + engine.drafts.tokens,
    )


def decode_batch(engine: Engine, work: Workload, sequences: Array) -> Batch:
    """A step of decoding sequences alone, at their mean context."""
    return Batch(
        decode_sequences=sequences,
        decode_context=work.decode_context,
        decode_tokens=1.0 + engine.drafts.tokens,
    )


def chunks(engine: Engine, work: Workload) -> Array:
    """Steps that the prompt of one request takes."""
    return np.ceil(work.new_tokens / engine.stack.chunk_tokens)


def point_at(engine: Engine, work: Workload, decoding: Array) -> Point:
    """Plain and mixed step where `decoding` sequences decode, prompts arriving as they finish."""
    return points([(engine, decoding)], work)[0]


def points(wanted: Sequence[tuple[Engine, Array]], work: Workload) -> list[Point]:
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
    budget = prompt_budget(engine)
    arrivals = decoding * engine.drafts.gain / work.decode_steps
    demand = arrivals * work.new_tokens
    # Arrivals between two receptions share a step (Poisson); long prompts need several.
    every = np.maximum(engine.stack.receive_steps, 1.0)
    share = np.clip(np.maximum(-np.expm1(-arrivals * every) / every, demand / budget), 0.0, 1.0)
    tokens = np.minimum(demand / np.maximum(share, np.finfo(float).tiny), budget)
    chunk = np.minimum(work.new_tokens, engine.stack.chunk_tokens)
    sequences = decoding * engine.layout.pp
    beside = sequences if engine.stack.mixes_prompts else None
    mixed = prompt_batch(engine, work, np.maximum(tokens / chunk, 1.0), beside)
    plain = decode_batch(engine, work, sequences)
    return _Plan(decoding, share, tokens, plain, mixed)


def _point(engine: Engine, plan: _Plan, plain: StepTime, mixed: StepTime) -> Point:
    plain_s, mixed_s = _beats(engine, plain, mixed)
    gain = engine.drafts.gain
    return Point(plan.decoding, plan.share, plan.tokens, plain, mixed, plain_s, mixed_s, gain)


def _beats(engine: Engine, plain: StepTime, mixed: StepTime) -> tuple[Array, Array]:
    """Time from token to token over a plain step, and over one with prompts."""
    drafting = drafting_s(engine, plain)
    plain_s = np.asarray(plain.time_s + drafting)
    beside = drafting if engine.stack.mixes_prompts else plain_s
    return plain_s, np.asarray(mixed.time_s + beside)


def drafting_s(engine: Engine, plain: StepTime) -> Array:
    """Time to draft the tokens of a step.

    A draft layer is of the make of the model's own layers, and runs once for each drafted token.
    """
    drafts = engine.drafts
    share = drafts.tokens * drafts.layers / engine.model.layer_count
    return np.asarray(share * plain.kernel_s)


def per_micro_batch(engine: Engine, users: ArrayLike) -> Array:
    """Users of one pipeline micro-batch, each of which is an engine of its own."""
    count = np.asarray(users, dtype=np.float64)
    return np.maximum(count / engine.layout.pp, np.minimum(count, 1.0))


def prompt_budget(engine: Engine) -> float:
    """Prompt tokens that one step takes at most, over all data-parallel groups."""
    return float(engine.stack.chunk_tokens * engine.layout.dp)


def most_decoding(engine: Engine, work: Workload) -> Array:
    """The decoding batch at which finished requests make room for as many prompts as fit."""
    return np.asarray(
        prompt_budget(engine) * work.decode_steps / work.new_tokens / engine.drafts.gain
    )


def running_s(engine: Engine, point: Point) -> Array:
    """Mean rest of the step that runs when a request arrives.

    A long step is hit more often, in proportion to its length: half of E[S^2] / E[S].
    """
    plain, mixed = point.plain_s, point.mixed.time_s
    plains = 1.0 - point.share if engine.stack.mixes_prompts else 1.0
    squares = plains * plain**2 + point.share * mixed**2
    return np.asarray(_HALF * squares / point.step_s)


def wait_s(engine: Engine, work: Workload, point: Point, *, turns: int = 0) -> Array:
    """Mean time from arrival to first token, without the host's part.

    The rest of the running step and half the steps between two looks at the queue, the line of
    prompts at the share of the prompt budget in use (see `weir.perf.waves`; at most half the other
    users), its own chunks.

    Args:
        engine: The replica.
        work: The requests.
        point: Its steps.
        turns: Requests each user sends after a common start; 0 for a steady state.
    """
    own = chunks(engine, work) * point.mixed.time_s
    use = point.tokens * point.share / prompt_budget(engine)
    users = point.decoding
    waiting = line(use, users, service_cv=work.isl_cv, answer_cv=work.osl_cv, turns=turns)
    service = own * np.minimum(work.new_tokens / engine.stack.chunk_tokens, 1.0)
    between = max(engine.stack.poll_steps, engine.stack.receive_steps, 1.0) - 1.0
    look = _HALF * between * point.step_s + running_s(engine, point)
    return np.asarray(look + own + np.minimum(waiting, users / 2) * service)
