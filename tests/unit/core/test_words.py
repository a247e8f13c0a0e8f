import math

import pytest

from weir.core.words import counted, rounded


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 chips"), (1, "1 chip"), (1.0, "1 chip"), (2048, "2,048 chips")]
)
def test_one_thing_is_not_many(count, told):
    assert counted(count, "chip") == told


@pytest.mark.parametrize(
    ("value", "digits", "told"),
    [
        (0.012345, 3, "0.0123"),
        (12.345, 3, "12.3"),
        (999.7, 3, "1,000"),
        (25_400.0, 3, "25,400"),
        (22_124.0, 4, "22,124"),
        (-1234.5, 3, "-1,234"),
        (0.0, 3, "0"),
        (math.nan, 3, "unknown"),
        (math.inf, 3, "unknown"),
    ],
)
def test_a_large_number_has_no_exponent(value, digits, told):
    assert rounded(value, digits) == told
