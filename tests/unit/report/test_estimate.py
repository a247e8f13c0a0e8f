import math
from dataclasses import replace

import pytest

from weir.answers.assess import Unavailable
from weir.answers.datasheet import cited_sources
from weir.answers.estimate import Ranged, estimate
from weir.core.units import GIGA
from weir.perf.serving import Workload
from weir.report.document import Table, numbered_notes, walk
from weir.report.estimate import (
    assumption_list,
    bound_table,
    estimate_document,
    facts_table,
    headline,
    memory_table,
    method_note,
    ranged,
    ranged_number,
    speed_tables,
)
from weir.report.text import to_text

SHORT = Workload(isl=512, osl=64)


@pytest.fixture(scope="module")
def answer(catalog):
    return estimate("H100", "Llama-3.1-8B", workload=SHORT, catalog=catalog)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Ranged(20.04, 10.0, 38.0), "20 [10, 38]"),
        (Ranged(1234.5, 999.0, 2000.0), "1,234 [999, 2,000]"),
        (Ranged(0.0123, 0.01, 0.02), "0.0123 [0.01, 0.02]"),
        (Ranged(1.0, 0.5, math.inf), "1 [0.5, unknown]"),
        (Ranged(math.nan, math.nan, math.nan), "unknown"),
    ],
)
def test_a_number_comes_with_its_interval(value, text):
    assert ranged_number(value) == text


def test_a_time_comes_with_its_unit():
    assert ranged(Ranged(0.05, 0.02, 1.5), "s") == "50 ms [20 ms, 1.5 s]"
    assert ranged(Ranged(math.nan, 0.0, 1.0), "s") == "unknown"


def test_the_document_names_units_interval_and_every_source(answer, catalog):
    document = estimate_document(answer, cited_sources(answer.sources, catalog), "2026-01-01")
    text = to_text(document)
    for words in ("TTFT (s)", "TPOT (ms)", "Tokens/s per chip", "J/token", "USD/M", "80 %"):
        assert words in text
    assert {note.key for note in numbered_notes(document)} == set(answer.sources)
    assert all(len(line) <= 100 for line in text.splitlines() if "http" not in line)


def test_the_headline_says_who_is_served_and_what_bounds(answer):
    text = headline(answer)
    assert (answer.chips, answer.users) == (1, 32)
    assert text.startswith("1 chip serves 32 users at ")
    assert headline(replace(answer, chips=16, users=1)).startswith("16 chips serve 1 user at ")
    assert f"decode is bound by {answer.decode.bottleneck}" in text


def test_an_unknown_price_and_power_are_said_and_not_zero(answer):
    bare = replace(
        answer, usd_per_million_output_tokens=math.nan, energy_j_per_output_token=math.nan
    )
    _, behind = speed_tables((bare,), "x")
    for cell in behind.full_rows[0][-2:]:
        assert (cell.text, cell.status) == ("unknown", None)


def test_what_cannot_be_estimated_keeps_its_row_and_says_why(answer):
    refusal = Unavailable("Paper X1", "nobody has published its bandwidth")
    seen, behind = speed_tables((answer, refusal), "x")
    assert [cell.text for cell in seen.full_rows[1]] == ["Paper X1", *(["–"] * 5)]
    assert "Paper X1: nobody has published its bandwidth." in seen.notes
    assert len(behind.rows) == 1


def test_shares_are_of_the_whole_step(answer):
    table = bound_table(answer)
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in table.full_rows}
    for column, phase in ((1, answer.prefill), (3, answer.decode)):
        shares = [int(rows[f"bound by {name}"][column].rstrip("%")) for name in phase.by_bound
                  if f"bound by {name}" in rows]  # fmt: skip
        assert sum(shares) == pytest.approx(100, abs=len(shares))
        assert rows["the datasheet alone would allow"][column].endswith("%")


def test_parts_that_take_no_time_are_left_out(answer):
    labels = [row[0].text for row in bound_table(answer).full_rows]
    assert not any("experts" in label for label in labels)


def test_memory_adds_up(answer):
    rows = {row[0].text: float(row[1].text.replace(",", "")) for row in
            memory_table(answer).full_rows}  # fmt: skip
    assert rows["needed"] == pytest.approx(float(answer.memory.needed_bytes) / GIGA, abs=0.01)
    assert rows["needed"] <= rows["usable by the framework"] <= rows["memory of the chip"]


def test_every_fact_that_was_used_is_listed_with_its_status(answer):
    table = facts_table(answer)
    assert isinstance(table, Table)
    found = [(row[1].text, row[1].cites, row[1].status) for row in table.full_rows]
    assert found == [(f.printed, f.sources, f.status) for f in answer.facts.values()]


def test_assumptions_are_all_told(answer):
    told = [item.text for item in assumption_list(answer).items]
    assert told == list(answer.assumptions)
    assert [item.text for item in assumption_list(answer, after=1).items] == told[1:]


def test_the_method_is_named_where_there_is_an_estimate(answer):
    refusal = Unavailable("Paper X1", "no rate")
    assert method_note((refusal, answer)).text == answer.assumptions[0]
    assert method_note((refusal,)).text == "No chip could be estimated."


def test_tables_are_walked_in_reading_order(answer, catalog):
    document = estimate_document(answer, cited_sources(answer.sources, catalog), "2026-01-01")
    captions = [block.caption for block in walk(document) if isinstance(block, Table)]
    assert captions[0] == "80 % intervals in brackets: speed"
    assert captions[-1] == "Datasheet facts that the estimate used"
