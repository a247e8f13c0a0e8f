import math

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.property.strategies import magnitudes, units
from weir.core.errors import UnitError
from weir.core.units import DIMENSIONS, UNITS, Unit, format_si, parse_quantity, to_si


@pytest.mark.parametrize(
    ("text", "dimension", "expected"),
    [
        ("3.35 TB/s", "bytes_per_s", 3.35e12),
        ("3.35TB/s", "bytes_per_s", 3.35e12),
        (" 80 GB ", "bytes", 80e9),
        ("80 GiB", "bytes", 85_899_345_920),
        ("4,000 GB/s", "bytes_per_s", 4e12),
        ("400 Gbit/s", "bytes_per_s", 50e9),
        ("148 TFLOP/s", "flop_per_s", 148e12),
        ("296 TOP/s", "flop_per_s", 296e12),
        ("1.5e3 W", "w", 1500),
        (".5 s", "s", 0.5),
        ("-2 ms", "s", -0.002),
        ("814 mm2", "mm2", 814),
        ("14.8 trillion", "count", 14.8e12),
        ("3 USD/h", "usd_per_s", 3 / 3600),
        ("50 percent", "ratio", 0.5),
    ],
)
def test_a_printed_quantity_becomes_si(text: str, dimension: str, expected: float) -> None:
    assert parse_quantity(text, dimension) == pytest.approx(expected, rel=1e-15)


def test_gb_is_decimal_and_gib_is_binary() -> None:
    assert to_si(1, "GB", "bytes") == 10**9
    assert to_si(1, "GiB", "bytes") == 2**30


@pytest.mark.parametrize(
    "text", ["", "TB/s", "fast", "3.35", "3..5 TB/s", "1 2 TB/s", "nan TB/s", "1e TB/s", "1, TB/s"]
)
def test_what_is_no_quantity_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UnitError, match=r"3\.35 TB/s|unknown unit"):
        parse_quantity(text, "bytes_per_s")


def test_an_unknown_unit_names_the_allowed_ones() -> None:
    with pytest.raises(UnitError, match=r"unknown unit 'TBps' where bytes_per_s.*TB/s"):
        to_si(1.0, "TBps", "bytes_per_s")


def test_a_unit_of_another_dimension_is_refused() -> None:
    with pytest.raises(UnitError, match=r"unit of bytes 'GB' where bytes_per_s is meant"):
        to_si(1.0, "GB", "bytes_per_s")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(UnitError, match="not finite"):
        to_si(value, "GB", "bytes")


@given(value=magnitudes, unit=units)
def test_si_back_to_the_unit_is_the_value(value: float, unit: Unit) -> None:
    assert to_si(value, unit.symbol, unit.dimension) / unit.factor == pytest.approx(value)


@given(value=magnitudes, unit=units)
def test_text_and_table_agree(value: float, unit: Unit) -> None:
    parsed = parse_quantity(f"{value!r} {unit.symbol}", unit.dimension)
    assert parsed == to_si(value, unit.symbol, unit.dimension)


@given(
    value=st.floats(min_value=1e-6, max_value=1e18),
    dimension=st.sampled_from(["bytes", "bytes_per_s", "flop_per_s", "flop", "hz", "j", "w"]),
)
def test_what_is_printed_reads_back_to_four_digits(value: float, dimension: str) -> None:
    assert parse_quantity(format_si(value, dimension), dimension) == pytest.approx(value, rel=6e-4)


@given(value=st.floats(min_value=1e-9, max_value=1e9))
def test_printed_seconds_read_back(value: float) -> None:
    assert parse_quantity(format_si(value, "s"), "s") == pytest.approx(value, rel=6e-4)


@pytest.mark.parametrize(
    ("value", "dimension", "expected"),
    [
        (3.35e12, "bytes_per_s", "3.35 TB/s"),
        (989.4e12, "flop_per_s", "989.4 TFLOP/s"),
        (1979e12, "op_per_s", "1.979 POP/s"),
        (999_999_999_999.0, "bytes", "1 TB"),
        (80e9, "bytes", "80 GB"),
        (0.0, "bytes", "0 B"),
        (-4e12, "bytes_per_s", "-4 TB/s"),
        (700.0, "w", "700 W"),
        (120_000.0, "w", "120,000 W"),
        (25_000.0, "usd", "25,000.00 USD"),
        (814.0, "mm2", "814 mm²"),
        (2368.0, "tpp", "2,368"),
        (0.0, "s", "0 ms"),
        (2.5e-6, "s", "2.5 us"),
        (0.0125, "s", "12.5 ms"),
        (90.0, "s", "90 s"),
        (172_800.0, "s", "2 d"),
        (0.99996, "s", "1 s"),
        (math.nan, "bytes", "unknown"),
        (math.inf, "bytes", "unbounded"),
    ],
)
def test_si_is_printed_for_people(value: float, dimension: str, expected: str) -> None:
    assert format_si(value, dimension) == expected


# The same physics, told by a library that knows nothing of ours.
SI_OF = {
    "bytes": "byte",
    "bytes_per_s": "byte/second",
    "flop_per_s": "flop/second",
    "flop": "flop",
    "hz": "hertz",
    "w": "watt",
    "j": "joule",
    "s": "second",
    "mm2": "millimeter**2",
    "bits": "bit",
    "usd": "usd",
    "usd_per_s": "usd/second",
    "ratio": "dimensionless",
}
SPELLED = {"h": "hour", "d": "day", "mm2": "mm**2", "USD/h": "usd/hour", "ratio": "dimensionless"}


@pytest.fixture(scope="module")
def registry() -> pint.UnitRegistry:
    units_of_pint = pint.UnitRegistry()
    units_of_pint.define("flop = [operation] = FLOP = OP")
    units_of_pint.define("usd = [currency] = USD")
    return units_of_pint


@pytest.mark.parametrize(
    "unit", [u for u in UNITS.values() if u.dimension in SI_OF], ids=lambda u: u.symbol
)
def test_each_factor_is_the_one_of_pint(unit: Unit, registry: pint.UnitRegistry) -> None:
    name = SPELLED.get(unit.symbol, unit.symbol)
    # A capital K is common on data sheets; pint knows it only in Ki.
    name = f"k{name[1:]}" if name.startswith("K") and name[1] != "i" else name
    converted = registry.Quantity(1.0, name).to(SI_OF[unit.dimension])
    assert converted.magnitude == pytest.approx(unit.factor, rel=1e-12)


def test_every_dimension_has_a_unit_of_factor_one_but_the_rate_of_money() -> None:
    bare = {unit.dimension for unit in UNITS.values() if unit.factor == 1.0}
    assert DIMENSIONS - bare == {"usd_per_s"}
