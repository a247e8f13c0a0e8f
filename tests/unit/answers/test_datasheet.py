import datetime as dt
import math
from dataclasses import replace

import pytest

from weir.answers.datasheet import (
    cited_sources,
    compare,
    datasheet,
    fact_text,
    latest_offer,
)
from weir.catalog.fields import CHIP_FIELDS
from weir.core.errors import UnknownNameError
from weir.core.provenance import Status


@pytest.fixture(scope="module")
def sheet(catalog):
    return datasheet(catalog.chip("H20"), catalog)


def test_every_known_fact_has_a_line_and_every_other_is_unknown(sheet):
    known = {line.key for line in sheet.lines}
    labels = {CHIP_FIELDS[key].label for key in CHIP_FIELDS if key not in known}
    assert labels == set(sheet.unknown)
    assert all(line.text and line.text != "unknown" for line in sheet.lines)


def test_every_citation_leads_to_a_listed_document(sheet):
    listed = [source.id for source in sheet.sources]
    assert len(listed) == len(set(listed))
    for line in sheet.lines:
        alternatives = [c for other in line.fact.alternatives for c in other.sources]
        for citation in (*line.fact.sources, *alternatives):
            assert citation.partition("#")[0] in listed


def test_a_fact_without_a_document_is_never_stated(sheet):
    for line in sheet.lines:
        assert line.fact.sources or line.fact.status is not Status.STATED


def test_offers_are_of_this_chip_and_in_order(sheet):
    assert sheet.offers
    assert {offer.chip for offer in sheet.offers} == {"h20-96"}
    assert list(sheet.offers) == sorted(sheet.offers, key=lambda o: (o.on, o.price_usd))


def test_the_latest_offer_is_not_younger_than_the_day(catalog):
    chip = catalog.chip("H20")
    offer = latest_offer(chip, catalog, "purchase", dt.date(2024, 12, 31))
    assert offer is not None
    assert offer.on <= dt.date(2024, 12, 31)
    assert latest_offer(chip, catalog, "purchase", dt.date(2000, 1, 1)) is None


def test_an_interval_is_told_with_both_ends(catalog):
    fact = catalog.chip("H20").facts["memory_bandwidth"]
    assert fact_text(fact) == "4 TB/s"
    assert fact_text(replace(fact, low=3e12, high=5e12)) == "4 TB/s (3 TB/s to 5 TB/s)"
    assert fact_text(replace(fact, value=None, low=3e12, high=5e12)) == "3 TB/s to 5 TB/s"
    assert fact_text(replace(fact, value=None, low=3e12, high=math.inf)).endswith("unbounded")


def test_integer_rates_are_operations_and_areas_have_one_spelling(catalog):
    lines = {line.key: line.text for line in datasheet(catalog.chip("H20"), catalog).lines}
    assert lines["dense_int8"] == "296 TOP/s"
    assert lines["dense_fp8"] == "296 TFLOP/s"
    assert lines["die_area_compute"] == "814 mm²"


def test_compared_chips_share_rows_and_unknown_stays_none(catalog):
    chips = [catalog.chip("H20"), catalog.chip("HL-328")]
    found = compare(chips, catalog)
    rates = {label: cells for _, label, cells in found.rows}
    assert rates["BF16 dense"][0].text == "148 TFLOP/s"
    assert rates["BF16 dense"][1] is None
    assert all(any(cells) and len(cells) == len(chips) for cells in rates.values())


def test_a_document_is_listed_once_and_an_unknown_one_is_refused(catalog):
    found = cited_sources(["pci-ids#1", "pci-ids#2", "pci-ids"], catalog)
    assert [source.id for source in found] == ["pci-ids"]
    with pytest.raises(UnknownNameError, match="unknown source 'nobody'"):
        cited_sources(["nobody#1"], catalog)
