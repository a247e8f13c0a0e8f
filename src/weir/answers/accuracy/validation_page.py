"""The text of `docs/validation/ops.md` and its pictures, from the accuracy of the kernel model."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from weir.answers.accuracy.validate_ops import OpsReport, OpsRow, Residuals
from weir.perf.calibration.statistics import Accuracy

_ROLES: Final = {
    "test": "Test chips (never fitted)",
    "left out": "Calibration chips, each left out of the fit",
    "calibration": "Calibration chips (in the fit)",
}
_PERCENT: Final = 100.0
_MICRO: Final = 1e6
# Picture: cells of a two-dimensional histogram.
_COLUMNS: Final = 60
_ROWS: Final = 30
_CELL: Final = 9
_MARGIN: Final = 46
_LARGEST_ERROR: Final = 1.0

_INTRODUCTION: Final = """\
# Accuracy of the kernel model

Written by `weir validate --table ops --write docs/validation`; do not edit.

Estimates are compared with the measured kernel tables of {tables} (Apache-2.0), at most {rows} rows
of each table, format and chip, spread evenly. Parameters are fitted on four chips (A100 SXM, H100
SXM, L40S, B200); everything under "test chips" was predicted from the datasheet and the traits of
the chip's generation.

MAPE and MdAPE are the mean and the median of the relative error, p90 its 90th percentile, bias the
mean of ln(estimate / measured), t-wtd the sum of absolute errors over the sum of times; "above
0.1 ms" counts only rows that take longer. "Roofline" is the larger of FLOP over the published dense
rate and bytes over the published bandwidth. "Two numbers" is a fixed time and one share of that
roofline for each kernel and format, fitted on the same rows as the model. "In 80 %" is the share of
rows inside the model's 80 % interval. Frameworks other than trtllm carry one factor a kernel and
format, fitted on calibration chips. Tables of different frameworks are never pooled.

