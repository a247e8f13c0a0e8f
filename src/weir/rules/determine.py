"""One chip, one transaction, one day: the determination with its reasons."""

from collections.abc import Sequence
from dataclasses import replace

from weir.catalog.law import Law
from weir.rules.determination import Determination, InputFact, Notice
from weir.rules.evaluate import Outcome, eccn_of, evaluate
from weir.rules.explain import clause_of, trace
from weir.rules.findings import (
    applicable_exceptions,
    applicable_grounds,
    headline,
    margins,
    notices,
    overall_review,
    plain_inputs,
    sources,
)
from weir.rules.flips import find_flips
from weir.rules.inputs import ChipColumns, ChipInputs, columns
from weir.rules.logic import answer
from weir.rules.places import country_name
from weir.rules.scenarios import is_uncertain, refine
from weir.rules.scene import law_on
from weir.rules.sensitivity import Variant, sensitivities
from weir.rules.transaction import Transaction, resolve


def determine_inputs(
    chip: ChipInputs,
    transaction: Transaction,
    law: Law,
    *,
    trace_steps: bool = True,
    facts: Sequence[InputFact] = (),
    assumptions: Sequence[str] = (),
    fact_sources: Sequence[str] = (),
    variants: Sequence[Variant] = (),
) -> Determination:
    """Applies the law of the day to one chip in one transaction.

    Args:
        chip: What the law reads of the chip.
        transaction: What is done with it.
        law: The law, as it is or with what-if changes.
        trace_steps: Leave out the trace where nobody reads it.
        facts: The inputs with their sources, if the caller has them.
        assumptions: What the caller filled in.
        fact_sources: Source ids behind the inputs.
        variants: How else the chip could be read, each with the reason; told where it matters.

    Raises:
        WeirError: An unknown country or certification, or contradictory facts.
    """
    case = resolve(law, transaction)
    day = law_on(law, transaction.on)
    base = columns([chip])
    outcome = evaluate(day, case, base)
    if is_uncertain(base)[0]:
        refine(outcome, base)
    return _assemble(
        outcome,
        chip,
        base,
        trace_steps=trace_steps,
        facts=facts or plain_inputs(outcome),
        assumptions=(*assumptions, *case.assumptions),
        fact_sources=fact_sources,
        more_notices=tuple(sensitivities(day, case, chip, variants)),
    )


def _assemble(
    outcome: Outcome,
    chip: ChipInputs,
    base: ChipColumns,
    *,
    trace_steps: bool,
    facts: Sequence[InputFact],
    assumptions: Sequence[str],
    fact_sources: Sequence[str],
    more_notices: Sequence[Notice],
) -> Determination:
    case, day = outcome.scene.case, outcome.scene.day
    law = day.law
    eccn = eccn_of(outcome.paragraphs)
    clauses = tuple(
        clause_of(outcome, item)
        for effect in ("presume", "classify", "exclude")
        for item in day.of(effect)
    )
    grounds = applicable_grounds(outcome)
    review = overall_review(outcome, grounds)
    exceptions = applicable_exceptions(outcome)
    verdict = headline(outcome, chip.name or chip.id, eccn, grounds, review, exceptions)
    flips, decisive = find_flips(outcome, base)
    return Determination(
        chip=chip.name or chip.id,
        chip_id=chip.id,
        on=case.on,
        kind=case.kind,
        destination=case.destination,
        destination_name=country_name(law, case.destination),
        origin=case.origin,
        exporter=case.exporter or chip.designer,
        consignee=case.consignee,
        parent=case.parent,
        headline=verdict,
        eccn=eccn,
        companions=law.companions.get(eccn, ""),
        paragraphs={name: answer(value) for name, value in outcome.paragraphs.items()},
        clauses=clauses,
        licence_required=answer(outcome.licence),
        grounds=grounds,
        tested_grounds=tuple(outcome.grounds),
        review=review,
        exceptions=exceptions,
        notices=(*notices(outcome), *more_notices),
        margins=margins(outcome, clauses),
        flips=flips,
        inputs=tuple(replace(item, is_decisive=item.name in decisive) for item in facts),
        assumptions=tuple(assumptions),
        not_checked=law.not_checked,
        evidence_horizon=law.horizon,
        sources=sources(outcome, fact_sources),
        data_version=law.version,
        overlay=law.overlay,
        trace=trace(outcome, verdict) if trace_steps else None,
    )
