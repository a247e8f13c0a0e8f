"""The audit finds what is planted, counts what is there, and lets the stock pass."""

import dataclasses
import datetime as dt
import math
from pathlib import Path

import pytest

from weir.answers import audit as module
from weir.answers.audit import COUNTED, agrees, audit, check_counts, printed_step
from weir.catalog.entities import Model, Problem
from weir.catalog.fields import PUBLISHED_FIELDS
from weir.catalog.load import to_fact
from weir.catalog.query import Catalog
from weir.catalog.schema import FactRecord
from weir.core.errors import RecordError
from weir.core.provenance import Fact, Status

SOURCE = """
id = "{id}"
title = "A plan"
publisher = "Example"
kind = "datasheet"
accessed = 2026-11-20
licence = "all rights reserved"
"""
CHIP = """
id = "{id}"
name = "{name}"
designer = "Example"
generation = "generic"
verified_on = 2026-11-20
{head}
[facts]
{facts}
"""


def day(catalog: Catalog) -> dt.date:
    return dt.date.fromisoformat(catalog.data_version)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def chip(root: Path, identifier: str, facts: str, head: str = "", name: str = "") -> None:
    text = CHIP.format(id=identifier, name=name or identifier, head=head, facts=facts)
    write(root / "chips" / f"{identifier}.toml", text)


def problems(root: Path, on: dt.date = dt.date(2026, 11, 24)) -> list[Problem]:
    """What an overlay adds to the problems of the stock on that day."""
    alone = set(audit(Catalog(), on).problems)
    return [item for item in audit(Catalog(root), on).problems if item not in alone]


def fact(value: float | None, unit: str, key: str = "total_parameters", **more: object) -> Fact:
    record = FactRecord(value=value, unit=unit, status=Status.RECALLED, **more)
    return to_fact(record, PUBLISHED_FIELDS[key])


def test_the_stock_passes(catalog: Catalog) -> None:
    found = audit(catalog, day(catalog))
    assert [f"{item.path}: {item.message}" for item in found.problems] == []


def test_the_stock_is_counted(catalog: Catalog) -> None:
    found = audit(catalog, day(catalog))
    counts = {kind.kind: kind for kind in found.kinds}
    assert counts["chips"].records == len(catalog.chips.entries)
    assert counts["sources"].records == len(catalog.sources.entries)
    stated = sum(
        fact.status is Status.STATED for chip in catalog.chips.all() for fact in chip.facts.values()
    )
    assert counts["chips"].statuses[Status.STATED] == stated
    assert all(kind.own == 0 for kind in found.kinds)


def test_published_metrics_are_compared_per_circuit(catalog: Catalog) -> None:
    found = {item.quantity: item for item in audit(catalog, day(catalog)).comparisons}
    publishing = [c for c in catalog.chips.all() if "published_tpp" in c.facts]
    assert found["TPP"].compared == len(publishing)
    assert any(c.ics_per_card > 1 for c in publishing)
    assert 0 < found["TPP"].close <= found["TPP"].compared
    totals = found["total parameters"]
    assert totals.close > totals.compared / 2


def test_a_wrong_published_metric_is_found(tmp_path: Path) -> None:
    facts = """
    dense_bf16 = {value = 100, unit = "TFLOP/s", status = "recalled"}
    published_tpp = {value = 3200, unit = "tpp", status = "recalled"}
    die_area_applicable = {value = 800, unit = "mm2", status = "recalled"}
    published_performance_density = {value = 2.0, unit = "tpp/mm2", status = "recalled"}
    """
    chip(tmp_path, "doubled", facts)
    (found,) = problems(tmp_path)
    assert found.message == "published_tpp: is 3,200, computed 1,600 (+100.0%)"


