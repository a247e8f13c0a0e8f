"""Countries: names to codes, and membership of zones on a day."""

import datetime as dt
from functools import lru_cache

from weir.catalog.law import Law
from weir.core.errors import UnknownNameError
from weir.rules.logic import NO, UNKNOWN, YES


def fold(name: str) -> str:
    """A name without case, spaces and punctuation, as names are compared."""
    return "".join(ch for ch in name.casefold() if ch.isalnum())


@lru_cache(maxsize=16)
def _index(law: Law) -> dict[str, str]:
    found = {fold(name): code for code, name in law.countries.items()}
    return {**found, **law.aliases, **{fold(code): code for code in law.countries}}


def country_code(law: Law, name: str, role: str = "destination") -> str:
    """ISO 3166 alpha-2 code of a country given by code or English name.

    Raises:
        UnknownNameError: No such country, with the nearest names.
    """
    code = _index(law).get(fold(name))
    if code is None:
        known = [*law.countries.values(), *law.countries]
        raise UnknownNameError(role, name, known, "Give an ISO code such as CN, or a name.")
    return code


def country_name(law: Law, code: str) -> str:
    """English name of a country."""
    return law.countries.get(code, code)


@lru_cache(maxsize=65536)
def in_zone(law: Law, zone_id: str, country: str, on: dt.date) -> int:
    """Whether a country belongs to a zone on a day; unknown where a date is not settled."""
    zone = law.zones[zone_id]
    code = law.treated_as.get(country, country)
    found = YES if code in zone.countries or country in zone.countries else NO
    for group in zone.groups:
        found = max(found, in_group(law, group, code, on))
    for group in zone.except_groups:
        found = min(found, YES - in_group(law, group, code, on))
    return YES - found if zone.is_complement else found


def in_group(law: Law, group: str, code: str, on: dt.date) -> int:
    """Whether a country is in a country group on a day."""
    found = NO
    for member in law.groups[group]:
        if member.country == code and on in member.period:
            found = max(found, YES if member.is_certain else UNKNOWN)
    return found
