"""Known-bad numbers must be caught, the stock must pass, and each check must see its own fault."""

import csv
import dataclasses
import datetime as dt
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from weir.catalog import checks
from weir.catalog.entities import Chip, Offer, System
from weir.catalog.fields import CHIP_FIELDS, DTYPE_BITS
from weir.catalog.limits import Limits, Waiver, load_limits, load_waivers
from weir.catalog.load import to_fact
from weir.catalog.query import Catalog
from weir.catalog.schema import FactRecord
from weir.core.errors import RecordError
from weir.core.provenance import Fact, Source, Status
from weir.core.units import TERA

ROOT = Path(__file__).resolve().parents[3]
KNOWN_BAD = list(
    csv.DictReader((ROOT / "tests/golden/known_bad.csv").read_text(encoding="utf-8").splitlines())
)
TODAY = dt.date(2026, 11, 24)

Metric = Callable[[Chip], float]


@pytest.fixture(scope="module")
def limits() -> Limits:
    return load_limits()


def tpp(chip: Chip) -> float:
    """An independent one-line TPP: the largest rate times bits, per integrated circuit."""
    products = [rate / TERA * DTYPE_BITS[name] for name, rate in chip.dense_flop_per_s.items()]
    return max(products, default=math.nan) / chip.ics_per_card


def density(chip: Chip) -> float:
    return tpp(chip) * chip.ics_per_card / chip.number("die_area_applicable")


def fact(key: str, text: str) -> Fact:
    """ "5.3 TB/s" as a fact."""
    number, _, unit = text.partition(" ")
    record = FactRecord(value=float(number), unit=unit or None, status=Status.RECALLED)
    return to_fact(record, CHIP_FIELDS[key])


def with_facts(chip: Chip, **texts: str) -> Chip:
    facts = {**chip.facts, **{key: fact(key, text) for key, text in texts.items()}}
    return dataclasses.replace(chip, facts=facts)


def chip_of(identifier: str = "made-up", **texts: str) -> Chip:
    facts = {key: fact(key, text) for key, text in texts.items()}
    return Chip(identifier, identifier, (), facts, f"chips/nobody/{identifier}.toml")


def found(chip: Chip, limits: Limits) -> set[tuple[str, str]]:
    findings = (
        *checks.check_chip(chip, limits, TODAY),
        *checks.check_published_tpp(chip, tpp(chip), limits),
        *checks.check_published_density(chip, density(chip), limits),
    )
    return {(item.check, item.key) for item in findings}


@pytest.mark.parametrize("row", KNOWN_BAD, ids=[row["case"] for row in KNOWN_BAD])
def test_known_bad_number_is_caught(row: dict[str, str], catalog: Catalog, limits: Limits) -> None:
    good = catalog.chip(row["chip"])
    texts = dict(item.strip().split("=", 1) for item in row["facts"].split(";"))
    bad = with_facts(good, **texts)
    new = found(bad, limits) - found(good, limits)
    # The right number must not be flagged for the same reason, or the case would prove nothing.
    assert row["check"] in {check for check, _ in new}, (row["case"], new)


def test_stock_passes(catalog: Catalog) -> None:
    # Sources that only models, law and calibration cite are audited with those, not here.
    mine = {
        citation
        for entity in (*catalog.chips.all(), *catalog.systems.all())
        for _, citation in checks.citations(entity)
    } | {citation for offer in catalog.offers for citation in offer.sources}
    known = {citation.partition("#")[0] for citation in mine}
    others = set(catalog.sources.entries) - known
    problems = checks.check_hardware(
        catalog,
        TODAY,
        {chip.id: tpp(chip) for chip in catalog.chips.all()},
        {chip.id: density(chip) for chip in catalog.chips.all()},
        others,
    )
    assert problems == ()


def test_anchor_numbers(catalog: Catalog) -> None:
    h20 = catalog.chip("H20")
    # 148 x 16 = 296 x 8 = 2,368; on 814 mm2 that is 2.909.
    assert tpp(h20) == pytest.approx(148 * 16)
    assert density(h20) == pytest.approx(2368 / 814)
    assert h20.number("memory_bandwidth") == 4000e9
    assert h20.number("scale_up_bidirectional") == 900e9
    assert h20.number("pcie_bidirectional") == 32e9 * 16 * 2 / 8
    assert tpp(catalog.chip("A100")) == pytest.approx(312 * 16)
    assert tpp(catalog.chip("L40S")) == pytest.approx(733 * 8)
    assert catalog.chip("RTX 4090").number("dense_fp16") == pytest.approx(330.3e12)


