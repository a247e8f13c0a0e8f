import numpy as np
import pytest

from weir.answers.placement import Deployment, choose_layout, site_of
from weir.answers.simulate import Fleet, simulate
from weir.answers.step_tables import exact_step, limits_of, step_tables
from weir.core.errors import InputError, NothingFitsError, UnknownNameError
from weir.perf.parallel import Layout
from weir.perf.serving import Workload, closed_loop, open_loop
from weir.sim import simulation
from weir.sim.outcome import ServiceLevels
from weir.sim.scheduler import Role
from weir.sim.simulation import Pool
from weir.sim.workload import ClosedLoop, Fixed, LogNormal, Uniform, generate, poisson

CHIP, MODEL = "A100", "Llama-3.1-8B"
FLEET = Fleet(CHIP)
WORK = Workload(isl=1024, osl=256)


def load(rate=2.0, count=60, prompt=None):
    return generate(poisson(rate), prompt or LogNormal(1024, 0.5), Uniform(2, 100), count, seed=4)


@pytest.fixture(scope="module")
def placed(catalog):
    return choose_layout(
        site_of(catalog.chip(CHIP), catalog.model(MODEL), Deployment(), catalog), WORK
    )


@pytest.fixture(scope="module")
def answer(catalog):
    return simulate(FLEET, MODEL, load(), catalog)


def test_tables_are_close_to_the_step_model(placed):
    table, low, high = step_tables(placed.engine, limits_of(placed, WORK), 4096)
    random = np.random.default_rng(1)
    errors = []
    for _ in range(60):
        n, c = int(random.integers(1, 200)), float(random.uniform(50, 4000))
        p = int(2 ** random.uniform(0, 12))
        for step in ((0, 0.0, n, c), (p, (p + 1) / 2 + random.uniform(0, 900), n, c)):
            exact = exact_step(placed.engine, *step)
            found = table.step_s(*step)
            assert low.step_s(*step) < found < high.step_s(*step)
            errors.append(abs(found / float(exact.time_s) - 1.0))
    assert np.median(errors) < 0.02
    assert np.max(errors) < 0.25


def test_one_request_takes_the_steps_the_step_model_gives(placed, catalog):
    work = generate(poisson(1.0), Fixed(600), Fixed(9), 1, seed=1)
    outcome = simulate(FLEET, MODEL, work, catalog).outcome
    engine = placed.engine
    prefill = float(exact_step(engine, 600, 300.5, 0, 0.0).time_s)
    decode = sum(float(exact_step(engine, 0, 0.0, 1, 600.0 + n).time_s) for n in range(1, 9))
    assert outcome.ttft_s[0] == pytest.approx(engine.stack.request_s + prefill, rel=0.1)
    assert outcome.tpot_s[0] == pytest.approx(decode / 8, rel=0.02)


def test_the_interval_holds_the_estimate(answer):
    for name, spread in answer.spreads.items():
        low, high = answer.spreads_low[name], answer.spreads_high[name]
        assert low.mean <= spread.mean <= high.mean
        assert low.count == spread.count == high.count
    assert answer.output_tokens_per_s.low <= answer.output_tokens_per_s.value
    assert answer.assumptions
    assert answer.sources


def test_the_policy_is_what_the_framework_does(answer, catalog):
    assert answer.policy == "chunked-prefill"
    apart = simulate(Fleet(CHIP, Deployment(framework="sglang")), MODEL, load(), catalog)
    assert apart.policy == "prefill-first"
    asked = simulate(FLEET, MODEL, load(), catalog, policy="continuous")
    assert asked.policy == "continuous"


def test_replicas_and_stages_share_the_load(answer, catalog):
    busy = load(rate=20.0, count=200)
    one = simulate(Fleet(CHIP, max_sequences=8), MODEL, busy, catalog)
    two = simulate(Fleet(CHIP, replicas=2, max_sequences=8), MODEL, busy, catalog)
    assert two.chips == 2 * one.chips
    assert two.spreads["queue_s"].mean < one.spreads["queue_s"].mean
    staged = simulate(Fleet(CHIP, Deployment(layout=Layout(pp=2))), MODEL, load(), catalog)
    assert len(staged.outcome.workers) == 2
    assert any("pipeline" in note for note in staged.assumptions)
    assert staged.fleets[0].cache_tokens > answer.fleets[0].cache_tokens


def test_service_levels_count(catalog):
    strict = ServiceLevels(ttft_s=1e-6)
    missed = simulate(FLEET, MODEL, load(), catalog, levels=strict)
    assert missed.goodput_requests_per_s.value == 0.0
    met = simulate(FLEET, MODEL, load(), catalog)
    assert met.goodput_requests_per_s == met.requests_per_s


