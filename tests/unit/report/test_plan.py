from dataclasses import replace

import pytest

from weir.answers.datasheet import cited_sources
from weir.answers.placement import Deployment
from weir.answers.plan import Target
from weir.answers.planning import Wanted, planning
from weir.perf.serving import Workload
from weir.report.document import Picture, Table, walk
from weir.report.plan import plan_document
from weir.report.text import to_text


@pytest.fixture(scope="module")
def answer(catalog):
    wanted = Wanted(
        chips=("H20", "H100", "HL-328"),
        workload=Workload(512, 64),
        target=Target(ttft_s=1.0, tpot_s=0.05, is_sure=True),
        objective="cost",
        requests_per_s=3.0,
        deployment=Deployment(),
        most_chips=4,
        prefill_on="H100",
    )
    return planning("Qwen3-8B", wanted, catalog)


@pytest.fixture(scope="module")
def document(answer, catalog):
    return plan_document(answer, cited_sources(answer.sources, catalog))


def tables(document):
    return {block.caption: block for block in walk(document) if isinstance(block, Table)}


def test_what_was_asked_for_stands_at_the_top(document):
    facts = dict(document.facts)
    assert facts["Framework"] == "vLLM"
    assert facts["Requests"] == "512 tokens in, 64 out"
    assert facts["Targets"] == (
        "TTFT up to 1 s and TPOT up to 50 ms at the upper end of the 80 % interval"
    )
    assert facts["Load"] == "3 requests/s"
    assert document.lead.endswith("1 chip carries 3 requests/s.")


def test_each_chip_stands_once_and_those_without_a_plan_say_why(answer, document):
    best = tables(document)["One replica of the best deployment"]
    assert [row[0].text for row in best.full_rows] == [
        item.chip for item in answer.plan.chips if item.best is not None
    ]
    assert "Intel Gaudi 3 HL-328 (China): " in to_text(document)


def test_the_shares_of_a_step_add_up(document):
    for row in tables(document)["A step of the best deployment"].full_rows:
        shares = [int(cell.text.rstrip("%")) for cell in row[4:]]
        assert sum(shares) == pytest.approx(100, abs=2)


def test_a_long_front_is_thinned_and_keeps_its_ends(answer, document):
    item = next(item for item in answer.plan.chips if len(item.front) > 14)
    table = tables(document)[f"{item.chip}: points that no other beats in both"]
    assert len(table.rows) == 14
    assert table.rows[0][0] == f"{item.front[0].tokens_per_s_per_user:.3g}"
    assert table.rows[-1][0] == f"{item.front[-1].tokens_per_s_per_user:.3g}"
    assert f"14 of {len(item.front)} points" in table.notes[0]


def test_the_picture_shows_every_chip_and_names_those_without_points(document):
    picture = next(block for block in walk(document) if isinstance(block, Picture))
    assert "Intel Gaudi 3 HL-328 (China)" in " ".join(picture.spec["title"]["subtitle"])


def test_a_split_stands_with_its_ratio_or_its_reason(document):
    table = tables(document)["The split with the most tokens/s per chip of both kinds"]
    assert [row[0].split(" (")[0] for row in table.rows] == ["NVIDIA H100 SXM 80GB"] * 2
    assert all(float(row[2]) > 0 for row in table.rows)
    assert "Intel Gaudi 3 HL-328 (China) cannot be estimated" in to_text(document)


def test_unknown_money_is_unknown(answer):
    def poor(item):
        if item.fleet is None:
            return item
        nothing = float("nan")
        return replace(item, fleet=replace(item.fleet, capital_usd=nothing, power_w=nothing))

    chips = tuple(poor(item) for item in answer.plan.chips)
    poorer = replace(answer, plan=replace(answer.plan, chips=chips), crossovers=(), sources=())
    table = next(
        block for block in plan_document(poorer, ()).sections[1].blocks if isinstance(block, Table)
    )
    assert all(row[4] == row[6] == "unknown" for row in table.rows)
