import pytest

from weir.answers.datasheet import cited_sources
from weir.answers.placement import Deployment
from weir.answers.simulate import Fleet, simulate
from weir.report.charts.tails import Curve, tails
from weir.report.document import Paragraph, Picture, Table, Weight, walk
from weir.report.simulate import simulation_document
from weir.report.spreads import spread_table
from weir.sim.outcome import ServiceLevels
from weir.sim.workload import Fixed, Requests, Uniform, generate, poisson

LEVELS = ServiceLevels(ttft_s=0.2, tpot_s=0.05)


def run(catalog, requests, levels=LEVELS):
    answer = simulate(
        Fleet("H100", Deployment(chips=1)), "Qwen3-8B", requests, catalog, levels=levels
    )
    sources = cited_sources(answer.sources, catalog)
    return answer, simulation_document(answer, requests, levels, sources, "2026-01-01")


@pytest.fixture(scope="module")
def requests():
    return generate(poisson(3.0), Uniform(100, 400), Fixed(20), 80, seed=3)


@pytest.fixture(scope="module")
def made(catalog, requests):
    return run(catalog, requests)


def cautions(document):
    return [
        b.text for b in walk(document) if isinstance(b, Paragraph) and b.weight is Weight.CAUTION
    ]


def test_the_table_of_times_has_counts_and_an_interval(made):
    answer, document = made
    table = next(block for block in walk(document) if isinstance(block, Table))
    rows = {row[0].text: [cell.text for cell in row] for row in table.full_rows}
    assert rows["TTFT"][1] == "80"
    assert rows["ITL"][1] == f"{80 * 19:,}"
    assert rows["TTFT"][-1].startswith("[")
    assert answer.spreads_low["ttft_s"].p99 <= answer.spreads_high["ttft_s"].p99


def test_the_lead_counts_the_requests_that_meet_all_levels(made):
    answer, document = made
    share = answer.outcome.meets(LEVELS).mean()
    assert f"{share:.1%} of the requests have TTFT up to 200 ms and TPOT up to 50 ms" in (
        document.lead
    )
    assert cautions(document) == []


def test_requests_that_no_cache_holds_are_told(catalog, requests):
    prompts = requests.prompt_tokens.copy()
    prompts[3] = 500_000
    long = Requests(requests.arrival_s, prompts, requests.output_tokens, requests.cached_tokens)
    _, document = run(catalog, long)
    assert "1 of 80 requests are longer than the cache" in " ".join(cautions(document))


def test_small_counts_are_told_only_where_they_are_small(made):
    answer, _ = made
    notes = " ".join(spread_table("x", answer.spreads).notes)
    assert "p99 of TTFT, TPOT, E2E, queueing" in notes
    assert "ITL" not in notes


def test_a_picture_has_a_line_for_each_metric_and_a_rule_for_each_level(made):
    _, document = made
    picture = next(block for block in walk(document) if isinstance(block, Picture))
    marks = [layer["mark"]["type"] for layer in picture.spec["layer"]]
    assert marks.count("line") == 4
    rules = [
        layer["data"]["values"][0]["x"]
        for layer in picture.spec["layer"]
        if layer["mark"]["type"] == "rule" and "strokeDash" in layer["mark"]
    ]
    assert rules == [0.2, 0.05]


def test_a_metric_without_observations_is_left_out():
    spec = tails("x", [Curve("TTFT", (0.1, 0.2), (0.5, 1.0)), Curve("TPOT", (), ())])
    assert [layer["mark"]["type"] for layer in spec["layer"]].count("line") == 1
    assert "service levels" not in " ".join(spec["title"]["subtitle"])


def test_each_kind_of_replica_has_a_name_where_there_are_two(catalog, requests, made):
    one = Fleet("H100", Deployment(chips=1))
    answer = simulate(one, "Qwen3-8B", requests, catalog, decode=one, levels=LEVELS)
    sources = cited_sources(answer.sources, catalog)
    found = dict(simulation_document(answer, requests, LEVELS, sources, "2026-01-01").facts)
    assert {"Prefill replicas", "Decode replicas"} <= set(found)
    assert "Replicas" not in found
    assert "Replicas" in dict(made[1].facts)
