"""Verdicts in short, row by row: classification, licence requirement, review policy."""

from typing import TypeAlias

import numpy as np

from weir.rules.evaluate import NO_POLICY, UNDETERMINED, Outcome, eccn_of, policy_codes
from weir.rules.logic import Answer, Truth

Verdict: TypeAlias = tuple[str, Answer, str]


def verdicts(outcome: Outcome, start: int, stop: int) -> list[Verdict]:
    """The verdicts of the rows from `start` up to, without, `stop`."""
    codes = policy_codes(outcome.scene.day.law)

    def column(values: Truth) -> list[int]:
        flat = np.ravel(np.asarray(values))
        part = np.broadcast_to(flat, (stop - start,)) if flat.size == 1 else flat[start:stop]
        return [int(value) for value in part]

    licence, policy = column(outcome.licence), column(outcome.policy)
    paragraphs = {name: column(value) for name, value in outcome.paragraphs.items()}
    seen: dict[tuple[int, ...], Verdict] = {}
    found: list[Verdict] = []
    for row in range(stop - start):
        key = (licence[row], policy[row], *(values[row] for values in paragraphs.values()))
        if key not in seen:
            here = {name: values[row] for name, values in paragraphs.items()}
            name = "" if policy[row] == NO_POLICY else codes.get(policy[row], UNDETERMINED)
            seen[key] = (eccn_of(here), Answer.of(licence[row]), name)
        found.append(seen[key])
    return found
