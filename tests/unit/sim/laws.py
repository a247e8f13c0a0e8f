"""Step times that a test can compute by hand."""

from dataclasses import dataclass, field

import numpy as np

from weir.sim.outcome import Outcome
from weir.sim.scheduler import Limits
from weir.sim.simulation import Deployment, Link, Pool
from weir.sim.workload import Requests


@dataclass
class Linear:
    """A floor, and a cost per prompt token, per decoding sequence and per token attended to."""

    floor_s: float = 0.0
    prompt_token_s: float = 0.0
    sequence_s: float = 0.0
    attended_s: float = 0.0

    def step_s(self, prefill_tokens, prefill_context, decode_sequences, decode_context):
        decode = self.sequence_s * decode_sequences
        attended = prefill_tokens * prefill_context + decode_sequences * decode_context
        prompt = self.prompt_token_s * prefill_tokens
        return self.floor_s + prompt + decode + self.attended_s * attended


@dataclass
class LinearRuns(Linear):
    """The same, for runs of decode steps too."""

    def decode_steps_s(self, decode_sequences, decode_context):
        return self.step_s(0, 0.0, decode_sequences, decode_context)


@dataclass
class Exponential:
    """Every step takes an exponential time, whatever is in it."""

    mean_s: float
    seed: int
    _random: np.random.Generator = field(init=False)

    def __post_init__(self):
        self._random = np.random.default_rng(self.seed)

    def step_s(self, *_):
        return self._random.exponential(self.mean_s)


def limits(sequences=8, budget=64, blocks=1_000, block_tokens=4):
    return Limits(sequences, budget, blocks, block_tokens)


def requests(*rows, users=None):
    """Rows of arrival, prompt, output and, where any, cached tokens."""
    filled = [(*row, 0)[:4] for row in rows]
    arrival, prompt, output, cached = zip(*filled, strict=True)
    return Requests(
        np.array(arrival, dtype=float),
        np.array(prompt),
        np.array(output),
        np.array(cached),
        users,
    )


def one(steps, policy="chunked-prefill", workers=1, **limit):
    """A deployment; with a pool for decoding where the policy asks for one."""
    pool = Pool(steps, limits(**limit), workers)
    if policy == "disaggregated":
        return Deployment(policy, pool, pool, Link(0.0, 0.0))
    return Deployment(policy, pool)


def same_bytes(left: Outcome, right: Outcome) -> bool:
    """Whether two outcomes agree in every bit, the workers' own counts included."""
    return (
        all(a.tobytes() == b.tobytes() for a, b in zip(_arrays(left), _arrays(right), strict=True))
        and left.stretches == right.stretches
        and left.resumed == right.resumed
        and repr(left.workers) == repr(right.workers)
    )


def _arrays(outcome):
    return [*outcome.columns().values(), *outcome.tick_end_s, outcome.prefilled_tokens]