def test_a_published_metric_within_the_bounds_of_the_facts_agrees(tmp_path: Path) -> None:
    facts = """
    dense_bf16 = {value = 100, unit = "TFLOP/s", status = "recalled"}
    die_area_applicable = {low = 400, high = 800, unit = "mm2", status = "recalled"}
    published_performance_density = {value = 3.0, unit = "tpp/mm2", status = "recalled"}
    """
    chip(tmp_path, "within", facts)
    assert problems(tmp_path) == []
    chip(tmp_path, "within", facts.replace("3.0", "5.0"))
    (found,) = problems(tmp_path)
    assert found.message.startswith("published_performance_density: is 5, computed 4")


def test_dangling_and_orphan_sources_are_found(tmp_path: Path) -> None:
    chip(tmp_path, "cites", 'tdp = {value = 1, unit = "W", sources = ["nowhere#page 1"]}')
    write(tmp_path / "sources" / "unread.toml", SOURCE.format(id="unread"))
    found = {(Path(item.path).name, item.message) for item in problems(tmp_path)}
    assert found == {
        ("cites.toml", "tdp: no source 'nowhere'"),
        ("unread.toml", "id: no record cites it"),
    }


def test_replacing_or_breaking_a_record_makes_no_orphans(tmp_path: Path, catalog: Catalog) -> None:
    # Some source is cited by this chip alone, or the test would prove nothing.
    only = next(
        c.id
        for c in catalog.chips.all()
        for source in {s for f in c.facts.values() for s in f.source_ids}
        if sum(
            source in f.source_ids
            for o in catalog.chips.all()
            if o.id != c.id
            for f in o.facts.values()
        )
        == 0
    )
    chip(tmp_path, only, 'tdp = {value = 1, unit = "W", status = "recalled"}')
    write(tmp_path / "sources" / "own-plan.toml", SOURCE.format(id="own-plan"))
    chip(tmp_path, "broken", 'tdp = {value = 1, unit = "kg", sources = ["own-plan"]}')
    assert {Path(item.path).name for item in problems(tmp_path)} == {"broken.toml"}


def test_all_problems_of_a_broken_record_are_listed(tmp_path: Path) -> None:
    facts = """
    tdp = {value = 1, unit = "kg", sources = ["nowhere"]}
    tpd = {value = 1, unit = "W", status = "recalled"}
    launched = {value = "2025-02-30", status = "recalled"}
    memory_bandwidth = {low = 4, high = 3, unit = "TB/s", status = "recalled"}
    """
    chip(tmp_path, "broken", facts)
    keys = {item.message.partition(":")[0] for item in problems(tmp_path)}
    assert keys == {
        "facts.tdp",
        "facts.tpd",
        "facts.launched",
        "facts.memory_bandwidth",
    }
    texts = " ".join(item.message for item in problems(tmp_path))
    assert "no source 'nowhere'" in texts
    assert "unknown unit 'kg'" in texts


def test_two_records_may_not_share_a_name(tmp_path: Path) -> None:
    chip(tmp_path, "mine", "", head='aliases = ["h-100"]')
    (found,) = problems(tmp_path)
    assert "h-100" in found.message or "H100" in found.message


def test_two_models_may_not_share_a_name(tmp_path: Path, catalog: Catalog) -> None:
    stock = catalog.model("deepseek-v3")
    text = Path(stock.origin).read_text(encoding="utf-8")
    write(
        tmp_path / "models" / "my-v3.toml",
        text.replace('id = "deepseek-v3"', 'id = "my-v3"').replace("-0324", "-mine"),
    )
    (found,) = problems(tmp_path)
    assert "DeepSeek-V3" in found.message


def test_a_broken_price_list_is_found(tmp_path: Path) -> None:
    write(tmp_path / "prices" / "offers.csv", "chip,price\nh20-96,1\n")
    (found,) = problems(tmp_path)
    assert "columns must be" in found.message


