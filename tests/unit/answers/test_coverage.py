"""Coverage counts each fact once, and nothing that is unknown as known."""

import datetime as dt

import pytest

from weir.answers.coverage import Coverage, coverage
from weir.catalog.fields import CHIP_FIELDS, SYSTEM_FIELDS
from weir.catalog.limits import load_limits
from weir.catalog.query import Catalog
from weir.core.provenance import Status
from weir.report.coverage import coverage_document
from weir.report.document import Table, walk


@pytest.fixture(scope="module")
def found(catalog: Catalog) -> Coverage:
    return coverage(catalog, dt.date.fromisoformat(catalog.data_version))


def test_by_fact_and_by_chip_add_up_to_the_same(found: Coverage, catalog: Catalog) -> None:
    facts = [fact for chip in catalog.chips.all() for fact in chip.facts.values()]
    for groups in (found.chip_fields, found.chips):
        assert sum(item.tally.known for item in groups) == len(facts)
        possible = len(CHIP_FIELDS) * len(catalog.chips.entries)
        assert sum(item.tally.unknown for item in groups) == possible - len(facts)
        for status in Status:
            count = sum(fact.status is status for fact in facts)
            assert sum(item.tally.statuses.get(status, 0) for item in groups) == count


def test_every_kind_of_fact_and_every_record_is_listed(found: Coverage, catalog: Catalog) -> None:
    assert [item.key for item in found.chip_fields] == list(CHIP_FIELDS)
    assert [item.key for item in found.system_fields] == list(SYSTEM_FIELDS)
    assert [item.id for item in found.chips] == list(catalog.chips.entries)
    assert [item.id for item in found.systems] == list(catalog.systems.entries)


def test_a_record_names_what_is_unknown_and_weak(found: Coverage, catalog: Catalog) -> None:
    record = next(item for item in found.chips if item.id == "h20-96")
    chip = catalog.chip("h20-96")
    assert record.unknown == chip.unknown_keys
    assert set(record.weak[Status.RECALLED]) == {
        key for key, fact in chip.facts.items() if fact.status is Status.RECALLED
    }
    field = next(item for item in found.chip_fields if item.key == record.unknown[0])
    assert "h20-96" in field.unknown_of


def test_facts_grow_stale_and_recalled_ones_do_not(found: Coverage, catalog: Catalog) -> None:
    assert sum(item.tally.stale for item in found.chips) == 0
    later = found.on + load_limits().stale_after + dt.timedelta(days=30)
    old = coverage(catalog, later)
    verified = sum(
        (fact.verified_on or chip.verified_on) is not None
        for chip in catalog.chips.all()
        for fact in chip.facts.values()
    )
    assert sum(item.tally.stale for item in old.chips) == verified > 0
    recalled_only = [c for c in old.chips if c.tally.statuses.get(Status.RECALLED) == c.tally.known]
    assert all(item.tally.stale == 0 for item in recalled_only)


@pytest.mark.parametrize(("by", "tables"), [(None, 4), ("fact", 2), ("chip", 1), ("system", 1)])
def test_the_document_shows_the_grouping_asked_for(
    found: Coverage, by: str | None, tables: int
) -> None:
    document = coverage_document(found, by)
    shown = [block for block in walk(document) if isinstance(block, Table)]
    assert len(shown) == tables
    for table in shown:
        for row in table.full_rows:
            possible = sum(int(cell.text.replace(",", "")) for cell in row[1:-1])
            assert possible in {
                len(CHIP_FIELDS),
                len(SYSTEM_FIELDS),
                len(found.chips),
                len(found.systems),
            }
