import numpy as np
import pytest

from weir.perf.calibration.intervals import (
    NORMAL,
    ChipLevel,
    chip_spread,
    foreign_width,
    half_widths,
    row_width,
    student,
)

RNG = np.random.default_rng(7)
ROWS = RNG.normal(0.0, 0.1, 20000)


def test_the_factor_falls_to_the_normal_one_as_chips_become_many():
    factors = [student(chips) for chips in range(1, 12)]
    assert factors == sorted(factors, reverse=True)
    assert factors[0] > 3.0
    assert factors[-1] == NORMAL


def test_the_width_of_rows_leaves_out_what_their_chip_errs_by():
    assert row_width(ROWS + 0.5) == pytest.approx(row_width(ROWS))
    assert row_width(ROWS) == pytest.approx(NORMAL * 0.1, rel=0.03)


def test_the_spread_of_chips_is_that_of_their_means():
    assert chip_spread([ROWS + 0.2, ROWS - 0.2]) == pytest.approx(0.2 * student(2), rel=0.02)


def test_a_format_of_few_chips_is_less_certain_than_one_of_many():
    level = ChipLevel(known=0.07, unseen=0.2, chips=4)
    many = half_widths(dict.fromkeys("abcd", ROWS), level)
    one = half_widths({"a": ROWS}, level)
    assert many.of["a"] == pytest.approx(np.hypot(row_width(ROWS), 0.07))
    assert one.of["a"] > many.of["a"]
    assert one.unseen > many.unseen > many.known


def test_what_a_new_generation_changes_does_not_widen_a_format_on_a_known_one():
    level = ChipLevel(known=0.07, unseen=0.9, chips=4)
    one = half_widths({"a": ROWS}, level)
    assert one.of["a"] == pytest.approx(np.sqrt(row_width(ROWS) ** 2 + 0.07**2 * 1.75))
    assert one.unseen > 0.9


def test_formats_that_were_left_out_tell_what_an_unmeasured_one_errs_by():
    left_out = (ROWS + 0.3, ROWS - 0.3, ROWS + 0.1)
    level = ChipLevel(known=0.07, unseen=0.05, chips=4, formats=left_out)
    found = half_widths({"a": ROWS}, level)
    assert found.unseen == pytest.approx(np.hypot(row_width(ROWS), chip_spread(left_out)))
    assert found.of == half_widths({"a": ROWS}, ChipLevel(0.07, 0.05, 4)).of


def test_an_interval_of_both_levels_holds_the_rows_of_new_chips():
    level = ChipLevel(known=NORMAL * 0.06, unseen=0.2, chips=4)
    width = half_widths(dict.fromkeys("abcd", ROWS), level).of["a"]
    chips = RNG.normal(0.0, 0.06, (400, 1)) + RNG.normal(0.0, 0.1, (400, 200))
    assert np.mean(np.abs(chips) <= width) == pytest.approx(0.8, abs=0.02)


def test_a_foreign_chip_adds_what_known_ones_do_not_have():
    own = row_width(ROWS)
    added = foreign_width([ROWS + 0.3, ROWS - 0.3, ROWS + 0.1, ROWS], own)
    assert added > 0.2
    assert foreign_width([ROWS, ROWS], own) < 0.01
    assert foreign_width([], own) == own
