"""One chip, one transaction, one day: the determination with its reasons."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from weir.catalog.law import Law
from weir.rules.determination import Determination, Flip, InputFact, Notice
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
from weir.rules.inputs import ChipInputs, columns
from weir.rules.logic import answer
from weir.rules.metrics import Bounds
from weir.rules.places import country_name
from weir.rules.scenarios import is_uncertain, joined, settle, sweeps, worlds
from weir.rules.scene import Scene, law_on
from weir.rules.sensitivity import Variant, sensitivities
from weir.rules.transaction import Transaction, resolve
from weir.rules.verdicts import verdicts

FactsOf = Callable[[Mapping[str, Bounds]], Iterable[InputFact]]


def determine_inputs(
    chip: ChipInputs,
    transaction: Transaction,
    law: Law,
    *,
    trace_steps: bool = True,
    facts: FactsOf | None = None,
    assumptions: Sequence[str] = (),
    variants: Sequence[Variant] = (),
) -> Determination:
    """Applies the law of the day to one chip in one transaction.

    Args:
        chip: What the law reads of the chip.
        transaction: What is done with it.
        law: The law, as it is or with what-if changes.
        trace_steps: Leave out the trace where nobody reads it.
        facts: Makes the inputs with their sources of the metrics of the chip; None where there
            are no sources.
        assumptions: What the caller filled in.
        variants: How else the chip could be read, each with the reason; told where it matters.

    Raises:
        WeirError: An unknown country or certification, or contradictory facts.
    """
    case = resolve(law, transaction)
    day = law_on(law, transaction.on)
    # One evaluation for the chip, its variants, the chip with one input moved at a time, and every
    # possible world of what is uncertain.
    head = columns([chip, *(variant for _, variant in variants)])
    rows, plans = sweeps(day, head)
    moved_to = head.rows + rows.rows
    is_open = bool(is_uncertain(head).any())
    parts = (head, rows, worlds(day, head).chips) if is_open else (head, rows)
    outcome = evaluate(Scene(day, case, joined(*parts)))
    moved = verdicts(outcome, head.rows, moved_to)
    if is_open:
        settle(outcome, outcome, moved_to, head.rows)
    now, *others = verdicts(outcome, 0, head.rows)
    flips, decisive = find_flips(now, plans, moved, head)
    inputs = plain_inputs(outcome) if facts is None else tuple(facts(head.metrics))
    return _assemble(
        outcome,
        chip,
        trace_steps=trace_steps,
        inputs=tuple(
            replace(item, is_decisive=True) if item.name in decisive else item for item in inputs
        ),
        flips=flips,
        assumptions=(*assumptions, *case.assumptions),
        more_notices=tuple(sensitivities(now, variants, others)),
    )


def _assemble(
    outcome: Outcome,
    chip: ChipInputs,
    *,
    trace_steps: bool,
    inputs: tuple[InputFact, ...],
    flips: tuple[Flip, ...],
    assumptions: tuple[str, ...],
    more_notices: tuple[Notice, ...],
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
        inputs=inputs,
        assumptions=assumptions,
        not_checked=law.not_checked,
        evidence_horizon=law.horizon,
        sources=sources(outcome, [_document(cited) for item in inputs for cited in item.sources]),
        data_version=law.version,
        overlay=law.overlay,
        trace=trace(outcome, verdict) if trace_steps else None,
    )


def _document(citation: str) -> str:
    return citation.partition("#")[0]
