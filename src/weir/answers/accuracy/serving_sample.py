"""The end-to-end sample of aiconfigurator-core: its rows, read as the runs they describe.

The sample (see `docs/validation.md`) lists TTFT and TPOT of serving runs. Its columns of parallel
degrees are not of one convention; `read_layout` says how each is read, and a row that cannot be
read is refused with the reason.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from weir.catalog.kernel_tables import chips_of_tables
from weir.catalog.serving_runs import read_serving_runs
from weir.perf.parallel import Layout

_CONCURRENCY: Final = re.compile(r"silicon_concurrency=(\d+)")
_SOURCE: Final = "silicon_data_source"
# The public benchmark's own records, in three exports. Other rows that repeat one of them are the
# same run; the rest are runs of the package's makers.
_PUBLIC: Final = ("db-dump/", "source_file=2026-")


# Chips that the sample has runs of.
_CHIPS: Final = ("h100_sxm", "h200_sxm", "b200_sxm", "b300_sxm", "gb200", "gb300")


@cache
def calibration_chips() -> tuple[str, ...]:
    """The chips on whose runs frameworks were fitted, as the sample names them."""
    return tuple(c.name for c in chips_of_tables() if c.calibrates and c.name in _CHIPS)


@dataclass(frozen=True, slots=True)
class Pools:
    """Workers of a disaggregated run.

    Attributes:
        prefill: Layout of a prefill worker.
        prefill_workers: How many.
        decode: Layout of a decode worker.
        decode_workers: How many.
    """

    prefill: Layout
    prefill_workers: int
    decode: Layout
    decode_workers: int


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
        layout: Parallel degrees; None for a disaggregated run.
        pools: Workers of a disaggregated run; None where the row does not say.
        weights: Number format of dense products as the sample names it; empty where it does not.
        experts: The same of routed experts.
        is_public: From the public benchmark, not from the package's makers.
        ttft_s: Measured time to first token.
        tpot_s: Measured time per output token.
        precision: Precision as the benchmark names it; empty where it does not.
        image: Container image without its registry; empty where unknown.
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
    pools: Pools | None
    weights: str
    experts: str
    is_public: bool
    ttft_s: float
    tpot_s: float
    precision: str = ""
    image: str = ""

    @property
    def client(self) -> str:
        """Key of the client that sent the requests."""
        return "public" if self.is_public else "maker"


def read_sample(path: Path | None = None) -> list[SampleRow]:
    """Every row of the sample.

    Args:
        path: The CSV file; that of the installed package if left out.

    Raises:
        InputError: The package is not installed, or the file is not the sample.
    """
    rows = _completed(read_serving_runs(path))
    public = {_run(raw): raw[_SOURCE] for raw in rows if raw[_SOURCE].startswith(_PUBLIC)}
    return [_row(raw, public.get(_run(raw))) for raw in rows]


def _completed(rows: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Rows with the columns of workers filled from their twins.

    The sample holds several exports of the same records, and only one of them lists the workers of
    disaggregated runs: a row with the same TTFT and TPOT to the last digits is the same run.
    """
    full = {
        _measured(raw): raw for raw in rows if raw["mode"] == "disagg" and raw["decode_num_workers"]
    }
    workers = [n for n in (rows[0] if rows else ()) if n.startswith(("prefill_", "decode_"))]
    completed: list[Mapping[str, str]] = []
    for raw in rows:
        twin = full.get(_measured(raw))
        if raw["mode"] == "disagg" and not raw["decode_num_workers"] and twin is not None:
            completed.append({**raw, **{name: twin[name] for name in workers}})
        else:
            completed.append(raw)
    return completed


def _measured(raw: Mapping[str, str]) -> tuple[float, float]:
    return round(float(raw["silicon_ttft_ms"]), 3), round(float(raw["silicon_tpot_ms"]), 4)


def _run(raw: Mapping[str, str]) -> tuple[str | float, ...]:
    """What tells a run in any export, one of which rounds times to a hundredth of a millisecond."""
    times = (round(float(raw[f"silicon_{name}_ms"]), 2) for name in ("ttft", "tpot"))
    return raw["system"], raw["backend"], raw["isl"], raw["osl"], *times


def _row(raw: Mapping[str, str], public: str | None) -> SampleRow:
    """A row as a run; `public` is the source of the public record that it repeats, if it does."""
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
        pools=read_pools(raw),
        weights=raw["gemm_quant_mode"],
        experts=raw["moe_quant_mode"],
        is_public=public is not None,
        ttft_s=float(raw["silicon_ttft_ms"]) * milli,
        tpot_s=float(raw["silicon_tpot_ms"]) * milli,
        precision=raw["precision"],
        image=_image(public or raw[_SOURCE]),
    )


def _image(source: str) -> str:
    """The container image at the end of a record's source, without its registry."""
    last = source.rpartition("; ")[2].removeprefix("image=").replace("#", "/")
    return last.rpartition("/")[2] if ":" in last else ""


def _degree(raw: Mapping[str, str], name: str) -> int:
    """A degree; 1 where the column is empty or 0."""
    text = raw[name]
    return max(int(float(text)), 1) if text else 1


def _concurrency(raw: Mapping[str, str], layout: Layout | None) -> float:
    stated = _CONCURRENCY.search(raw[_SOURCE])
    if stated:
        return float(stated[1])
    if raw["decode_batch_size"]:
        workers = _degree(raw, "decode_num_workers") * _layout(raw, "decode_").dp
        return float(raw["decode_batch_size"]) * workers
    if not raw["batch_size"] or layout is None:
        return math.nan
    return float(raw["batch_size"]) * layout.dp


def read_pools(raw: Mapping[str, str]) -> Pools | None:
    """The workers of a disaggregated run; None for others, and where the row does not say."""
    if raw["mode"] != "disagg" or not raw["decode_num_workers"]:
        return None
    return Pools(
        _layout(raw, "prefill_"),
        _degree(raw, "prefill_num_workers"),
        _layout(raw, "decode_"),
        _degree(raw, "decode_num_workers"),
    )


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
    return _layout(raw, "")


def _layout(raw: Mapping[str, str], prefix: str) -> Layout:
    names = ("tp_size", "attention_dp_size", "pp_size", "moe_tp_size", "moe_ep_size")
    tp, dp, pp, width, experts = (_degree(raw, prefix + name) for name in names)
    group = tp * dp
    squared = math.isqrt(group)
    is_product = experts > 1 and width * experts == group == squared * squared
    if is_product and (width == squared or (width == 1 and tp == dp)):
        chips, is_split = squared, dp > 1
        return Layout(tp=1 if is_split else chips, dp=chips if is_split else 1, ep=chips, pp=pp)
    ep = experts if experts > 1 and group % experts == 0 else 1
    return Layout(tp=tp, dp=dp, pp=pp, ep=ep)
