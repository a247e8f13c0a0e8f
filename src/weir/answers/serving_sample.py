"""The end-to-end sample of aiconfigurator-core: its rows, read as the runs they describe.

The sample (see `docs/validation.md`) lists TTFT and TPOT of serving runs. Its columns of parallel
degrees are not of one convention; `read_layout` says how each is read, and a row that cannot be
read is refused with the reason.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weir.catalog.serving_runs import read_serving_runs
from weir.perf.parallel import Layout

_CONCURRENCY: Final = re.compile(r"silicon_concurrency=(\d+)")
# The public benchmark's own records, in three exports; the others are runs of the package's makers.
_PUBLIC: Final = ("db-dump/", "source_file=2026-")


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One measured run.

    Attributes:
        id: Identifier in the sample.
        chip: System as the sample names it.
        model: Model path.
        framework: Serving framework.
        mode: "agg" or "disagg".
        isl: Prompt tokens.
        osl: Output tokens.
        concurrency: Requests under way, over all chips of the replica; NaN where unknown.
        layout: Parallel degrees; None where the row does not say.
        weights: Number format of dense products as the sample names it; empty where it does not.
        experts: The same of routed experts.
        is_public: From the public benchmark, not from the package's makers.
        ttft_s: Measured time to first token.
        tpot_s: Measured time per output token.
    """

    id: str
    chip: str
    model: str
    framework: str
    mode: str
    isl: float
    osl: float
    concurrency: float
    layout: Layout | None
    weights: str
    experts: str
    is_public: bool
    ttft_s: float
    tpot_s: float


def read_sample(path: Path | None = None) -> list[SampleRow]:
    """Every row of the sample.

    Args:
        path: The CSV file; that of the installed package if left out.

    Raises:
        InputError: The package is not installed, or the file is not the sample.
    """
    return [_row(raw) for raw in read_serving_runs(path)]


def _row(raw: Mapping[str, str]) -> SampleRow:
    milli = 1e-3
    layout = read_layout(raw)
    return SampleRow(
        id=raw["id"],
        chip=raw["system"],
        model=raw["model_path"],
        framework=raw["backend"],
        mode=raw["mode"],
        isl=float(raw["isl"]),
        osl=float(raw["osl"]),
        concurrency=_concurrency(raw, layout),
        layout=layout,
        weights=raw["gemm_quant_mode"],
        experts=raw["moe_quant_mode"],
        is_public=raw["silicon_data_source"].startswith(_PUBLIC),
        ttft_s=float(raw["silicon_ttft_ms"]) * milli,
        tpot_s=float(raw["silicon_tpot_ms"]) * milli,
    )


def _degree(raw: Mapping[str, str], name: str) -> int:
    """A degree; 1 where the column is empty or 0."""
    text = raw[name]
    return max(int(float(text)), 1) if text else 1


def _concurrency(raw: Mapping[str, str], layout: Layout | None) -> float:
    stated = _CONCURRENCY.search(raw["silicon_data_source"])
    if stated:
        return float(stated[1])
    if not raw["batch_size"] or layout is None:
        return math.nan
    return float(raw["batch_size"]) * layout.dp


def read_layout(raw: Mapping[str, str]) -> Layout | None:
    """The parallel degrees of an aggregated run.

    The public benchmark gives chips, expert parallelism and whether attention is data-parallel.
    Exports of it multiply the first two: 8 chips with 8-way experts stand as tp 64 (or dp 64), moe
    8 x 8; 4 chips with data-parallel attention also as tp 4, dp 4, moe 1 x 16. Both are read back
    as the chips they ran on.

    Args:
        raw: One row by column.

    Returns:
        The layout; None for disaggregated rows.
    """
    if raw["mode"] != "agg":
        return None
    tp, dp, pp = (_degree(raw, n) for n in ("tp_size", "attention_dp_size", "pp_size"))
    width, experts = _degree(raw, "moe_tp_size"), _degree(raw, "moe_ep_size")
    group = tp * dp
    squared = math.isqrt(group)
    is_product = experts > 1 and width * experts == group == squared * squared
    if is_product and (width == squared or (width == 1 and tp == dp)):
        chips, is_split = squared, dp > 1
        return Layout(tp=1 if is_split else chips, dp=chips if is_split else 1, ep=chips, pp=pp)
    ep = experts if experts > 1 and group % experts == 0 else 1
    return Layout(tp=tp, dp=dp, pp=pp, ep=ep)
