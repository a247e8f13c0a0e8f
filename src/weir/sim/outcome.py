"""What users saw, from the times of events. Metric definitions live here and nowhere else.

Every metric is of one request, or of one gap between two of its tokens:

- **TTFT**, time to first token: from arrival to the first output token; queueing counts.
- **E2E**, request latency: from arrival to the last output token.
- **TPOT**, mean time per output token: (E2E − TTFT) / (N − 1) for N output tokens. A request with
  one output token has none.
- **ITL**, inter-token latency: the gap between two consecutive output tokens; N − 1 per request.
- **Goodput**: requests per second that meet every service level at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.core.errors import InputError
from weir.sim.log import Log, ResumedToken, Stretch
from weir.sim.replica import WorkerStats
from weir.sim.workload import Requests

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

PERCENTILES: Final = (50.0, 90.0, 95.0, 99.0)
_HUNDRED: Final = 100.0


def ttft_s(arrival_s: ArrayLike, first_token_s: ArrayLike) -> Array:
    """Time to first token, s: from arrival, queueing included, to the first output token."""
    return np.asarray(np.asarray(first_token_s, dtype=np.float64) - np.asarray(arrival_s))


def e2e_s(arrival_s: ArrayLike, finish_s: ArrayLike) -> Array:
    """Request latency, s: from arrival to the last output token."""
    return np.asarray(np.asarray(finish_s, dtype=np.float64) - np.asarray(arrival_s))


def tpot_s(e2e_s: ArrayLike, ttft_s: ArrayLike, output_tokens: ArrayLike) -> Array:
    """Mean time per output token after the first, s: (E2E − TTFT) / (N − 1); NaN for N = 1."""
    later = np.asarray(output_tokens, dtype=np.float64) - 1.0
    later = np.where(later > 0, later, np.nan)
    return np.asarray((np.asarray(e2e_s, dtype=np.float64) - np.asarray(ttft_s)) / later)


@dataclass(frozen=True)
class Distribution:
    """Values with how often each occurred.

    Attributes:
        values: The values; NaN is left out of every statistic.
        counts: How often; 1 each where absent.
    """

    values: Array
    counts: Counts | None = None

    @cached_property
    def _sorted(self) -> tuple[Array, Counts]:
        counts = np.ones(self.values.size, np.int64) if self.counts is None else self.counts
        kept = ~np.isnan(self.values) & (counts > 0)
        order = np.argsort(self.values[kept], kind="stable")
        return self.values[kept][order], np.cumsum(counts[kept][order])

    @property
    def count(self) -> int:
        """Number of observations."""
        _, cumulated = self._sorted
        return int(cumulated[-1]) if cumulated.size else 0

    @property
    def mean(self) -> float:
        """Arithmetic mean; NaN without observations."""
        values, cumulated = self._sorted
        if not self.count:
            return float("nan")
        return float(np.sum(values * np.diff(cumulated, prepend=0)) / self.count)

    @property
    def maximum(self) -> float:
        """Largest; NaN without observations."""
        values, _ = self._sorted
        return float(values[-1]) if values.size else float("nan")

    def percentile(self, percent: float) -> float:
        """The smallest value that `percent` of the observations do not exceed.

        A value that was observed, never one between two (the inverse of the empirical
        distribution function); NaN without observations.

        Raises:
            InputError: `percent` outside 0 to 100.
        """
        if not 0.0 <= percent <= _HUNDRED:
            raise InputError(f"a percentile must lie between 0 and 100 (got {percent})")
        values, cumulated = self._sorted
        if not values.size:
            return float("nan")
        rank = max(int(np.ceil(percent * self.count / _HUNDRED)), 1)
        return float(values[np.searchsorted(cumulated, rank)])

    def share_within(self, limit: float) -> float:
        """Share of the observations that do not exceed a limit; NaN without observations."""
        values, cumulated = self._sorted
        if not values.size:
            return float("nan")
        within = int(np.searchsorted(values, limit, "right"))
        return float(cumulated[within - 1] / self.count) if within else 0.0

    def spread(self) -> "Spread":
        """Count, mean, percentiles and maximum."""
        p50, p90, p95, p99 = (self.percentile(percent) for percent in PERCENTILES)
        return Spread(self.count, self.mean, p50, p90, p95, p99, self.maximum)


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution in seven numbers; the percentiles mean little where the count is small."""

    count: int
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    maximum: float


