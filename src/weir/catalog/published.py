"""Published speeds of deployments: which chip, model, layout and load, and what was measured."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weir.catalog.files import STOCK, read_table

PATH: Final = STOCK / "claims" / "published.csv"
# What a value measures.
PER_CHIP: Final = "tokens_per_s_per_chip"
PER_USER: Final = "tokens_per_s_per_user"
COLUMNS: Final = (
    "id", "chip", "model", "framework", "layout", "weights", "kv_cache", "isl", "osl", "users",
    "value", "quantity", "source",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PublishedSpeed:
    """One published speed.

    Attributes:
        id: Identifier.
        chip: Id of the chip.
        model: Id of the model.
        framework: Key of the serving framework.
        degrees: Parallel degrees that are not 1.
        weights: Number format of all weights; empty for the published one.
        kv_cache: Number format of the cache; empty for the usual one.
        isl: Prompt tokens.
        osl: Output tokens.
        users: Requests under way; None for as many as fit.
        value: Output tokens per second, of one chip or as one user sees them.
        quantity: `PER_CHIP` or `PER_USER`.
        source: Citation.
    """

    id: str
    chip: str
    model: str
    framework: str
    degrees: tuple[tuple[str, int], ...]
    weights: str
    kv_cache: str
    isl: float
    osl: float
    users: float | None
    value: float
    quantity: str
    source: str


def load_published(path: Path = PATH) -> tuple[PublishedSpeed, ...]:
    """Every published speed, in the order of the file.

    Raises:
        RecordError: Other columns, or a cell that cannot be read.
    """
    return read_table(path, COLUMNS, _speed)


def _speed(row: dict[str, str]) -> PublishedSpeed:
    pairs = [item.partition("=") for item in row["layout"].split(";")]
    if row["quantity"] not in {PER_CHIP, PER_USER}:
        raise ValueError(f"quantity is '{row['quantity']}'; use {PER_CHIP} or {PER_USER}")
    return PublishedSpeed(
        id=row["id"],
        chip=row["chip"],
        model=row["model"],
        framework=row["framework"],
        degrees=tuple((name, int(value)) for name, _, value in pairs),
        weights=row["weights"],
        kv_cache=row["kv_cache"],
        isl=float(row["isl"]),
        osl=float(row["osl"]),
        users=float(row["users"]) if row["users"] else None,
        value=float(row["value"]),
        quantity=row["quantity"],
        source=row["source"],
    )
