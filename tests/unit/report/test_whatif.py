"""What-ifs from invented comparisons."""

import datetime as dt
import math

from weir.answers.changes import StatusFlip
from weir.answers.law_map import DENSITY, LawMap, Place
from weir.answers.whatif import Moved, WhatIf
from weir.report.document import Picture, Table, walk
from weir.report.text import to_text
from weir.report.whatif import whatif_document
from weir.rules.logic import Answer
from weir.rules.periods import Status
from weir.rules.transaction import Transaction
from weir.rules.zones import Zone

FREE = Status("none", Answer.NO, "", ())
OPEN = Status("undetermined", Answer.UNKNOWN, "", ())
BOUND = Status("3A090.a", Answer.YES, "case_by_case", ())
ZONE = Zone(
    clause="X.1",
    paragraph="3A090.a",
    effect="classify",
    title="X.1",
    x="tpp",
    y=DENSITY,
    x_low=1000.0,
    x_high=math.inf,
    y_low=2.0,
    y_high=5.0,
    includes=(True, False, True, False),
    citation="1 CFR 1",
)


def flip(name, before, after):
    return StatusFlip(name, name.lower(), before, after, (), None)


def answer(captured=(), released=(), shifted=(), collateral=(), moved=()):
    return WhatIf(
        title="x = 1",
        transaction=Transaction("CN", dt.date(2030, 1, 1)),
        destination_name="China",
        captured=captured,
        released=released,
        shifted=shifted,
        collateral=collateral,
        unchanged=4,
        moved=moved,
        zones_before=(),
        zones_after=(),
        bandwidth_zones_before=(),
        bandwidth_zones_after=(),
        assumptions=(),
        evidence_horizon=dt.date(2031, 1, 1),
        data_version="2031-01-01",
    )


def rows(document):
    found = next(block for block in walk(document) if isinstance(block, Table))
    return [[cell.text for cell in row] for row in found.full_rows]


def test_each_flip_says_its_effect_and_its_market():
    gaming, unknown = flip("Gaming", FREE, BOUND), flip("Unknown", OPEN, BOUND)
    gone = flip("Gone", BOUND, FREE)
    found = whatif_document(answer((gaming, unknown), (gone,), collateral=(gaming,)), ())
    assert [(row[0], row[1], row[4]) for row in rows(found)] == [
        ("Gaming", "captured", "not for data centres"),
        ("Unknown", "captured, open today", ""),
        ("Gone", "released", ""),
    ]
    assert "2 would come to need a licence (for 1 of them that is open today)" in found.lead
    assert "1 of the 2 captured are not marketed for data centres: Gaming" in found.lead


def test_it_says_that_it_is_not_the_law():
    text = to_text(whatif_document(answer(), ()))
    assert "A hypothetical, not the law." in text
    assert "Nothing of the law differs." in text
    assert "No chip has another status under the change. 4 were compared." in text


def test_what_is_changed_stands_beside_what_is():
    moved = (Moved("X.1", "r", "TPP ≥ 2", "TPP ≥ 1"), Moved("X.2", "r", "TPP ≥ 3", ""))
    text = to_text(whatif_document(answer(moved=moved), ()))
    assert "TPP ≥ 2  TPP ≥ 1" in text
    assert "does not exist" in text


def test_maps_name_what_changes_where_both_numbers_are_known():
    places = (
        Place("A", "a", (900.0, 900.0), (3.0, 3.0), Answer.NO),
        Place("B", "b", (900.0, 900.0), (0.0, math.inf), Answer.NO),
    )
    one = LawMap(dt.date(2030, 1, 1), DENSITY, (ZONE,), places)
    flips = (flip("A", FREE, BOUND), flip("B", FREE, BOUND))
    found = whatif_document(answer(captured=flips), (), [("Under the change", one)])
    (picture,) = [block for block in walk(found) if isinstance(block, Picture)]
    assert "Named: A (TPP 900, performance density 3)." in picture.alt
    assert "X.1: TPP from 1,000, performance density from 2, performance density up to 5" in (
        picture.alt
    )
    asked = whatif_document(answer(captured=flips), ("b",), [("Under the change", one)])
    (picture,) = [block for block in walk(asked) if isinstance(block, Picture)]
    assert "), B (TPP 900, performance density unknown)." in picture.alt
