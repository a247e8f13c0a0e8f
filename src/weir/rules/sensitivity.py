"""What other readings and disputed facts would make of a verdict."""

from collections.abc import Iterator, Sequence

import numpy as np

from weir.rules.determination import Notice
from weir.rules.evaluate import NO_POLICY, UNDETERMINED, eccn_of, policy_codes
from weir.rules.inputs import ChipInputs, columns
from weir.rules.logic import Answer, answer
from weir.rules.periods import settled
from weir.rules.scene import Day
from weir.rules.transaction import Case

Variant = tuple[str, ChipInputs]


def sensitivities(
    day: Day, case: Case, chip: ChipInputs, variants: Sequence[Variant]
) -> Iterator[Notice]:
    """A notice for every variant of a chip under which the verdict is another.

    Args:
        day: The law in force.
        case: The transaction.
        chip: The chip as the verdict takes it.
        variants: Why it could be taken otherwise, and how.
    """
    if not variants:
        return
    outcome = settled(day, case, columns([chip, *(variant for _, variant in variants)]))
    codes = policy_codes(day.law)
    policies = np.broadcast_to(np.ravel(outcome.policy), (len(variants) + 1,))

    def verdict(row: int) -> tuple[str, Answer, str]:
        code = int(policies[row])
        policy = "" if code == NO_POLICY else codes.get(code, UNDETERMINED)
        return eccn_of(outcome.paragraphs, row), answer(outcome.licence, row), policy

    base = verdict(0)
    for row, (reason, _) in enumerate(variants, start=1):
        other = verdict(row)
        if other != base:
            policy = f", {other[2].replace('_', ' ')}" if other[2] else ""
            yield Notice(
                id=f"sensitivity-{row}",
                kind="sensitivity",
                title="Another reading or source would change the verdict",
                text=f"{reason}: classification {other[0]}, licence required {other[1]}{policy}",
                answer=Answer.YES,
                citation="",
                evidence="inferred",
            )
