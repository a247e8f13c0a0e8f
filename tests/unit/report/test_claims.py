import math

from weir.answers.accuracy.claims import ClaimsCheck, Finding, Judgement
from weir.answers.datasheet import cited_sources
from weir.catalog.claims import Claim
from weir.report.claims import claims_document
from weir.report.document import Table, walk
from weir.report.text import to_text


def finding(identifier, ours, judgement, *, value=100.0, unit="s", reason=""):
    claim = Claim(
        identifier, f"Claim {identifier}.", "something", value, unit, 0.1,
        "chip-export-controls-tracker", "", {}, reason,
    )  # fmt: skip
    return Finding(claim, ours, judgement, reason)


def test_every_number_is_judged_and_every_reason_printed_once(catalog):
    found = (
        finding("A", 104.0, Judgement.AGREES),
        finding("B", 150.0, Judgement.DIFFERS, reason="another clock"),
        finding("B", 160.0, Judgement.DIFFERS, reason="another clock"),
        finding("C", math.nan, Judgement.NOT_COMPUTED, reason="no such chip"),
        finding("D", 99.999, Judgement.AGREES),
        finding("E", 1.0, Judgement.DIFFERS, value=0.0, unit=""),
        finding("F", 2e15, Judgement.DIFFERS, value=1e15, unit="FLOP/s"),
    )
    counts = {Judgement.AGREES: 2, Judgement.DIFFERS: 4, Judgement.NOT_COMPUTED: 1}
    sources = cited_sources(["chip-export-controls-tracker"], catalog)
    document = claims_document(ClaimsCheck(found, counts, "2026-01-01"), sources)
    table = next(block for block in walk(document) if isinstance(block, Table))
    cells = [[cell.text for cell in row] for row in table.full_rows]
    assert [row[4] for row in cells] == [
        "+4.0%", "+50.0%", "+60.0%", "–", "0.0%", "+1", "+100.0%"
    ]  # fmt: skip
    assert cells[3][3] == "–"
    assert cells[6][2:4] == ["1e+15 FLOP/s", "2e+15 FLOP/s"]
    text = to_text(document)
    assert text.count("another clock") == 1
    assert "Of 7 published numbers 2 agree with ours, 4 differ and 1 are" in text
