"""Simulated requests per second on one core.

The case is the one that Vidur was timed at, 76 to 123 simulated requests a second after it has
trained its models: 1,000 requests to a Llama-2-7B on one A100, chunks of 512 tokens, at most 128
sequences. Prompts and answers are 1,024 and 128 tokens, or drawn around 1,020 and 250. Step times
come from a table whose cells follow a roofline; what they are worth does not change how long a
lookup takes.

    python bench/bench_sim.py
"""

import resource
import time

import numpy as np

from weir.sim.scheduler import POLICIES, Limits
from weir.sim.simulation import Deployment, Link, Pool, simulate
from weir.sim.steps import StepTable
from weir.sim.workload import ClosedLoop, Fixed, LogNormal, Requests, generate, poisson

REQUESTS = 1_000
RUNS = 5


def table() -> StepTable:
    """A 7B model on 2 TB/s and 250 TFLOP/s, by the roofline."""
    sequences, contexts = np.array([1, 32, 64, 96, 128.0]), np.linspace(1, 8192, 33)
    tokens = np.array([1, 64, 128, 256, 512, 8192.0])
    mixed_sequences = np.array([0, 32, 64, 96, 128.0])

    def law(p, pc, n, c):
        flop = 14e9 * (p + n) + 4 * 4096 * 32 * (p * pc + n * c)
        return np.maximum(flop / 250e12, (14e9 + 5.2e5 * (n * c + pc)) / 2e12) + 1e-3

    decode = law(0.0, 0.0, *np.ix_(sequences, contexts))
    mixed = law(*np.ix_(tokens, contexts, mixed_sequences, contexts))
    return StepTable(
        sequences, contexts, decode, tokens, contexts, mixed_sequences, contexts, mixed
    )


def measure(load: str, policy: str, pool: Pool, requests: Requests) -> None:
    split = policy == "disaggregated"
    link = Link(1e-3, 1e-6) if split else None
    deployment = Deployment(policy, pool, pool if split else None, link)
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        outcome = simulate(deployment, requests)
        seconds.append(time.perf_counter() - start)
    median = float(np.median(seconds))
    steps = sum(w.decode_steps + w.prefill_steps for w in outcome.workers)
    print(
        f"{load:31} {policy:16} {REQUESTS / median:7,.0f} requests/s"
        f" (best {REQUESTS / min(seconds):,.0f}), {steps:6,} steps,"
        f" {median / steps * 1e6:4.1f} us a step; TTFT p50 {outcome.spreads()['ttft_s'].p50:.2f} s"
    )


def main() -> None:
    steps = table()
    limits = Limits(max_sequences=128, token_budget=512, cache_blocks=6_000, block_tokens=16)
    pool = Pool(steps, limits)
    fixed = Fixed(1_024), Fixed(128)
    drawn = LogNormal(1_020, 0.8, 4_096), LogNormal(250, 0.8, 2_048)
    for load, arrivals, lengths in (
        ("fixed, 5 requests/s", poisson(5.0), fixed),
        ("drawn, 5 requests/s", poisson(5.0), drawn),
        ("drawn, 20 requests/s: overload", poisson(20.0), drawn),
        ("drawn, 64 users", ClosedLoop(64), drawn),
    ):
        requests = generate(arrivals, *lengths, REQUESTS, seed=1)
        for policy in POLICIES:
            measure(load, policy, pool, requests)
    points = [(400, 300.5, 100, 1000 + k / 7) for k in range(100_000)]
    start = time.perf_counter()
    for point in points:
        steps.step_s(*point)
    print(f"table lookup, mixed step: {(time.perf_counter() - start) / len(points) * 1e6:.2f} us")
    start = time.perf_counter()
    for _, _, n, c in points:
        steps.step_s(0, 0.0, n, c)
    print(f"table lookup, decode step: {(time.perf_counter() - start) / len(points) * 1e6:.2f} us")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
