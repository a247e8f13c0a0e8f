"""The assessment as a document: what it is, what the law says, what it can do."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from weir.answers.assess import Assessment, Unavailable
from weir.answers.estimate import Estimate, Frontier
from weir.catalog.fields import DTYPES
from weir.core.provenance import Status
from weir.core.units import KILO
from weir.core.words import counted
from weir.perf.parameters import kv_cache_bytes_per_token
from weir.report.charts import (
    Series,
    ServingPoint,
    frontier,
)
from weir.report.datasheet import datasheet_blocks
from weir.report.determination import (
    TONE_OF_LICENCE,
    WORD_OF_LICENCE,
    classification,
    clause_blocks,
    determination_sections,
    ground_blocks,
    inputs_table,
)
from weir.report.document import (
    Align,
    Block,
    Cell,
    Column,
    Document,
    Item,
    Listing,
    Paragraph,
    Picture,
    Section,
    Table,
    Weight,
)
from weir.report.estimate import (
    UNKNOWN,
    assumption_list,
    bound_table,
    estimated,
    headline,
    memory_table,
    method_note,
    ranged_number,
    speed_tables,
)
from weir.report.maps import map_picture
from weir.rules.determination import Determination, InputFact
from weir.rules.logic import Answer

_EXPORTERS: Final = "For each chip its own designer is taken as the exporter."
_OTHERS: Final = "The facts behind the others' speed: weir infer CHIP MODEL, and the JSON."
_PARAGRAPH: Final = {"none": "none", "undetermined": "open", "not yet": "not yet law"}
_SHORT_LICENCE: Final = {
    Answer.YES: "required",
    Answer.NO: "none found",
    Answer.UNKNOWN: "unknown",
}

# What a buyer, a seller and a lawyer read first; `weir chip show` prints every fact.
_MATTERS: Final = (
    "launched",
    "availability",
    *(f"dense_{dtype}" for dtype in DTYPES),
    "memory_capacity",
    "memory_type",
    "memory_bandwidth",
    "scale_up_bidirectional",
    "scale_up_domain",
    "pcie_bidirectional",
    "scale_out_per_direction",
    "die_area_compute",
    "die_area_applicable",
    "tdp",
    "published_tpp",
    "published_performance_density",
)


def assessment_document(answer: Assessment) -> Document:
    """The whole answer, with pictures where they were asked for."""
    now = answer.now
    work = "" if answer.model is None else f", {answer.model.name}"
    sections = [
        Section("At a glance", (_glance(answer),)),
        Section("What it is", _sheet_blocks(answer)),
        Section("What the law says", tuple(_law_blocks(answer))),
    ]
    if answer.model is not None:
        sections.append(Section("What it can do", tuple(_speed_blocks(answer))))
    return Document(
        title=f"{now.chip} to {now.destination_name} on {now.on.isoformat()}{work}",
        lead=_lead(answer),
        facts=(
            ("Classification", classification(now)),
            ("Licence", WORD_OF_LICENCE[now.licence_required]),
            ("Evidence reaches", now.evidence_horizon.isoformat()),
            ("Data of", answer.data_version),
        ),
        sections=tuple(sections),
        sources=answer.sources,
        notice=now.disclaimer,
    )


def _sheet_blocks(answer: Assessment) -> tuple[Block, ...]:
    more = f"Every fact that is known: weir chip show {answer.sheet.chip.id}."
    return (*datasheet_blocks(answer.sheet, _MATTERS), Paragraph(more, weight=Weight.SMALL))


def _lead(answer: Assessment) -> str:
    lead = answer.now.headline
    if isinstance(answer.estimate, Estimate):
        return f"{lead} {answer.estimate.model}: {headline(answer.estimate)}"
    if isinstance(answer.estimate, Unavailable):
        return f"{lead} No speed: {answer.estimate.reason}."
    return lead


def _glance(answer: Assessment) -> Table:
    """The chip and the others, law and speed in one row each."""
    right = Align.RIGHT
    columns: list[Column | str] = [
        "Chip",
        Column("TPP", align=right),
        Column("TPP/mm²", align=right),
        "Paragraph",
        "Licence",
        "Review policy",
        Column("Tokens/s per chip", align=right),
    ]
    own = answer.estimate.sources if isinstance(answer.estimate, Estimate) else ()
    rows = [_glance_row(answer.now, answer.estimate, own)]
    rows += [_glance_row(peer.determination, peer.estimate) for peer in answer.peers]
    width = len(columns) if answer.model is not None else len(columns) - 1
    return Table(
        f"The same transaction and the same work with each chip on {answer.now.on.isoformat()}",
        tuple(columns[:width]),
        tuple(row[:width] for row in rows),
        (_EXPORTERS, *([_OTHERS] if answer.model is not None else []), *_shared_warnings(answer)),
        highlighted=(0,),
    )


def _glance_row(
    law: Determination, speed: Estimate | Unavailable | None, more: tuple[str, ...] = ()
) -> tuple[Cell | str, ...]:
    inputs = {item.name: item for item in law.inputs}
    tpp, density = inputs["tpp"], inputs["performance_density"]
    cites = (*tpp.sources, *density.sources, *more)
    per_chip = Cell("not estimated")
    if isinstance(speed, Estimate):
        per_chip = estimated(ranged_number(speed.output_tokens_per_s_per_chip), speed.status)
    return (
        Cell(law.chip, cites=tuple(dict.fromkeys(cites))),
        _input_cell(tpp),
        _input_cell(density),
        _PARAGRAPH.get(law.eccn, law.eccn),
        Cell(_SHORT_LICENCE[law.licence_required], tone=TONE_OF_LICENCE[law.licence_required]),
        law.review.label if law.licence_required is not Answer.NO else "does not arise",
        per_chip,
    )


def _input_cell(item: InputFact) -> Cell:
    """An input of the law as a person compares it; the full figure stands under Inputs."""
    is_exact = item.low == item.high
    text = f"{item.low:,.0f}" if item.low >= KILO else f"{item.low:.4g}"
    status = Status(item.status) if item.status and item.text != UNKNOWN else None
    return Cell(text if is_exact else item.text, status=status)


def _shared_warnings(answer: Assessment) -> list[str]:
    """Each warning once, with the chips of the table that it concerns."""
    concerned: dict[str, list[str]] = {}
    for peer in answer.peers:
        grounds = {ground.id for ground in peer.determination.grounds}
        for notice in peer.determination.notices:
            if notice.kind == "warning" and notice.id not in grounds:
                concerned.setdefault(notice.title, []).append(peer.chip.name)
    return [f"{title}: for {', '.join(chips)}." for title, chips in concerned.items()]


def _law_blocks(answer: Assessment) -> Iterator[Block]:
    now, before = answer.now, answer.before
    if before is not None and answer.changed_on is not None:
        yield Paragraph(
            f"The last change came on {answer.changed_on.isoformat()}.", weight=Weight.LEAD
        )
        yield _change_table(before, now)
    else:
        yield Paragraph("No earlier day up to this one had another status.")
    if answer.law_map is not None:
        title = f"{now.chip} against the lines of the rule"
        compared = {peer.chip.id for peer in answer.peers}
        yield map_picture(answer.law_map, "law-map", title, {now.chip_id}, compared)
    yield from determination_sections(now, answer.authorities)
    if before is not None:
        yield Section(
            f"The day before the change, {before.on.isoformat()}", tuple(_before_blocks(answer))
        )


def _before_blocks(answer: Assessment) -> Iterator[Block]:
    """Only what was different on the day before the change."""
    now, before = answer.now, answer.before
    if before is None:
        return
    if _told_inputs(before) != _told_inputs(now):
        yield inputs_table(before)
    if _told_clauses(before) != _told_clauses(now):
        yield from clause_blocks(before, answer.authorities_before)
    elif before.clauses:
        yield Paragraph("The inputs and every clause tested were the same.")
    yield from ground_blocks(before, answer.authorities_before)


def _told_inputs(answer: Determination) -> list[tuple[str, str]]:
    return [(item.name, item.text) for item in answer.inputs]


def _told_clauses(answer: Determination) -> list[tuple[object, ...]]:
    lines = [(item.id, item.answer, item.quote) for item in answer.clauses]
    tests = [(m.clause, m.metric, m.comparison, m.threshold) for m in answer.margins]
    return [*lines, *(test for test in tests if test[0] in {item.id for item in answer.clauses})]


def _change_table(before: Determination, now: Determination) -> Table:
    def row(label: str, old: str, new: str) -> tuple[Cell | str, ...]:
        return label, old, new

    def grounds(answer: Determination) -> str:
        return "; ".join(ground.title for ground in answer.grounds) or "none"

    return Table(
        "What changed",
        ("", before.on.isoformat(), now.on.isoformat()),
        (
            row("Classification", classification(before), classification(now)),
            row(
                "Licence",
                WORD_OF_LICENCE[before.licence_required],
                WORD_OF_LICENCE[now.licence_required],
            ),
            row("Ground", grounds(before), grounds(now)),
            row("Review policy", before.review.label or "none", now.review.label or "none"),
        ),
    )


def _speed_blocks(answer: Assessment) -> Iterator[Block]:
    estimates = [answer.estimate, *(peer.estimate for peer in answer.peers)]
    shown = [item for item in estimates if item is not None]
    yield method_note(shown)
    yield _work(answer)
    yield from speed_tables(shown, f"{answer.now.chip} and others on the same work")
    if answer.frontiers:
        yield _frontier_picture(answer)
    own = answer.estimate
    if isinstance(own, Estimate):
        yield Section("Where the time goes", (bound_table(own),))
        yield Section("Memory of one chip", (memory_table(own),))
        yield Section("Assumed for this chip", (assumption_list(own, after=1),))
    yield from _peer_assumptions(answer)


def _work(answer: Assessment) -> Paragraph:
    model, work = answer.model, answer.workload
    if model is None:
        return Paragraph("")
    cache = float(kv_cache_bytes_per_token(model)) / KILO
    isl, osl = (np.asarray(item, dtype=float).item() for item in (work.isl, work.osl))
    return Paragraph(
        f"Work: {model.name}, {isl:,.0f} tokens in and {osl:,.0f} out; its KV cache takes "
        f"{cache:,.3f} kB a token in bf16. Each chip runs the layout that is fastest for it on "
        "the fewest chips that hold the work."
    )


def _peer_assumptions(answer: Assessment) -> Iterator[Section]:
    """What was assumed for the others and not for the chip that was asked for."""
    own = set(answer.estimate.assumptions) if isinstance(answer.estimate, Estimate) else set()
    chips: dict[str, list[str]] = {}
    for peer in answer.peers:
        if isinstance(peer.estimate, Estimate):
            for text in peer.estimate.assumptions[1:]:
                if text not in own:
                    words = text.removeprefix(peer.chip.name).removeprefix(": ").strip()
                    chips.setdefault(words, []).append(peer.chip.name)
    if chips:
        items = [Item(f"{', '.join(names)}: {text}") for text, names in chips.items()]
        yield Section("Assumed for the others", (Listing(tuple(items)),))


def _frontier_picture(answer: Assessment) -> Picture:
    series = [_series(item, answer) for item in answer.frontiers]
    model = answer.model.name if answer.model is not None else ""
    own = answer.estimate
    finding = (
        f"{own.chip} at {counted(own.users, 'user')}: "
        f"{ranged_number(own.output_tokens_per_s_per_chip)} tokens/s per chip, "
        f"{ranged_number(own.output_tokens_per_s_per_user)} tokens/s per user."
        if isinstance(own, Estimate)
        else ""
    )
    return Picture(
        key="frontier",
        spec=frontier(f"{model}: throughput per chip against interactivity", series),
        caption="Output tokens per second and chip against tokens per second and user",
        alt=finding,
        source="Estimates of Weir's first speed model; the band is the 80 % interval.",
    )


def _series(item: Frontier, answer: Assessment) -> Series:
    chips = item.layout.chips
    points = tuple(
        ServingPoint(float(user), float(chip), float(low), float(high), int(batch), chips)
        for user, chip, low, high, batch in zip(
            item.tokens_per_s_per_user,
            item.tokens_per_s_per_chip,
            item.low,
            item.high,
            item.users,
            strict=True,
        )
    )
    return Series(item.chip, points, highlighted=item.chip == answer.now.chip)
