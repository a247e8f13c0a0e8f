"""One small document with every kind of block, built from invented facts."""

import datetime as dt

import pytest

from weir.core.provenance import Source, Status
from weir.report.document import (
    Align,
    Cell,
    Column,
    Document,
    Footnote,
    Item,
    Listing,
    Paragraph,
    Picture,
    Section,
    Table,
    Weight,
)
from weir.report.palette import Tone

SPEC = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
    "width": 200,
    "height": 100,
    "data": {"values": [{"x": 1, "y": 2}]},
    "mark": "point",
    "encoding": {
        "x": {"field": "x", "type": "quantitative"},
        "y": {"field": "y", "type": "quantitative"},
    },
}


@pytest.fixture
def sample() -> Document:
    sheet = Source(
        id="acme-sheet",
        title="Acme 1 <datasheet>",
        publisher="Acme & Sons",
        kind="datasheet",
        accessed=dt.date(2025, 2, 3),
        licence="quotation",
        url="https://example.org/acme_1.pdf?a=1&b=(2)",
        published=dt.date(2024, 5, 6),
    )
    rule = Source(
        id="rule-1",
        title="Rule One",
        publisher="Office",
        kind="rule",
        accessed=dt.date(2025, 2, 3),
        licence="public domain",
    )
    unread = Source(
        id="unread",
        title="Cited by nobody",
        publisher="Nobody",
        kind="page",
        accessed=dt.date(2025, 2, 3),
        licence="none",
    )
    table = Table(
        "Rates of Acme 1",
        ("Quantity", Column("Rate", "TFLOP/s", Align.RIGHT)),
        (
            ("FP16 | dense", Cell("148", ("acme-sheet#p. 2",))),
            ("FP8", Cell("296", ("assumed",), Status.RECALLED)),
        ),
        notes=("Dense rates only.",),
        highlighted=(0,),
    )
    clauses = Listing(
        (
            Item(
                "3A090.a",
                ("rule-1#(a)",),
                "false",
                Tone.NOT_REQUIRED,
                (Item("TPP 2,368 < 4,800", ("acme-sheet#p. 2",)),),
            ),
        )
    )
    law = Section(
        "The law",
        (
            Paragraph("A *licence* is needed.", ("rule-1#(a)",), Weight.LEAD, Tone.REQUIRED),
            Paragraph("Not everything was checked.", weight=Weight.CAUTION),
            clauses,
            Section("What it can do", (table, Picture("map", SPEC, "A map", "One dot", "Acme"))),
        ),
    )
    return Document(
        "Acme 1 to Ruritania",
        "A licence is required.",
        (law,),
        (unread, rule, sheet),
        (Footnote("assumed", "No document was opened."),),
        (("Day", "2025-07-15"), ("Data version", "2025-07-01")),
        "Information, not legal advice.",
    )
