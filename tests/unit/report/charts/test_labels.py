import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir.report.charts.labels import Box, Wish, overlaps, place, text_width

FRAME = Box(0.0, 0.0, 800.0, 500.0)


def shared(one: Box, other: Box) -> float:
    return float(overlaps([one], [other])[0, 0])


def test_overlap_is_the_shared_area():
    assert shared(Box(0, 0, 10, 10), Box(4, 6, 20, 20)) == 6 * 4
    assert shared(Box(0, 0, 10, 10), Box(10, 0, 20, 10)) == 0
    assert overlaps([], [FRAME]).shape == (0, 1)
    assert overlaps([FRAME], []).shape == (1, 0)


def test_lone_label_stands_right_of_its_point():
    (placed,) = place([Wish("H20", 100, 100, 12)], [], FRAME)
    assert placed.box.left > 100
    assert placed.middles == [pytest.approx(100)]
    assert not placed.leader


def test_label_at_the_right_edge_turns_left():
    point = Box(795, 95, 805, 105)
    (placed,) = place([Wish("Ascend 910C", 800, 100, 12)], [point], FRAME)
    assert placed.box.right < 795


def test_hemmed_in_label_moves_out_and_gets_a_leader():
    around = [Box(100 + 22 * i, 100 + 22 * j, 122 + 22 * i, 122 + 22 * j)
              for i, j in itertools.product((-2, -1, 0, 1), (-1, 0))]  # fmt: skip
    (placed,) = place([Wish("X", 100, 100, 12)], around, FRAME)
    assert placed.leader
    assert all(shared(placed.box, box) == 0 for box in around)


def test_optional_labels_do_not_push_names_away():
    names = [Wish(f"Chip {i}", 100 + 30 * i, 100 + 10 * i, 12) for i in range(6)]
    extras = [Wish("batch 8", w.x, w.y, 11, optional=True) for w in names]
    alone = place(names, [], FRAME)
    mixed = place([wish for pair in zip(extras, names, strict=True) for wish in pair], [], FRAME)
    assert [p.box for p in mixed if not p.wish.optional] == [p.box for p in alone]


def test_leaders_keep_off_other_names():
    wall = [Box(85, 85, 116, 116)]
    wishes = [Wish("First name", 100, 100, 12), Wish("Second name", 101, 101, 12)]
    one, other = place(wishes, wall, FRAME)
    assert one.leader or other.leader
    for mine, its in ((one, other), (other, one)):
        assert all(shared(piece, its.box) == 0 for piece in mine.line)


def test_optional_label_without_room_is_left_out():
    wish = Wish("batch 64", 400, 250, 11, optional=True)
    assert place([wish], [FRAME], FRAME) == ()
    assert len(place([wish], [], FRAME)) == 1


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 9)), min_size=1, max_size=12, unique=True)
)
def test_points_apart_give_labels_apart(cells):
    wishes = [Wish(f"Chip {i}", 50 + 90 * c, 25 + 48 * r, 12) for i, (c, r) in enumerate(cells)]
    points = [Box(w.x - 5, w.y - 5, w.x + 5, w.y + 5) for w in wishes]
    placed = place(wishes, points, FRAME)
    assert [p.wish for p in placed] == wishes
    for p in placed:
        assert FRAME.left <= p.box.left
        assert p.box.right <= FRAME.right
        assert FRAME.top <= p.box.top
        assert p.box.bottom <= FRAME.bottom
    boxes = [p.box for p in placed]
    shares = overlaps(boxes, boxes)
    np.fill_diagonal(shares, 0.0)
    assert shares.max() == 0
    assert overlaps(boxes, points).max() == 0


def test_same_wishes_same_places():
    wishes = [Wish(f"C{i}", 300 + 7 * math.sin(i), 200 + 5 * i, 12) for i in range(8)]
    assert place(wishes, [], FRAME) == place(wishes, [], FRAME)


def test_lines_of_a_label_are_apart():
    (placed,) = place([Wish("one,\ntwo", 100, 100, 10)], [], FRAME)
    first, second = placed.middles
    assert second - first == pytest.approx(12)
    assert (first + second) / 2 == pytest.approx((placed.box.top + placed.box.bottom) / 2)


def test_wider_letters_are_wider():
    assert text_width("WWW", 12) > text_width("aaa", 12) > text_width("iii", 12)
    assert text_width("H20", 12, bold=True) > text_width("H20", 12)
    assert text_width("昇腾", 10) == 20
