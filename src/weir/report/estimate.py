"""Estimates as documents: one deployment in full, several chips beside each other."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from weir.answers.assess import Unavailable
from weir.answers.estimate import Estimate, PhaseTime, Ranged
from weir.core.provenance import Source, Status
from weir.core.units import GIGA, format_si
from weir.core.words import counted, rounded
from weir.perf.serving import Workload
from weir.report.document import (
    Align,
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
    """An estimate with its interval; one word where it is not known."""
    if not math.isfinite(value.value):
        return UNKNOWN
    low, high = (format_si(v, dimension, digits) for v in (value.low, value.high))
    return f"{format_si(value.value, dimension, digits)} [{low}, {high}]"


def ranged_number(value: Ranged, digits: int = 3) -> str:
    """An estimate without a unit, with its interval; one word where it is not known."""
    if not math.isfinite(value.value):
        return UNKNOWN
    low, mid, high = (rounded(v, digits) for v in (value.low, value.value, value.high))
    return f"{mid} [{low}, {high}]"


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
                f"{_count(work.isl)} tokens in, {_count(work.osl)} out" + varying(work),
            ),
            ("Users at a time", f"{answer.users:,.0f}"),
            ("Weakest input", answer.status.value),
            ("Data of", data_version),
        ),
        sections=(
            Section("Speed", speed_tables((answer,), "80 % intervals in brackets")),
            Section("What bounds it", (bound_table(answer),)),
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
    serve = "serves" if answer.chips == 1 else "serve"
    return (
        f"{counted(answer.chips, 'chip')} {serve} {counted(answer.users, 'user')} at "
        f"{ranged_number(answer.output_tokens_per_s_per_user)} tokens/s each and "
        f"{ranged_number(answer.output_tokens_per_s_per_chip)} tokens/s per chip; "
        f"decode is bound by {answer.decode.bottleneck}, prefill by {answer.prefill.bottleneck}."
    )


def varying(work: Workload) -> str:
    """How far the lengths of requests differ; nothing where they do not."""
    if not (work.isl_cv or work.osl_cv):
        return ""
    return f"; lengths vary by {work.isl_cv:.0%} in and {work.osl_cv:.0%} out"


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
    reasons = [f"{a.chip}: {_sentence(a.reason)}" for a in answers if isinstance(a, Unavailable)]
    cost = "USD/M: US dollars for a million output tokens, in full use."
    return (
        Table(
            f"{subject}: speed",
            seen,
            tuple(_seen_row(item, len(seen)) for item in answers),
            (INTERVAL_NOTE, note, *reasons),
        ),
        Table(
            f"{subject}: steps, energy and cost",
            behind,
            tuple(_behind_row(item) for item in answers if isinstance(item, Estimate)),
            (cost,),
        ),
    )


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _seen_row(answer: Estimate | Unavailable, width: int) -> tuple[Cell | str, ...]:
    if isinstance(answer, Unavailable):
        return (answer.chip, *("–" for _ in range(width - 1)))  # the note says why
    status = answer.status
    return (
        answer.chip,
        str(answer.smallest_chips) if answer.smallest_chips is not None else "none",
        str(answer.chips),
        estimated(ranged_number(answer.ttft_s), status),
        estimated(ranged_number(_milli(answer.tpot_s)), status),
        estimated(ranged_number(answer.output_tokens_per_s_per_chip), status),
    )


def _behind_row(answer: Estimate) -> tuple[Cell | str, ...]:
    status = answer.status
    return (
        answer.chip,
        estimated(ranged_number(_milli(answer.prefill.time)), status),
        answer.prefill.bottleneck,
        estimated(ranged_number(_milli(answer.decode.time)), status),
        answer.decode.bottleneck,
        estimated(rounded(answer.energy_j_per_output_token), status),
        estimated(rounded(answer.usd_per_million_output_tokens), status),
    )


def estimated(text: str, status: Status) -> Cell:
    """An estimated number with its status; what is not known has none."""
    return Cell(text, status=None if text == UNKNOWN else status)


def _milli(value: Ranged) -> Ranged:
    milli = 1e3
    return Ranged(value.value * milli, value.low * milli, value.high * milli)


def bound_table(answer: Estimate) -> Table:
    """Where the time of a prefill and a decode step goes."""
    phases = (answer.prefill, answer.decode)
    rows: list[tuple[str, tuple[float, ...]]] = [
        ("the datasheet alone would allow", tuple(phase.hardware_s for phase in phases)),
        ("kernels, estimated", tuple(phase.kernel_s for phase in phases)),
    ]
    parts = dict.fromkeys(name for phase in phases for name in phase.by_part)
    rows += ((f"- {part}", tuple(p.by_part.get(part, 0.0) for p in phases)) for part in parts)
    rows.append(("framework adds", tuple(phase.stack_s for phase in phases)))
    bounds = dict.fromkeys(name for phase in phases for name in phase.by_bound)
    rows += (
        (f"bound by {name}", tuple(p.by_bound.get(name, 0.0) for p in phases)) for name in bounds
    )
    right = [Column(label, align=RIGHT) for label in ("Prefill", "Share", "Decode", "Share")]
    return Table(
        f"One prefill step, {ranged(phases[0].time, 's')}, and one decode step, "
        f"{ranged(phases[1].time, 's')}",
        ("", *right),
        tuple((label, *_shares(times, phases)) for label, times in rows if any(times)),
    )


def _shares(times: Sequence[float], phases: Sequence[PhaseTime]) -> tuple[str, ...]:
    cells: list[str] = []
    for seconds, phase in zip(times, phases, strict=True):
        cells += (format_si(seconds, "s", 3), f"{seconds / phase.time.value:.0%}")
    return tuple(cells)


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


def assumption_list(answer: Estimate, after: int = 0) -> Listing:
    """Every assumption behind an estimate, without the first `after` where they stand elsewhere."""
    return Listing(tuple(Item(text) for text in answer.assumptions[after:]))


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
