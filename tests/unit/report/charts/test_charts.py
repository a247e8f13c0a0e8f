"""The maps, the frontier and the timeline, drawn from invented chips."""

import datetime as dt
import json
import math

import numpy as np
import pytest

from weir.report.charts import (
    Group,
    MapPoint,
    Period,
    Series,
    ServingPoint,
    Zone,
    bandwidth_map,
    density_map,
    frontier,
    memory_map,
    timeline,
)
from weir.report.charts.labels import overlaps, text_box, text_width
from weir.report.charts.timeline import _crossings, _hang
from weir.report.palette import Tone

DAY = dt.date(2030, 5, 6)
ZONES = [
    Zone("A.1", x_min=4000),
    Zone("A.2", x_min=1000, y_min=6),
    Zone("B.1", 2000, 4000, 1.5, 6, strong=False),
]
POINTS = [
    MapPoint("Asked", 1900, 1900, 2.5, 2.5, Group.HIGHLIGHTED, Tone.NOT_REQUIRED),
    MapPoint("Peer", 9000, 9000, 11, 11, Group.COMPARED, Tone.REQUIRED),
    MapPoint("Twin", 9000, 9000, 11, 11, Group.COMPARED, Tone.REQUIRED),
    MapPoint("Vague", 2500, 3500, 3, None, Group.COMPARED, Tone.UNKNOWN),
    MapPoint("Dot", 500, 500, 1, 1),
]


def rows(spec, kind, *fields):
    """The rows of all layers with a mark of this kind that have these fields."""
    return [
        row
        for layer in spec["layer"]
        if layer["mark"]["type"] == kind
        for row in layer["data"]["values"]
        if all(field in row for field in fields)
    ]


def words(spec):
    return [row["text"] for row in rows(spec, "text", "text")]


def specs():
    periods = [Period("Ruritania", dt.date(2029, 1, 1), None, Tone.REQUIRED, "", "Rule 1")]
    series = [Series("Asked", (ServingPoint(20, 900, 700, 1200, 64, 8),), highlighted=True)]
    return {
        "density": density_map("T", DAY, ZONES, POINTS, (400, 800)),
        "bandwidth": bandwidth_map("T", DAY, [Zone("A", 4000, None, 6e11)], POINTS),
        "memory": memory_map("T", DAY, [], POINTS),
        "frontier": frontier("T", series),
        "timeline": timeline("T", periods, DAY, dt.date(2030, 12, 31)),
        "empty map": density_map("T", DAY, [], []),
        "empty frontier": frontier("T", []),
        "empty timeline": timeline("T", []),
    }


@pytest.mark.parametrize("name", list(specs()))
def test_specification_is_strict_json_and_is_drawn(name):
    svg = pytest.importorskip("weir.report.svg")
    pytest.importorskip("vl_convert")
    spec = specs()[name]
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    drawn = svg.to_svg(spec)
    assert drawn.startswith("<svg")
    assert "NaN" not in drawn
    assert int(drawn.split('width="')[1].split('"')[0]) <= 900


def test_zones_are_cut_to_the_map_and_the_stronger_lie_on_top():
    spec = density_map("T", DAY, ZONES, POINTS)
    zones = rows(spec, "rect", "zone")
    assert [row["zone"] for row in zones] == ["B.1", "A.1", "A.2"]
    low, high = spec["layer"][0]["encoding"]["y"]["scale"]["domain"]
    a1 = zones[1]
    assert (a1["x"], a1["y"], a1["y2"]) == (4000, low, high)
    assert zones[0] == {"zone": "B.1", "x": 2000, "x2": 4000, "y": 1.5, "y2": 6}


def test_zone_conditions_are_written_from_the_numbers():
    told = words(density_map("T", DAY, ZONES, []))
    assert {"A.1", "TPP ≥ 4,000", "A.2", "TPP ≥ 1,000, density ≥ 6", "B.1"} <= set(told)
    given = density_map("T", DAY, [Zone("A", 4000, condition="TPP of 4,000 or more")], POINTS)
    assert "TPP of 4,000 or more" in words(given)