@pytest.mark.parametrize(
    "key", [f"dense_{name}" for name in DTYPE_BITS] + ["published_tpp", "die_area_applicable"]
)
def test_what_nobody_published_is_no_value(catalog: Catalog, key: str) -> None:
    assert math.isnan(catalog.chip("MI308X").number(key))


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("H20", "h20-96"),
        ("h100", "h100-sxm"),
        ("A800", "a800-sxm-80"),
        ("昇腾910B", "ascend-910b3"),
        ("910C", "ascend-910c"),
        ("B200", "b200-sxm"),
        ("RTX 4090D", "rtx-4090d"),
    ],
)
def test_names_people_type(catalog: Catalog, name: str, identifier: str) -> None:
    assert catalog.chip(name).id == identifier


def test_every_recalled_fact_cites_nothing_and_every_other_says_why(catalog: Catalog) -> None:
    for entity in (*catalog.chips.all(), *catalog.systems.all()):
        for key, item in entity.facts.items():
            if item.status is not Status.RECALLED:
                assert item.sources or item.how, (entity.id, key)


# --- each check sees its own fault and nothing else ------------------------------------------


def test_file_name() -> None:
    chip = dataclasses.replace(chip_of(), origin="chips/nobody/other.toml")
    (finding,) = checks.check_file_name(chip)
    assert "named 'other'" in finding.problem.message
    assert checks.check_file_name(chip_of()) == ()


def test_narrower_format_may_tie_but_not_fall(limits: Limits) -> None:
    assert (
        checks.check_rates(chip_of(dense_bf16="1678 TFLOP/s", dense_fp8="1678 TFLOP/s"), limits)
        == ()
    )
    (finding,) = checks.check_rates(
        chip_of(dense_bf16="1307 TFLOP/s", dense_fp8="1200 TFLOP/s"), limits
    )
    assert finding.key == "dense_fp8"


def test_two_accumulators_are_no_fault(limits: Limits) -> None:
    card = chip_of(
        dense_tf32="82.6 TFLOP/s",
        dense_bf16="165.2 TFLOP/s",
        dense_fp16="330.3 TFLOP/s",
        dense_fp8="660.6 TFLOP/s",
    )
    assert {item.key for item in checks.check_rates(card, limits)} <= {"dense_fp16"}


def test_stack_sizes(limits: Limits) -> None:
    base = chip_of(memory_stacks="6 count", memory_capacity="141 GiB")
    base = dataclasses.replace(
        base, facts={**base.facts, "memory_type": word("memory_type", "HBM3e")}
    )
    assert checks.check_memory(base, limits) == ()  # 23.5 of 24 GiB a stack
    (finding,) = checks.check_memory(with_facts(base, memory_capacity="60 GiB"), limits)
    assert finding.key == "memory_capacity"


def word(key: str, text: str) -> Fact:
    return to_fact(FactRecord(value=text, status=Status.RECALLED), CHIP_FIELDS[key])


def test_unknown_memory_type_is_not_judged(limits: Limits) -> None:
    chip = chip_of(memory_bandwidth="99999 GB/s")
    chip = dataclasses.replace(
        chip, facts={**chip.facts, "memory_type": word("memory_type", "ABC")}
    )
    assert checks.check_memory(chip, limits) == ()


def test_links_unknown_is_silent(limits: Limits) -> None:
    assert checks.check_links(chip_of(scale_up_bidirectional="900 GB/s"), limits) == ()


def test_reticle(limits: Limits) -> None:
    (finding,) = checks.check_die(chip_of(die_area_applicable="1017 mm2"), limits)
    assert "scanner field" in finding.problem.message
    two = chip_of(die_area_applicable="1448 mm2", logic_dies="2 count")
    assert checks.check_die(two, limits) == ()


def test_unknown_metric_is_not_compared(limits: Limits) -> None:
    chip = chip_of(published_tpp="2368 tpp")
    assert checks.check_published_tpp(chip, math.nan, limits) == ()
    assert checks.check_published_tpp(chip_of(), 2368, limits) == ()
    assert checks.check_published_tpp(chip, 2368 * 1.005, limits) == ()
    assert len(checks.check_published_tpp(chip, 2368 * 1.02, limits)) == 1


@pytest.mark.parametrize(
    ("day", "part"),
    [
        (dt.date(2020, 1, 1), "not compared for"),
        (dt.date(2030, 1, 1), "is not yet"),
        (None, "no verified_on"),
    ],
)
def test_verification(limits: Limits, day: dt.date | None, part: str) -> None:
    stale = dataclasses.replace(fact("tdp", "400 W"), sources=("somewhere",), verified_on=day)
    chip = dataclasses.replace(chip_of(), facts={"tdp": stale})
    (finding,) = checks.check_verification(chip, limits, TODAY)
    assert part in finding.problem.message


