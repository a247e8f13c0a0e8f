"""How well serving is predicted, as a document: by chips, models and frameworks, with refusals."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from weir.answers.accuracy.errors import Accuracy
from weir.answers.accuracy.serving_sample import calibration_chips
from weir.answers.accuracy.validate_serving import (
    Prediction,
    ServingValidation,
    accuracy,
)
from weir.catalog.peers import PeerResult
from weir.core.units import KILO
from weir.report.document import (
    Align,
    Block,
    Column,
    Document,
    Paragraph,
    Section,
    Table,
    Weight,
)

RIGHT: Final = Align.RIGHT
_QUANTITIES: Final = (("ttft", "TTFT"), ("tpot", "TPOT"), ("request", "request"))
_WORST: Final = 20
_PERCENT: Final = 100.0
_NOTE: Final = "Bias: mean of ln(predicted / measured), above 0 where the model is too slow."

Rows = Sequence[Prediction]


def is_calibration(item: Prediction) -> bool:
    """Whether parameters were fitted on runs of this chip."""
    return item.row.chip in calibration_chips()


def serving_document(
    answer: ServingValidation, peers: Sequence[PeerResult], data_version: str
) -> Document:
    """The accuracy of the serving model on the end-to-end sample.

    Args:
        answer: Every run with its prediction or the reason why there is none.
        peers: What another tool reaches on the same sample.
        data_version: Age of the catalogue.
    """
    done = answer.predicted
    fitted = [item for item in done if is_calibration(item)]
    tested = [item for item in done if not is_calibration(item)]
    return Document(
        title="Serving: predicted against measured",
        lead=_lead(answer, tested),
        facts=(
            ("Sample", "end-to-end runs of aiconfigurator-core 0.12.0 (Apache-2.0)"),
            ("Calibration chips", ", ".join(calibration_chips())),
            ("Data of", data_version),
        ),
        sections=(
            Section("Whole sample", tuple(_whole(done, fitted, tested, peers))),
            Section("Test chips", tuple(_grouped(tested))),
            Section("Calibration chips", tuple(_grouped(fitted))),
            Section("Refused", (_refusals(answer),)),
            Section("The worst cases on test chips", (_worst(tested),)),
        ),
    )


def _lead(answer: ServingValidation, tested: Rows) -> str:
    rows, done = len(answer.predictions), len(answer.predicted)
    lead = f"{done:,} of {rows:,} runs are predicted"
    if not tested:
        return f"{lead}; none is of a test chip."
    parts = [f"{name} {accuracy(tested, key).mdape:.1%}" for key, name in _QUANTITIES]
    return f"{lead}. On test chips the median error is {', '.join(parts)}."


def _whole(done: Rows, fitted: Rows, tested: Rows, peers: Sequence[PeerResult]) -> Iterator[Block]:
    yield from _tables(
        "All predicted runs",
        "Runs",
        (("all", done), ("calibration chips", fitted), ("test chips, never fitted", tested)),
    )
    yield Table(
        "The same sample by AIConfigurator 0.12, as measured by the founders of Weir",
        (
            "Mode",
            Column("Runs", align=RIGHT),
            *(Column(name, "MAPE / MdAPE, %", RIGHT) for _, name in _QUANTITIES),
        ),
        tuple(
            (
                peer.mode,
                f"{peer.runs:,}",
                *(
                    f"{peer.errors[key][0]:.1f} / {peer.errors[key][1]:.1f}"
                    for key, _ in _QUANTITIES
                ),
            )
            for peer in peers
        ),
        (
            "SILICON reads measured tables of each chip, HYBRID fills their gaps, SOL is a peak"
            " roofline. It read tables of the very chips that count as test chips above, and it"
            " predicts other runs.",
        ),
    )


def _grouped(items: Rows) -> Iterator[Block]:
    if not items:
        yield Paragraph("No run.", weight=Weight.SMALL)
        return
    keys: tuple[tuple[str, Callable[[Prediction], str]], ...] = (
        ("Chip", lambda item: item.row.chip),
        ("Framework", lambda item: item.row.framework),
        ("Mode", lambda item: item.row.mode),
        ("Model", lambda item: item.row.model.rpartition("/")[2]),
        ("Client", lambda item: "public benchmark" if item.row.is_public else "makers' own"),
    )
    for label, key in keys:
        names = sorted({key(item) for item in items})
        groups = tuple((name, [item for item in items if key(item) == name]) for name in names)
        yield from _tables(f"By {label.lower()}", label, groups)


def _tables(caption: str, label: str, groups: Sequence[tuple[str, Rows]]) -> Iterator[Table]:
    """Errors, and beside them what is wrong with their middle and their interval."""
    known = [(name, items) for name, items in groups if items]
    yield Table(
        f"{caption}: MAPE / MdAPE in %",
        (
            label,
            Column("Runs", align=RIGHT),
            *(Column(name, align=RIGHT) for _, name in _QUANTITIES),
        ),
        tuple(
            (
                name,
                f"{len(items):,}",
                *(_errors(accuracy(items, key)) for key, _ in _QUANTITIES),
            )
            for name, items in known
        ),
    )
    yield Table(
        f"{caption}: bias, and runs inside the 80 % interval",
        (
            label,
            Column("Bias TTFT", align=RIGHT),
            Column("Bias TPOT", align=RIGHT),
            Column("TTFT inside", align=RIGHT),
            Column("TPOT inside", align=RIGHT),
        ),
        tuple((name, *_middle(items)) for name, items in known),
        (_NOTE,),
    )


def _middle(items: Rows) -> tuple[str, ...]:
    found = [accuracy(items, key) for key in ("ttft", "tpot")]
    return (*(f"{item.bias:+.2f}" for item in found), *(f"{item.covered:.0%}" for item in found))


def _errors(item: Accuracy) -> str:
    return f"{item.mape * _PERCENT:.1f} / {item.mdape * _PERCENT:.1f}"


def _refusals(answer: ServingValidation) -> Table:
    return Table(
        "Runs without a prediction, by reason",
        ("Reason", Column("Runs", align=RIGHT)),
        tuple((reason, f"{count:,}") for reason, count in answer.refused.items()),
    )


def _worst(items: Rows) -> Table:
    def off(item: Prediction) -> float:
        return float(np.abs(np.log(item.tpot_s / item.row.tpot_s)))

    chosen = sorted(items, key=off, reverse=True)[:_WORST]
    rows = tuple(
        (
            item.row.chip,
            item.row.model.rpartition("/")[2],
            item.row.framework,
            item.row.mode if item.row.layout is None else str(item.row.layout),
            f"{item.row.isl:,.0f}/{item.row.osl:,.0f}",
            f"{item.row.concurrency:,.0f}",
            f"{item.row.tpot_s * KILO:.1f}",
            f"{item.tpot_s * KILO:.1f}",
        )
        for item in chosen
    )
    return Table(
        "Largest errors of TPOT",
        (
            "Chip",
            "Model",
            "Framework",
            "Layout",
            Column("in/out", align=RIGHT),
            Column("Users", align=RIGHT),
            Column("Measured", "ms", RIGHT),
            Column("Predicted", "ms", RIGHT),
        ),
        rows,
    )
