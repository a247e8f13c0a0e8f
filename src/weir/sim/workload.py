"""What users send: when requests arrive, and how long their prompts and answers are.

Everything random is drawn before the simulation starts, from streams of their own for arrivals,
prompts and answers, so that one seed gives the same requests whatever the deployment does.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.catalog.traces import Trace
from weir.core.errors import InputError

Array = NDArray[np.float64]
Tokens = NDArray[np.int64]


class Arrivals(Protocol):
    """An open arrival process: requests come whatever the deployment does."""

    def gaps_s(self, count: int, random: np.random.Generator) -> Array:
        """Times between arrivals, the first counted from the start."""


class Lengths(Protocol):
    """A distribution of token counts, each at least 1."""

    def draw(self, count: int, random: np.random.Generator) -> Tokens:
        """So many lengths."""


def _positive(owner: str, **values: float) -> None:
    for name, value in values.items():
        if not (np.isfinite(value) and value > 0):
            raise InputError(f"{owner}: {name} must be a number above 0 (got {value})")


@dataclass(frozen=True, slots=True)
class Gamma:
    """Gamma-distributed gaps: burstier than Poisson above a coefficient of variation of 1.

    Attributes:
        requests_per_s: Mean rate.
        cv: Coefficient of variation of the gaps; 0 is a fixed beat, 1 is Poisson.
    """

    requests_per_s: float
    cv: float

    def __post_init__(self) -> None:
        _positive("arrivals", requests_per_s=self.requests_per_s)
        if not (np.isfinite(self.cv) and self.cv >= 0):
            raise InputError(f"arrivals: cv must be a number of at least 0 (got {self.cv})")

    def gaps_s(self, count: int, random: np.random.Generator) -> Array:
        """See `Arrivals`."""
        return _gamma(1.0 / self.requests_per_s, self.cv, count, random)


def poisson(requests_per_s: float) -> Gamma:
    """Independent users: exponential gaps."""
    return Gamma(requests_per_s, cv=1.0)


def deterministic(requests_per_s: float) -> Gamma:
    """A fixed beat."""
    return Gamma(requests_per_s, cv=0.0)


def _gamma(mean: float, cv: float, count: int, random: np.random.Generator) -> Array:
    if cv == 0:
        return np.full(count, mean)
    return random.gamma(cv**-2, mean * cv**2, count)


@dataclass(frozen=True, slots=True)
class ClosedLoop:
    """A fixed number of users; each sends the next request some time after an answer.

    All users send their first request at the start.

    Attributes:
        users: How many.
        think_s: Mean time between an answer and the next request.
        think_cv: Coefficient of variation of that time; 0 is always the same, 1 is exponential.
    """

    users: int
    think_s: float = 0.0
    think_cv: float = 0.0

    def __post_init__(self) -> None:
        _positive("closed loop", users=self.users)
        for name in ("think_s", "think_cv"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise InputError(
                    f"closed loop: {name} must be a number of at least 0 (got {value})"
                )


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same length."""

    tokens: int

    def __post_init__(self) -> None:
        _positive("lengths", tokens=self.tokens)

    def draw(self, count: int, random: np.random.Generator) -> Tokens:
        """See `Lengths`."""
        return np.full(count, self.tokens, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every length from `low` to `high`, both included, with equal probability."""

    low: int
    high: int

    def __post_init__(self) -> None:
        _positive("lengths", low=self.low)
        if self.high < self.low:
            raise InputError(f"lengths: high ({self.high}) must not be below low ({self.low})")

    def draw(self, count: int, random: np.random.Generator) -> Tokens:
        """See `Lengths`."""
        return random.integers(self.low, self.high, count, endpoint=True)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Lognormal lengths, rounded, and held between 1 and `most`.

    Attributes:
        mean: Mean before rounding and bounds.
        cv: Coefficient of variation, likewise.
        most: Longest; None for no bound.
    """

    mean: float
    cv: float
    most: int | None = None

    def __post_init__(self) -> None:
        _positive("lengths", mean=self.mean, cv=self.cv)
        if self.most is not None:
            _positive("lengths", most=self.most)

    def draw(self, count: int, random: np.random.Generator) -> Tokens:
        """See `Lengths`."""
        variance = np.log1p(self.cv**2)
        drawn = random.lognormal(np.log(self.mean) - variance / 2, np.sqrt(variance), count)
        return np.clip(np.rint(drawn), 1, self.most).astype(np.int64)


@dataclass(frozen=True)
class Empirical:
    """Lengths drawn from a sample, with replacement.

    Attributes:
        sample: Token counts.
    """

    sample: ArrayLike

    def __post_init__(self) -> None:
        values = np.asarray(self.sample)
        if values.ndim != 1 or not values.size or np.any(values < 1):
            raise InputError("lengths: an empirical sample needs token counts of at least 1")

    def draw(self, count: int, random: np.random.Generator) -> Tokens:
        """See `Lengths`."""
        return random.choice(np.asarray(self.sample, dtype=np.int64), count)


@dataclass(frozen=True)
class Requests:
    """Requests as columns, in order of arrival.

    Attributes:
        arrival_s: When each arrives; in a closed loop, how long its user thinks before it.
        prompt_tokens: Prompt of each.
        output_tokens: Answer of each.
        cached_tokens: Prompt tokens whose cache is already there; fewer than the prompt.
        users: Users of a closed loop; None for open arrivals.
    """

    arrival_s: Array
    prompt_tokens: Tokens
    output_tokens: Tokens
    cached_tokens: Tokens
    users: int | None = None

    def __post_init__(self) -> None:
        count = self.arrival_s.size
        for name in ("prompt_tokens", "output_tokens", "cached_tokens"):
            if getattr(self, name).shape != (count,):
                raise InputError(f"requests: {name} must have one entry per arrival ({count})")
        if not count:
            raise InputError("requests: there are none")
        if np.any(self.prompt_tokens < 1) or np.any(self.output_tokens < 1):
            raise InputError("requests: prompts and answers must be at least one token long")
        if np.any(self.cached_tokens < 0) or np.any(self.cached_tokens >= self.prompt_tokens):
            raise InputError("requests: cached tokens must be fewer than those of the prompt")
        if not np.all(np.isfinite(self.arrival_s)) or np.any(self.arrival_s < 0):
            raise InputError("requests: arrivals must be numbers of at least 0")
        if self.users is None and np.any(np.diff(self.arrival_s) < 0):
            raise InputError("requests: arrivals must be in order")

    def __len__(self) -> int:
        return int(self.arrival_s.size)


_STREAMS: Final = 3


def generate(
    arrivals: Arrivals | ClosedLoop,
    prompt: Lengths,
    output: Lengths,
    count: int,
    *,
    seed: int,
    prefix_hit_rate: float = 0.0,
) -> Requests:
    """Requests drawn from distributions.

    Args:
        arrivals: When they come.
        prompt: Prompt lengths.
        output: Answer lengths, independent of the prompts.
        count: How many.
        seed: The same seed gives the same requests.
        prefix_hit_rate: Share of every prompt found in the prefix cache.

    Raises:
        InputError: No requests, a hit rate outside 0 to 1, or a seed below 0.
    """
    if count < 1:
        raise InputError(f"requests: count must be at least 1 (got {count})")
    streams = [np.random.default_rng(s) for s in _seeded(seed).spawn(_STREAMS)]
    prompts = prompt.draw(count, streams[1])
    outputs = output.draw(count, streams[2])
    times, users = _arrivals(arrivals, count, streams[0])
    return Requests(times, prompts, outputs, _hits(prompts, prefix_hit_rate), users)


def _seeded(seed: int) -> np.random.SeedSequence:
    if seed < 0:
        raise InputError(f"requests: seed must be a number of at least 0 (got {seed})")
    return np.random.SeedSequence(seed)


def from_trace(
    trace: Trace,
    *,
    arrivals: Arrivals | ClosedLoop | None = None,
    speed_up: float = 1.0,
    count: int | None = None,
    seed: int = 0,
    prefix_hit_rate: float | None = None,
    prefix_cache_tokens: float = np.inf,
) -> Requests:
    """The requests of a trace, lengths in pairs as they were.

    Args:
        trace: What was recorded.
        arrivals: When requests come instead; needed where the trace has no times.
        speed_up: The recorded times are divided by it.
        count: Only the first so many.
        seed: For `arrivals`.
        prefix_hit_rate: Share of every prompt found in the prefix cache. None takes the trace's
            own block hashes, and no hits where it has none.
        prefix_cache_tokens: Size of the prefix cache that the hashes are held against.

    Raises:
        InputError: The trace has no times and `arrivals` is missing, or a number makes no sense.
    """
    _positive("trace", speed_up=speed_up)
    kept = slice(0, count)
    prompts = trace.prompt_tokens[kept].astype(np.int64)
    outputs = trace.output_tokens[kept].astype(np.int64)
    users = None
    if arrivals is not None:
        times, users = _arrivals(arrivals, prompts.size, np.random.default_rng(_seeded(seed)))
    elif trace.arrival_s is None:
        raise InputError(
            f"{trace.origin}: has lengths and no times; say how requests arrive, "
            "by a rate or by a number of users"
        )
    else:
        times = trace.arrival_s[kept] / speed_up
    if prefix_hit_rate is None and trace.block_hashes is not None:
        hits = prefix_hits(
            trace.block_hashes[kept], prompts, trace.hash_block_tokens, prefix_cache_tokens
        )
    else:
        hits = _hits(prompts, prefix_hit_rate or 0.0)
    return Requests(times, prompts, outputs, hits, users)


def prefix_hits(
    hashes: Sequence[Sequence[int]],
    prompt_tokens: Tokens,
    block_tokens: int,
    cache_tokens: float = np.inf,
) -> Tokens:
    """Prompt tokens found in a prefix cache that forgets the block least recently used.

    Requests are taken one after the other, as if each were cached before the next arrives.

    Args:
        hashes: Ids of the blocks of each prompt; equal ids mean equal prefixes up to there.
        prompt_tokens: Length of each prompt.
        block_tokens: Tokens of one block.
        cache_tokens: Size of the cache.

    Returns:
        Tokens of each prompt; at most all but one, since the last one is always computed.
    """
    most = cache_tokens / block_tokens
    known: OrderedDict[int, None] = OrderedDict()
    hits = np.zeros(len(hashes), dtype=np.int64)
    for row, blocks in enumerate(hashes):
        leading = 0
        for block in blocks:
            if block not in known:
                break
            leading += 1
        hits[row] = leading * block_tokens
        # Last block first: a prefix is of no use without its head, so the tail is forgotten first.
        for block in reversed(blocks):
            known[block] = None
            known.move_to_end(block)
        while len(known) > most:
            known.popitem(last=False)
    return np.minimum(hits, prompt_tokens - 1)


def _arrivals(
    arrivals: Arrivals | ClosedLoop, count: int, random: np.random.Generator
) -> tuple[Array, int | None]:
    if isinstance(arrivals, ClosedLoop):
        think = _gamma(arrivals.think_s, arrivals.think_cv, count, random)
        think[: arrivals.users] = 0.0
        return think, arrivals.users
    return np.cumsum(arrivals.gaps_s(count, random)), None


def _hits(prompts: Tokens, rate: float) -> Tokens:
    if not 0.0 <= rate <= 1.0:
        raise InputError(f"prefix hit rate must lie between 0 and 1 (got {rate})")
    return np.minimum((prompts * rate).astype(np.int64), prompts - 1)