def test_verification_of_the_record_counts(limits: Limits) -> None:
    sourced = dataclasses.replace(fact("tdp", "400 W"), sources=("somewhere",))
    chip = dataclasses.replace(chip_of(), facts={"tdp": sourced}, verified_on=TODAY)
    assert checks.check_verification(chip, limits, TODAY) == ()


def test_duplicate_alias() -> None:
    one = dataclasses.replace(chip_of("one"), aliases=("H-20",))
    two = dataclasses.replace(chip_of("two"), aliases=("h20",))
    (finding,) = checks.check_names([one, two])
    assert "also a name of one" in finding.problem.message
    assert checks.check_names([one]) == ()


def source(identifier: str) -> Source:
    return Source(identifier, "t", "p", "press", TODAY, "l")


def test_dangling_and_orphan_sources() -> None:
    cited = dataclasses.replace(fact("tdp", "400 W"), sources=("known#page 1", "gone"))
    chip = dataclasses.replace(chip_of(), facts={"tdp": cited})
    sources = {name: source(name) for name in ("known", "lonely", "law")}
    findings = checks.check_citations([chip], [], sources, {}, ["law#2"])
    assert sorted((item.subject, item.problem.message) for item in findings) == [
        ("lonely", "id: no record cites it"),
        ("made-up", "tdp: no source 'gone'"),
    ]


def test_offer_faults() -> None:
    offer = Offer("nobody", "purchase", 1.0, dt.date(2030, 1, 1), "US", (), Status.STATED)
    messages = [item.problem.message for item in checks.check_offers([offer], ["h20"], TODAY)]
    assert len(messages) == 3
    fine = Offer("h20", "purchase", 1.0, TODAY, "US", (), Status.RECALLED)
    assert checks.check_offers([fine], ["h20"], TODAY) == ()


def test_offer_with_dangling_source() -> None:
    offer = Offer("h20", "purchase", 1.0, TODAY, "US", ("gone",), Status.STATED)
    (finding,) = checks.check_citations([], [offer], {}, {})
    assert "no source 'gone'" in finding.problem.message


def test_system_faster_than_its_chip(limits: Limits) -> None:
    chip = chip_of("slow", scale_up_per_direction="200 GB/s")
    facts = {"scale_up_per_direction": fact("scale_up_per_direction", "450 GB/s")}
    system = System("node", "node", (), facts, "systems/node.toml", chip="slow")
    (finding,) = checks.check_systems([system], {"slow": chip}, limits)
    assert "450 GB/s" in finding.problem.message
    (orphan,) = checks.check_systems([system], {}, limits)
    assert "no chip 'slow'" in orphan.problem.message


def test_waiver_accepts_one_finding_and_goes_stale(limits: Limits) -> None:
    findings = checks.check_die(chip_of(die_area_applicable="1017 mm2"), limits)
    waiver = Waiver("die", "made-up", "die_area_applicable", "a wafer")
    assert checks.apply_waivers(findings, [waiver]) == ()
    (problem,) = checks.apply_waivers((), [waiver])
    assert "nothing to waive" in problem.message
    assert len(checks.apply_waivers(findings, [])) == 1


def test_waiver_needs_a_reason(tmp_path: Path) -> None:
    folder = tmp_path / "checks"
    folder.mkdir()
    (folder / "waivers.csv").write_text("check,subject,key,reason\ndie,wse-3,x,\n")
    with pytest.raises(RecordError, match="needs a reason"):
        load_waivers(tmp_path)
    (folder / "waivers.csv").write_text("check,subject\n")
    with pytest.raises(RecordError, match="columns must be"):
        load_waivers(tmp_path)


def test_limits_file_names_what_it_lacks(tmp_path: Path) -> None:
    folder = tmp_path / "checks"
    folder.mkdir()
    (folder / "limits.toml").write_text("metric_tolerance = 0.01\n")
    with pytest.raises(RecordError, match="sum_tolerance: is required"):
        load_limits(tmp_path)


def test_broken_record_is_reported_and_hides_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "chips" / "nobody"
    folder.mkdir(parents=True)
    (folder / "broken.toml").write_text('id = "broken"\nname = 1\n')
    catalog = Catalog(tmp_path)
    problems = checks.check_hardware(catalog, TODAY, {}, {}, set(catalog.sources.entries))
    assert any("broken.toml" in problem.path for problem in problems)
