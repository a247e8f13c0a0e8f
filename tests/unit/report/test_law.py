"""Pages of the law book, from the instruments of the stock and invented lists."""

import datetime as dt

import pytest

from weir.answers.lawbook import law_entry, lawbook
from weir.catalog.law_stock import stock_law
from weir.catalog.query import Catalog
from weir.report.document import Section, Table, walk
from weir.report.html import to_html
from weir.report.law import law_document, lawbook_document
from weir.report.text import to_text

LAW = stock_law()
ON = dt.date(2026, 9, 1)


def document(name):
    entry = law_entry(LAW, name, ON)
    catalog = Catalog()
    return law_document(entry, tuple(catalog.source(item) for item in entry.sources))


def test_bills_and_foreign_measures_have_a_section_of_their_own():
    found = lawbook_document(lawbook(LAW, ON))
    tables = [block for block in walk(found) if isinstance(block, Table)]
    kinds = [{row[1].text for row in table.full_rows} for table in tables]
    assert kinds[1] == {"bill", "foreign measure"}
    assert not kinds[0] & kinds[1]
    only_bills = lawbook_document(lawbook(LAW, ON, "bill"))
    assert [section.heading for section in only_bills.sections] == ["Bills and foreign measures"]


@pytest.mark.parametrize("name", sorted(LAW.instruments))
def test_every_provision_of_an_instrument_has_a_section(name):
    found = document(name)
    headings = [block.heading for block in walk(found) if isinstance(block, Section)]
    for item in LAW.provisions:
        if item.instrument == name:
            assert item.id in headings
    text = " ".join(to_text(found).split())
    for item in LAW.instruments[name].provisions:
        assert " ".join(item.quote.split()) in text


def test_a_letter_says_whom_it_binds_and_which_cases_rest_on_it():
    text = to_text(document("2025-04-09-letters"))
    assert "NVIDIA; AMD; Intel" in text
    assert "H20" in text.split("Golden cases")[1]


def test_an_instrument_without_provisions_says_so():
    text = to_text(document("safe-chips-act"))
    assert "no sentence that a determination evaluates" in text
    assert "No case of tests/golden/determinations.csv rests on it." in text
    assert "No legal force in the United States" in text


def test_changes_of_the_text_are_quoted():
    text = to_text(document("2022-10-07-advanced-computing"))
    assert "Changes of the text" in text


def test_a_page_can_be_written():
    assert "<h1>" in to_html(document("2026-01-15-review-policy"))
