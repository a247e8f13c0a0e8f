"""The law as plain records: instruments, the provisions they make, country groups, conditions.

An instrument is one document of some legal force. A provision is one sentence of it that can be
evaluated: a clause of a classification, a licence requirement, a review policy, an exception, a
warning, a tariff, a presumption. Both carry dates; a provision is superseded by the next one of the
same id. Nothing here decides anything: `weir.rules` evaluates.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, TypeAlias

from weir.core.dates import Period, day_before
from weir.core.units import GIGA, UNITS

KINDS: Final = (
    "rule",
    "correction",
    "letter",
    "guidance",
    "licence_practice",
    "statement",
    "tariff",
    "bill",
    "foreign_measure",
)
FORCES: Final = (
    "binding",
    "binding on its recipients",
    "agency reading of binding rules",
    "in the text, not enforced",
    "practice, no legal force",
    "no legal force",
    "not law",
    "foreign law",
)
EVIDENCE: Final = {
    "primary": "the official text was read",
    "quoted": "seen as a quotation of the official text",
    "secondary": "a secondary source was read",
    "recalled": "from memory of the text; not re-read",
    "inferred": "our reading, not the words of a source",
}
EFFECTS: Final = (
    "presume",
    "classify",
    "exclude",
    "require",
    "review",
    "except",
    "warn",
    "tariff",
)
COMPARISONS: Final = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that conditions test: its dimension and how people read it."""

    name: str
    label: str
    unit: str  # the unit that people read
    factor: float  # one such unit, as stored
    dimension: str


def _metric(name: str, label: str, unit: str) -> Metric:
    local = _LAW_UNITS.get(unit)
    if local is not None:
        return Metric(name, label, unit, local[1], local[0])
    known = UNITS[unit]
    return Metric(name, label, unit, known.factor, known.dimension)


_LAW_UNITS: Final = {
    "GB/s/mm2": ("bytes_per_s_per_mm2", GIGA),
    "Gbyte/s": ("bytes_per_s", GIGA),
    "year": ("year", 1.0),
    "nm": ("nm", 1.0),
    "TOPS x bits": ("tpp", 1.0),
}
METRICS: Final = {
    metric.name: metric
    for metric in (
        _metric("tpp", "TPP", "tpp"),
        _metric("bits_times_tops", "bit length x TOPS", "TOPS x bits"),
        _metric("performance_density", "performance density", "tpp/mm2"),
        _metric("io_bidirectional", "I/O transfer rate, both directions", "GB/s"),
        _metric("memory_bandwidth", "memory bandwidth", "GB/s"),
        _metric("memory_plus_io", "memory bandwidth plus I/O", "GB/s"),
        _metric("memory_bandwidth_density", "memory bandwidth density", "GB/s/mm2"),
        _metric("transistors", "aggregated approximated transistor count", "billion"),
        _metric("completion_year", "year of completion", "year"),
        _metric("listed_ownership", "ownership by listed parties", "percent"),
    )
}
FACTS: Final = {
    "datacentre": "designed or marketed for use in data centres",
    "commercially_available_us": "commercially available in the United States on 2026-01-15",
    "is_hbm": "the item is high-bandwidth memory",
    "processing_dominant": "co-packaged with logic whose dominant function is processing",
    "contains_hbm": "the package contains high-bandwidth memory",
    "advanced_logic": "made at 16/14 nm or below, or with non-planar transistors",
    "designed_in_prc": "designed by a company headquartered in China or Macau",
    "military_end_use": "military end use or end user",
    "supercomputer_end_use": "for a supercomputer in the sense of 15 CFR 744.23",
    "consignee_listed": "a party is on the Entity List",
    "uae_authorised": "UAE Government, a Supplement No. 8 entity, or a U.S. firm's UAE subsidiary",
    "data_centre_veu": "the consignee is a data-centre validated end user",
    "fabricator_or_osat": "the exporter is the front-end fabricator or the OSAT company",
    "authorised_designer": "the designer is approved or authorised and attests",
    "packaged_by_fabricator": "packaged by the fabricator outside Macau and Country Group D:5",
    "packaged_by_approved_osat": "packaged by an approved OSAT company",
    "bought_by_packager": "bought by the designer of the package, shipped to the packaging site",
}
ROLES: Final = (
    "destination",
    "origin",
    "headquarters",
    "consignee",
    "exporter_headquarters",
)
PARTIES: Final = ("exporter", "designer")
TRANSACTION_KINDS: Final = (
    "export",
    "reexport",
    "in_country_transfer",
    "deemed_export",
    "import",
)


