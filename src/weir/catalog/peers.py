"""What another tool reaches on the same sample, as the founders measured it."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from weir.catalog.files import STOCK

PATH: Final = STOCK / "claims" / "peers.csv"
QUANTITIES: Final = ("ttft", "tpot", "request")


@dataclass(frozen=True, slots=True)
class PeerResult:
    """One mode of the other tool.

    Attributes:
        mode: Name of the mode.
        runs: Runs it predicts.
        errors: By quantity, mean and median absolute percentage error in percent.
    """

    mode: str
    runs: int
    errors: Mapping[str, tuple[float, float]]


def load_peers() -> tuple[PeerResult, ...]:
    """Every mode, in the order of the file."""
    with PATH.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(
        PeerResult(
            mode=row["mode"],
            runs=int(row["runs"]),
            errors={
                key: (float(row[f"{key}_mape"]), float(row[f"{key}_mdape"])) for key in QUANTITIES
            },
        )
        for row in rows
    )
