"""What-if: the law with other thresholds, dates, scopes or provisions; the data stay as they are.

A path names a provision and what of it to change:

- ``3A090.a.1.tpp = 4000`` the threshold of a metric; where a provision has several of one metric,
  ``3A090.b.1.tpp.lt = 4000`` names the comparison;
- ``ID.effective``, ``ID.applies``, ``ID.until`` dates of the latest version;
- ``ID.enforced = true`` switches text on that is not enforced;
- ``ID.policy = case_by_case`` another review policy;
- ``ID@2022-10-21.tpp`` the version of that day alone, where a provision has had several;
- ``zone.ID.countries = CN MO VN``, ``zone.ID.groups = D:5``, ``zone.ID.except_groups = A:5``.
"""

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from weir.catalog.law import (
    COMPARISONS,
    METRICS,
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Instrument,
    Law,
    NotThat,
    Overlay,
    Patch,
    Provision,
    Zone,
    threshold_unit,
)
from weir.core.dates import parse_date
from weir.core.errors import InputError, UnknownNameError, nearest_names
from weir.rules.scene import leaves

ADDED: Final = "what-if"
_DATES: Final = ("effective", "applies", "until")
_SWITCHES: Final = {"true": True, "yes": True, "false": False, "no": False}


def parse_set(text: str) -> Patch:
    """Reads one "path=value" or "path=value unit".

    Raises:
        InputError: No "=", or nothing on one side of it.
    """
    path, sign, value = text.partition("=")
    if not sign or not path.strip() or not value.strip():
        raise InputError(f"--set '{text}': write PATH=VALUE, for example 3A090.a.1.tpp=4000")
    word, _, unit = value.strip().partition(" ")
    plain = word.replace("_", "").replace(",", "")
    try:
        number = float(plain)
    except ValueError:
        return Patch(path.strip(), value.strip())
    return Patch(path.strip(), number, unit.strip())


def overlay_of(sets: Sequence[str], title: str = "") -> Overlay:
    """An overlay from several "path=value" texts."""
    return Overlay(title or ", ".join(sets), tuple(parse_set(text) for text in sets))


def apply_overlay(law: Law, *overlays: Overlay) -> Law:
    """The law with overlays laid over it, the later over the earlier.

    An overlay without content gives the same law.

    Raises:
        InputError: A path, unit or value that is not understood, with where it stands.
    """
    for overlay in overlays:
        law = _apply(law, overlay)
    return law


def _apply(law: Law, overlay: Overlay) -> Law:
    if not (overlay.patches or overlay.added or overlay.removed):
        return law
    for patch in overlay.patches:
        law = _patched(law, patch)
    if overlay.removed:
        law = _without(law, overlay)
    if overlay.added:
        law = _with(law, overlay)
    return replace(law, overlay=(*law.overlay, overlay.title))


def _patched(law: Law, patch: Patch) -> Law:
    if patch.path.startswith("zone."):
        return _patched_zone(law, patch)
    ids = {item.id for item in law.provisions}
    name, rest, version = _split(patch, ids)
    if rest[0] == "policy" and patch.value not in law.policies:
        raise UnknownNameError("policy in " + patch.where, str(patch.value), law.policies)
    versions = [item.effective for item in law.provisions if item.id == name]
    if version is not None and version not in versions:
        days = ", ".join(str(day) for day in versions)
        raise InputError(f"{patch.where}: {name} has no version of {version}; versions: {days}")
    wanted = set(versions) if version is None else {version}
    if version is None and rest[0] in _DATES:
        wanted = {max(versions)}
    count = 0
    instruments: dict[str, Instrument] = {}
    for key, instrument in law.instruments.items():
        provisions = []
        for item in instrument.provisions:
            is_meant = item.id == name and item.effective in wanted
            changed = _changed(item, rest, patch) if is_meant else item
            count += changed is not item
            provisions.append(changed)
        instruments[key] = replace(instrument, provisions=tuple(provisions))
    if not count:
        raise _nothing(law, name, rest, patch)
    return replace(law, instruments=instruments)


def _split(patch: Patch, ids: set[str]) -> tuple[str, tuple[str, ...], dt.date | None]:
    """The provision of a path, whose id may contain dots, the rest, and the version meant."""
    parts = patch.path.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        name, at, version = ".".join(parts[:cut]).partition("@")
        if name in ids:
            day = _day(replace(patch, value=version)) if at else None
            return name, tuple(parts[cut:]), day
    if patch.path in ids:
        raise InputError(
            f"{patch.where}: '{patch.path}' names a provision; add what to change, such as .tpp, "
            ".effective or .enforced"
        )
    raise UnknownNameError("provision in " + patch.where, patch.path, ids, "See 'weir law list'.")


def _nothing(law: Law, name: str, rest: tuple[str, ...], patch: Patch) -> InputError:
    allowed = [*_DATES, "enforced"]
    for item in law.provisions:
        if item.id == name:
            if item.effect == "review":
                allowed.append("policy")
            allowed += [
                f"{leaf.metric}.{leaf.comparison}"
                for leaf in leaves(item.when)
                if isinstance(leaf, Compare)
            ]
    near = nearest_names(".".join(rest), allowed)
    hint = f"; did you mean {near[0]}?" if near else ""
    listed = ", ".join(dict.fromkeys(allowed))
    return InputError(
        f"{patch.where}: '{patch.path}': {name} has no '{'.'.join(rest)}'; allowed: {listed}{hint}"
    )