def test_zone_too_small_for_its_name_is_named_beside_it():
    spec = density_map("T", DAY, [Zone("Tiny", 2000, 2050, 5, 5.1)], POINTS)
    assert any(text.startswith("Tiny: 2,000 ≤ TPP < 2,050") for text in words(spec))


def test_known_chip_is_a_point_and_unknown_density_a_bar_to_the_edge():
    spec = density_map("T", DAY, ZONES, POINTS)
    points = {row["name"]: row for row in rows(spec, "point", "name")}
    assert (points["Asked"]["x"], points["Asked"]["y"]) == (1900, 2.5)
    assert points["Vague"]["x"] == pytest.approx(math.sqrt(2500 * 3500))
    assert points["Vague"]["second"] == "3 to ?"
    top = spec["layer"][0]["encoding"]["y"]["scale"]["domain"][1]
    assert [row["y2"] for row in rows(spec, "rule", "verdict") if row["y"] == 3] == [top]
    assert "no known bound" in " ".join(spec["title"]["subtitle"])


def test_chip_without_any_bound_is_named_and_not_placed():
    spec = density_map("T", DAY, ZONES, [MapPoint("Mystery", None, None, None, None)])
    assert rows(spec, "point", "name") == []
    assert "Not placed, numbers unknown: Mystery." in spec["title"]["subtitle"]


def test_dot_without_density_is_a_tick_on_the_edge():
    dots = [MapPoint(f"Dot {i}", 700 + i, 700 + i, None, None) for i in range(30)]
    spec = density_map("T", DAY, ZONES, [*POINTS, *dots])
    bottom, top = spec["layer"][0]["encoding"]["y"]["scale"]["domain"]
    ticks = list(rows(spec, "rule", "verdict", "name"))
    assert [row["name"] for row in ticks] == [dot.name for dot in dots]
    assert all(row["y"] == bottom and row["y2"] < bottom * (top / bottom) ** 0.05 for row in ticks)
    assert "Ticks on the edge: 30 more chips" in " ".join(spec["title"]["subtitle"])
    assert not {dot.name for dot in dots} & {row["name"] for row in rows(spec, "point", "name")}


def test_long_lists_do_not_widen_the_picture():
    lost = [MapPoint(f"A chip with a long name {i}", None, None, None, None) for i in range(30)]
    spec = density_map("A long title " * 12, DAY, ZONES, [*POINTS, *lost])
    assert max(map(len, spec["title"]["subtitle"])) <= 130
    assert "and 24 others" in " ".join(spec["title"]["subtitle"])
    assert len(spec["title"]["text"]) > 1


def test_names_of_a_crowded_place_are_set_line_by_line():
    names = ["NVIDIA H100 SXM 80GB", "NVIDIA H200 SXM 141GB", "NVIDIA H800 SXM 80GB"]
    crowd = [MapPoint(name, 9000, 9000, 11, 11, Group.COMPARED) for name in names]
    told = words(density_map("T", DAY, ZONES, crowd))
    assert [text for text in told if "NVIDIA" in text] == [
        "NVIDIA H100 SXM 80GB,",
        "NVIDIA H200 SXM 141GB,",
        "NVIDIA H800 SXM 80GB",
    ]


def test_compared_chips_are_named_once_and_others_are_not():
    told = words(density_map("T", DAY, ZONES, POINTS))
    assert told.count("Asked") == 1
    assert told.count("Peer, Twin") == 1
    assert not any("Dot" in text for text in told)


