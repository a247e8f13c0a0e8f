"""The golden cases of the law by the instrument they exercise, for people who read the law."""

import csv
import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from weir.catalog.files import STOCK, read_text

FILE: Final = "rules/golden_cases.csv"
COLUMNS: Final = (
    "instrument", "provisions", "case", "chip", "on", "kind", "destination", "eccn", "licence",
    "policy", "confidence",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """One case with a known outcome to which an instrument contributes.

    Attributes:
        instrument: Id of the instrument.
        provisions: Ids of its provisions that hold or are open in the case.
        case: Number or name of the case in tests/golden/determinations.csv.
        chip: Name of the chip.
        on: The day.
        kind: Kind of transaction.
        destination: ISO code.
        eccn: Expected classification; empty where the case does not say.
        licence: Expected licence requirement; empty where the case does not say.
        policy: Expected review policy; empty where the case does not say.
        confidence: H, M or L.
    """

    instrument: str
    provisions: tuple[str, ...]
    case: str
    chip: str
    on: dt.date
    kind: str
    destination: str
    eccn: str
    licence: str
    policy: str
    confidence: str


@cache
def golden_cases(root: Path = STOCK) -> tuple[GoldenCase, ...]:
    """Every pair of an instrument and a case, in the order of the table."""
    rows = csv.DictReader(read_text(root / FILE).splitlines())
    return tuple(
        GoldenCase(
            **{**row, "provisions": tuple(row["provisions"].split()), "on": _day(row["on"])}  # type: ignore[arg-type]
        )
        for row in rows
    )


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)
