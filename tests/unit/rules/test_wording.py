import math

import pytest

from weir.catalog.law import AllOf, Compare, NotThat, PartyIs
from weir.catalog.law_load import load_law
from weir.rules.wording import interval, number, one_line, threshold


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2368.0, "2,368"),
        (0.0, "0"),
        (2.9090909, "2.90909"),
        (5.92, "5.92"),
        (12345.678, "12,345.7"),
        (1234567.8, "1,234,568"),
        (-32.0, "-32"),
        (math.inf, "unbounded"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (1, 1, "1"),
        (2000, 2400, "2,000 to 2,400"),
        (1700, math.inf, "at least 1,700"),
        (0, math.inf, "unknown"),
        (-math.inf, 5, "at most 5"),
    ],
)
def test_intervals(low, high, text):
    assert interval(low, high) == text


def test_conditions_in_one_line():
    tpp = Compare("tpp", "ge", 4800.0, 4800.0, "tpp")
    memory = Compare("memory_bandwidth", "lt", 6.5e12, 6500.0, "GB/s")
    assert threshold(tpp) == "TPP ≥ 4,800"
    condition = AllOf((tpp, NotThat(memory), PartyIs("exporter", ("NVIDIA",))))
    assert one_line(load_law(), condition) == (
        "(TPP ≥ 4,800 and not memory bandwidth < 6,500 GB/s and the exporter is NVIDIA)"
    )
