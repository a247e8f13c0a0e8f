from dataclasses import replace

from tests.unit.answers.accuracy.test_validate_published import SPEED
from weir.answers.accuracy.validate_published import PublishedPrediction, PublishedValidation
from weir.answers.datasheet import cited_sources
from weir.report.document import Table, walk
from weir.report.published import published_document
from weir.report.text import to_text


def made(chip, ratio, **given):
    speed = replace(SPEED, chip=chip, value=100.0, **given)
    return PublishedPrediction(speed, "", 100.0 * ratio, 90.0 * ratio, 110.0 * ratio)


def test_chips_that_were_calibrated_on_stand_apart(catalog):
    answer = PublishedValidation(
        (made("h100-sxm", 3.0), made("h200-sxm", 1.05), PublishedPrediction(SPEED, "no rate")),
        {"no rate": 1},
        "2026-01-01",
    )
    sources = cited_sources([SPEED.source], catalog)
    document = published_document(answer, sources)
    assert document.lead.startswith("2 of 3 published speeds are predicted; on test chips the")
    assert "5.0%" in document.lead
    tables = [block for block in walk(document) if isinstance(block, Table)]
    by_chip = [table for table in tables if table.caption == "By chip"]
    assert [table.rows[0][0] for table in by_chip] == ["h200-sxm", "h100-sxm"]
    assert by_chip[0].rows[0][2:] == ("5.0 / 5.0", "+0.05", "100%")
    assert tables[-1].rows[0][-1] == "300"
    assert "no rate" in to_text(document)


def test_nothing_refused_is_said(catalog):
    answer = PublishedValidation((made("h200-sxm", 1.0),), {}, "2026-01-01")
    document = published_document(answer, cited_sources([SPEED.source], catalog))
    assert "Every row is predicted." in to_text(document)
