import math

import numpy as np
import pint
import pytest

from weir.catalog.fields import DTYPE_BITS
from weir.core.units import GIGA, TERA
from weir.rules import metrics

NAN = math.nan


def one(value, high=None):
    return np.array([value]), np.array([value if high is None else high])


def values(pair):
    return tuple(float(bound[0]) for bound in pair)


def test_tpp_is_the_highest_product_of_rate_and_bits():
    # 148 x 16 = 2,368 and 296 x 8 = 2,368
    rates = {"bf16": one(148 * TERA), "fp8": one(296 * TERA), "fp32": one(44 * TERA)}
    assert values(metrics.tpp(rates, DTYPE_BITS)) == (2368, 2368)


def test_the_example_of_the_technical_note():
    # "600 tera integer operations at 8 bits or 300 tera FLOPS at 16 bits"
    for dtype, rate in (("int8", 600), ("fp16", 300)):
        assert values(metrics.tpp({dtype: one(rate * TERA)}, DTYPE_BITS)) == (4800, 4800)


def test_sixteen_bits_govern_where_rates_are_equal():
    rates = {"bf16": one(1678 * TERA), "fp8": one(1678 * TERA)}
    assert values(metrics.tpp(rates, DTYPE_BITS)) == (26848, 26848)


def test_a_vector_rate_alone_is_a_lower_bound():
    assert values(metrics.tpp({"fp32": one(50 * TERA)}, DTYPE_BITS)) == (1600, math.inf)


def test_nothing_published_is_unknown_not_zero():
    assert values(metrics.tpp({"fp8": one(NAN)}, DTYPE_BITS)) == (0, math.inf)


def test_a_lower_bound_of_a_rate_leaves_tpp_open_above():
    assert values(metrics.tpp({"fp8": one(100 * TERA, NAN)}, DTYPE_BITS)) == (800, math.inf)


def test_certain_columns_take_the_short_way_to_the_same_result():
    rate = np.array([100.0, 200.0]) * TERA
    short = metrics.tpp({"fp8": (rate, rate)}, DTYPE_BITS)
    long = metrics.tpp({"fp8": (rate, rate.copy())}, DTYPE_BITS)
    assert short[0].tolist() == long[0].tolist() == short[1].tolist() == long[1].tolist()


def test_density_divides_the_extremes():
    found = metrics.performance_density(one(1700, 1800), one(2000, 2400))
    assert values(found) == pytest.approx((1700 / 2400, 1800 / 2000))


def test_density_without_an_area_is_unknown():
    assert values(metrics.performance_density(one(1700), (np.zeros(1), np.full(1, np.inf)))) == (
        0,
        math.inf,
    )


def test_a_circuit_without_non_planar_dies_meets_no_density_test():
    found = metrics.performance_density(one(1700), one(800), np.array([False]))
    assert values(found) == (0, 0)


def test_io_is_the_stated_total_else_the_sum_else_a_lower_bound():
    unknown = one(NAN)
    links, host = one(400 * GIGA), one(64 * GIGA)
    assert values(metrics.io_rate(one(500 * GIGA), links, host)) == (500 * GIGA, 500 * GIGA)
    assert values(metrics.io_rate(unknown, links, host)) == (464 * GIGA, 464 * GIGA)
    assert values(metrics.io_rate(unknown, links, unknown)) == (400 * GIGA, math.inf)
    assert values(metrics.io_rate(unknown, unknown, unknown)) == (0, math.inf)


def test_density_has_the_dimension_of_tpp_per_area():
    units = pint.UnitRegistry()
    # the same arithmetic on quantities: TPP is a number, the area carries the unit
    quotient = 2368 / (814 * units.mm**2)
    found = metrics.performance_density(one(2368), one(814))
    assert quotient.dimensionality == (1 / units.mm**2).dimensionality
    assert values(found)[0] == pytest.approx(quotient.magnitude)
