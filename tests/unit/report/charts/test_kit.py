import pytest

from weir.report.charts.kit import Scale, span, tone_channels
from weir.report.palette import Tone


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("upward", [True, False])
def test_pixels_and_values_are_inverse(log, upward):
    scale = Scale(10.0, 1000.0, 500.0, log=log, upward=upward)
    for value in (10.0, 37.0, 100.0, 999.0, 1000.0):
        assert scale.from_px(scale.to_px(value)) == pytest.approx(value)


def test_middle_of_a_logarithmic_axis_is_the_geometric_one():
    assert Scale(10.0, 1000.0, 500.0).to_px(100.0) == pytest.approx(250.0)
    assert Scale(0.0, 1000.0, 500.0, log=False).to_px(100.0) == pytest.approx(50.0)
    assert Scale(10.0, 1000.0, 500.0, upward=True).to_px(1000.0) == pytest.approx(0.0)


def test_values_outside_stand_on_the_edge():
    assert Scale(10.0, 1000.0, 500.0).to_px(1.0) == 0.0


def test_ticks_are_round_and_inside():
    assert Scale(3.0, 250.0, 500.0).ticks == [5.0, 10.0, 20.0, 50.0, 100.0, 200.0]


def test_span_ignores_what_a_logarithm_cannot_show():
    assert span([0.0, 4.0, float("inf"), 16.0], 2.0) == (2.0, 32.0)
    assert span([], 2.0) == (0.5, 2.0)


def test_only_tones_that_occur_are_in_the_legend():
    scale = tone_channels([Tone.UNKNOWN, Tone.REQUIRED, Tone.UNKNOWN])["color"]["scale"]
    assert scale["domain"] == ["licence required", "unknown"]