@dataclass(frozen=True, slots=True)
class ServiceLevels:
    """Limits a request must meet, all of them; None is no limit."""

    ttft_s: float | None = None
    tpot_s: float | None = None
    e2e_s: float | None = None


@dataclass(frozen=True)
class Outcome:
    """A finished simulation: requests as columns, and what the workers did.

    Times of requests that were rejected, or not finished when the simulation was stopped, are
    NaN from the first event that did not happen.

    Attributes:
        arrival_s: When each request arrived.
        scheduled_s: When it first entered a batch.
        first_token_s: When its first output token came out.
        finish_s: When its last output token came out.
        prompt_tokens: Its prompt.
        output_tokens: Its answer.
        cached_tokens: Prompt tokens found in the prefix cache.
        prefilled_tokens: Prompt tokens computed, and computed again after preemptions.
        preemptions: How often its cache was dropped.
        rejected: Whether it was refused because no worker's cache can hold it.
        workers: What each worker did.
        tick_end_s: When each decode step of each worker ended.
        stretches: Consecutive decode steps of requests.
        resumed: Tokens that came out of recomputed prefills.
    """

    arrival_s: Array
    scheduled_s: Array
    first_token_s: Array
    finish_s: Array
    prompt_tokens: Counts
    output_tokens: Counts
    cached_tokens: Counts
    prefilled_tokens: Counts
    preemptions: Counts
    rejected: NDArray[np.bool_]
    workers: tuple[WorkerStats, ...]
    tick_end_s: tuple[Array, ...]
    stretches: tuple[Stretch, ...]
    resumed: tuple[ResumedToken, ...]

    @property
    def ttft_s(self) -> Array:
        """Time to first token of each request."""
        return ttft_s(self.arrival_s, self.first_token_s)

    @property
    def e2e_s(self) -> Array:
        """Latency of each request."""
        return e2e_s(self.arrival_s, self.finish_s)

    @property
    def tpot_s(self) -> Array:
        """Mean time per output token of each request; NaN with one output token."""
        return tpot_s(self.e2e_s, self.ttft_s, self.output_tokens)

    @property
    def queue_s(self) -> Array:
        """Time each request waited before it first entered a batch."""
        return self.scheduled_s - self.arrival_s

    @property
    def finished(self) -> NDArray[np.bool_]:
        """Which requests got their last token."""
        return ~np.isnan(self.finish_s)

    @property
    def duration_s(self) -> float:
        """From the first arrival to the last token."""
        if not np.any(self.finished):
            return float("nan")
        return float(np.nanmax(self.finish_s) - np.nanmin(self.arrival_s))

    @property
    def requests_per_s(self) -> float:
        """Requests finished per second of the whole run, start and end included."""
        return self._per_s(float(np.count_nonzero(self.finished)))

    @property
    def output_tokens_per_s(self) -> float:
        """Output tokens of finished requests per second of the whole run."""
        return self._per_s(float(np.sum(self.output_tokens[self.finished])))

    def meets(self, levels: ServiceLevels) -> NDArray[np.bool_]:
        """Which requests meet every level; a request with one token meets any TPOT."""
        good = self.finished
        for limit, values in (
            (levels.ttft_s, self.ttft_s),
            (levels.e2e_s, self.e2e_s),
            (levels.tpot_s, np.where(self.output_tokens > 1, self.tpot_s, 0.0)),
        ):
            if limit is not None:
                good = good & (values <= limit)
        return good

    def goodput_requests_per_s(self, levels: ServiceLevels) -> float:
        """Requests per second that meet every service level at once, over the whole run."""
        return self._per_s(float(np.count_nonzero(self.meets(levels))))

    def itl_s(self, requests: NDArray[np.bool_] | None = None) -> Distribution:
        """Gaps between consecutive output tokens.

        Args:
            requests: Which requests count; all where absent.

        Returns:
            Every gap, with how many tokens saw it.
        """
        kept = np.ones(self.arrival_s.size, np.bool_) if requests is None else requests
        chosen = [stretch for stretch in self.stretches if kept[stretch.request]]
        values = [np.array([token.gap_s for token in self.resumed if kept[token.request]])]
        counts = [np.ones(values[0].size, np.int64)]
        for worker, ends in enumerate(self.tick_end_s):
            mine = [stretch for stretch in chosen if stretch.worker == worker]
            if mine:
                gaps, times = _gaps(mine, ends)
                values += gaps
                counts += times
        return Distribution(np.concatenate(values), np.concatenate(counts))

    def token_times_s(self, request: int) -> Array:
        """When each output token of one request came out."""
        own = [stretch for stretch in self.stretches if stretch.request == request]
        parts = [self.tick_end_s[s.worker][s.start_tick : s.end_tick] for s in own]
        resumed = [token.time_s for token in self.resumed if token.request == request]
        times = np.concatenate([self.first_token_s[[request]], np.array(resumed), *parts])
        return np.sort(times[~np.isnan(times)])

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """One row per request, for tables and files."""
        return {
            "arrival_s": self.arrival_s,
            "scheduled_s": self.scheduled_s,
            "first_token_s": self.first_token_s,
            "finish_s": self.finish_s,
            "prompt_tokens": self.prompt_tokens,
            "output_tokens": self.output_tokens,
            "cached_tokens": self.cached_tokens,
            "preemptions": self.preemptions,
            "rejected": self.rejected,
            "ttft_s": self.ttft_s,
            "tpot_s": self.tpot_s,
            "e2e_s": self.e2e_s,
        }

    def spreads(self, requests: NDArray[np.bool_] | None = None) -> dict[str, Spread]:
        """TTFT, TPOT, ITL, E2E and queueing, of all requests or of some.

        Args:
            requests: Which; leave out those at the start and end for a steady state.
        """
        kept = slice(None) if requests is None else requests
        spreads = {
            name: Distribution(values[kept]).spread()
            for name, values in (
                ("ttft_s", self.ttft_s),
                ("tpot_s", self.tpot_s),
                ("e2e_s", self.e2e_s),
                ("queue_s", self.queue_s),
            )
        }
        return {**spreads, "itl_s": self.itl_s(requests).spread()}

    def _per_s(self, count: float) -> float:
        return count / self.duration_s if self.duration_s > 0 else float("nan")


