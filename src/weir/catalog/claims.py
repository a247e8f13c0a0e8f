"""Claims that others published: what is said, the number, and what of ours to set beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weir.catalog.files import STOCK, read_table

PATH: Final = STOCK / "claims" / "claims.csv"
COLUMNS: Final = (
    "id", "claim", "quantity", "value", "unit", "within", "source", "computed_by", "arguments",
    "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Claim:
    """One number that somebody published.

    Attributes:
        id: Identifier; several numbers may belong to one claim.
        text: The claim, restated.
        quantity: What the number is.
        value: The number, in `unit`.
        unit: As printed; empty for a plain number.
        within: Relative difference up to which ours agrees.
        source: Citation.
        computed_by: Name of the computation; empty where there is none.
        arguments: What it is given.
        reason: Why ours differs, or why there is none.
    """

    id: str
    text: str
    quantity: str
    value: float
    unit: str
    within: float
    source: str
    computed_by: str
    arguments: Mapping[str, str]
    reason: str

    @property
    def is_again(self) -> bool:
        """Whether the number stands before, and is here beside another reading of its terms."""
        return "again" in self.arguments


def load_claims(path: Path = PATH) -> tuple[Claim, ...]:
    """Every claim, in the order of the file.

    Raises:
        RecordError: Other columns, or a number that is none.
    """
    return read_table(path, COLUMNS, _claim)


def _claim(row: Mapping[str, str]) -> Claim:
    pairs = [item.partition("=") for item in row["arguments"].split(";") if item]
    return Claim(
        id=row["id"],
        text=row["claim"],
        quantity=row["quantity"],
        value=float(row["value"]),
        unit=row["unit"],
        within=float(row["within"]),
        source=row["source"],
        computed_by=row["computed_by"],
        arguments={key: value for key, _, value in pairs},
        reason=row["reason"],
    )