How the benchmark reads its operands matters: the matrix products of the tables take turns with a
few copies of the weights, five or six at most, so small weights stay in the last-level cache. The
comparison tells the model so; estimates of a model's step do not assume it, because all other
layers pass between two uses of a weight.
"""


def page(report: OpsReport) -> str:
    """The page as Markdown."""
    rows = str(report.scored_rows) if report.scored_rows else "all"
    lines = [_INTRODUCTION.format(tables=report.tables, rows=rows)]
    lines += _summary(report.rows)
    for role, title in _ROLES.items():
        chosen = [row for row in report.rows if row.role == role]
        if chosen:
            lines += ["", f"## {title}", "", *_table(chosen)]
    lines += ["", "## The worst cases on test chips", "", *_worst(report)]
    lines += ["", "## Residuals on test chips", ""]
    lines += [
        f"![{item.kernel}: error over measured time]({item.kernel}.svg)"
        for item in report.residuals
    ]
    return "\n".join(lines) + "\n"


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{value * _PERCENT:.1f}"


def _pair(found: Accuracy) -> str:
    return f"{_percent(found.mape)} / {_percent(found.mdape)}"


def _mean(rows: Sequence[OpsRow]) -> tuple[str, ...]:
    """Plain means over chips of MAPE and MdAPE: model, two numbers, roofline; and coverage."""
    pairs = []
    for name in ("model", "two_numbers", "roofline"):
        both = [getattr(row, name) for row in rows]
        mape = float(np.nanmean([one.mape for one in both]))
        mdape = float(np.nanmean([one.mdape for one in both]))
        pairs.append(f"{_percent(mape)} / {_percent(mdape)}")
    counts = np.array([row.model.count for row in rows], dtype=np.float64)
    covered = np.array([row.coverage for row in rows])
    inside = float(np.sum(counts * covered) / np.sum(counts))
    return (*pairs, _percent(inside))


def _summary(rows: Sequence[OpsRow]) -> Iterator[str]:
    yield "## Summary: test chips, reference framework, mean over chips of MAPE / MdAPE in %"
    yield ""
    yield "| kernel | format | chips | model | two numbers | roofline | in 80 % |"
    yield "|---|---|---|---|---|---|---|"
    test = [row for row in rows if row.role == "test" and row.framework in ("trtllm", "nccl")]
    for key in dict.fromkeys((row.kernel, row.dtype) for row in test):
        chosen = [row for row in test if (row.kernel, row.dtype) == key]
        if all(np.isnan(row.two_numbers.mape) for row in chosen):
            continue
        yield f"| {key[0]} | {key[1] or '–'} | {len(chosen)} | {' | '.join(_mean(chosen))} |"


def _table(rows: Sequence[OpsRow]) -> Iterator[str]:
    yield (
        "| kernel | format | framework | chip | n | MAPE / MdAPE | p90 | bias | t-wtd "
        "| above 0.1 ms | two numbers | roofline | in 80 % | factor |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        model = row.model
        yield (
            f"| {row.kernel} | {row.dtype or '–'} | {row.framework} | {row.chip} | {model.count} "
            f"| {_pair(model)} | {_percent(model.p90)} | {model.bias:+.2f} "
            f"| {_percent(model.time_weighted)} | {_pair(row.large)} | {_pair(row.two_numbers)} "
            f"| {_pair(row.roofline)} | {_percent(row.coverage)} | {row.factor:.2f} |"
        )


def _worst(report: OpsReport) -> Iterator[str]:
    yield "| kernel | format | chip | shape | measured µs | estimate µs |"
    yield "|---|---|---|---|---|---|"
    for case in report.worst:
        yield (
            f"| {case.kernel} | {case.dtype or '–'} | {case.chip} | {case.shape} "
            f"| {case.measured_s * _MICRO:.1f} | {case.estimate_s * _MICRO:.1f} |"
        )


def picture(item: Residuals) -> str:
    """A two-dimensional histogram of errors over measured time, as SVG."""
    low, high = np.floor(np.log10(item.measured_s.min())), np.ceil(np.log10(item.measured_s.max()))
    error = np.clip(item.log_error, -_LARGEST_ERROR, _LARGEST_ERROR)
    counts, _, _ = np.histogram2d(
        np.log10(item.measured_s), error, bins=(_COLUMNS, _ROWS),
        range=((low, high), (-_LARGEST_ERROR, _LARGEST_ERROR)),
    )  # fmt: skip
    width, height = _COLUMNS * _CELL, _ROWS * _CELL
    shade = np.sqrt(counts / counts.max())
    cells = [
        f'<rect x="{_MARGIN + column * _CELL}" y="{_MARGIN + (_ROWS - 1 - row) * _CELL}" '
        f'width="{_CELL}" height="{_CELL}" fill="#1f4e79" fill-opacity="{shade[column, row]:.2f}"/>'
        for column, row in zip(*np.nonzero(counts), strict=True)
    ]
    middle = _MARGIN + height // 2
    labels = [
        f'<text x="{_MARGIN + (tick - low) / (high - low) * width:.0f}" '
        f'y="{_MARGIN + height + 16}" text-anchor="middle">{10.0**tick * _MICRO:g} µs</text>'
        for tick in np.arange(low, high + 1)
    ]
    edges = (("+1", _MARGIN + 4), ("0", middle + 4), ("-1", _MARGIN + height + 4))
    labels += [
        f'<text x="{_MARGIN - 8}" y="{y}" text-anchor="end">{text}</text>' for text, y in edges
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 2 * _MARGIN}" '
            f'height="{height + 2 * _MARGIN}" font-family="sans-serif" font-size="11">',
            f'<text x="{_MARGIN}" y="20">{item.kernel}: ln(estimate / measured) on test chips, '
            f"{len(item.measured_s)} rows</text>",
            *cells,
            f'<line x1="{_MARGIN}" x2="{_MARGIN + width}" y1="{middle}" y2="{middle}" '
            'stroke="#b03a2e"/>',
            *labels,
            "</svg>",
            "",
        ]
    )
