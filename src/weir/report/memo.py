"""The papers a compliance file needs: the classification memo and the data of a NAC notification.

Both are documents, so that Markdown, HTML, DOCX and PDF all come from one layout. They state what
the determination found and what remains to be checked and signed by a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from weir.core.provenance import Source, Status
from weir.report.determination import (
    TONE_OF_LICENCE,
    UNCITED,
    WORD_OF_LICENCE,
    Authorities,
    classification,
    clause_blocks,
    determination_sections,
    ground_blocks,
    horizon_blocks,
    inputs_table,
    quantity,
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
    Section,
    Table,
    Weight,
)
from weir.rules.determination import Determination, InputFact, LicenceException
from weir.rules.logic import Answer

NAC: Final = "NAC"
_ARITHMETIC: Final = ("tpp", "die_area", "performance_density")
_MARKET: Final = ("datacentre", "commercially_available_us")
_SIGNERS: Final = ("Prepared by", "Reviewed by", "Approved by")
_BLANK: Final = "____________________"
_OPEN: Final = "not known"


@dataclass(frozen=True, slots=True)
class MarketEvidence:
    """One document that shows for what use an item is designed or marketed.

    Attributes:
        text: What it shows.
        cites: "source-id#locator" citations of documents that the memo lists.
    """

    text: str
    cites: tuple[str, ...] = ()


def classification_memo(
    answer: Determination, sources: Sequence[Source], cited: Authorities = UNCITED
) -> Document:
    """The record of one classification: inputs, arithmetic, clauses, result, sign-off.

    Args:
        answer: The determination.
        sources: The documents that it cites, those of `cited` included.
        cited: Source ids by clause, ground, exception and notice, from
            `weir.answers.authorities`.
    """
    tail = {section.heading: section for section in determination_sections(answer, cited)}
    kept = ("Licence exceptions", "To know beside it", "What would change the answer")
    sections = (
        Section("Item and transaction", (_transaction(answer),)),
        Section(
            "Inputs and their sources",
            (*horizon_blocks(answer), inputs_table(answer), *_open_inputs(answer)),
        ),
        Section("Arithmetic", (_arithmetic(answer),)),
        Section("Clauses", _clauses(answer, cited)),
        Section("Result", (_result(answer), *ground_blocks(answer, cited))),
        *(tail[heading] for heading in kept if heading in tail),
        Section("Assumptions", (_lines(answer.assumptions),)),
        Section("Not checked", (_lines(answer.not_checked),)),
        Section("Sign-off", (_sign_off(),)),
    )
    return Document(
        title=f"Classification memo: {answer.chip}",
        lead=answer.headline,
        facts=_heading_facts(answer),
        sections=sections,
        sources=tuple(sources),
        notice=answer.disclaimer,
    )


def nac_document(
    answer: Determination, sources: Sequence[Source], evidence: Sequence[MarketEvidence] = ()
) -> Document:
    """The technical data that a notification under License Exception NAC rests on.

    Args:
        answer: The determination.
        sources: The documents that it and the evidence cite.
        evidence: What shows the market for which the item is designed and sold.
    """
    return Document(
        title=f"Data for a NAC notification: {answer.chip}",
        lead=_nac_lead(answer),
        facts=_heading_facts(answer),
        sections=(
            *nac_sections(answer, evidence),
            Section("Assumptions", (_lines(answer.assumptions),)),
            Section("Not checked", (_lines(answer.not_checked),)),
            Section("Sign-off", (_sign_off(),)),
        ),
        sources=tuple(sources),
        notice=answer.disclaimer,
    )


def nac_sections(
    answer: Determination, evidence: Sequence[MarketEvidence] = ()
) -> tuple[Section, ...]:
    """The data block alone: parameters, market, and the terms of the exception."""
    exception = _nac(answer)
    market: list[Block] = [_facts_table("Design and market", answer, _MARKET)]
    if evidence:
        market.append(Listing(tuple(Item(one.text, one.cites) for one in evidence)))
    else:
        market.append(
            Paragraph(
                "No data sheet or other evidence of the market is attached; a notification needs "
                "it.",
                weight=Weight.CAUTION,
            )
        )
    sections = [
        Section("Technical parameters", (_facts_table("Parameters", answer, _ARITHMETIC),)),
        Section("Market evidence", tuple(market)),
    ]
    if exception is not None:
        terms: list[Block] = [
            Paragraph(f"{exception.title}: {exception.citation} ({exception.evidence})."),
        ]
        if exception.quote:
            terms.append(Paragraph(f"“{exception.quote}”", weight=Weight.SMALL))
        terms.append(_lines(exception.conditions))
        sections.append(Section("Terms that remain to be met", tuple(terms)))
    return tuple(sections)


def _nac(answer: Determination) -> LicenceException | None:
    return next((one for one in answer.exceptions if one.id == NAC), None)


def _nac_lead(answer: Determination) -> str:
    exception = _nac(answer)
    place = f"for {answer.destination_name} on {answer.on.isoformat()}"
    if exception is None:
        return f"License Exception NAC is not open {place} on the facts below."
    if exception.answer is Answer.UNKNOWN:
        return f"The facts below leave open whether License Exception NAC may be used {place}."
    return (
        f"License Exception NAC is not excluded {place}; its terms remain to be met, and BIS may "
        f"answer that a licence is required."
    )


def _heading_facts(answer: Determination) -> tuple[tuple[str, str], ...]:
    overlay = (("What if", "; ".join(answer.overlay)),) if answer.overlay else ()
    return (
        ("Classification", classification(answer)),
        ("Licence", WORD_OF_LICENCE[answer.licence_required]),
        ("Law as of", answer.on.isoformat()),
        ("Evidence reaches", answer.evidence_horizon.isoformat()),
        ("Data of", answer.data_version),
        *overlay,
    )


def _transaction(answer: Determination) -> Table:
    rows = (
        ("Item", answer.chip),
        ("Record", answer.chip_id),
        ("Kind of transaction", answer.kind.replace("_", " ")),
        ("Exporter", answer.exporter or _OPEN),
        ("From", answer.origin or _OPEN),
        ("To", f"{answer.destination_name} ({answer.destination})"),
        ("Consignee's headquarters", answer.consignee or _OPEN),
        ("Ultimate parent's headquarters", answer.parent or _OPEN),
        ("Day", answer.on.isoformat()),
    )
    return Table("Item and transaction", ("", "As determined"), rows)


def _open_inputs(answer: Determination) -> tuple[Block, ...]:
    if not answer.decisive:
        return ()
    labels = [item.label for item in answer.inputs if item.is_decisive]
    text = f"Not known well enough to decide: {', '.join(labels)}."
    return (Paragraph(text, weight=Weight.CAUTION),)


def _arithmetic(answer: Determination) -> Block:
    """How TPP, die area and density were reached, one line each."""
    rows = []
    for item in _inputs(answer, _ARITHMETIC):
        how = _density_in_numbers(answer) if item.name == "performance_density" else item.how
        rows.append((item.label, how or "as the source prints it", _value(item)))
    if not rows:
        return Paragraph("No quantity that the rule defines was computed.")
    columns = ("Quantity", "From", Column("Result", align=Align.RIGHT))
    return Table("Computed quantities", columns, tuple(rows))


def _density_in_numbers(answer: Determination) -> str:
    by_name = {item.name: item for item in answer.inputs}
    if "tpp" not in by_name or "die_area" not in by_name:
        return by_name["performance_density"].how
    tpp, area = by_name["tpp"], by_name["die_area"]
    return f"TPP {quantity(tpp)} / applicable die area {quantity(area)}"


def _inputs(answer: Determination, names: Sequence[str]) -> list[InputFact]:
    return [item for item in answer.inputs if item.name in names]


def _value(item: InputFact) -> Cell:
    status = Status(item.status) if item.status else None
    return Cell(quantity(item), item.sources, status)


def _facts_table(caption: str, answer: Determination, names: Sequence[str]) -> Table:
    columns = ("", Column("Value", align=Align.RIGHT), "Basis")
    rows = []
    for item in _inputs(answer, names):
        basis = item.how
        if item.name == "performance_density":
            basis = _density_in_numbers(answer)
        told = "; ".join(part for part in (basis, item.note) if part)
        rows.append((item.label, _value(item), told))
    return Table(caption, columns, tuple(rows))


def _clauses(answer: Determination, cited: Authorities) -> tuple[Block, ...]:
    blocks = clause_blocks(answer, cited)
    if not answer.clauses:
        return blocks
    words = tuple(
        (
            clause.id,
            f"“{clause.quote}”" if clause.quote else clause.title,
            f"{clause.citation} ({clause.evidence})",
        )
        for clause in answer.clauses
    )
    table = Table("The words of the clauses", ("Clause", "Text", "Citation"), words)
    return (*blocks, table)


def _result(answer: Determination) -> Paragraph:
    words = f"Classification: {classification(answer)}. Licence: "
    tone = TONE_OF_LICENCE[answer.licence_required]
    return Paragraph(f"{words}{WORD_OF_LICENCE[answer.licence_required]}.", (), Weight.LEAD, tone)


def _lines(lines: Sequence[str]) -> Block:
    return Listing(tuple(Item(line) for line in lines)) if lines else Paragraph("Nothing.")


def _sign_off() -> Table:
    columns = ("", "Name", "Signature", "Date")
    rows = tuple((role, _BLANK, _BLANK, _BLANK) for role in _SIGNERS)
    return Table("To be signed by those who answer for the classification", columns, rows)
