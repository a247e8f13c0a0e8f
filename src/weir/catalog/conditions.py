"""Tables of a rule file to conditions, with a message for everything that is not understood."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from weir.catalog.law import (
    COMPARISONS,
    FACTS,
    METRICS,
    PARTIES,
    ROLES,
    TRANSACTION_KINDS,
    AllOf,
    AnyOf,
    Certified,
    Compare,
    Condition,
    FactIs,
    InZone,
    KindIs,
    Named,
    NotThat,
    Paragraph,
    PartyIs,
    threshold_unit,
)
from weir.core.errors import nearest_names

_KEYS: Final = (
    "all",
    "any",
    "not",
    "metric",
    "fact",
    "paragraph",
    "requirement",
    "certified",
    "always",
    "named",
    "kind",
    *ROLES,
    *PARTIES,
)


def parse_condition(table: object) -> Condition:
    """Reads one condition.

    Exactly one of the keys `all`, `any`, `not`, `metric`, `fact`, `paragraph`,
    `requirement`, `certified`, `always`, `named`, `kind`, `destination`, `origin`,
    `headquarters`, `consignee`, `exporter_headquarters`, `exporter`, `designer` says what is
    tested.

    Raises:
        ValueError: Unknown key, metric, unit …, with what is allowed.
    """
    if not isinstance(table, Mapping):
        raise ValueError(f"a condition is a table such as {{ metric = … }}, not {table!r}")
    found = [key for key in _KEYS if key in table]
    if len(found) != 1:
        raise ValueError(f"a condition has exactly one of {', '.join(_KEYS)}; found {list(table)}")
    key = found[0]
    return _parse(key, table)


def _parse(key: str, table: Mapping[str, Any]) -> Condition:
    value = table[key]
    if key == "metric":
        return _compare(table)
    if key == "fact":
        _only(table, key, "is")
        _known("fact", value, FACTS)
        word = table.get("is", "yes")
        if word not in {"yes", "no"}:
            raise ValueError(f"is = {word!r}; write 'yes' or 'no'")
        return FactIs(str(value), word == "yes")
    _only(table, key)
    if key in {"all", "any"}:
        parts = tuple(parse_condition(part) for part in _listed(key, value))
        return AllOf(parts) if key == "all" else AnyOf(parts)
    if key == "not":
        return NotThat(parse_condition(value))
    if key == "always":
        return AllOf(())
    if key in {"paragraph", "requirement"}:
        return Paragraph(str(value))
    if key == "certified":
        return Certified(str(value))
    if key in ROLES:
        return InZone(key, str(value))
    names = tuple(str(name) for name in _listed(key, value))
    if key == "kind":
        for name in names:
            _known("kind", name, TRANSACTION_KINDS)
        return KindIs(names)
    return Named(names) if key == "named" else PartyIs(key, names)


def _compare(table: Mapping[str, Any]) -> Compare:
    name = str(table["metric"])
    _known("metric", name, METRICS)
    found = [word for word in COMPARISONS if word in table]
    if len(found) != 1:
        raise ValueError(f"metric {name} needs exactly one of {', '.join(COMPARISONS)}")
    _only(table, "metric", found[0], "unit")
    value = table[found[0]]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"metric {name}: {found[0]} must be a number, not {value!r}")
    unit = str(table.get("unit", ""))
    factor = threshold_unit(METRICS[name], unit)
    return Compare(name, found[0], float(value) * factor, float(value), unit)


def _only(table: Mapping[str, Any], *allowed: str) -> None:
    for key in table:
        if key not in allowed:
            near = nearest_names(key, allowed)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"unknown key '{key}'; allowed here: {', '.join(allowed)}{hint}")


def _known(kind: str, name: object, known: Mapping[str, Any] | Sequence[str]) -> None:
    if name not in known:
        near = nearest_names(str(name), known)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(f"unknown {kind} '{name}'{hint}; allowed: {', '.join(known)}")


def _listed(key: str, value: object) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{key} takes a list that is not empty, not {value!r}")
    return value
