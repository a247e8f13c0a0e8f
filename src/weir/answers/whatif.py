"""What a changed rule would catch and let go, and which gaming parts it would hit."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from weir.answers.changes import StatusFlip, statuses
from weir.catalog.law import Law, Overlay
from weir.rules.determination import DISCLAIMER
from weir.rules.inputs import ChipInputs
from weir.rules.logic import Answer
from weir.rules.parameters import apply_overlay
from weir.rules.places import country_name
from weir.rules.transaction import Transaction, resolve
from weir.rules.zones import Zone, zones


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
    captured = [(c, f) for c, f in flips if _moves(f, Answer.YES)]
    released = [(c, f) for c, f in flips if _moves(f, Answer.NO)]
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
        zones_before=zones(law, on),
        zones_after=zones(changed, on),
        bandwidth_zones_before=zones(law, on, "tpp", "memory_bandwidth", wide),
        bandwidth_zones_after=zones(changed, on, "tpp", "memory_bandwidth", wide),
        assumptions=resolve(law, transaction).assumptions,
        evidence_horizon=law.horizon,
        data_version=law.version,
    )


def _moves(flip: StatusFlip, answer: Answer) -> bool:
    return flip.after.licence_required is answer and flip.before.licence_required is not answer
