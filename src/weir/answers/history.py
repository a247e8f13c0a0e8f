"""The status of a chip over time, with the instrument behind each change."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from weir.answers.classify import chip_inputs
from weir.catalog.entities import Chip
from weir.catalog.law import Law, Overlay
from weir.core.errors import InputError
from weir.rules.determination import DISCLAIMER
from weir.rules.inputs import columns
from weir.rules.parameters import apply_overlay
from weir.rules.periods import StatusPeriod, StatusTable, periods
from weir.rules.periods import status_table as table_of
from weir.rules.places import country_name
from weir.rules.transaction import Transaction, resolve

FIRST_DAY = dt.date(2022, 1, 1)


@dataclass(frozen=True)
class History:
    """Status periods of one chip to one destination.

    Attributes:
        chip: Name.
        chip_id: Id.
        destination: ISO code.
        destination_name: English name.
        since: First day.
        until: Last day.
        periods: In order, without gaps.
        assumptions: What was filled in.
        evidence_horizon: The last day the evidence reaches; what lies after it is unverified.
        data_version: Day of the data.
    """

    chip: str
    chip_id: str
    destination: str
    destination_name: str
    since: dt.date
    until: dt.date
    periods: tuple[StatusPeriod, ...]
    assumptions: tuple[str, ...]
    evidence_horizon: dt.date
    data_version: str
    overlay: tuple[str, ...] = ()
    disclaimer: str = DISCLAIMER


def history(
    chip: Chip,
    transaction: Transaction,
    law: Law,
    *,
    since: dt.date = FIRST_DAY,
    overlay: Overlay | None = None,
) -> History:
    """The status of a chip from `since` to the day of the transaction.

    Args:
        chip: From the catalogue.
        transaction: The transaction; its day is the last one.
        law: The law.
        since: First day.
        overlay: What-if changes of the law.

    Raises:
        InputError: The first day lies after the last.
    """
    if since > transaction.on:
        raise InputError(f"the history starts on {since}, after it ends on {transaction.on}")
    changed = law if overlay is None else apply_overlay(law, overlay)
    case = resolve(changed, transaction)
    return History(
        chip=chip.name,
        chip_id=chip.id,
        destination=case.destination,
        destination_name=country_name(law, case.destination),
        since=since,
        until=transaction.on,
        periods=periods(changed, case, columns([chip_inputs(chip)]), since, transaction.on),
        assumptions=case.assumptions,
        evidence_horizon=law.horizon,
        data_version=law.version,
        overlay=changed.overlay,
    )


def status_table(
    law: Law,
    chips: Sequence[Chip],
    destinations: Sequence[str],
    since: dt.date = FIRST_DAY,
    transaction: Transaction | None = None,
) -> StatusTable:
    """The status of many chips to many destinations in every period since a day."""
    return table_of(
        law, columns([chip_inputs(chip) for chip in chips]), destinations, since, transaction
    )
