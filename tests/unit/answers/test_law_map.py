import datetime as dt
import math

import pytest

from weir.answers.changes import inputs_of, statuses
from weir.answers.law_map import DENSITY, MEMORY, TRANSFER, law_map, rule_axis, stored
from weir.catalog.law_load import load_law
from weir.catalog.query import Catalog
from weir.rules.transaction import Transaction

LAW = load_law()
CATALOG = Catalog()
CHIPS = inputs_of(CATALOG.chip(name) for name in ("A800 SXM", "H20", "MI308X", "HL-328"))


@pytest.mark.parametrize(
    ("day", "axis"),
    [
        (dt.date(2022, 9, 1), DENSITY),
        (dt.date(2022, 10, 21), TRANSFER),
        (dt.date(2023, 11, 16), TRANSFER),
        (dt.date(2023, 11, 17), DENSITY),
    ],
)
def test_the_axis_is_that_of_the_rule_of_the_day(day, axis):
    assert rule_axis(LAW, day) == axis


def test_the_map_of_2022_has_the_rule_of_2022():
    found = law_map(CHIPS, Transaction("CN", dt.date(2023, 1, 1)), LAW, TRANSFER)
    (zone,) = found.zones
    assert (zone.x_low, zone.y_low) == (4800, 600)
    assert stored(zone.y, zone.y_low) == 600e9


def test_no_zone_is_larger_than_its_clause():
    day = dt.date(2026, 9, 1)
    for axis in (DENSITY, MEMORY):
        found = law_map(CHIPS, Transaction("CN", day), LAW, axis)
        assert found.zones
        assert all(not zone.others for zone in found.zones)
    clauses = {zone.clause for zone in found.zones}
    assert "letter-2025-04.intel" in clauses
    assert "3A090.a.2" not in clauses  # it asks for performance density as well


def test_places_hold_bounds_and_the_answer_of_the_law():
    job = Transaction("CN", dt.date(2026, 9, 1))
    found = law_map(CHIPS, job, LAW, DENSITY)
    by_id = {place.chip_id: place for place in found.places}
    assert by_id["h20-96"].x == (2368, 2368)
    assert by_id["gaudi-3-hl-328"].x[1] == math.inf
    assert by_id["mi308x"].x == pytest.approx((3872, 5505.6))
    told = [status.licence_required for status in statuses(CHIPS, job, LAW)]
    assert [place.licence_required for place in found.places] == told


def test_an_open_bound_is_none():
    assert stored(MEMORY, 0.0) is None
    assert stored(MEMORY, math.inf) is None
