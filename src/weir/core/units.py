"""Units: what a source prints, to SI floats, and back for people.

Inside Weir a quantity is a plain float in bytes, bytes/s, FLOP/s (one multiply-add is two), s, W,
J, USD, Hz, bits or mm² (die area, because the law uses it). Prefixes are decimal: GB is 10⁹ bytes
and GiB is 2³⁰.
"""

import math
import re
from dataclasses import dataclass
from typing import Final

from weir.core.errors import UnitError

KILO: Final = 1e3
MEGA: Final = 1e6
GIGA: Final = 1e9
TERA: Final = 1e12
PETA: Final = 1e15
KIBI: Final = 2**10
MEBI: Final = 2**20
GIBI: Final = 2**30
TEBI: Final = 2**40
BITS_PER_BYTE: Final = 8
SECONDS_PER_MINUTE: Final = 60
SECONDS_PER_HOUR: Final = 3600
SECONDS_PER_DAY: Final = 86400
FLOP_PER_MULTIPLY_ADD: Final = 2


@dataclass(frozen=True, slots=True)
class Unit:
    """One printed unit: how many SI units it is, and of what dimension."""

    symbol: str
    dimension: str
    factor: float


def _table() -> dict[str, Unit]:
    decimal = {"": 1.0, "k": KILO, "K": KILO, "M": MEGA, "G": GIGA, "T": TERA, "P": PETA}
    binary = {"Ki": KIBI, "Mi": MEBI, "Gi": GIBI, "Ti": TEBI}
    units: list[Unit] = []
    for prefix, factor in (*decimal.items(), *binary.items()):
        units.append(Unit(f"{prefix}B", "bytes", factor))
        units.append(Unit(f"{prefix}B/s", "bytes_per_s", factor))
    for prefix, factor in decimal.items():
        units.append(Unit(f"{prefix}bit/s", "bytes_per_s", factor / BITS_PER_BYTE))
        units.append(Unit(f"{prefix}FLOP/s", "flop_per_s", factor))
        units.append(Unit(f"{prefix}OP/s", "flop_per_s", factor))
        units.append(Unit(f"{prefix}FLOP", "flop", factor))
        units.append(Unit(f"{prefix}Hz", "hz", factor))
        units.append(Unit(f"{prefix}W", "w", factor))
        units.append(Unit(f"{prefix}J", "j", factor))
    units += [
        Unit("mm2", "mm2", 1.0),
        Unit("s", "s", 1.0),
        Unit("ms", "s", 1 / KILO),
        Unit("us", "s", 1 / MEGA),
        Unit("min", "s", SECONDS_PER_MINUTE),
        Unit("h", "s", SECONDS_PER_HOUR),
        Unit("d", "s", SECONDS_PER_DAY),
        Unit("bit", "bits", 1.0),
        Unit("USD", "usd", 1.0),
        Unit("USD/h", "usd_per_s", 1 / SECONDS_PER_HOUR),
        Unit("tpp", "tpp", 1.0),
        Unit("tpp/mm2", "tpp_per_mm2", 1.0),
        Unit("count", "count", 1.0),
        Unit("thousand", "count", KILO),
        Unit("million", "count", MEGA),
        Unit("billion", "count", GIGA),
        Unit("trillion", "count", TERA),
        Unit("token", "tokens", 1.0),
        Unit("percent", "ratio", 1e-2),
        Unit("ratio", "ratio", 1.0),
    ]
    return {unit.symbol: unit for unit in units}


_QUANTITY: Final = re.compile(r"(?P<number>[+-]?[\d,]*\.?\d+(?:[eE][+-]?\d+)?)\s*(?P<unit>\D.*)")

UNITS: Final = _table()
DIMENSIONS: Final = frozenset(unit.dimension for unit in UNITS.values())


def to_si(value: float, unit: str, dimension: str) -> float:
    """Converts a printed value to SI.

    Args:
        value: The number as the source prints it.
        unit: The unit as the source prints it, for example "TB/s" or "GiB".
        dimension: What the number must measure, one of `DIMENSIONS`.

    Returns:
        The value in the SI unit of the dimension.

    Raises:
        UnitError: The unit is unknown, measures something else, or the value is not finite.
    """
    known = UNITS.get(unit)
    if known is None or known.dimension != dimension:
        allowed = ", ".join(u.symbol for u in UNITS.values() if u.dimension == dimension)
        problem = "unknown unit" if known is None else f"unit of {known.dimension}"
        raise UnitError(f"{problem} '{unit}' where {dimension} is meant; allowed: {allowed}")
    if not math.isfinite(value):
        raise UnitError(f"the value {value} {unit} is not finite")
    return value * known.factor


def parse_quantity(text: str, dimension: str) -> float:
    """Reads "3.35 TB/s" or "3.35TB/s" as an SI float.

    Raises:
        UnitError: No number, an unknown unit, or a unit of another dimension.
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise UnitError(f"'{text}' is not a number with a unit, such as '3.35 TB/s'")
    value, unit = float(match["number"].replace(",", "")), match["unit"]
    return to_si(value, unit, dimension)


_DISPLAY: Final = {
    "bytes": "B",
    "bytes_per_s": "B/s",
    "flop_per_s": "FLOP/s",
    "op_per_s": "OP/s",
    "flop": "FLOP",
    "hz": "Hz",
    "w": "W",
    "j": "J",
    "s": "s",
    "mm2": "mm²",
    "usd": "USD",
    "bits": "bit",
}
_SCALED: Final = frozenset({"B", "B/s", "FLOP/s", "OP/s", "FLOP", "Hz", "J"})


def format_si(value: float, dimension: str, digits: int = 4) -> str:
    """Writes an SI value for a person.

    3.35e12 bytes/s is "3.35 TB/s", NaN "unknown", and the end of an open range "unbounded".
    """
    if math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "unbounded"
    symbol = _DISPLAY.get(dimension, "")
    if symbol == "s":
        return _format_seconds(value, digits)
    if symbol == "USD":
        return f"{value:,.2f} USD"
    prefix = ""
    if symbol in _SCALED:
        value = _rounded(value, digits)
        for candidate, factor in (("P", PETA), ("T", TERA), ("G", GIGA), ("M", MEGA), ("k", KILO)):
            if abs(value) >= factor:
                prefix, value = candidate, value / factor
                break
    number = f"{value:,.{digits}g}" if abs(value) < KILO else f"{value:,.0f}"
    return f"{number} {prefix}{symbol}".rstrip()


def _rounded(value: float, digits: int) -> float:
    """To `digits` significant ones, so that 999,999 kB is 1 GB and not 1,000 MB."""
    return float(f"{value:.{digits}g}")


def _format_seconds(value: float, digits: int) -> str:
    magnitude = abs(_rounded(value, digits))
    if magnitude >= SECONDS_PER_DAY:
        return f"{value / SECONDS_PER_DAY:.{digits}g} d"
    if magnitude >= 1:
        return f"{value:.{digits}g} s"
    if magnitude >= 1 / KILO or magnitude == 0:
        return f"{value * KILO:.{digits}g} ms"
    return f"{value * MEGA:.{digits}g} us"
