import datetime as dt
import math

from tests.unit.rules.circuits import circuit
from weir.catalog.law_load import load_law
from weir.rules.determine import determine_inputs
from weir.rules.parameters import apply_overlay, overlay_of
from weir.rules.transaction import Transaction
from weir.rules.zones import zones

LAW = load_law()
DAY = dt.date(2024, 6, 1)


def test_the_map_of_2023_has_the_four_clauses():
    found = {zone.clause: zone for zone in zones(LAW, DAY)}
    assert set(found) == {"3A090.a.1", "3A090.a.2", "3A090.b.1", "3A090.b.2"}
    b1 = found["3A090.b.1"]
    assert (b1.x_low, b1.x_high, b1.y_low, b1.y_high) == (2400, 4800, 1.6, 5.92)
    assert b1.includes == (True, False, True, False)
    assert (found["3A090.a.1"].y_low, found["3A090.a.1"].y_high) == (0, math.inf)


def test_a_point_in_a_zone_is_what_the_law_says_of_it():
    for tpp, density in ((5000, 1), (2000, 6), (3000, 2), (2000, 4), (3000, 1), (2000, 2)):
        area = tpp / density
        chip = circuit(fp8=tpp / 8, area=(area, area), designer="Other")
        found = determine_inputs(chip, Transaction("CN", DAY), LAW, trace_steps=False)
        inside = {
            zone.paragraph
            for zone in zones(LAW, DAY)
            if zone.x_low <= tpp < zone.x_high and zone.y_low <= density < zone.y_high
        }
        assert found.eccn == (min(inside) if inside else "none")


def test_the_map_of_2022_is_over_io_and_has_no_density():
    day = dt.date(2023, 1, 1)
    (zone,) = zones(LAW, day, "tpp", "io_bidirectional")
    assert (zone.x_low, zone.y_low) == (4800, 600)


def test_there_is_no_zone_before_the_rule():
    assert zones(LAW, dt.date(2022, 1, 1)) == ()


def test_a_what_if_moves_the_zone():
    changed = apply_overlay(LAW, overlay_of(["3A090.a.1.tpp=4000"]))
    assert {z.x_low for z in zones(changed, DAY) if z.clause == "3A090.a.1"} == {4000}


def test_bandwidth_lines_of_letters_and_tariffs():
    found = zones(LAW, dt.date(2026, 2, 1), "tpp", "memory_bandwidth", ("require", "tariff"))
    by_clause = {(zone.clause, zone.y_low) for zone in found}
    assert ("letter-2025-04.intel", 1400) in by_clause
    assert ("tariff-232.band-1", 4500) in by_clause
