"""What a changed rule would catch and let go, and which gaming parts it would hit."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from weir.answers.changes import StatusFlip, statuses
from weir.catalog.law import Compare, Law, Overlay, Provision
from weir.catalog.law import Zone as LawZone
from weir.rules.determination import DISCLAIMER
from weir.rules.inputs import ChipInputs
from weir.rules.logic import Answer
from weir.rules.parameters import apply_overlay
from weir.rules.places import country_name
from weir.rules.scene import leaves
from weir.rules.transaction import Transaction, resolve
from weir.rules.wording import threshold
from weir.rules.zones import Zone, zones


@dataclass(frozen=True, slots=True)
class Moved:
    """One thing of the law that a what-if sets otherwise.

    Attributes:
        what: Id of a provision or zone.
        instrument: The instrument that made it; empty for a zone.
        before: As it is; empty where it does not exist.
        after: Under the change; empty where it does not exist any more.
    """

    what: str
    instrument: str
    before: str
    after: str


@dataclass(frozen=True)
class WhatIf:
    """A changed law beside the law as it is.

    Attributes:
        title: The changes, in words.
        transaction: The transaction compared.
        destination_name: English name of its destination.
        captured: Chips that need a licence under the changed law and did not.
        released: Chips that need none any more.
        shifted: Chips whose classification, policy or certainty changes without either.
        collateral: Those captured that are not marketed for data centres: gaming parts and such.
        unchanged: How many stay as they are.
        moved: What of the law differs, of whatever day.
        zones_before: Regions of TPP and performance density of the law as it is.
        zones_after: The same of the changed law.
        bandwidth_zones_before: Regions of TPP and memory bandwidth.
        bandwidth_zones_after: The same of the changed law.
        assumptions: What was filled in.
    """

    title: str
    transaction: Transaction
    destination_name: str
    captured: tuple[StatusFlip, ...]
    released: tuple[StatusFlip, ...]
    shifted: tuple[StatusFlip, ...]
    collateral: tuple[StatusFlip, ...]
    unchanged: int
    moved: tuple[Moved, ...]
    zones_before: tuple[Zone, ...]
    zones_after: tuple[Zone, ...]
    bandwidth_zones_before: tuple[Zone, ...]
    bandwidth_zones_after: tuple[Zone, ...]
    assumptions: tuple[str, ...]
    evidence_horizon: dt.date
    data_version: str
    disclaimer: str = DISCLAIMER

    @property
    def flips(self) -> tuple[StatusFlip, ...]:
        """Every chip whose status differs."""
        return (*self.captured, *self.released, *self.shifted)


def what_if(
    chips: Sequence[ChipInputs], transaction: Transaction, law: Law, *overlays: Overlay
) -> WhatIf:
    """Compares the law with overlays to the law without, for many chips in one transaction.

    Args:
        chips: What the law reads of each.
        transaction: The transaction.
        law: The law as it is.
        overlays: What-if changes, the later over the earlier.

    Raises:
        InputError: An overlay that does not fit the law.
    """
    changed = apply_overlay(law, *overlays)
    on = transaction.on
    before, after = (statuses(chips, transaction, each) for each in (law, changed))
    pairs = list(zip(chips, before, after, strict=True))
    flips = [
        (chip, StatusFlip(chip.name or chip.id, chip.id, old, new, (), None))
        for chip, old, new in pairs
        if old != new
    ]
    captured = [(c, f) for c, f in flips if _turns(f, Answer.YES)]
    released = [(c, f) for c, f in flips if _turns(f, Answer.NO)]
    rest = [f for c, f in flips if (c, f) not in captured and (c, f) not in released]
    wide = ("classify", "require", "review", "tariff")
    return WhatIf(
        title="; ".join(item.title for item in overlays) or "no change",
        transaction=transaction,
        destination_name=country_name(law, resolve(law, transaction).destination),
        captured=tuple(f for _, f in captured),
        released=tuple(f for _, f in released),
        shifted=tuple(rest),
        collateral=tuple(f for c, f in captured if c.facts.get("datacentre") == "no"),
        unchanged=len(pairs) - len(flips),
        moved=tuple(_moved(law, changed)),
        zones_before=zones(law, on),
        zones_after=zones(changed, on),
        bandwidth_zones_before=zones(law, on, "tpp", "memory_bandwidth", wide),
        bandwidth_zones_after=zones(changed, on, "tpp", "memory_bandwidth", wide),
        assumptions=resolve(law, transaction).assumptions,
        evidence_horizon=law.horizon,
        data_version=law.version,
    )


def _turns(flip: StatusFlip, answer: Answer) -> bool:
    return flip.after.licence_required is answer and flip.before.licence_required is not answer


def _moved(law: Law, changed: Law) -> Iterator[Moved]:
    old, new = _provisions(law), _provisions(changed)
    for key in dict.fromkeys((*old, *new)):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        was = {} if before is None else _told(law, before)
        now = {} if after is None else _told(changed, after)
        differing = [label for label in (was | now) if was.get(label) != now.get(label)]
        texts = ["; ".join(told[k] for k in differing if k in told) for told in (was, now)]
        yield Moved(key[1], key[0], texts[0], texts[1])
    for name, zone in law.zones.items():
        if changed.zones[name] != zone:
            yield Moved(f"zone.{name}", "", _zone_words(zone), _zone_words(changed.zones[name]))


def _provisions(law: Law) -> dict[tuple[str, str, int], Provision]:
    """Every version as an instrument made it, by instrument, id and place among its like."""
    found: dict[tuple[str, str, int], Provision] = {}
    for instrument in law.instruments.values():
        for item in instrument.provisions:
            place = sum(key[:2] == (instrument.id, item.id) for key in found)
            found[instrument.id, item.id, place] = item
    return found


def _told(law: Law, item: Provision) -> dict[str, str]:
    """What may be set of a provision, in words."""
    tests = [leaf for leaf in leaves(item.when) if isinstance(leaf, Compare)]
    told = {f"test {n}": threshold(leaf) for n, leaf in enumerate(tests)}
    told["effective"] = f"from {item.effective}"
    told |= {"applies": f"applied from {item.applies}"} if item.applies else {}
    told |= {"until": f"until {item.until}"} if item.until else {}
    told["enforced"] = "enforced" if item.is_enforced else "not enforced"
    if item.effect == "review":
        told["policy"] = law.policies[item.result[0]].label
    return told


def _zone_words(zone: LawZone) -> str:
    less = f", less {' '.join(zone.except_groups)}" if zone.except_groups else ""
    return " ".join((*zone.groups, *zone.countries)) + less
