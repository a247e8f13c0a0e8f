"""Colours that people with any common colour vision can read and tell apart."""

import itertools

import numpy as np
import pytest

from weir.report.palette import ALL_INKS, PAPER, TONE_INKS, TONE_WORDS, Tone

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
# Deficiency", IEEE TVCG 15(6), 2009, severity 1.0; they act on linear RGB.
VISIONS = {
    "common": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = TO_XYZ.sum(axis=1)
VERDICTS = [tone for tone in Tone if tone is not Tone.PLAIN]


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    scaled = TO_XYZ @ np.clip(rgb, 0, 1) / WHITE
    x, y, z = np.where(scaled > (6 / 29) ** 3, np.cbrt(scaled), scaled * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(TO_XYZ[1] @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("tone", VERDICTS)
def test_status_words_are_readable(tone, theme):
    """At least 4.5 to 1, the WCAG 2 line AA for text."""
    assert contrast(getattr(TONE_INKS[tone], theme), getattr(PAPER, theme)) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("vision", VISIONS)
def test_status_colours_are_told_apart(vision, theme):
    """CIE 1976 difference above 20; about 2 is the least that is seen side by side."""
    seen = [
        lab(np.array(VISIONS[vision]) @ linear(getattr(TONE_INKS[tone], theme)))
        for tone in VERDICTS
    ]
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(one - other) > 20


def test_every_drawn_colour_has_one_meaning():
    """Pictures are recoloured by value for dark screens."""
    night: dict[str, str] = {}
    for ink in ALL_INKS:
        assert night.setdefault(ink.light, ink.dark) == ink.dark


def test_every_tone_has_a_colour_and_a_word():
    assert set(TONE_INKS) == set(TONE_WORDS) == set(Tone)
