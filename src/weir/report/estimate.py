"""Estimates as documents: one deployment in full, several chips beside each other."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from weir.answers.assess import Unavailable
from weir.answers.estimate import Estimate, PhaseTime, Ranged
from weir.core.provenance import Source
from weir.core.units import GIGA, format_si
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

RIGHT = Align.RIGHT
UNKNOWN = "unknown"
INTERVAL_NOTE = "Brackets hold the 80 % interval: four of five measured values should lie inside."


def ranged(value: Ranged, dimension: str, digits: int = 3) -> str:
    """An estimate with its interval."""
    low, high = (format_si(v, dimension, digits) for v in (value.low, value.high))
    return f"{format_si(value.value, dimension, digits)} [{low}, {high}]"


def ranged_number(value: Ranged, digits: int = 3) -> str:
    """An estimate without a unit, with its interval."""
    low, mid, high = (_number(v, digits) for v in (value.low, value.value, value.high))
    return f"{mid} [{low}, {high}]"


def _number(value: float, digits: int = 3) -> str:
    if not math.isfinite(value):
        return UNKNOWN
    whole = 10.0 ** (digits - 1)
    return f"{value:,.0f}" if abs(value) >= whole else f"{value:.{digits}g}"


def estimate_document(answer: Estimate, sources: tuple[Source, ...], data_version: str) -> Document:
    """One deployment in full."""
    work = answer.workload
    return Document(
        title=f"{answer.model} on {answer.chips} x {answer.chip}",
        lead=headline(answer),
        facts=(
            ("Layout", str(answer.layout)),
            ("Framework", answer.framework),
            (
                "Requests",
                f"{_count(work.isl)} tokens in, {_count(work.osl)} out",
            ),
            ("Users at a time", f"{answer.users:,.0f}"),
            ("Weakest input", answer.status.value),
            ("Data of", data_version),
        ),
        sections=(
            Section("Speed", speed_tables((answer,), "80 % intervals in brackets")),
            Section("What bounds it", bound_blocks(answer)),
            Section("Memory of one chip", (memory_table(answer),)),
            Section("Assumptions", (assumption_list(answer),)),
            Section("Facts used", (facts_table(answer),)),
        ),
        sources=sources,
    )


def _count(value: ArrayLike) -> str:
    return f"{np.asarray(value, dtype=np.float64).item():,.0f}"


def headline(answer: Estimate) -> str:
    """The estimate in a sentence."""
    return (
        f"{answer.chips} chips serve {answer.users:,.0f} users at "
        f"{ranged_number(answer.output_tokens_per_s_per_user)} tokens/s each and "
        f"{ranged_number(answer.output_tokens_per_s_per_chip)} tokens/s per chip; "
        f"decode is bound by {answer.decode.bottleneck}, prefill by {answer.prefill.bottleneck}."
    )


def speed_tables(answers: Sequence[Estimate | Unavailable], subject: str) -> tuple[Table, Table]:
    """Chips beside each other on the same work: what a user sees, and what is behind it."""
    seen = (
        "Chip",
        Column("Fewest", align=RIGHT),
        Column("Chips", align=RIGHT),
        Column("TTFT", "s", RIGHT),
        Column("TPOT", "ms", RIGHT),
        Column("Tokens/s per chip", align=RIGHT),
    )
    behind = (
        "Chip",
        Column("Prefill step", "ms", RIGHT),
        "bound by",
        Column("Decode step", "ms", RIGHT),
        "bound by",
        Column("J/token", align=RIGHT),
        Column("USD/M", align=RIGHT),
    )
    note = "Fewest: the fewest chips that hold the weights and one request."
    cost = "USD/M: US dollars for a million output tokens, in full use."
    return (
        Table(
            f"{subject}: speed",
            seen,
            tuple(_seen_row(item, len(seen)) for item in answers),
            (INTERVAL_NOTE, note),
        ),
        Table(
            f"{subject}: steps, energy and cost",
            behind,
            tuple(_behind_row(item, len(behind)) for item in answers),
            (cost,),
        ),
    )


def _refusal(item: Unavailable, width: int) -> tuple[Cell | str, ...]:
    return (item.chip, item.reason, *("" for _ in range(width - 2)))


def _seen_row(answer: Estimate | Unavailable, width: int) -> tuple[Cell | str, ...]:
    if isinstance(answer, Unavailable):
        return _refusal(answer, width)
    status = answer.status
    return (
        answer.chip,
        str(answer.smallest_chips) if answer.smallest_chips is not None else "none",
        str(answer.chips),
        Cell(ranged_number(answer.ttft_s), status=status),
        Cell(ranged_number(_milli(answer.tpot_s)), status=status),
        Cell(ranged_number(answer.output_tokens_per_s_per_chip), status=status),
    )


def _behind_row(answer: Estimate | Unavailable, width: int) -> tuple[Cell | str, ...]:
    if isinstance(answer, Unavailable):
        return _refusal(answer, width)
    status = answer.status
    return (
        answer.chip,
        Cell(ranged_number(_milli(answer.prefill.time)), status=status),
        answer.prefill.bottleneck,
        Cell(ranged_number(_milli(answer.decode.time)), status=status),
        answer.decode.bottleneck,
        Cell(_number(answer.energy_j_per_output_token), status=status),
        Cell(_number(answer.usd_per_million_output_tokens), status=status),
    )


def _milli(value: Ranged) -> Ranged:
    milli = 1e3
    return Ranged(value.value * milli, value.low * milli, value.high * milli)


def bound_blocks(answer: Estimate) -> tuple[Block, ...]:
    """Where the time of a prefill and a decode step goes."""
    return (
        _phase_table("Prefill step", answer.prefill),
        _phase_table("Decode step", answer.decode),
    )


def _phase_table(name: str, phase: PhaseTime) -> Table:
    total = phase.time.value
    parts = [
        ("datasheet allows", phase.hardware_s),
        ("kernels take", phase.kernel_s),
        ("framework adds", phase.stack_s),
    ]
    parts += [(f"of it {part}", seconds) for part, seconds in phase.by_part.items()]
    parts += [(f"bound by {bound}", seconds) for bound, seconds in phase.by_bound.items()]
    rows = tuple((label, format_si(s, "s", 3), f"{s / total:.0%}") for label, s in parts if s)
    title = f"{name}: {ranged(phase.time, 's')}"
    return Table(title, ("", Column("Time", align=RIGHT), Column("Share", align=RIGHT)), rows)


def memory_table(answer: Estimate) -> Table:
    """What fills one chip."""
    memory = answer.memory
    parts = (
        ("weights", memory.weights_bytes),
        ("of these, routed experts", memory.experts_bytes),
        ("KV cache of the batch", float(memory.cache_bytes)),
        ("activations", float(memory.activations_bytes)),
        ("collective buffers", float(memory.buffers_bytes)),
        ("driver and libraries", memory.reserve_bytes),
        ("needed", float(memory.needed_bytes)),
        ("usable by the framework", float(memory.usable_bytes)),
        ("memory of the chip", np.asarray(memory.capacity_bytes, dtype=np.float64).item()),
    )
    note = f"At most {answer.max_users:,} users of this length fit in the cache."
    return Table(
        "Memory of the fullest chip",
        ("", Column("Size", "GB", RIGHT)),
        tuple((label, f"{size / GIGA:,.2f}") for label, size in parts),
        (note,),
    )


def assumption_list(answer: Estimate) -> Listing:
    """Every assumption behind an estimate."""
    return Listing(tuple(Item(text) for text in answer.assumptions))


def facts_table(answer: Estimate) -> Table:
    """The datasheet facts an estimate used."""
    rows = tuple(
        (key.replace("_", " "), Cell(fact.printed, cites=fact.sources, status=fact.status))
        for key, fact in answer.facts.items()
    )
    return Table("Datasheet facts that the estimate used", ("", "As printed"), rows)


def method_note(answers: Sequence[Estimate | Unavailable]) -> Paragraph:
    """What kind of model made these numbers."""
    first = next((a for a in answers if isinstance(a, Estimate)), None)
    text = first.assumptions[0] if first is not None else "No chip could be estimated."
    return Paragraph(text, weight=Weight.CAUTION)
