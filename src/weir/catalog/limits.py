"""What the cross-record checks measure against, and the differences that are accepted."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weir.catalog.files import STOCK, read_table, read_toml
from weir.core.errors import RecordError
from weir.core.units import GIBI, GIGA, MEGA

WAIVER_COLUMNS: Final = ("check", "subject", "key", "reason")


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """What one stack of a memory type can be.

    Attributes:
        bytes_per_s: The fastest stack shipped.
        sizes_bytes: The capacities made.
        most_stacks: The most stacks that any package carries.
    """

    bytes_per_s: float
    sizes_bytes: tuple[float, ...]
    most_stacks: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What the checks measure against; see `data/checks/limits.toml` for the meaning of each."""

    metric_tolerance: float
    sum_tolerance: float
    most_gain_per_halving: float
    reticle_mm2: float
    least_usable_share: float
    stale_after: dt.timedelta
    pcie_transfers_per_s: Mapping[int, float]
    transistors_per_mm2: Mapping[str, float]
    memory: Mapping[str, MemoryLimit]


@dataclass(frozen=True, slots=True)
class Waiver:
    """A difference that is accepted, and why."""

    check: str
    subject: str
    key: str
    reason: str


def load_limits(root: Path = STOCK) -> Limits:
    """The limits of `root/checks/limits.toml`.

    Raises:
        RecordError: The file is missing, or a key in it is.
    """
    path = root / "checks" / "limits.toml"
    raw = read_toml(path)
    try:
        return Limits(
            metric_tolerance=raw["metric_tolerance"],
            sum_tolerance=raw["sum_tolerance"],
            most_gain_per_halving=raw["most_gain_per_halving"],
            reticle_mm2=raw["reticle_mm2"],
            least_usable_share=raw["least_usable_share"],
            stale_after=dt.timedelta(days=raw["stale_after_days"]),
            pcie_transfers_per_s={int(k): v * GIGA for k, v in raw["pcie_gt_per_s"].items()},
            transistors_per_mm2={
                k: v * MEGA for k, v in raw["most_million_transistors_per_mm2"].items()
            },
            memory={
                name: MemoryLimit(
                    bytes_per_s=item["most_gb_per_s"] * GIGA,
                    sizes_bytes=tuple(size * GIBI for size in item["sizes_gib"]),
                    most_stacks=item["most_stacks"],
                )
                for name, item in raw["memory"].items()
            },
        )
    except KeyError as error:
        raise RecordError(path, [f"{error.args[0]}: is required"]) from None


def load_waivers(root: Path = STOCK) -> tuple[Waiver, ...]:
    """The accepted differences of `root/checks/waivers.csv`.

    Raises:
        RecordError: Wrong columns, or a line without a reason.
    """
    return read_table(root / "checks" / "waivers.csv", WAIVER_COLUMNS, _waiver)


def _waiver(row: Mapping[str, str]) -> Waiver:
    if not row["reason"]:
        raise ValueError(f"{row['check']} {row['subject']} {row['key']}: needs a reason")
    return Waiver(**row)
