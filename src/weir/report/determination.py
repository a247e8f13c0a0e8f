"""Determinations as documents: the verdict, why, how close to each line, what would flip it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from weir.answers.authorities import REVIEW
from weir.catalog.law import COMPARISONS
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
from weir.rules.determination import (
    Clause,
    Determination,
    Ground,
    InputFact,
    LicenceException,
    Margin,
    Notice,
)
from weir.rules.logic import Answer
from weir.rules.wording import interval, number, with_unit

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
Authorities = Mapping[str, tuple[str, ...]]
UNCITED: Final[Authorities] = {}
_DENSITY: Final = "tpp/mm2"  # told by the metric's name
# Units of the law as a document prints them.
_UNITS: Final = {"tpp": "", "tpp/mm2": "TPP/mm²", "mm2": "mm²"}
_UNKNOWN: Final = "unknown"
_WORD_OF_CLAUSE = {Answer.YES: "true", Answer.NO: "false", Answer.UNKNOWN: "unknown"}


def determination_document(
    answer: Determination, sources: Sequence[Source], cited: Authorities = UNCITED
) -> Document:
    """One determination in full.

    Args:
        answer: The determination.
        sources: The documents that it cites, those of `cited` included.
        cited: Source ids by clause, ground, exception and notice, from
            `weir.answers.authorities`.
    """
    sections = determination_sections(answer, cited)
    quoted = Section("The words of the clauses", (quotes(answer.clauses, cited),))
    return Document(
        title=f"{answer.chip} to {answer.destination_name} on {answer.on.isoformat()}",
        lead=answer.headline,
        facts=determination_facts(answer),
        sections=(*sections, quoted) if answer.clauses else sections,
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


def determination_sections(
    answer: Determination, cited: Authorities = UNCITED
) -> tuple[Section, ...]:
    """Every part of a determination, in reading order."""
    sections = [
        Section("Inputs", (*horizon_blocks(answer), inputs_table(answer))),
        Section("Clauses tested", clause_blocks(answer, cited)),
        Section("Licence requirement", ground_blocks(answer, cited)),
    ]
    if answer.exceptions:
        sections.append(Section("Licence exceptions", (_exceptions(answer, cited),)))
    told = _told_once(answer)
    if told:
        items = tuple(_notice(notice, cited) for notice in told)
        sections.append(Section("To know beside it", (Listing(items),)))
    sections.append(Section("What would change the answer", (_flips(answer),)))
    sections.append(Section("Assumed", (_plain_list(answer.assumptions),)))
    sections.append(Section("Not checked", (_plain_list(answer.not_checked),)))
    return tuple(sections)


def horizon_blocks(answer: Determination) -> tuple[Paragraph, ...]:
    """The warning that a day lies after the last one that the evidence reaches."""
    if not answer.is_past_horizon:
        return ()
    text = (
        f"The evidence reaches {answer.evidence_horizon.isoformat()}; rules made between then and "
        f"{answer.on.isoformat()} are not known."
    )
    return (Paragraph(text, weight=Weight.CAUTION),)


def _told_once(answer: Determination) -> tuple[Notice, ...]:
    """The notices that no requirement and no warning about the evidence tells already."""
    grounds = {ground.id for ground in answer.grounds}
    past = {"evidence-horizon"} if answer.is_past_horizon else set()
    return tuple(item for item in answer.notices if item.id not in grounds | past)


def inputs_table(answer: Determination) -> Table:
    """The numbers and facts the determination rests on."""
    columns = ("", Column("Value", align=Align.RIGHT), "Basis", "Decisive")
    return Table("Inputs of the determination", columns, tuple(_input(i) for i in answer.inputs))


def _input(item: InputFact) -> tuple[Cell | str, ...]:
    status = Status(item.status) if item.status else None
    basis = "; ".join(part for part in (item.how, item.note) if part)
    decisive = "yes: it leaves the verdict open" if item.is_decisive else ""
    return item.label, Cell(quantity(item), cites=item.sources, status=status), basis, decisive


def quantity(item: InputFact) -> str:
    """An input with its unit; TPP is its own unit, and what is unknown has none."""
    unit = _UNITS.get(item.unit, item.unit)
    return f"{item.text} {unit}" if unit and item.text != _UNKNOWN else item.text


def clause_blocks(answer: Determination, cited: Authorities = UNCITED) -> tuple[Block, ...]:
    """Each clause, line by line: the line, the chip's number, and how far it is from it."""
    if not answer.clauses:
        return (Paragraph("No paragraph of 3A090 was in force on that day."),)
    columns = (
        "Clause",
        "Result",
        "Line",
        "Met",
        Column("This chip", align=Align.RIGHT),
        Column("Away from the line", align=Align.RIGHT),
    )
    rows = tuple(row for clause in answer.clauses for row in _clause_rows(clause, cited))
    return (Table("Clauses tested, each line with its margin", columns, rows),)


