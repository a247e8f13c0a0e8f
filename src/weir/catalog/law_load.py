"""Rule files to the plain records of `weir.catalog.law`; every problem with its file and key."""

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field, ValidationError

from weir.catalog.conditions import parse_condition
from weir.catalog.files import STOCK, read_toml
from weir.catalog.law import (
    EFFECTS,
    EVIDENCE,
    FACTS,
    FORCES,
    KINDS,
    AllOf,
    Amendment,
    AnyOf,
    Certified,
    Condition,
    Instrument,
    InZone,
    Law,
    Membership,
    NotThat,
    Paragraph,
    Policy,
    Provision,
    Zone,
)
from weir.catalog.load import validate
from weir.catalog.schema import Citation, Identifier, Record, Text
from weir.core.dates import Period
from weir.core.errors import RecordError


def _one_of(*allowed: str) -> AfterValidator:
    def check(word: str) -> str:
        if word not in allowed:
            raise ValueError(f"'{word}' is not one of {', '.join(allowed)}")
        return word

    return AfterValidator(check)


Evidence = Annotated[str, _one_of(*EVIDENCE)]


class ProvisionRecord(Record):
    """One provision as it stands in a rule file."""

    id: Text
    effect: Annotated[str, _one_of(*EFFECTS)]
    title: Text
    when: dict[str, Any]
    citation: Text
    effective: dt.date | None = None
    until: dt.date | None = None
    applies: dt.date | None = None
    enforced: bool = True
    weak: bool = False
    prominent: bool = False
    evidence: Evidence | None = None
    result: tuple[Text, ...] = ()
    answers: tuple[Text, ...] = ()
    order: int = 0
    yields_to: str = ""
    quote: str = ""
    note: str = ""
    conditions: tuple[Text, ...] = ()
    readings: tuple[Text, ...] = ()


class AmendmentRecord(Record):
    """One change of the text."""

    unit: Text
    paragraph: Text
    action: Literal["add", "revise", "remove"]
    text: str = ""
    effective: dt.date | None = None
    evidence: Evidence | None = None


class InstrumentRecord(Record):
    """One instrument (`data/rules/<regime>/<id>.toml`)."""

    id: Identifier
    title: Text
    kind: Annotated[str, _one_of(*KINDS)]
    force: Annotated[str, _one_of(*FORCES)]
    jurisdiction: Text = "US"
    citation: Text
    summary: Text
    evidence: Evidence
    verified_on: dt.date
    sources: tuple[Citation, ...] = Field(min_length=1)
    binding_on: tuple[Text, ...] = ("everyone",)
    published: dt.date | None = None
    effective: dt.date | None = None
    compliance: dt.date | None = None
    enforced: dt.date | None = None
    superseded: dt.date | None = None
    quote: str = ""
    note: str = ""
    readings: tuple[Text, ...] = ()
    provisions: tuple[ProvisionRecord, ...] = ()
    amendments: tuple[AmendmentRecord, ...] = ()
    ends: dict[str, dt.date] = Field(default_factory=dict)


class MemberRecord(Record):
    """One country that joined or left a group."""

    country: Text
    start: dt.date | None = None
    end: dt.date | None = None
    certain: bool = True
    source: str = ""


class GroupRecord(Record):
    """A country group: members throughout, and those with dates."""

    members: Text
    dated: tuple[MemberRecord, ...] = ()


class ZoneRecord(Record):
    """A zone of countries."""

    title: Text
    groups: tuple[Text, ...] = ()
    countries: tuple[Text, ...] = ()
    except_groups: tuple[Text, ...] = ()
    complement: bool = False


class PolicyRecord(Record):
    """A review policy."""

    id: Text
    label: Text
    rank: int
    meaning: Text


class TablesRecord(Record):
    """The tables that all instruments share (`data/rules/tables.toml`)."""

    id: Text
    horizon: dt.date
    reconstructed_before: dt.date
    groups: dict[str, GroupRecord]
    zones: dict[str, ZoneRecord]
    policies: tuple[PolicyRecord, ...]
    certifications: dict[str, Text]
    companions: dict[str, Text]
    not_checked: tuple[Text, ...]


class CountriesRecord(Record):
    """Names of countries (`data/rules/countries.toml`)."""

    id: Text
    treated_as: dict[str, str]
    aliases: dict[str, str]
    names: dict[str, Text]


