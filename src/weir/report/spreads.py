"""Distributions of a simulation as tables: mean and percentiles with their counts."""

from collections.abc import Mapping
from typing import Final

from weir.core.units import format_si
from weir.report.document import Align, Column, Table
from weir.sim.outcome import Spread

_NAMES: Final = {
    "ttft_s": "TTFT",
    "tpot_s": "TPOT",
    "itl_s": "ITL",
    "e2e_s": "E2E",
    "queue_s": "queueing",
}
# Below so many observations beyond a percentile, the percentile is a matter of luck.
_FEW_BEYOND: Final = 5
_SHARE_BEYOND_P99: Final = 0.01


def spread_table(
    caption: str,
    middle: Mapping[str, Spread],
    low: Mapping[str, Spread] | None = None,
    high: Mapping[str, Spread] | None = None,
) -> Table:
    """Mean, percentiles and maximum of each metric, with the number of observations.

    Args:
        caption: What was simulated.
        middle: With the step times as estimated.
        low: With fast steps, for the interval of the 99th percentile.
        high: With slow steps.
    """
    columns: list[Column | str] = [
        "",
        Column("Count", align=Align.RIGHT),
        *(Column(name, align=Align.RIGHT) for name in ("mean", "p50", "p90", "p95", "p99", "max")),
    ]
    if low is not None and high is not None:
        columns.append(Column("p99, 80 % interval", align=Align.RIGHT))
    rows = []
    for key, name in _NAMES.items():
        one = middle[key]
        values = (one.mean, one.p50, one.p90, one.p95, one.p99, one.maximum)
        row = [name, f"{one.count:,}", *(format_si(value, "s", 3) for value in values)]
        if low is not None and high is not None:
            ends = sorted((low[key].p99, high[key].p99))
            row.append(f"[{format_si(ends[0], 's', 3)}, {format_si(ends[1], 's', 3)}]")
        rows.append(tuple(row))
    few = [
        name for key, name in _NAMES.items() if middle[key].count * _SHARE_BEYOND_P99 < _FEW_BEYOND
    ]
    notes = []
    if few:
        notes.append(
            f"Fewer than {_FEW_BEYOND} observations lie beyond the p99 of {', '.join(few)}: read it"
            " as an order of magnitude."
        )
    return Table(caption, tuple(columns), tuple(rows), tuple(notes))
