"""The simulator against queueing theory: exact recursions, and means within their standard error.

Means come from independent replications, so that their standard error is known without looking at
correlations inside a run. A mean passes within four standard errors; a test also asks that the
standard error be small, so that it could fail.
"""

import math

import numpy as np
import pytest

from tests.unit.sim.laws import Exponential, Linear, LinearRuns, one
from weir.sim.outcome import Distribution
from weir.sim.simulation import simulate
from weir.sim.workload import ClosedLoop, Empirical, Fixed, Requests, Uniform, generate, poisson

ERRORS = 4.0
SERVICE_S = 1.0


def replications(run, count):
    """Mean over replications and its standard error."""
    means = np.array([run(seed) for seed in range(count)])
    return means.mean(axis=0), means.std(axis=0, ddof=1) / math.sqrt(count)


def queue(steps, rate, seed, count):
    """One server, one request at a time, one step each."""
    work = generate(poisson(rate), Fixed(1), Fixed(1), count, seed=seed)
    return simulate(one(steps, sequences=1, budget=1), work)


def settled(values):
    """Without the first fifth, in which an empty queue fills."""
    return values[values.size // 5 :]


@pytest.mark.parametrize("rate", [0.3, 0.8])
def test_waiting_times_follow_the_recursion_of_lindley(rate):
    services = np.random.default_rng(5).exponential(SERVICE_S, 2_000)
    outcome = queue(Exponential(SERVICE_S, 5), rate, 7, 2_000)
    end = 0.0
    for request, service in enumerate(services):
        start = max(outcome.arrival_s[request], end)
        end = start + service
        assert outcome.scheduled_s[request] == start
        assert outcome.finish_s[request] == end


def test_an_exponential_server_has_the_sojourn_times_of_m_m_1():
    rate = 0.5
    mean_s = 1.0 / (1.0 / SERVICE_S - rate)

    def run(seed):
        outcome = queue(Exponential(SERVICE_S, 1_000 + seed), rate, seed, 2_500)
        sojourn = settled(outcome.e2e_s)
        return sojourn.mean(), np.mean(sojourn > mean_s), settled(outcome.queue_s).mean()

    found, error = replications(run, 14)
    # Sojourn times are exponential, waiting times a share of that.
    wanted = np.array([mean_s, math.exp(-1.0), rate * SERVICE_S * mean_s])
    assert np.all(error < 0.04 * wanted)
    assert np.all(np.abs(found - wanted) < ERRORS * error)


def test_a_constant_server_has_the_waiting_times_of_m_d_1():
    rate = 0.5
    wanted = rate * SERVICE_S**2 / (2.0 * (1.0 - rate * SERVICE_S))

    def run(seed):
        return settled(queue(Linear(floor_s=SERVICE_S), rate, seed, 2_500).queue_s).mean()

    found, error = replications(run, 14)
    assert error < 0.04 * wanted
    assert abs(found - wanted) < ERRORS * error


def test_random_prompts_have_the_waiting_times_of_pollaczek_and_khinchine():
    rate, token_s = 0.5, 0.001
    lengths = np.arange(1, 2_000)
    first, second = np.mean(lengths * token_s), np.mean((lengths * token_s) ** 2)
    wanted = rate * second / (2.0 * (1.0 - rate * first))

    def run(seed):
        work = generate(poisson(rate), Uniform(1, 1_999), Fixed(1), 2_500, seed=seed)
        deployment = one(Linear(prompt_token_s=token_s), "continuous", sequences=1, budget=1)
        return settled(simulate(deployment, work).queue_s).mean()

    found, error = replications(run, 14)
    assert error < 0.04 * wanted
    assert abs(found - wanted) < ERRORS * error


@pytest.mark.parametrize("lengths", [Fixed(200), Empirical([50, 50, 50, 650])])
def test_shared_steps_have_the_sojourn_times_of_processor_sharing(lengths):
    # Steps as long as the batch is large share the server; the mean does not depend on the
    # distribution of the lengths, only on the load.
    token_s, load = 0.005, 0.5
    mean_s = 200 * token_s

    def run(seed):
        work = generate(poisson(load / mean_s), Fixed(1), lengths, 800, seed=seed)
        steps = LinearRuns(prompt_token_s=token_s, sequence_s=token_s)
        outcome = simulate(one(steps, sequences=10_000, budget=10_000, blocks=10**6), work)
        return settled(outcome.e2e_s).mean()

    found, error = replications(run, 10)
    wanted = mean_s / (1.0 - load)
    # A request joins when the step under way ends, one step late on average at most.
    step_s = token_s / (1.0 - load)
    assert error < 0.05 * wanted
    assert abs(found - wanted) < ERRORS * error + step_s


def test_a_closed_loop_has_the_throughput_of_mean_value_analysis():
    users, think_s = 4, 3.0
    queued = 0.0
    for population in range(1, users + 1):
        response_s = SERVICE_S * (1.0 + queued)
        throughput = population / (response_s + think_s)
        queued = throughput * response_s

    def run(seed):
        loop = ClosedLoop(users, think_s, think_cv=1.0)
        work = generate(loop, Fixed(1), Fixed(1), 2_500, seed=seed)
        outcome = simulate(one(Exponential(SERVICE_S, 50 + seed), sequences=1, budget=1), work)
        begun, ended = outcome.arrival_s[500], outcome.arrival_s[-1]
        return 1_999 / (ended - begun), settled(outcome.e2e_s).mean()

    found, error = replications(run, 10)
    wanted = np.array([throughput, response_s])
    assert np.all(error < 0.02 * wanted)
    assert np.all(np.abs(found - wanted) < ERRORS * error)


def test_without_limits_nobody_waits_longer_than_a_step():
    work = generate(poisson(30.0), Fixed(1), Uniform(1, 50), 2_000, seed=3)
    outcome = simulate(
        one(LinearRuns(floor_s=0.01), sequences=9_999, budget=9_999, blocks=10**6), work
    )
    assert np.all(outcome.queue_s <= 0.01 * (1 + 1e-9))
    # Arrivals fall anywhere in a step, so half a step on average, but for those that find nobody:
    # the number in the system is Poisson with the mean of rate times stay.
    wait = outcome.queue_s
    error = wait.std(ddof=1) / math.sqrt(wait.size)
    nobody = math.exp(-30.0 * 25.5 * 0.01)
    assert abs(wait.mean() - 0.005) < ERRORS * error + nobody * 0.01


def test_little_holds_in_a_closed_loop_of_many_tokens():
    users, count = 12, 600
    work = generate(ClosedLoop(users), Uniform(10, 200), Uniform(2, 60), count, seed=2)
    steps = LinearRuns(0.01, 1e-4, 1e-3, 1e-6)
    outcome = simulate(one(steps, sequences=8, budget=64, blocks=10**5), work)
    # Users that never think are always in the system: their requests follow without a gap.
    in_system = np.sum(outcome.e2e_s) / outcome.duration_s
    drain = np.max(outcome.e2e_s) / outcome.duration_s
    assert users * (1 - drain) <= in_system <= users * (1 + 1e-9)


@pytest.mark.parametrize(
    "policy", ["continuous", "chunked-prefill", "prefill-first", "disaggregated"]
)
@pytest.mark.parametrize(("prompt", "output"), [(1, 1), (10, 1), (9, 2), (70, 33), (300, 257)])
def test_a_single_request_takes_the_sum_of_its_steps(policy, prompt, output):
    steps = LinearRuns(0.1 / 3, 0.01 / 7, 0.002 / 3, 0.0001 / 7)
    budget = 64
    work = Requests(np.array([1.5]), np.array([prompt]), np.array([output]), np.array([0]))
    outcome = simulate(one(steps, policy, budget=budget), work)
    whole = policy in {"continuous", "disaggregated"}
    chunks = [prompt] if whole else [min(budget, prompt - at) for at in range(0, prompt, budget)]
    now, done = 1.5, 0
    for chunk in chunks:
        now += steps.step_s(chunk, done + (chunk + 1) / 2, 0, 0.0)
        done += chunk
    assert outcome.first_token_s[0] == now
    for later in range(1, output):
        now += steps.step_s(0, 0.0, 1, float(prompt + later))
    assert outcome.finish_s[0] == now
    assert Distribution(outcome.e2e_s).count == 1