def _changed(item: Provision, rest: tuple[str, ...], patch: Patch) -> Provision:
    what = rest[0]
    if what in _DATES and len(rest) == 1:
        return _with_date(item, what, _day(patch))
    if what == "enforced" and len(rest) == 1:
        return replace(item, is_enforced=_switch(patch))
    if what == "policy" and item.effect == "review" and len(rest) == 1:
        return replace(item, result=(str(patch.value),))
    if what in METRICS and (len(rest) == 1 or rest[1] in COMPARISONS):
        comparison = rest[1] if len(rest) > 1 else None
        _refuse_ambiguity(item, what, comparison, patch)
        condition = _mapped(item.when, lambda leaf: _moved(leaf, what, comparison, patch))
        return item if condition is item.when else replace(item, when=condition)
    return item


def _with_date(item: Provision, what: str, day: dt.date) -> Provision:
    if what == "effective":
        return replace(item, effective=day)
    return replace(item, applies=day) if what == "applies" else replace(item, until=day)


def _day(patch: Patch) -> dt.date:
    try:
        return parse_date(str(patch.value))
    except InputError as error:
        raise InputError(f"{patch.where}: '{patch.path}': {error}") from None


def _switch(patch: Patch) -> bool:
    if isinstance(patch.value, bool):
        return patch.value
    word = str(patch.value).casefold()
    if word not in _SWITCHES:
        raise InputError(f"{patch.where}: '{patch.path}' is true or false, not '{patch.value}'")
    return _SWITCHES[word]


def _refuse_ambiguity(item: Provision, metric: str, comparison: str | None, patch: Patch) -> None:
    found = [
        leaf.comparison
        for leaf in leaves(item.when)
        if isinstance(leaf, Compare) and leaf.metric == metric
    ]
    if comparison is None and len(set(found)) > 1:
        choices = " or ".join(f"{patch.path}.{word}" for word in found)
        raise InputError(f"{patch.where}: '{patch.path}' is ambiguous; write {choices}")


def _moved(leaf: Condition, metric: str, comparison: str | None, patch: Patch) -> Condition:
    if not isinstance(leaf, Compare) or leaf.metric != metric:
        return leaf
    if comparison is not None and leaf.comparison != comparison:
        return leaf
    if isinstance(patch.value, bool) or not isinstance(patch.value, int | float):
        raise InputError(f"{patch.where}: '{patch.path}' needs a number, not '{patch.value}'")
    if not 0 <= patch.value < math.inf:
        raise InputError(
            f"{patch.where}: '{patch.path}' is {patch.value}; a threshold is a finite number of at"
            " least 0"
        )
    unit = patch.unit or leaf.unit
    try:
        factor = threshold_unit(METRICS[metric], unit)
    except ValueError as error:
        raise InputError(f"{patch.where}: '{patch.path}': {error}") from None
    return replace(leaf, threshold=patch.value * factor, value=float(patch.value), unit=unit)


def _mapped(condition: Condition, change: Callable[[Condition], Condition]) -> Condition:
    """The same tree with every test passed through a function."""
    if isinstance(condition, AllOf | AnyOf):
        parts = tuple(_mapped(part, change) for part in condition.parts)
        same = all(new is old for new, old in zip(parts, condition.parts, strict=True))
        return condition if same else replace(condition, parts=parts)
    if isinstance(condition, NotThat):
        part = _mapped(condition.part, change)
        return condition if part is condition.part else NotThat(part)
    return change(condition)


def _patched_zone(law: Law, patch: Patch) -> Law:
    _, _, rest = patch.path.partition(".")
    name, _, what = rest.rpartition(".")
    if name not in law.zones:
        raise UnknownNameError("zone in " + patch.where, name or rest, law.zones)
    words = tuple(str(patch.value).replace(",", " ").split())
    zone: Zone = law.zones[name]
    if what == "countries":
        for code in words:
            if code not in law.countries:
                raise UnknownNameError("country in " + patch.where, code, law.countries)
        zone = replace(zone, countries=words)
    elif what in {"groups", "except_groups"}:
        for group in words:
            if group not in law.groups:
                raise UnknownNameError("country group in " + patch.where, group, law.groups)
        if what == "groups":
            zone = replace(zone, groups=words)
        else:
            zone = replace(zone, except_groups=words)
    else:
        raise InputError(
            f"{patch.where}: '{patch.path}': a zone has countries, groups and except_groups"
        )
    return replace(law, zones={**law.zones, name: zone})


def _without(law: Law, overlay: Overlay) -> Law:
    ids = {item.id for item in law.provisions}
    for name in overlay.removed:
        if name not in ids:
            raise UnknownNameError("provision in " + overlay.where, name, ids)
    return replace(
        law,
        instruments={
            key: replace(
                item,
                provisions=tuple(p for p in item.provisions if p.id not in overlay.removed),
            )
            for key, item in law.instruments.items()
        },
    )


def _with(law: Law, overlay: Overlay) -> Law:
    known = law.instruments.get(ADDED)
    earlier = () if known is None else known.provisions
    added = Instrument(
        id=ADDED,
        title=overlay.title,
        kind="bill",
        force="not law",
        jurisdiction="US",
        citation="a what-if of the user",
        summary=overlay.title,
        evidence="inferred",
        verified_on=law.horizon,
        sources=(),
        provisions=(*earlier, *(replace(item, instrument=ADDED) for item in overlay.added)),
    )
    return replace(law, instruments={**law.instruments, ADDED: added})
