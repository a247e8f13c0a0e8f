"""The law as a book: every instrument with its dates, its words, its provisions and its cases."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from weir.catalog.golden_cases import GoldenCase, golden_cases
from weir.catalog.law import (
    EFFECTS,
    KINDS,
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
)
from weir.core.errors import InputError, UnknownNameError
from weir.rules.determination import DISCLAIMER
from weir.rules.scene import leaves
from weir.rules.wording import condition_text, one_line

LIST = "See 'weir law list'."


@dataclass(frozen=True, slots=True)
class Entry:
    """One instrument of a list.

    Attributes:
        instrument: The instrument.
        standing: Where it stands on the day: "in force", "published, not yet effective" …
    """

    instrument: Instrument
    standing: str


@dataclass(frozen=True)
class Lawbook:
    """A list of instruments.

    Attributes:
        entries: By first day, the oldest first.
        on: The day of their standing.
        kind: The kind asked for, empty for all.
        horizon: The last day the evidence reaches.
        data_version: Day of the data.
    """

    entries: tuple[Entry, ...]
    on: dt.date
    kind: str
    horizon: dt.date
    data_version: str
    disclaimer: str = DISCLAIMER


@dataclass(frozen=True, slots=True)
class Test:
    """One line of a condition, with the lines beneath it."""

    text: str
    parts: tuple["Test", ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one provision as an instrument made it.

    Attributes:
        provision: The version; `until` is its last day, whoever ended it.
        tests: What has to hold, in words.
        standing: Where it stands on the day.
        ended_by: The instrument that replaced or ended it, empty while it stands.
        paths: What a what-if may set of it, beside its dates.
    """

    provision: Provision
    tests: Test
    standing: str
    ended_by: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class LawEntry:
    """One instrument in full.

    Attributes:
        instrument: The instrument.
        on: The day of its standing.
        standing: Where it stands on that day.
        versions: Its provisions.
        cases: Golden cases to which it contributes.
        horizon: The last day the evidence reaches.
        data_version: Day of the data.
    """

    instrument: Instrument
    on: dt.date
    standing: str
    versions: tuple[Version, ...]
    cases: tuple[GoldenCase, ...]
    horizon: dt.date
    data_version: str
    disclaimer: str = DISCLAIMER

    @property
    def sources(self) -> tuple[str, ...]:
        """Citations of the documents behind it."""
        return self.instrument.sources


def lawbook(law: Law, on: dt.date, kind: str = "", *, in_force: bool = False) -> Lawbook:
    """Lists the instruments.

    Args:
        law: The law.
        on: The day of their standing.
        kind: Only this kind; empty for all.
        in_force: Only those of which something is in force on the day.

    Raises:
        UnknownNameError: No such kind.
    """
    if kind and kind not in KINDS:
        raise UnknownNameError("kind of instrument", kind, KINDS, f"Kinds: {', '.join(KINDS)}.")
    found = [
        Entry(item, standing(law, item, on))
        for item in law.instruments.values()
        if not kind or item.kind == kind
    ]
    if in_force:
        found = [entry for entry in found if entry.standing in {"in force", "in force in part"}]
    found.sort(key=lambda entry: (_first_day(entry.instrument), entry.instrument.id))
    return Lawbook(tuple(found), on, kind, law.horizon, law.version)


def law_entry(law: Law, name: str, on: dt.date) -> LawEntry:
    """One instrument, by its id or by the id of one of its provisions.

    Raises:
        UnknownNameError: No such instrument, with the nearest.
        InputError: A provision that several instruments made.
    """
    instrument = find_instrument(law, name)
    closed = [item for item in law.provisions if item.instrument == instrument.id]
    closed.sort(key=lambda item: (EFFECTS.index(item.effect), item.order, item.id))
    return LawEntry(
        instrument=instrument,
        on=on,
        standing=standing(law, instrument, on),
        versions=tuple(
            Version(
                item,
                tests(law, item.when),
                _standing_of(item, on),
                _ended_by(law, item),
                tuple(_paths(item)),
            )
            for item in closed
        ),
        cases=tuple(case for case in golden_cases() if case.instrument == instrument.id),
        horizon=law.horizon,
        data_version=law.version,
    )


def find_instrument(law: Law, name: str) -> Instrument:
    """An instrument by its id or by the id of a provision that it alone made.

    Raises:
        UnknownNameError: No such instrument, with the nearest.
        InputError: A provision that several instruments made.
    """
    if name in law.instruments:
        return law.instruments[name]
    makers = list(dict.fromkeys(p.instrument for p in law.provisions if p.id == name))
    if len(makers) > 1:
        listed = ", ".join(makers)
        raise InputError(f"{name} has versions in several instruments; give one: {listed}")
    if not makers:
        known = (*law.instruments, *dict.fromkeys(item.id for item in law.provisions))
        raise UnknownNameError("instrument", name, known, LIST)
    return law.instruments[makers[0]]


