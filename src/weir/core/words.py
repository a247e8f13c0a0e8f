"""Numbers in sentences and tables."""

import math


def counted(count: float, noun: str) -> str:
    """A whole number of things: "1 chip", "2,048 chips"."""
    number = f"{count:,.0f}"
    return f"{number} {noun}" if number == "1" else f"{number} {noun}s"


def rounded(value: float, digits: int = 3) -> str:
    """A number to significant digits, without an exponent where it is large.

    1,234.5 is "1,234", 0.012345 "0.0123" and what is not finite "unknown".
    """
    if not math.isfinite(value):
        return "unknown"
    shown = f"{value:.{digits}g}"
    return f"{value:,.0f}" if abs(float(shown)) >= 10.0 ** (digits - 1) else shown