def test_prefill_and_decode_on_two_kinds_of_chip(catalog):
    work = load(rate=4.0, count=100)
    apart = simulate(Fleet("H100"), MODEL, work, catalog, decode=Fleet("H20", replicas=2))
    assert apart.policy == "disaggregated"
    names = [catalog.chip(chip).name for chip in ("H100", "H20")]
    assert [fleet.chip for fleet in apart.fleets] == names
    assert apart.chips == 3
    roles = [worker.role for worker in apart.outcome.workers]
    assert roles == [Role.PREFILL, Role.DECODE, Role.DECODE]
    # The second token waits for the cache: 1,000 tokens of 131 kB over a network of GB/s.
    second = [
        apart.outcome.token_times_s(r)[1] - apart.outcome.first_token_s[r] for r in range(100)
    ]
    assert np.min(second) > 1e-3
    assert {key.split(":")[0] for key in apart.facts} == set(names)


def test_policies_go_with_their_fleets(catalog):
    with pytest.raises(InputError, match="come together"):
        simulate(FLEET, MODEL, load(), catalog, decode=FLEET, policy="continuous")


def test_bad_input_is_refused(catalog):
    with pytest.raises(InputError, match="replicas is 0"):
        Fleet(CHIP, replicas=0)
    with pytest.raises(UnknownNameError, match="unknown policy"):
        simulate(FLEET, MODEL, load(), catalog, policy="lifo")
    with pytest.raises(NothingFitsError):
        simulate(FLEET, MODEL, load(count=3, prompt=Fixed(10**7)), catalog)


def test_a_size_that_was_asked_for_is_taken_with_as_few_sequences_as_it_holds(catalog):
    long = load(rate=0.01, count=4, prompt=Fixed(120_000))
    small = simulate(Fleet("H100", Deployment(chips=1)), MODEL, long, catalog)
    assert small.fleets[0].max_sequences < 32
    assert small.chips == 1
    free = simulate(Fleet("H100"), MODEL, long, catalog)
    assert free.chips > 1
    with pytest.raises(NothingFitsError, match="the weights do not fit"):
        simulate(Fleet("H20", Deployment(chips=1)), "DeepSeek-R1", load(), catalog)


def served(placed, requests, longest):
    """Mean TTFT and TPOT by the simulator, with the step times of the analytic state."""
    engine = placed.engine
    limits = limits_of(placed, WORK)
    policy = "chunked-prefill" if engine.stack.mixes_prompts else "prefill-first"
    pool = Pool(step_tables(engine, limits, longest)[0], limits)
    run = simulation.simulate(
        simulation.Deployment(policy, pool, None, None, engine.stack.request_s), requests
    )
    return float(np.mean(run.ttft_s)), float(np.nanmean(run.tpot_s))


@pytest.mark.parametrize("framework", ["vllm", "sglang"])
@pytest.mark.parametrize("users", [8, 64])
def test_a_short_run_from_a_common_start_agrees_with_the_analytic_state(catalog, framework, users):
    """Ten prompts a user, lengths from 80 to 100 %: one in ten requests waits in the burst."""
    site = site_of(
        catalog.chip("H100"), catalog.model(MODEL), Deployment(framework=framework), catalog
    )
    placed = choose_layout(site, WORK)
    drawn = (Uniform(819, 1024), Uniform(819, 1024))
    runs = [generate(ClosedLoop(users), *drawn, 10 * users, seed=seed) for seed in (1, 2)]
    ttft, tpot = np.mean([served(placed, requests, 2048) for requests in runs], axis=0)
    work = Workload(921.6, 921.6, isl_cv=0.0642, osl_cv=0.0642)
    state = closed_loop(placed.engine, work, users, in_step=0.1, turns=10)
    assert float(state.ttft_s) == pytest.approx(ttft, rel=0.1)
    assert float(state.tpot_s) == pytest.approx(tpot, rel=0.05)


@pytest.mark.parametrize("cv", [0.4, 1.0])
def test_lengths_that_differ_agree_with_the_analytic_state(placed, cv):
    requests = generate(poisson(4.0), LogNormal(1024, cv), LogNormal(256, cv), 1500, seed=3)
    ttft, tpot = served(placed, requests, int(np.max(requests.prompt_tokens)) + 8192)
    work = Workload(
        float(np.mean(requests.prompt_tokens)),
        float(np.mean(requests.output_tokens)),
        isl_cv=float(np.std(requests.prompt_tokens) / np.mean(requests.prompt_tokens)),
        osl_cv=float(np.std(requests.output_tokens) / np.mean(requests.output_tokens)),
    )
    state = open_loop(placed.engine, work, 4.0)
    assert float(state.ttft_s) == pytest.approx(ttft, rel=0.2)
    assert float(state.tpot_s) == pytest.approx(tpot, rel=0.1)
