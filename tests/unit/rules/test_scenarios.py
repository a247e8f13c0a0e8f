import datetime as dt
import math

import numpy as np

from tests.unit.rules.circuits import circuit
from weir.catalog.law_load import load_law
from weir.rules.inputs import columns
from weir.rules.logic import NO, UNKNOWN, YES
from weir.rules.scenarios import agree, cells, is_uncertain, joined, sweeps, worlds
from weir.rules.scene import law_on

LAW = load_law()
DAY = law_on(LAW, dt.date(2024, 6, 1))


def test_cells_hold_each_line_and_a_point_between():
    points = cells([4800.0, 1600.0, 1600.0, math.inf, 0.0])
    assert points.tolist() == [800, 1600, 3200, 4800, 9600]
    assert cells([]).size == 1


def test_worlds_are_certain_and_lie_inside_the_intervals():
    chips = columns([circuit(fp8=(200.0, 400.0), area=(300.0, 900.0), market="contested")])
    found = worlds(DAY, chips)
    low, high = found.chips.metrics["tpp"]
    assert (low == high).all()
    assert (low >= 1600).all()
    assert (low <= 3200).all()
    density, _ = found.chips.metrics["performance_density"]
    assert (density >= low / 900 * (1 - 1e-12)).all()
    assert (density <= low / 300 * (1 + 1e-12)).all()
    assert set(found.chips.facts["datacentre"].tolist()) == {NO, YES}
    assert set(found.owner.tolist()) == {0}


def test_a_certain_chip_is_one_world():
    chips = columns([circuit()])
    assert not is_uncertain(chips).any()
    assert worlds(DAY, chips).chips.rows == 1


def test_worlds_agree_or_leave_it_open():
    value = np.array([YES, YES, NO, NO, NO, YES], np.int8)
    assert agree([value], 3, 2).tolist() == [[YES, NO, UNKNOWN]]
    assert agree([], 2, 3).shape == (0, 2)


def test_sweeps_move_one_input_and_what_depends_on_it():
    head = columns([circuit()])
    rows, plans = sweeps(DAY, head)
    assert [plan.variable for plan in plans] == [
        "tpp", "die_area", "memory_bandwidth", "io_bidirectional", "datacentre",
    ]  # fmt: skip
    area = plans[1]
    part = slice(area.start, area.stop)
    density = rows.metrics["performance_density"][0][part]
    assert np.allclose(density, 2368 / area.points)
    assert (rows.metrics["tpp"][0][part] == 2368).all()
    assert 2368 / 3.2 in area.points
    both = joined(head, rows)
    assert both.rows == 1 + rows.rows
    assert head.metrics["die_area"][0].tolist() == [814]