@lru_cache(maxsize=4)
def load_law(root: Path = STOCK) -> Law:
    """Reads every rule file under `root`/rules.

    Raises:
        RecordError: The first broken file, with all its problems.
    """
    folder = root / "rules"
    tables = validate(TablesRecord, read_toml(folder / "tables.toml"), folder / "tables.toml")
    path = folder / "countries.toml"
    countries = validate(CountriesRecord, read_toml(path), path)
    policies = {item.id: Policy(**item.model_dump()) for item in tables.policies}
    zones = {key: _zone(key, item) for key, item in tables.zones.items()}
    names = _Names(frozenset(zones), frozenset(policies), frozenset(tables.certifications))
    instruments = {}
    for regime in sorted(item for item in folder.iterdir() if item.is_dir()):
        for file in sorted(regime.glob("*.toml")):
            instrument = _instrument(file, names)
            instruments[instrument.id] = instrument
    return Law(
        instruments=instruments,
        groups={key: tuple(_members(item)) for key, item in tables.groups.items()},
        zones=zones,
        policies=policies,
        countries=countries.names,
        aliases={_fold(name): code for name, code in countries.aliases.items()},
        treated_as=countries.treated_as,
        certifications=tables.certifications,
        companions=tables.companions,
        not_checked=tables.not_checked,
        horizon=tables.horizon,
        reconstructed_before=tables.reconstructed_before,
        version=str(read_toml(root / "about.toml")["data_version"]),
    )


class _Names(NamedTuple):
    """What conditions and results may refer to."""

    zones: frozenset[str]
    policies: frozenset[str]
    certifications: frozenset[str]


def _fold(name: str) -> str:
    return "".join(ch for ch in name.casefold() if ch.isalnum())


def _zone(key: str, item: ZoneRecord) -> Zone:
    return Zone(
        id=key,
        title=item.title,
        groups=item.groups,
        countries=item.countries,
        except_groups=item.except_groups,
        is_complement=item.complement,
    )


def _members(group: GroupRecord) -> Iterator[Membership]:
    for country in group.members.split():
        yield Membership(country, Period())
    for item in group.dated:
        yield Membership(item.country, Period(item.start, item.end), item.certain, item.source)


def _instrument(path: Path, names: _Names) -> Instrument:
    record = validate(InstrumentRecord, read_toml(path), path)
    problems: list[str] = []
    provisions = []
    for index, item in enumerate(record.provisions):
        key = f"provisions[{index}] ({item.id})"
        try:
            provisions.append(to_provision(item, record.id, record.effective, record.evidence))
            problems += [f"{key}.when: {text}" for text in _dangling(provisions[-1].when, names)]
            problems += [f"{key}.result: {text}" for text in _bad_result(provisions[-1], names)]
        except ValueError as error:
            problems.append(f"{key}: {error}")
    amendments = []
    for change in record.amendments:
        effective = change.effective or record.effective
        if effective is None:
            problems.append(f"amendments ({change.paragraph}): effective: is required")
            continue
        fields = change.model_dump(exclude={"effective", "evidence"})
        evidence = change.evidence or record.evidence
        amendments.append(Amendment(**fields, effective=effective, evidence=evidence))
    if problems:
        raise RecordError(path, problems)
    rest = record.model_dump(exclude={"provisions", "amendments"})
    return Instrument(**rest, provisions=tuple(provisions), amendments=tuple(amendments))


def to_provision(
    item: ProvisionRecord, instrument: str, effective: dt.date | None, evidence: str
) -> Provision:
    """One provision with the defaults of its instrument.

    Raises:
        ValueError: The condition is not understood, or no date is given.
    """
    start = item.effective or effective
    if start is None:
        raise ValueError("effective: is required, here or on the instrument")
    fields = item.model_dump(
        exclude={"when", "effective", "enforced", "weak", "prominent", "evidence"}
    )
    return Provision(
        **fields,
        instrument=instrument,
        when=parse_condition(item.when),
        effective=start,
        is_enforced=item.enforced,
        is_weak=item.weak,
        is_prominent=item.prominent,
        evidence=item.evidence or evidence,
    )


def provision_from_table(
    table: Mapping[str, Any], instrument: str, evidence: str = "inferred"
) -> Provision:
    """One provision of a what-if file.

    Raises:
        ValueError: What is wrong, key by key.
    """
    try:
        record = ProvisionRecord.model_validate(table)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, i['loc']))}: {i['msg']}" for i in error.errors()]
        raise ValueError("; ".join(lines)) from None
    return to_provision(record, instrument, None, evidence)


def _dangling(condition: Condition, names: _Names) -> Iterator[str]:
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from _dangling(part, names)
    elif isinstance(condition, NotThat):
        yield from _dangling(condition.part, names)
    elif isinstance(condition, InZone) and condition.zone not in names.zones:
        yield f"no zone '{condition.zone}'; zones are {', '.join(sorted(names.zones))}"
    elif isinstance(condition, Certified) and condition.name not in names.certifications:
        yield f"no certification '{condition.name}'"
    elif isinstance(condition, Paragraph) and not condition.name:
        yield "an empty paragraph"


def _bad_result(item: Provision, names: _Names) -> Iterator[str]:
    if item.effect == "review":
        for word in item.result:
            if word not in names.policies:
                yield f"no policy '{word}'; policies are {', '.join(sorted(names.policies))}"
    if item.effect in {"review", "classify", "exclude", "presume", "except"} and not item.result:
        yield f"is required for effect '{item.effect}'"
    if item.effect == "presume":
        for word in item.result:
            if not word[0].isdigit() and word not in FACTS:
                yield f"'{word}' is neither a paragraph nor a fact"
