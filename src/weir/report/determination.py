"""Determinations as documents: the verdict, why, how close to each line, what would flip it."""

import math
from collections.abc import Sequence

from weir.core.provenance import Source, Status
from weir.core.trace import Step
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
from weir.report.palette import Tone
from weir.rules.determination import Clause, Determination, Ground, InputFact
from weir.rules.logic import Answer

TONE_OF_LICENCE = {
    Answer.YES: Tone.REQUIRED,
    Answer.NO: Tone.NOT_REQUIRED,
    Answer.UNKNOWN: Tone.UNKNOWN,
}
WORD_OF_LICENCE = {
    Answer.YES: "licence required",
    Answer.NO: "no licence required under the rules tested",
    Answer.UNKNOWN: "unknown",
}
_WORD_OF_CLAUSE = {Answer.YES: "true", Answer.NO: "false", Answer.UNKNOWN: "unknown"}


def determination_document(answer: Determination, sources: Sequence[Source]) -> Document:
    """One determination in full."""
    return Document(
        title=f"{answer.chip} to {answer.destination_name} on {answer.on.isoformat()}",
        lead=answer.headline,
        facts=determination_facts(answer),
        sections=determination_sections(answer),
        sources=tuple(sources),
        notice=answer.disclaimer,
    )


def determination_facts(answer: Determination) -> tuple[tuple[str, str], ...]:
    """The short facts under a determination's title."""
    overlay = (("What if", "; ".join(answer.overlay)),) if answer.overlay else ()
    return (
        ("Classification", classification(answer)),
        ("Licence", WORD_OF_LICENCE[answer.licence_required]),
        ("Review policy", answer.review.label or "does not arise"),
        ("Exporter", answer.exporter or "the designer"),
        ("Evidence reaches", answer.evidence_horizon.isoformat()),
        ("Data of", answer.data_version),
        *overlay,
    )


def classification(answer: Determination) -> str:
    """The paragraph in words."""
    words = {
        "none": "none of the paragraphs of 3A090",
        "undetermined": "undetermined: the inputs leave it open",
        "not yet": "3A090 did not exist yet",
    }
    return words.get(answer.eccn, answer.eccn)


def determination_sections(answer: Determination) -> tuple[Section, ...]:
    """Every part of a determination, in reading order."""
    sections = [
        Section("Inputs", (inputs_table(answer),)),
        Section("Clauses tested", clause_blocks(answer)),
        Section("Licence requirement", ground_blocks(answer)),
    ]
    if answer.exceptions:
        sections.append(Section("Licence exceptions", (_exceptions(answer),)))
    if answer.notices:
        sections.append(Section("To know beside it", (_notices(answer),)))
    sections.append(Section("What would change the answer", (_flips(answer),)))
    sections.append(Section("Assumed", (_plain_list(answer.assumptions),)))
    sections.append(Section("Not checked", (_plain_list(answer.not_checked),)))
    return tuple(sections)


def inputs_table(answer: Determination) -> Table:
    """The numbers and facts the determination rests on."""
    columns = ("", Column("Value", align=Align.RIGHT), "Basis", "Decisive")
    return Table("Inputs of the determination", columns, tuple(_input(i) for i in answer.inputs))


def _input(item: InputFact) -> tuple[Cell | str, ...]:
    status = Status(item.status) if item.status else None
    basis = "; ".join(part for part in (item.how, item.note) if part)
    decisive = "yes: it leaves the verdict open" if item.is_decisive else ""
    return item.label, Cell(item.text, cites=item.sources, status=status), basis, decisive


def clause_blocks(answer: Determination) -> tuple[Block, ...]:
    """Each clause with its margins and the sentence of law."""
    if not answer.clauses:
        return (Paragraph("No paragraph of 3A090 was in force on that day."),)
    return (Listing(tuple(_clause(clause) for clause in answer.clauses)),)


def _clause(clause: Clause) -> Item:
    tone = Tone.REQUIRED if clause.answer is Answer.YES else Tone.PLAIN
    is_measured = all(math.isfinite(margin.low) for margin in clause.margins)
    told = clause.answer is not Answer.NO or is_measured
    lines = [Item(margin.text) for margin in clause.margins] if told else []
    if clause.quote:
        lines.append(Item(f"“{clause.quote}” ({clause.citation}; {clause.evidence})"))
    return Item(
        f"{clause.id}: {clause.title}",
        label=_WORD_OF_CLAUSE[clause.answer],
        tone=Tone.UNKNOWN if clause.answer is Answer.UNKNOWN else tone,
        children=tuple(lines),
    )


def ground_blocks(answer: Determination) -> tuple[Block, ...]:
    """The requirements that apply or may, and how an application would be reviewed."""
    blocks: list[Block] = []
    if answer.grounds:
        blocks.append(Listing(tuple(_ground(ground) for ground in answer.grounds)))
    else:
        tested = ", ".join(answer.tested_grounds) or "none were in force"
        blocks.append(Paragraph(f"No requirement applies. Tested: {tested}."))
    review = answer.review
    if review.label:
        words = (f"Review policy: {review.label}", review.meaning, review.citation)
        blocks.append(Paragraph(". ".join(dict.fromkeys(part for part in words if part))))
    if review.conditions:
        blocks.append(Paragraph("What would have to be certified or done:"))
        blocks.append(_plain_list(review.conditions))
    if review.missing:
        blocks.append(Paragraph(f"Not known: {', '.join(review.missing)}."))
    return tuple(blocks)


def _ground(ground: Ground) -> Item:
    binding = f"; binds {', '.join(ground.binding_on)}" if ground.binding_on else ""
    children = [Item(f"{ground.kind}, {ground.force}{binding}. {ground.citation}")]
    if ground.quote:
        children.append(Item(f"“{ground.quote}” ({ground.evidence})"))
    if ground.note:
        children.append(Item(ground.note))
    return Item(
        ground.title,
        label="applies" if ground.answer is Answer.YES else "may apply",
        tone=TONE_OF_LICENCE[ground.answer],
        children=tuple(children),
    )


def _exceptions(answer: Determination) -> Listing:
    items = []
    for exception in answer.exceptions:
        label = "possible" if exception.answer is Answer.YES else "not excluded"
        conditions = tuple(Item(text) for text in exception.conditions)
        text = f"{exception.title} ({exception.citation}; {exception.evidence})"
        items.append(Item(text, label=label, children=conditions))
    return Listing(tuple(items))


def _notices(answer: Determination) -> Listing:
    return Listing(
        tuple(
            Item(
                f"{notice.title}. {notice.text}".strip(),
                label=notice.kind,
                tone=Tone.WARNING,
                children=(Item(f"{notice.citation} ({notice.evidence})"),)
                if notice.citation
                else (),
            )
            for notice in answer.notices
        )
    )


def _flips(answer: Determination) -> Block:
    if not answer.flips:
        return Paragraph("No change of a single input changes it.")
    return _plain_list([flip.text for flip in answer.flips])


def _plain_list(lines: Sequence[str]) -> Listing:
    return Listing(tuple(Item(line) for line in lines))


def trace_section(answer: Determination) -> Section:
    """Every step of the evaluation, for those who check our work."""
    if answer.trace is None:
        return Section("Every step", (Paragraph("Not recorded.", weight=Weight.SMALL),))
    return Section("Every step", (Listing((_step(answer.trace),)),))


def _step(step: Step) -> Item:
    words = " ".join(
        part for part in (step.text, f"({step.citation})" if step.citation else "") if part
    )
    return Item(
        f"{step.name}. {words}".strip(),
        label=step.outcome,
        children=tuple(_step(child) for child in step.children),
    )
