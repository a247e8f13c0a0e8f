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
        flat = np.ravel(values)
        return flat.tolist() * count if flat.size == 1 else flat[start:stop].tolist()

    count = stop - start
    names = tuple(outcome.paragraphs)
    table = zip(
        column(outcome.licence),
        column(outcome.policy),
        *(column(value) for value in outcome.paragraphs.values()),
        strict=True,
    )
    seen: dict[tuple[int, ...], Verdict] = {}
    found: list[Verdict] = []
    for key in table:
        verdict = seen.get(key)
        if verdict is None:
            licence, policy, *paragraphs = key
            name = "" if policy == NO_POLICY else codes.get(policy, UNDETERMINED)
            eccn = eccn_of(dict(zip(names, paragraphs, strict=True)))
            verdict = seen[key] = (eccn, Answer.of(licence), name)
        found.append(verdict)
    return found
