"""The assessment as a document: what it is, what the law says, what it can do."""

import math
from collections.abc import Iterator

import numpy as np

from weir.answers.assess import Assessment, Peer, Unavailable
from weir.answers.estimate import Estimate, Frontier
from weir.core.units import KILO
from weir.perf.parameters import kv_cache_bytes_per_token
from weir.report.charts import (
    Group,
    MapPoint,
    Series,
    ServingPoint,
    density_map,
    frontier,
)
from weir.report.charts.marks import Zone
from weir.report.datasheet import datasheet_blocks
from weir.report.determination import (
    TONE_OF_LICENCE,
    WORD_OF_LICENCE,
    classification,
    determination_sections,
    inputs_table,
)
from weir.report.document import (
    Block,
    Cell,
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
    assumption_list,
    bound_blocks,
    headline,
    memory_table,
    method_note,
    ranged_number,
    speed_tables,
)
from weir.rules.determination import Determination


def assessment_document(answer: Assessment) -> Document:
    """The whole answer, with pictures where they were asked for."""
    now = answer.now
    work = "" if answer.model is None else f", {answer.model.name}"
    sections = [
        Section("What it is", datasheet_blocks(answer.sheet)),
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


def _lead(answer: Assessment) -> str:
    lead = answer.now.headline
    if isinstance(answer.estimate, Estimate):
        return f"{lead} {answer.estimate.model}: {headline(answer.estimate)}"
    if isinstance(answer.estimate, Unavailable):
        return f"{lead} {answer.estimate.reason}"
    return lead


def _law_blocks(answer: Assessment) -> Iterator[Block]:
    now, before = answer.now, answer.before
    yield _sentence(now)
    if before is not None and answer.changed_on is not None:
        yield Paragraph(f"The last change came on {answer.changed_on.isoformat()}. The day before:")
        yield _sentence(before)
        yield _change_table(before, now)
    else:
        yield Paragraph("No earlier day up to this one had another status.")
    if answer.mapped:
        yield _density_picture(answer)
    yield from determination_sections(now)
    if before is not None:
        yield Section(
            f"The day before the change, {before.on.isoformat()}",
            (inputs_table(before), *determination_sections(before)[1:3]),
        )


def _sentence(answer: Determination) -> Paragraph:
    return Paragraph(
        answer.headline, weight=Weight.LEAD, tone=TONE_OF_LICENCE[answer.licence_required]
    )


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
    yield from speed_tables(shown, f"{_name(answer)} and others on the same work")
    yield _legal_table(answer)
    if answer.frontiers:
        yield _frontier_picture(answer)
    own = answer.estimate
    if isinstance(own, Estimate):
        yield Section("Where the time goes", bound_blocks(own))
        yield Section("Memory of one chip", (memory_table(own),))
        yield Section("Assumed for this chip", (assumption_list(own),))
    yield _peer_assumptions(answer)


def _name(answer: Assessment) -> str:
    return answer.sheet.chip.name


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


def _legal_table(answer: Assessment) -> Table:
    answers = (answer.now, *(peer.determination for peer in answer.peers))
    notes = [
        f"{item.chip}: {notice.title}."
        for item in answers
        for notice in item.notices
        if notice.kind == "warning"
    ]
    return Table(
        f"The same transaction with each chip on {answer.now.on.isoformat()}",
        ("Chip", "Classification", "Licence", "Review policy"),
        tuple(_legal_row(item) for item in answers),
        ("For each chip its own designer is taken as the exporter.", *notes),
    )


def _legal_row(item: Determination) -> tuple[Cell | str, ...]:
    word = Cell(WORD_OF_LICENCE[item.licence_required], tone=TONE_OF_LICENCE[item.licence_required])
    return item.chip, classification(item), word, item.review.label or "does not arise"


def _peer_assumptions(answer: Assessment) -> Section:
    own = set(answer.estimate.assumptions) if isinstance(answer.estimate, Estimate) else set()
    items = [_peer_item(peer, own) for peer in answer.peers]
    return Section("Assumed for the others", (Listing(tuple(items)),))


def _peer_item(peer: Peer, known: set[str]) -> Item:
    if not isinstance(peer.estimate, Estimate):
        return Item(peer.chip.name)
    other = [text for text in peer.estimate.assumptions if text not in known]
    return Item(peer.chip.name, children=tuple(Item(text) for text in other))


def _density_picture(answer: Assessment) -> Picture:
    compared = {peer.chip.id for peer in answer.peers}
    now = answer.now
    points = [_point(item, now.chip_id, compared) for item in answer.mapped]
    shown = [point for point in points if point.group is not Group.OTHER or _is_placed(point)]
    density = next((item for item in now.inputs if item.name == "performance_density"), None)
    tpp = next((item for item in now.inputs if item.name == "tpp"), None)
    values = f"TPP {tpp.text}, density {density.text}" if tpp and density else "no numbers"
    return Picture(
        key="density-map",
        spec=density_map(f"{now.chip} against the lines of the rule", now.on, _zones(now), shown),
        caption="TPP against performance density, with the zones of the rule in force that day",
        alt=f"{now.chip}: {values}; {classification(now)}. {len(shown)} chips are drawn.",
        source=(
            "Zones from the rule in force that day; chips from the catalogue of Weir. "
            f"{len(points) - len(shown)} others have no known rate or die area and are left out."
        ),
    )


def _point(item: Determination, asked: str, compared: set[str]) -> MapPoint:
    bounds = {entry.name: (entry.low, entry.high) for entry in item.inputs}
    x = bounds.get("tpp", (math.nan, math.nan))
    y = bounds.get("performance_density", (math.nan, math.nan))
    group = Group.COMPARED if item.chip_id in compared else Group.OTHER
    return MapPoint(
        name=item.chip,
        x_low=_bound(x[0]),
        x_high=_bound(x[1]),
        y_low=_bound(y[0]),
        y_high=_bound(y[1]),
        group=Group.HIGHLIGHTED if item.chip_id == asked else group,
        tone=TONE_OF_LICENCE[item.licence_required],
    )


def _is_placed(point: MapPoint) -> bool:
    return None not in (point.x_low, point.x_high, point.y_low, point.y_high)


def _bound(value: float) -> float | None:
    return value if math.isfinite(value) and value > 0 else None


def _zones(now: Determination) -> list[Zone]:
    zones = []
    for clause in now.clauses:
        if clause.effect != "classify":
            continue
        limits: dict[tuple[str, str], float] = {
            (m.metric, m.comparison): m.threshold for m in clause.margins
        }
        if not {metric for metric, _ in limits} <= {"tpp", "performance_density"} or not limits:
            continue
        zones.append(
            Zone(
                label=clause.id,
                x_min=limits.get(("tpp", "ge")),
                x_max=limits.get(("tpp", "lt")),
                y_min=limits.get(("performance_density", "ge")),
                y_max=limits.get(("performance_density", "lt")),
                strong="3A090.a" in clause.paragraphs,
            )
        )
    return zones


def _frontier_picture(answer: Assessment) -> Picture:
    series = [_series(item, answer) for item in answer.frontiers]
    model = answer.model.name if answer.model is not None else ""
    own = answer.estimate
    finding = (
        f"{own.chip} at {own.users:,.0f} users: "
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
    return Series(item.chip, points, highlighted=item.chip == _name(answer))