def test_rates_are_drawn_in_gigabytes():
    chips = [MapPoint("C", 100, 100, 4e11, 4e11), MapPoint("D", 4e4, 4e4, 5e12, 5e12)]
    spec = bandwidth_map("T", DAY, [Zone("A", 4000, None, 6e11)], chips)
    point, _ = rows(spec, "point", "name")
    assert point["y"] == pytest.approx(400)
    assert point["second"] == "400 GB/s"
    assert "TPP ≥ 4,000, transfer rate ≥ 600 GB/s" in words(spec)


def test_line_of_equal_die_area_follows_the_definition_of_density():
    spec = density_map("T", DAY, ZONES, POINTS, (400,))
    line = rows(spec, "line", "area")
    assert len(line) == 2
    assert all(row["x"] / row["y"] == pytest.approx(400) for row in line)


def test_frontier_has_a_band_for_the_asked_chip_only():
    banded = tuple(ServingPoint(u, 1000 / u, 800 / u, 1300 / u, b) for u, b in ((10, 64), (40, 8)))
    spec = frontier(
        "T", [Series("Asked", banded, True), Series("Peer", banded), Series("None", ())]
    )
    band = rows(spec, "area", "y2")
    assert [(row["x"], row["y"], row["y2"]) for row in band] == [(10, 80, 130), (40, 20, 32.5)]
    told = words(spec)
    assert told.count("Asked") == told.count("Peer") == 1
    assert {"batch 64", "batch 8"} <= set(told)
    assert "No operating point: None." in spec["title"]["subtitle"]


def test_frontier_points_are_joined_in_the_order_of_interactivity():
    points = (ServingPoint(40, 25), ServingPoint(10, 100), ServingPoint(20, 50))
    spec = frontier("T", [Series("Peer", points)])
    assert [row["x"] for row in rows(spec, "line", "chip")] == [10, 20, 40]


def test_timeline_bar_holds_its_last_day_and_open_bars_end_at_the_horizon():
    first, last = dt.date(2029, 1, 1), dt.date(2029, 12, 31)
    periods = [
        Period("R", first, last, Tone.NOT_REQUIRED),
        Period("R", dt.date(2030, 1, 1), None, Tone.REQUIRED, "licence required", "Rule 1"),
    ]
    horizon = dt.date(2030, 12, 31)
    spec = timeline("T", periods, None, horizon)
    one, two = rows(spec, "rect", "from")
    assert one["x"] == 0
    assert one["x2"] == two["x"]
    (mark,) = [row for row in rows(spec, "rule", "x") if row["x"] == two["x2"]]
    assert mark["x2"] == two["x2"]
    assert "2030-01-01  Rule 1" in words(spec)
    assert "law read to 2030-12-31" in words(spec)


def test_instrument_names_never_cross():
    days = np.random.default_rng(7).uniform(0, 780, size=(40, 6))
    for xs in days:
        wanted = [(float(x), f"2030-01-01  Instrument {i}") for i, x in enumerate(sorted(xs))]
        assert _crossings(_hang(wanted)) == 0


def test_picture_names_do_not_cover_each_other():
    crowd = [
        MapPoint(
            f"Chip {i}", 3000 * 1.2**i, 3000 * 1.2**i, 5 * 1.15**i, 5 * 1.15**i, Group.COMPARED
        )
        for i in range(10)
    ]
    spec = density_map("T", DAY, ZONES, crowd)
    size = 12
    x, y = (spec["layer"][0]["encoding"][axis]["scale"]["domain"] for axis in "xy")
    boxes = []
    for row in rows(spec, "text", "align"):
        left = 780 * math.log(row["x"] / x[0]) / math.log(x[1] / x[0])
        middle = 520 * (1 - math.log(row["y"] / y[0]) / math.log(y[1] / y[0]))
        width = text_width(row["text"], size)
        left -= {"left": 0, "center": width / 2, "right": width}[row["align"]]
        boxes.append(text_box(row["text"], left, middle, size))
    shares = overlaps(boxes, boxes)
    np.fill_diagonal(shares, 0)
    assert len(boxes) == len(crowd)
    assert shares.max() < 1e-6
