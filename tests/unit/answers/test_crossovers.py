import math

import numpy as np
import pytest

from weir.answers.crossovers import crossovers, sentences_of

NAMES = ("X", "Y")
CONTEXTS = np.array([1000.0, 4000.0, 16000.0])


def said(*rows, speeds=None):
    speeds = speeds or [10.0 * (n + 1) for n in range(len(rows))]
    return sentences_of(NAMES, CONTEXTS, np.array(rows), speeds)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ([2.0, 3.0, 4.0], "X needs fewer chip-hours than Y at every length tried"),
        ([0.5, 0.2, 0.0], "Y needs fewer chip-hours than X at every length tried"),
        ([math.nan] * 3, "neither X nor Y serves any length tried"),
        # Equal gains on both sides of 1 meet in the middle of the logarithms: sqrt(1000 * 4000).
        ([0.5, 2.0, 4.0], "X needs fewer chip-hours than Y above 2,000 tokens of prompt"),
        ([4.0, 2.0, 0.5], "Y needs fewer chip-hours than X above 8,000 tokens of prompt"),
        ([0.5, math.inf, math.nan], "X needs fewer chip-hours than Y between 1,000 and 4,000"),
        ([0.5, 2.0, 0.0], "above 2,000 tokens of prompt; Y needs fewer chip-hours than X between"),
    ],
)
def test_where_two_chips_change_places(row, sentence):
    assert sentence in said(row)[0]


def test_speeds_with_the_same_answer_stand_together():
    rows = ([2.0, 3.0, 4.0], [5.0, 6.0, 7.0], [0.5, 2.0, 4.0])
    assert [text[:30] for text in said(*rows)] == [
        "At 10 and 20 tokens/s per user",
        "At 30 tokens/s per user X need",
    ]


def test_the_other_way_round_is_the_inverse(catalog):
    given = {"osl": 64.0, "speeds": (5.0, 20.0, 1e6), "contexts": (512.0, 4096.0), "most_chips": 2}
    steps = []
    one = crossovers("Qwen3-8B", "H20", "H100", catalog, progress=lambda: steps.append(1), **given)
    other = crossovers("Qwen3-8B", "H100", "H20", catalog, **given)
    assert len(steps) == 2 * 2
    assert np.allclose(one.gain[:2], 1.0 / other.gain[:2])
    assert np.all(np.isnan(one.gain[2]))
    assert (one.chip, one.other) == (other.other, other.chip)


def test_speeds_are_told_to_three_digits():
    assert said([2.0, 3.0, 4.0], speeds=[1000.0 / 60.0])[0].startswith("At 16.7 tokens/s")