def _gaps(stretches: Sequence[Stretch], ends: Array) -> tuple[list[Array], list[Counts]]:
    """Gaps of stretches of one worker: each one's first, and those of its later steps counted."""
    starts = np.array([stretch.start_tick for stretch in stretches])
    stops = np.array([stretch.end_tick for stretch in stretches])
    previous = np.array([stretch.previous_s for stretch in stretches])
    change = np.zeros(ends.size + 1, np.int64)
    np.add.at(change, starts + 1, 1)
    np.add.at(change, stops, -1)
    times = np.cumsum(change)[1 : ends.size]
    firsts = ends[starts] - previous
    return [firsts, np.diff(ends)], [np.ones(firsts.size, np.int64), times]


def gather(log: Log, requests: Requests, workers: Sequence[tuple[WorkerStats, Array]]) -> Outcome:
    """The outcome of what was logged."""
    return Outcome(
        arrival_s=np.array(log.arrival_s),
        scheduled_s=np.array(log.scheduled_s),
        first_token_s=np.array(log.first_token_s),
        finish_s=np.array(log.finish_s),
        prompt_tokens=requests.prompt_tokens,
        output_tokens=requests.output_tokens,
        cached_tokens=requests.cached_tokens,
        prefilled_tokens=np.array(log.prefilled_tokens, dtype=np.int64),
        preemptions=np.array(log.preemptions, dtype=np.int64),
        rejected=np.array(log.rejected, dtype=np.bool_),
        workers=tuple(stats for stats, _ in workers),
        tick_end_s=tuple(ends for _, ends in workers),
        stretches=tuple(log.stretches),
        resumed=tuple(log.resumed),
    )
