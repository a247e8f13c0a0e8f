"""Numbers, comparisons and conditions in words."""

import math

from weir.catalog.law import (
    COMPARISONS,
    FACTS,
    METRICS,
    AllOf,
    AnyOf,
    Certified,
    Compare,
    Condition,
    FactIs,
    InZone,
    KindIs,
    Law,
    Named,
    NotThat,
    Paragraph,
    PartyIs,
)

_DIGITS = 6
_ROLE_WORDS = {
    "destination": "the destination is in",
    "origin": "the origin is in",
    "headquarters": "consignee or ultimate parent is headquartered in",
    "consignee": "the consignee is headquartered in",
    "exporter_headquarters": "the exporter is headquartered in",
}


def number(value: float) -> str:
    """A number with thousands separators and at most six significant digits."""
    if math.isinf(value):
        return "unbounded"
    if value and abs(value) >= 10 ** (_DIGITS - 1):
        return f"{value:,.0f}"
    if value == int(value):
        return f"{int(value):,}"
    text = f"{value:.{_DIGITS}g}"
    return f"{float(text):,}".removesuffix(".0") if "e" not in text else text


def interval(low: float, high: float) -> str:
    """An interval in words: "2,368", "2,000 to 2,400", "at least 1,700", "unknown"."""
    if math.isinf(high):
        return "unknown" if low <= 0 else f"at least {number(low)}"
    if math.isinf(low):
        return f"at most {number(high)}"
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def with_unit(text: str, unit: str) -> str:
    """A text with a unit, without the units that are part of the metric's name."""
    return text if unit in {"tpp", "TOPS x bits", "year"} else f"{text} {unit}"


def threshold(leaf: Compare) -> str:
    """The test of a comparison, for example "TPP ≥ 4,800"."""
    metric = METRICS[leaf.metric]
    sign = COMPARISONS[leaf.comparison]
    return with_unit(f"{metric.label} {sign} {number(leaf.value)}", leaf.unit)


def condition_text(law: Law, condition: Condition) -> str:
    """A condition without its subconditions' parts: what is tested."""
    if isinstance(condition, Compare):
        return threshold(condition)
    if isinstance(condition, FactIs):
        words = FACTS[condition.fact]
        return words if condition.is_yes else f"not: {words}"
    if isinstance(condition, Paragraph):
        return f"{condition.name} applies"
    if isinstance(condition, InZone):
        return f"{_ROLE_WORDS[condition.role]} {law.zones[condition.zone].title}"
    if isinstance(condition, PartyIs):
        return f"the {condition.role} is {' or '.join(condition.names)}"
    if isinstance(condition, Named):
        return f"the chip is named: {', '.join(condition.names)}"
    if isinstance(condition, KindIs):
        return f"the transaction is one of: {', '.join(condition.kinds).replace('_', ' ')}"
    if isinstance(condition, Certified):
        return f"certified: {law.certifications[condition.name]}"
    if isinstance(condition, AllOf):
        return "all of" if condition.parts else "in every case"
    return "not" if isinstance(condition, NotThat) else "any of"


def one_line(law: Law, condition: Condition) -> str:
    """A whole condition in one line."""
    if isinstance(condition, AllOf | AnyOf) and condition.parts:
        word = " and " if isinstance(condition, AllOf) else " or "
        return "(" + word.join(one_line(law, part) for part in condition.parts) + ")"
    if isinstance(condition, NotThat):
        return f"not {one_line(law, condition.part)}"
    return condition_text(law, condition)