def standing(law: Law, instrument: Instrument, on: dt.date) -> str:
    """Where an instrument stands on a day, in words."""
    if not instrument.is_us_law_or_practice:
        started = instrument.effective or instrument.published
        layer = "no U.S. law: " + ("bill" if instrument.kind == "bill" else "foreign measure")
        return f"{layer}, later" if started is not None and started > on else layer
    if instrument.superseded is not None and instrument.superseded <= on:
        return "superseded"
    own = [item for item in law.provisions if item.instrument == instrument.id]
    words = {_standing_of(item, on) for item in own}
    if "in force" in words:
        return "in force" if len(words) == 1 else "in force in part"
    for word in ("in the text, not enforced", "effective, not yet to be complied with"):
        if word in words:
            return word
    first = instrument.effective or instrument.published
    if first is not None and first > on:
        published = instrument.published
        is_out = published is not None and published <= on
        return "published, not yet effective" if is_out else "not yet published"
    if own:
        return "superseded"
    return "in force"


def _standing_of(item: Provision, on: dt.date) -> str:
    if on < item.effective:
        return "not yet effective"
    if item.until is not None and on > item.until:
        return "superseded"
    if not item.is_enforced:
        return "in the text, not enforced"
    return "in force" if on >= item.first_applied else "effective, not yet to be complied with"


def _ended_by(law: Law, item: Provision) -> str:
    if item.until is None:
        return ""
    after = item.until + dt.timedelta(days=1)
    for other in law.provisions:
        if other.id == item.id and other.effective == after:
            return other.instrument
    for instrument in law.instruments.values():
        if instrument.ends.get(item.id) == after and instrument.id != item.instrument:
            return instrument.id
    return ""


def tests(law: Law, condition: Condition) -> Test:
    """A condition as lines beneath each other."""
    if isinstance(condition, AllOf | AnyOf) and condition.parts:
        parts = tuple(tests(law, part) for part in condition.parts)
        return Test(condition_text(law, condition), parts)
    if isinstance(condition, NotThat):
        if isinstance(condition.part, AllOf | AnyOf):
            return Test("not", (tests(law, condition.part),))
        return Test(f"not: {one_line(law, condition.part)}")
    return Test(one_line(law, condition))


def _paths(item: Provision) -> Iterator[str]:
    compared = [leaf for leaf in leaves(item.when) if isinstance(leaf, Compare)]
    for leaf in dict.fromkeys((leaf.metric, leaf.comparison) for leaf in compared):
        metric, comparison = leaf
        several = len({one.comparison for one in compared if one.metric == metric}) > 1
        yield f"{item.id}.{metric}{f'.{comparison}' if several else ''}"
    if item.effect == "review":
        yield f"{item.id}.policy"
    if not item.is_enforced:
        yield f"{item.id}.enforced"


def _first_day(item: Instrument) -> dt.date:
    return item.published or item.effective or dt.date.min


def dormant(law: Law) -> Iterator[Provision]:
    """Provisions that stand in the text and are not enforced."""
    return (item for item in law.provisions if not item.is_enforced)


def assume_enforced(law: Law, name: str) -> Overlay:
    """A what-if that applies what an instrument says and the agency does not enforce.

    Args:
        law: The law.
        name: Id of an instrument or of one provision.

    Raises:
        UnknownNameError: Nothing of that name stands in the text without being enforced.
    """
    silent = list(dormant(law))
    meant = [item for item in silent if name in {item.id, item.instrument}]
    if not meant:
        known = [*dict.fromkeys(item.instrument for item in silent), *(p.id for p in silent)]
        if name in law.instruments or any(item.id == name for item in law.provisions):
            raise InputError(
                f"--assume-enforced {name}: nothing of it is left unenforced; what is: "
                f"{', '.join(known)}"
            )
        raise UnknownNameError(
            "text that is not enforced", name, known, f"There is: {', '.join(known)}."
        )
    where = f"--assume-enforced {name}"
    patches = tuple(
        Patch(f"{item.id}@{item.effective}.enforced", True, where=where) for item in meant
    )
    return Overlay(f"{name} enforced", patches, where=where)


def sources_of(law: Law, instruments: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Citations of the documents behind instruments, by id; what is no instrument is left out."""
    wanted = dict.fromkeys(instruments)
    return {key: law.instruments[key].sources for key in wanted if key in law.instruments}
