import re
from pathlib import Path

from weir.catalog.law_load import load_law

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "readings.md"


def anchors():
    headings = re.findall(r"^### (.*)$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_reading_that_a_rule_file_names_is_explained():
    law = load_law()
    named = {
        reading
        for item in law.instruments.values()
        for reading in (*item.readings, *(r for p in item.provisions for r in p.readings))
    }
    assert named
    assert named <= anchors(), sorted(named - anchors())
