import datetime as dt

import pytest

from weir.answers.authorities import REVIEW, authorities
from weir.answers.classify import determine
from weir.catalog.law_stock import stock_law
from weir.rules.transaction import Transaction

LAW = stock_law()


def found(catalog, chip, day):
    transaction = Transaction("CN", dt.date.fromisoformat(day))
    answer = determine(catalog.chip(chip), transaction, LAW, trace=False)
    return answer, authorities(answer, LAW)


@pytest.mark.parametrize("chip", ["H20", "H100", "RTX 4090", "MI308X"])
@pytest.mark.parametrize("day", ["2022-09-15", "2023-12-01", "2025-07-15", "2026-08-01"])
def test_all_that_rests_on_an_instrument_has_documents_in_the_catalogue(catalog, chip, day):
    answer, cited = found(catalog, chip, day)
    parts = (*answer.clauses, *answer.grounds, *answer.exceptions)
    for item in (*parts, *(notice for notice in answer.notices if notice.instrument)):
        assert cited[item.id], item.id
        assert all(catalog.source(source).id == source for source in cited[item.id])


def test_the_letter_leads_to_the_filing(catalog):
    answer, cited = found(catalog, "H20", "2025-07-15")
    (letter,) = [ground for ground in answer.grounds if "9 April 2025" in ground.title]
    assert "us-nvidia-8k-2025-04-15" in cited[letter.id]
    assert cited[REVIEW]


def test_no_review_policy_has_no_document(catalog):
    answer, cited = found(catalog, "H20", "2025-04-08")
    assert not answer.grounds
    assert REVIEW not in cited


def test_a_clause_leads_to_the_version_of_its_day(catalog):
    _, before = found(catalog, "H100", "2022-12-01")
    _, after = found(catalog, "H100", "2023-12-01")
    assert set(before.values()).isdisjoint(after.get(key, ()) for key in after if key in before)