def test_a_broken_rule_file_is_found(monkeypatch: pytest.MonkeyPatch, catalog: Catalog) -> None:
    def broken() -> None:
        raise RecordError("rules/us/x.toml", ["title: is required"])

    monkeypatch.setattr(module, "stock_law", broken)
    found = audit(catalog, day(catalog)).problems
    assert Problem("rules/us/x.toml", "title: is required") in found


def test_what_nobody_has_compared_for_long_is_stale(catalog: Catalog) -> None:
    late = day(catalog) + dt.timedelta(days=2000)
    found = audit(catalog, late).problems
    files = {Path(item.path).parts[-2] for item in found}
    assert {"nvidia", "deepseek", "rules"} <= files
    early = audit(catalog, day(catalog) - dt.timedelta(days=100)).problems
    assert any("is not yet" in item.message for item in early)


# --- models ---------------------------------------------------------------------------------


def with_published(model: Model, key: str, fact: Fact) -> Model:
    return dataclasses.replace(model, published={key: fact})


def test_a_wrong_count_is_found(catalog: Catalog) -> None:
    model = catalog.model("llama-3.1-8b")
    good = with_published(model, "total_parameters", fact(8.03, "billion"))
    assert list(check_counts(good)) == []
    bad = with_published(model, "total_parameters", fact(8.13, "billion"))
    (found,) = check_counts(bad)
    assert found.message.startswith("published.total_parameters: 8.13 billion, but 8,030,")
    assert found.path == model.origin


def test_a_wrong_cache_is_found(catalog: Catalog) -> None:
    model = catalog.model("deepseek-v3")
    key = "kv_bytes_per_token"
    assert not list(check_counts(with_published(model, key, fact(70.272, "kB", key))))
    assert not list(check_counts(with_published(model, key, fact(70, "kB", key))))
    assert list(check_counts(with_published(model, key, fact(70.3, "kB", key)))) == []
    assert list(check_counts(with_published(model, key, fact(70.28, "kB", key))))


@pytest.mark.parametrize(
    ("printed", "unit", "step"),
    [(8, "billion", 1e9), (8.03, "billion", 1e7), (671, "billion", 1e9), (70.272, "kB", 1.0)],
)
def test_the_last_printed_digit(printed: float, unit: str, step: float) -> None:
    key = "total_parameters" if unit == "billion" else "kv_bytes_per_token"
    assert printed_step(fact(printed, unit, key)) == pytest.approx(step)


@pytest.mark.parametrize(
    ("computed", "does"),
    [(8.04e9, True), (8.49e9, True), (8.51e9, False), (7.51e9, True), (7.49e9, False)],
)
def test_a_rounded_figure_agrees_within_its_rounding(computed: float, does: bool) -> None:
    counted = COUNTED["total_parameters"]
    assert agrees(computed, fact(8, "billion"), counted.share, counted.steps) is does


def test_a_precise_figure_agrees_within_half_a_percent() -> None:
    counted = COUNTED["total_parameters"]
    published = fact(671.03, "billion")
    assert agrees(671.03e9 * 1.0049, published, counted.share, counted.steps)
    assert not agrees(671.03e9 * 1.0051, published, counted.share, counted.steps)


def test_a_published_range_holds_what_it_holds() -> None:
    both = fact(None, "billion", low=21, high=22)
    assert agrees(21.5e9, both, 0.005, 0.5)
    assert not agrees(22.1e9, both, 0.005, 0.5)
    at_least = dataclasses.replace(both, high=math.nan)
    assert agrees(99e9, at_least, 0.005, 0.5)
    assert not agrees(20e9, at_least, 0.005, 0.5)


def test_a_broken_source_is_told_once_and_not_at_each_citation(tmp_path: Path) -> None:
    chip(tmp_path, "cites", 'tdp = {value = 1, unit = "W", sources = ["plan#page 1"]}')
    write(tmp_path / "sources" / "plan.toml", SOURCE.format(id="plan").replace("title", "tilte"))
    assert {Path(item.path).name for item in problems(tmp_path)} == {"plan.toml"}
