"""Many chips on many days to many destinations at once, without traces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.catalog.law import Law
from weir.core.errors import InputError
from weir.rules.evaluate import NONE, NOT_YET, UNDETERMINED, Outcome, evaluate, policy_codes
from weir.rules.inputs import ChipColumns
from weir.rules.logic import NO, UNKNOWN, YES, Truth
from weir.rules.scenarios import is_uncertain, refine
from weir.rules.scene import Day, Scene, epoch, epoch_of
from weir.rules.transaction import Case, Transaction, resolve

PARAGRAPHS: Final = ("3A090.a", "3A090.b", "3A090.c")
CODE_NONE: Final = 0
CODE_UNDETERMINED: Final = -1
CODE_NOT_YET: Final = -2
_WORLD_ROWS: Final = 4096  # rows refined at a time; each has a hundred worlds or so
_BLOCK_ROWS: Final = 32768  # rows evaluated at a time, so that columns stay in the cache


@dataclass(frozen=True)
class Determinations:
    """One row per determination.

    Attributes:
        eccn: 1, 2, 3 for the paragraphs of `PARAGRAPHS`, 0 none, -1 undetermined, -2 not yet.
        licence_required: 0 no, 1 unknown, 2 yes.
        policy: Policy code, 0 where no licence is needed; see `policy_name`.
        exception: 0 no, 1 perhaps, 2 open, for the licence exceptions together.
        law: The law it was determined under.
    """

    eccn: NDArray[np.int8]
    licence_required: NDArray[np.int8]
    policy: NDArray[np.int8]
    exception: NDArray[np.int8]
    law: Law

    def eccn_name(self, row: int) -> str:
        """Classification of a row in words."""
        return eccn_name(int(self.eccn[row]))

    def policy_name(self, row: int) -> str:
        """Review policy of a row, empty where no licence is needed."""
        code = int(self.policy[row])
        return policy_codes(self.law).get(code, UNDETERMINED) if code else ""


def eccn_name(code: int) -> str:
    """The word for a classification code."""
    if code > 0:
        return PARAGRAPHS[code - 1]
    return {CODE_NONE: NONE, CODE_UNDETERMINED: UNDETERMINED, CODE_NOT_YET: NOT_YET}[code]


def determine_many(
    law: Law,
    chips: ChipColumns,
    on: NDArray[np.datetime64],
    destinations: Sequence[str],
    destination: NDArray[np.intp] | None = None,
    transaction: Transaction | None = None,
) -> Determinations:
    """Determines every row: chip `i` on day `on[i]` to `destinations[destination[i]]`.

    The same as one determination a row, without traces.

    Args:
        law: The law.
        chips: n rows.
        on: n days (datetime64[D]).
        destinations: Codes or names of countries.
        destination: Row to index into `destinations`; None for the first one throughout.
        transaction: Everything else of the transaction; its destination and day are not used.

    Raises:
        InputError: Lengths that differ, or a foundry transaction without a completion year.
        UnknownNameError: An unknown country.
    """
    count = chips.rows
    if len(on) != count or (destination is not None and len(destination) != count):
        raise InputError(f"{count} chips need {count} days and destinations")
    days = on.astype("datetime64[D]").astype(np.int64)
    epochs = epoch_of(law, days)
    where = np.zeros(count, np.intp) if destination is None else destination
    group = (epochs * len(destinations) + where).astype(np.int32)
    order = np.argsort(
        group.astype(np.int16) if group.max(initial=0) < _INT16 else group, kind="stable"
    )
    result = Determinations(
        np.empty(count, np.int8),
        np.empty(count, np.int8),
        np.empty(count, np.int8),
        np.empty(count, np.int8),
        law,
    )
    edges = np.flatnonzero(np.diff(group[order])) + 1
    for rows in np.split(order, edges):
        if rows.size:
            key = int(group[rows[0]])
            day = epoch(law, key // len(destinations))
            case = _case(law, destinations[key % len(destinations)], day, transaction)
            for start in range(0, rows.size, _BLOCK_ROWS):
                _fill(result, day, case, chips, rows[start : start + _BLOCK_ROWS])
    return result


_INT16: Final = np.iinfo(np.int16).max


def _case(law: Law, destination: str, day: Day, transaction: Transaction | None) -> Case:
    if transaction is None:
        return resolve(law, Transaction(destination, day.on))
    flagged = transaction.flags.get("fabricator_or_osat", "no") != "no"
    if flagged and transaction.completion_year is None:
        raise InputError("a foundry transaction needs completion_year where days vary")
    return resolve(law, replace(transaction, destination=destination, on=day.on))


def _fill(
    result: Determinations, day: Day, case: Case, chips: ChipColumns, rows: NDArray[np.intp]
) -> None:
    taken = chips.take(rows)
    outcome = evaluate(Scene(day, case, taken), with_notices=False)
    _write(result, outcome, rows)
    is_open = result.licence_required[rows] == UNKNOWN
    is_open |= result.eccn[rows] == CODE_UNDETERMINED
    is_open |= ~np.isin(result.policy[rows], (0, *policy_codes(day.law)))
    is_open |= result.exception[rows] == UNKNOWN
    for places in _alike(taken, np.flatnonzero(is_open & is_uncertain(taken))):
        for start in range(0, places.size, _WORLD_ROWS):
            part = places[start : start + _WORLD_ROWS]
            again = taken.take(part)
            refined = Outcome(Scene(day, case, again))
            refine(refined, again, with_notices=False)
            _write(result, refined, rows[part])


def _alike(chips: ChipColumns, places: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Splits uncertain rows by what is uncertain of them, so that each part has few worlds."""
    if not places.size:
        return
    low, high = chips.metrics["tpp"]
    pattern = np.not_equal(low[places], high[places]) * 2
    market = chips.facts.get("datacentre")
    if market is not None:
        pattern = pattern + (market[places] == UNKNOWN)
    for value in np.unique(pattern):
        yield places[pattern == value]


def _write(result: Determinations, outcome: Outcome, rows: NDArray[np.intp]) -> None:
    result.licence_required[rows] = outcome.licence
    result.policy[rows] = outcome.policy
    result.eccn[rows] = _eccn_codes(outcome.paragraphs)
    best: Truth = NO
    for value in outcome.exceptions.values():
        best = np.maximum(best, value)
    result.exception[rows] = best


def _eccn_codes(paragraphs: dict[str, Truth]) -> NDArray[np.int8]:
    if not paragraphs:
        return np.array(CODE_NOT_YET, np.int8)
    code: NDArray[np.int8] = np.array(CODE_NONE, np.int8)
    for name in sorted(paragraphs, reverse=True):
        value = paragraphs[name]
        code = np.where(np.equal(value, UNKNOWN) & (code == CODE_NONE), CODE_UNDETERMINED, code)
        code = np.where(np.equal(value, YES), PARAGRAPHS.index(name) + 1, code).astype(np.int8)
    return code