def threshold_unit(metric: Metric, unit: str) -> float:
    """How many stored units one printed unit is; raises ValueError naming what is allowed."""
    local = _LAW_UNITS.get(unit)
    dimension, factor = local if local else ("", 0.0)
    if not local and unit in UNITS:
        dimension, factor = UNITS[unit].dimension, UNITS[unit].factor
    if dimension != metric.dimension:
        allowed = [name for name, (kind, _) in _LAW_UNITS.items() if kind == metric.dimension]
        allowed += [item.symbol for item in UNITS.values() if item.dimension == metric.dimension]
        raise ValueError(f"unit '{unit}' does not measure {metric.label}; allowed: {allowed}")
    return factor


@dataclass(frozen=True, slots=True)
class Compare:
    """A metric against a threshold, strict or not exactly as the text has it."""

    metric: str
    comparison: str
    threshold: float  # stored unit
    value: float  # as printed
    unit: str


@dataclass(frozen=True, slots=True)
class FactIs:
    """A yes/no/unknown fact has the given value."""

    fact: str
    is_yes: bool


@dataclass(frozen=True, slots=True)
class Paragraph:
    """The item is classified under a paragraph, or a requirement of that id applies."""

    name: str


@dataclass(frozen=True, slots=True)
class InZone:
    """The country that plays a role belongs to a zone.

    `consignee` is where the consignee has its headquarters, `headquarters` that or where its
    ultimate parent has them.
    """

    role: str
    zone: str


