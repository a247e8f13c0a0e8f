"""How well published speeds are predicted, as a document."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from weir.answers.accuracy.validate_published import (
    PublishedPrediction,
    PublishedValidation,
    accuracy,
    calibration_chips,
)
from weir.catalog.published import (
    ANY,
    DECODING,
    FIRST_TOKEN,
    PER_CHIP,
    PER_USER,
    PROMPTS,
)
from weir.core.provenance import Source
from weir.core.words import rounded
from weir.report.document import Align, Block, Cell, Column, Document, Paragraph, Section, Table

RIGHT: Final = Align.RIGHT
_WORST: Final = 20
_PERCENT: Final = 100.0
_MEASURED: Final = {
    PER_CHIP: "output tokens/s per chip",
    PER_USER: "output tokens/s per user",
    PROMPTS: "prompt tokens/s per chip, prefill alone",
    DECODING: "output tokens/s per chip, decode alone",
    FIRST_TOKEN: "seconds to the first token",
}

Rows = Sequence[PublishedPrediction]


def published_document(answer: PublishedValidation, sources: tuple[Source, ...]) -> Document:
    """Accuracy on published speeds, chips that were calibrated on apart from the others.

    Args:
        answer: Every published speed with its prediction.
        sources: Documents behind them.
    """
    done, chips = answer.predicted, calibration_chips()
    tested = [item for item in done if item.speed.chip not in chips]
    fitted = [item for item in done if item.speed.chip in chips]
    found = accuracy(tested)
    return Document(
        title="Published speeds: predicted against printed",
        lead=(
            f"{len(done):,} of {len(answer.predictions):,} published speeds are predicted; on test"
            f" chips the median error is {found.mdape:.1%}. No fit has read any of them."
        ),
        facts=(
            ("Calibration chips", ", ".join(chips)),
            ("Data of", answer.data_version),
        ),
        sections=(
            Section("By source", (_by_source(done),)),
            Section("Test chips", tuple(_grouped(tested))),
            Section("Calibration chips", tuple(_grouped(fitted))),
            Section("Not predicted", (_refusals(answer),)),
            Section("The worst cases", (_worst(done),)),
        ),
        sources=sources,
    )


def _by_source(items: Rows) -> Table:
    keys = tuple(dict.fromkeys((item.speed.source, item.speed.quantity) for item in items))
    rows = tuple(
        _row(
            (Cell(name.removeprefix("claim-"), cites=(name,)), _MEASURED[quantity]),
            [i for i in items if (i.speed.source, i.speed.quantity) == (name, quantity)],
        )
        for name, quantity in keys
    )
    return _table("Rows of one source share software and settings", ("Source", "What"), rows)


def _grouped(items: Rows) -> Iterator[Block]:
    keys: tuple[tuple[str, Callable[[PublishedPrediction], str]], ...] = (
        ("Chip", lambda item: item.speed.chip),
        ("Model", lambda item: item.speed.model),
        ("Weights", lambda item: item.speed.weights or "as published"),
    )
    for label, key in keys:
        names = sorted({key(item) for item in items})
        rows = tuple(_row((name,), [i for i in items if key(i) == name]) for name in names)
        yield _table(f"By {label.lower()}", (label,), rows)


def _table(
    caption: str, labels: tuple[str, ...], rows: tuple[tuple[Cell | str, ...], ...]
) -> Table:
    columns: tuple[Column | str, ...] = (
        *labels,
        Column("Rows", align=RIGHT),
        Column("MAPE / MdAPE", "%", RIGHT),
        Column("Bias", align=RIGHT),
        Column("Inside", align=RIGHT),
    )
    note = (
        "Bias: mean of ln(predicted / printed), with times turned over, so that it is above 0 where"
        " the model is too fast. Inside: share of rows in the 80 % interval."
    )
    return Table(caption, columns, rows, (note,))


def _row(names: tuple[Cell | str, ...], items: Rows) -> tuple[Cell | str, ...]:
    found = accuracy(items)
    errors = f"{found.mape * _PERCENT:.1f} / {found.mdape * _PERCENT:.1f}"
    return *names, f"{found.count:,}", errors, f"{found.bias:+.2f}", f"{found.covered:.0%}"


def _refusals(answer: PublishedValidation) -> Block:
    if not answer.refused:
        return Paragraph("Every row is predicted.")
    return Table(
        "Rows without a prediction, by reason",
        ("Reason", Column("Rows", align=RIGHT)),
        tuple((reason, f"{count:,}") for reason, count in answer.refused.items()),
    )


def _worst(items: Rows) -> Table:
    def off(item: PublishedPrediction) -> float:
        return float(np.abs(np.log(item.predicted / item.speed.value)))

    rows = tuple(
        (
            item.speed.chip,
            item.speed.model,
            _layout(item),
            f"{item.speed.isl:,.0f}/{item.speed.osl:,.0f}",
            _MEASURED[item.speed.quantity],
            rounded(item.speed.value, 4),
            rounded(item.predicted, 4),
        )
        for item in sorted(items, key=off, reverse=True)[:_WORST]
    )
    return Table(
        "Largest errors",
        (
            "Chip",
            "Model",
            "Layout",
            Column("in/out", align=RIGHT),
            "What",
            Column("Printed", align=RIGHT),
            Column("Ours", align=RIGHT),
        ),
        rows,
    )


def _layout(item: PublishedPrediction) -> str:
    degrees = dict(item.speed.degrees)
    if ANY in degrees:
        return f"best on up to {degrees[ANY]}"
    return " ".join(f"{name}{degree}" for name, degree in item.speed.degrees)