def _clause_rows(clause: Clause, cited: Authorities) -> Iterator[tuple[Cell | str, ...]]:
    tone = Tone.REQUIRED if clause.answer is Answer.YES else Tone.PLAIN
    result = Cell(
        _WORD_OF_CLAUSE[clause.answer],
        tone=Tone.UNKNOWN if clause.answer is Answer.UNKNOWN else tone,
    )
    name = Cell(clause.id, cites=cited.get(clause.id, ()))
    told = _telling(clause)
    if not told:
        yield name, result, "not by a number: a fact decides", "", "", ""
    for position, margin in enumerate(told):
        sign = COMPARISONS[margin.comparison]
        unit = "" if margin.unit == _DENSITY else margin.unit
        line = with_unit(f"{margin.label} {sign} {number(margin.threshold)}", unit).strip()
        yield (
            name if position == 0 else clause.id,
            result,
            line,
            margin.answer.value,
            interval(margin.low, margin.high),
            _gap(margin),
        )


def _telling(clause: Clause) -> tuple[Margin, ...]:
    """The lines that say something: none where a clause is false and no number makes it so."""
    if clause.answer is not Answer.NO:
        return clause.margins
    if clause.effect == "presume":
        return ()  # who makes the part decides; its alternatives by count and year say nothing
    if all(item.answer is not Answer.NO for item in clause.margins):
        return ()
    return tuple(item for item in clause.margins if item.answer is not Answer.UNKNOWN)


def _gap(margin: Margin) -> str:
    low, high = margin.gap_low, margin.gap_high
    if not math.isfinite(low) or not math.isfinite(high) or low != high:
        return ""
    if low == 0:
        return "on the line"
    share = f" ({abs(low) / margin.threshold:.2%})" if margin.threshold else ""
    return f"{number(float(f'{abs(low):.4g}'))} {'above' if low > 0 else 'below'}{share}"


def quotes(clauses: Sequence[Clause], cited: Authorities = UNCITED) -> Listing:
    """The sentence of law behind each clause."""
    return Listing(
        tuple(
            Item(
                f"“{clause.quote}” ({clause.citation}; {clause.evidence})"
                if clause.quote
                else f"{clause.title} ({clause.citation}; {clause.evidence})",
                cites=cited.get(clause.id, ()),
                label=clause.id,
            )
            for clause in clauses
        )
    )


def ground_blocks(answer: Determination, cited: Authorities = UNCITED) -> tuple[Block, ...]:
    """The requirements that apply or may, and how an application would be reviewed."""
    blocks: list[Block] = []
    if answer.grounds:
        blocks.append(Listing(tuple(_ground(ground, cited) for ground in answer.grounds)))
    else:
        tested = ", ".join(answer.tested_grounds) or "none were in force"
        blocks.append(Paragraph(f"No requirement applies. Tested: {tested}."))
    review = answer.review
    if review.label:
        words = (f"Review policy: {review.label}", review.meaning, _place(review.citation))
        text = "; ".join(dict.fromkeys(part for part in words if part))
        blocks.append(Paragraph(f"{text}.", cites=cited.get(REVIEW, ())))
    if review.conditions:
        blocks.append(Paragraph("What would have to be certified or done:"))
        blocks.append(_plain_list(review.conditions))
    if review.missing:
        blocks.append(Paragraph(f"Not known: {', '.join(review.missing)}."))
    return tuple(blocks)


def _place(citation: str) -> str:
    return "" if citation == "unpublished" else citation


def _ground(ground: Ground, cited: Authorities) -> Item:
    binding = f"; binds {', '.join(ground.binding_on)}" if ground.binding_on else ""
    children = [Item(f"{ground.kind}, {ground.force}{binding}. {ground.citation}")]
    if ground.quote:
        children.append(Item(f"“{ground.quote}” ({ground.evidence})"))
    if ground.note:
        children.append(Item(ground.note))
    return Item(
        ground.title,
        cites=cited.get(ground.id, ()),
        label="applies" if ground.answer is Answer.YES else "may apply",
        tone=TONE_OF_LICENCE[ground.answer],
        children=tuple(children),
    )


def _exceptions(answer: Determination, cited: Authorities) -> Listing:
    return Listing(tuple(_exception(item, cited) for item in answer.exceptions))


def _exception(exception: LicenceException, cited: Authorities) -> Item:
    return Item(
        f"{exception.title} ({exception.citation}; {exception.evidence})",
        cites=cited.get(exception.id, ()),
        label="possible" if exception.answer is Answer.YES else "not excluded",
        children=tuple(Item(text) for text in exception.conditions),
    )


def _notice(notice: Notice, cited: Authorities) -> Item:
    where = f" ({notice.citation}; {notice.evidence})" if notice.citation else ""
    told = notice.title if notice.text == notice.title else f"{notice.title}. {notice.text}"
    return Item(
        f"{told}{where}",
        cites=cited.get(notice.id, ()),
        label=notice.kind,
        tone=Tone.WARNING,
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
