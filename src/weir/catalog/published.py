"""Published speeds of deployments: which chip, model, layout and load, and what was measured."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weir.catalog.files import STOCK, read_table

PATH: Final = STOCK / "claims" / "published.csv"
# What a value measures.
PER_CHIP: Final = "tokens_per_s_per_chip"
PER_USER: Final = "tokens_per_s_per_user"
PROMPTS: Final = "prompt_tokens_per_s_per_chip"
DECODING: Final = "decode_tokens_per_s_per_chip"
FIRST_TOKEN: Final = "first_token_s"  # noqa: S105 - no password
QUANTITIES: Final = (PER_CHIP, PER_USER, PROMPTS, DECODING, FIRST_TOKEN)
# In the place of parallel degrees: the best layout on up to so many chips.
ANY: Final = "any"
COLUMNS: Final = (
    "id", "chip", "model", "framework", "layout", "weights", "experts", "kv_cache", "isl", "osl",
    "users", "requests", "overlap", "ttft_s", "tpot_s", "value", "quantity", "source", "left_out",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PublishedSpeed:
    """One published speed.

    Attributes:
        id: Identifier.
        chip: Id of the chip; where the row is left out, as the source calls it.
        model: Id of the model; likewise.
        framework: Key of the serving framework; likewise.
        degrees: Parallel degrees that are not 1; `ANY` with a number of chips where the source
            does not tell the layout.
        weights: Number format of all weights; empty for the published one.
        kv_cache: Number format of the cache; empty for the usual one.
        isl: Prompt tokens; where the source tells their bounds alone, the lower.
        osl: Output tokens.
        users: Requests under way; None for as many as fit.
        value: Output tokens per second, of one chip or as one user sees them; prompt tokens per
            second of a chip that only prefills, output tokens of one that only decodes; or seconds
            to the first token of a prompt alone.
        quantity: One of `QUANTITIES`.
        source: Citation.
        experts: Number format of routed experts where it is another than that of the weights.
        isl_high: The upper bound of prompt tokens; that of `isl` where the source tells them.
        requests: Requests that were queued at the start of a run to the last answer; None for a
            run in the steady state. Prompts of one step, for a chip that only prefills.
        overlap: Share of exchanges between experts that runs beside kernels.
        ttft_s: Longest time to first token that was allowed.
        tpot_s: Longest time per output token that was allowed.
        left_out: Why the row cannot be predicted from what its source tells; empty where it can.
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
    experts: str = ""
    isl_high: float = math.nan
    requests: float | None = None
    overlap: float = 0.0
    ttft_s: float = math.inf
    tpot_s: float = math.inf
    left_out: str = ""


def load_published(path: Path = PATH) -> tuple[PublishedSpeed, ...]:
    """Every published speed, in the order of the file.

    Raises:
        RecordError: Other columns, or a cell that cannot be read.
    """
    return read_table(path, COLUMNS, _speed)


def _speed(row: dict[str, str]) -> PublishedSpeed:
    if row["quantity"] not in QUANTITIES:
        raise ValueError(f"quantity is '{row['quantity']}'; use {', '.join(QUANTITIES)}")
    pairs = [item.partition("=") for item in row["layout"].split(";") if item]
    low, _, high = row["isl"].partition("-")
    return PublishedSpeed(
        id=row["id"],
        chip=row["chip"],
        model=row["model"],
        framework=row["framework"],
        degrees=tuple((name, int(value)) for name, _, value in pairs),
        weights=row["weights"],
        kv_cache=row["kv_cache"],
        isl=_number(low, math.nan),
        osl=_number(row["osl"], math.nan),
        users=float(row["users"]) if row["users"] else None,
        value=float(row["value"]),
        quantity=row["quantity"],
        source=row["source"],
        experts=row["experts"],
        isl_high=_number(high or low, math.nan),
        requests=float(row["requests"]) if row["requests"] else None,
        overlap=_number(row["overlap"], 0.0),
        ttft_s=_number(row["ttft_s"], math.inf),
        tpot_s=_number(row["tpot_s"], math.inf),
        left_out=row["left_out"],
    )


def _number(text: str, missing: float) -> float:
    return float(text) if text else missing