@dataclass(frozen=True, slots=True)
class PartyIs:
    """The exporter or the designer is one of the named companies."""

    role: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """The chip is one of those that the instrument names."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KindIs:
    """The transaction is of one of these kinds."""

    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Certified:
    """The exporter gives a certification."""

    name: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class NotThat:
    """The part does not hold."""

    part: "Condition"


Condition: TypeAlias = (
    Compare
    | FactIs
    | Paragraph
    | InZone
    | PartyIs
    | Named
    | KindIs
    | Certified
    | AllOf
    | AnyOf
    | NotThat
)


@dataclass(frozen=True, slots=True)
class Provision:
    """One evaluable sentence of an instrument.

    Attributes:
        id: Name that stays the same from version to version, for example "3A090.a.1".
        instrument: The instrument that made this version.
        effect: One of `EFFECTS`.
        title: What a person reads.
        when: What has to hold.
        effective: First day in the text.
        citation: The paragraph.
        evidence: One of `EVIDENCE`.
        until: Last day in the text; None while it stands.
        applies: First day it has to be complied with, where later than `effective`.
        is_enforced: False for text that the agency announced it will not enforce.
        is_weak: True where even a fulfilled condition leaves the result unknown, because the text
            is unpublished or only its outline is known.
        is_prominent: True for a warning that no verdict may be read without.
        result: Paragraphs, facts, a policy, an exception or a warning, by `effect`.
        answers: For review policies and exceptions: ids of the requirements they belong to.
        order: Review policies of one requirement are tried in this order.
        yields_to: A paragraph that wins where both apply.
        quote: The sentence of law.
        note: What a reader should know beside it.
        conditions: What has to be done or certified for an exception or a policy.
        readings: Anchors in docs/explanation/readings.md.
    """

    id: str
    instrument: str
    effect: str
    title: str
    when: Condition
    effective: dt.date
    citation: str
    evidence: str
    until: dt.date | None = None
    applies: dt.date | None = None
    is_enforced: bool = True
    is_weak: bool = False
    is_prominent: bool = False
    result: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    order: int = 0
    yields_to: str = ""
    quote: str = ""
    note: str = ""
    conditions: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()

    @property
    def period(self) -> Period:
        """The days on which this version is the text."""
        return Period(self.effective, self.until)

    @property
    def first_applied(self) -> dt.date:
        """The first day on which it has to be complied with."""
        return self.applies or self.effective


@dataclass(frozen=True, slots=True)
class Amendment:
    """One change of the text of a paragraph, for the consolidated reading.

    Attributes:
        unit: The entry or section, for example "3A090".
        paragraph: The paragraph within it, for example "a.1".
        action: "add", "revise" or "remove".
        effective: The first day of the new text.
        text: The new words; empty where removed.
        evidence: How the words are known.
    """

    unit: str
    paragraph: str
    action: str
    effective: dt.date
    text: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Instrument:
    """One document: rule, letter, guidance, statement, tariff, bill or foreign measure."""

    id: str
    title: str
    kind: str
    force: str
    jurisdiction: str
    citation: str
    summary: str
    evidence: str
    verified_on: dt.date
    sources: tuple[str, ...]
    binding_on: tuple[str, ...] = ("everyone",)
    published: dt.date | None = None
    effective: dt.date | None = None
    compliance: dt.date | None = None
    enforced: dt.date | None = None
    superseded: dt.date | None = None
    quote: str = ""
    note: str = ""
    readings: tuple[str, ...] = ()
    provisions: tuple[Provision, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    ends: Mapping[str, dt.date] = field(default_factory=dict)

    @property
    def is_us_law_or_practice(self) -> bool:
        """False for bills and foreign measures, which stand in a layer of their own."""
        return self.kind not in {"bill", "foreign_measure"}


@dataclass(frozen=True, slots=True)
class Membership:
    """A country in a group during a period; uncertain where the day is not settled."""

    country: str
    period: Period
    is_certain: bool = True
    source: str = ""


@dataclass(frozen=True, slots=True)
class Zone:
    """A set of countries made of groups and single countries, less other groups."""

    id: str
    title: str
    groups: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    except_groups: tuple[str, ...] = ()
    is_complement: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """One review policy and how strict it is; a larger rank is stricter."""

    id: str
    label: str
    rank: int
    meaning: str


@dataclass(frozen=True, eq=False)
class Law:
    """Everything that is known of the law, of every date.

    Attributes:
        instruments: By id.
        groups: Memberships by country group, such as "D:5".
        zones: By id.
        policies: By id.
        countries: English name by ISO 3166 alpha-2 code.
        aliases: Other names of countries, folded, to their code.
        treated_as: Countries that the rules handle as another (Hong Kong as China).
        certifications: What an exporter can certify, by id.
        companions: What else is classified with a paragraph, by paragraph.
        not_checked: What no determination tests.
        horizon: The last day up to which the evidence reaches.
        reconstructed_before: Group tables before this day are reconstructed from known changes.
        version: Day of the data.
        overlay: Titles of the what-if changes laid over the data; empty for the law as it is.
    """

    instruments: Mapping[str, Instrument]
    groups: Mapping[str, tuple[Membership, ...]]
    zones: Mapping[str, Zone]
    policies: Mapping[str, Policy]
    countries: Mapping[str, str]
    aliases: Mapping[str, str]
    treated_as: Mapping[str, str]
    certifications: Mapping[str, str]
    companions: Mapping[str, str]
    not_checked: tuple[str, ...]
    horizon: dt.date
    reconstructed_before: dt.date
    version: str
    overlay: tuple[str, ...] = ()

    @cached_property
    def provisions(self) -> tuple[Provision, ...]:
        """Every version of every provision, each with the last day of its text, by date."""
        found = [item for each in self.instruments.values() for item in each.provisions]
        ends = {key: day for each in self.instruments.values() for key, day in each.ends.items()}
        found.sort(key=lambda item: (item.id, item.effective))
        closed: list[Provision] = []
        for index, item in enumerate(found):
            later = found[index + 1] if index + 1 < len(found) else None
            until = item.until
            if later is not None and later.id == item.id:
                before = day_before(later.effective)
                until = before if until is None else min(until, before)
            elif until is None and item.id in ends and ends[item.id] >= item.effective:
                until = ends[item.id]
            if until is None or until >= item.effective:  # else another version came before it
                closed.append(_with_until(item, until))
        return tuple(sorted(closed, key=lambda item: (item.effective, item.order, item.id)))

    @cached_property
    def breakpoints(self) -> tuple[dt.date, ...]:
        """Every day on which anything in the law changes."""
        days: set[dt.date] = set()
        for item in self.provisions:
            days |= {item.effective, item.first_applied}
            if item.until is not None:
                days.add(item.until + dt.timedelta(days=1))
        for memberships in self.groups.values():
            for member in memberships:
                if member.period.start is not None:
                    days.add(member.period.start)
                if member.period.end is not None:
                    days.add(member.period.end + dt.timedelta(days=1))
        return tuple(sorted(days))


def _with_until(item: Provision, until: dt.date | None) -> Provision:
    return item if until == item.until else replace(item, until=until)


@dataclass(frozen=True, slots=True)
class Patch:
    """One changed number, date, scope or switch of a what-if.

    Attributes:
        path: What to change, for example "3A090.a.1.tpp".
        value: What to set it to.
        unit: Unit of a number; empty for the unit of the text.
        where: File and line, or the option, for messages.
    """

    path: str
    value: str | float | bool
    unit: str = ""
    where: str = "--set"


@dataclass(frozen=True, slots=True)
class Overlay:
    """A what-if: patches, provisions to add, provisions to leave out."""

    title: str
    patches: tuple[Patch, ...] = ()
    added: tuple[Provision, ...] = ()
    removed: tuple[str, ...] = ()
    where: str = "--set"
