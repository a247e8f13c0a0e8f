"""Blind predictions as a document: one table a model, and what cannot be predicted."""

from collections.abc import Iterator

import numpy as np

from weir.answers.accuracy.blind import BlindPrediction, BlindTable
from weir.answers.estimate import Estimate, Ranged
from weir.core.units import KILO
from weir.report.document import (
    Align,
    Block,
    Cell,
    Column,
    Document,
    Item,
    Listing,
    Paragraph,
    Section,
    Table,
    Weight,
)
from weir.report.estimate import INTERVAL_NOTE, ranged_number


def blind_document(answer: BlindTable) -> Document:
    """The predictions, model by model."""
    work = answer.workload
    isl, osl = (np.asarray(value, dtype=float).item() for value in (work.isl, work.osl))
    models = tuple(dict.fromkeys(item.model for item in answer.predictions))
    made = [item for item in answer.predictions if item.estimate is not None]
    return Document(
        title="Blind predictions",
        lead=(
            f"{len(made)} deployments of {len({item.chip for item in made})} chips, predicted from"
            " datasheets and from what other chips have in common; no measurement of these chips"
            f" was read. {INTERVAL_NOTE} DeepSeek-V3 has the shape and formats of DeepSeek-R1."
        ),
        facts=(
            ("Requests", f"{isl:,.0f} tokens in, {osl:,.0f} out"),
            ("Data of", answer.data_version),
        ),
        sections=(
            *(Section(model, tuple(_of_model(answer, model))) for model in models),
            Section("What they rest on", tuple(_basis(made))),
        ),
    )


def _of_model(answer: BlindTable, model: str) -> Iterator[Block]:
    chosen = [item for item in answer.predictions if item.model == model]
    for chip in dict.fromkeys(item.chip for item in chosen):
        members = [item for item in chosen if item.chip == chip]
        made = [(item, item.estimate) for item in members if item.estimate is not None]
        if made:
            yield _table(made)
        for reason in dict.fromkeys(item.reason for item in members if item.reason):
            yield Paragraph(f"Not predicted: {reason}.", weight=Weight.CAUTION)


def _table(made: list[tuple[BlindPrediction, Estimate]]) -> Table:
    first = made[0][1]
    return Table(
        f"{first.model} on {first.chips} x {first.chip} ({first.layout})",
        (
            "Framework",
            Column("Users", align=Align.RIGHT),
            Column("TTFT", "s", Align.RIGHT),
            Column("TPOT", "ms", Align.RIGHT),
            Column("Tokens/s per chip", align=Align.RIGHT),
        ),
        tuple(_row(item, estimate) for item, estimate in made),
    )


def _row(item: BlindPrediction, estimate: Estimate) -> tuple[Cell | str, ...]:
    tpot = estimate.tpot_s
    milli = Ranged(tpot.value * KILO, tpot.low * KILO, tpot.high * KILO)
    return (
        estimate.framework,
        str(item.users),
        Cell(ranged_number(estimate.ttft_s), status=estimate.status),
        Cell(ranged_number(milli), status=estimate.status),
        Cell(ranged_number(estimate.output_tokens_per_s_per_chip), status=estimate.status),
    )


def _basis(made: list[BlindPrediction]) -> Iterator[Block]:
    notes: dict[str, None] = {}
    for item in made:
        if item.estimate is not None:
            notes.update(dict.fromkeys(item.estimate.assumptions))
    yield Listing(tuple(Item(text) for text in notes))
