"""What other readings and disputed facts would make of a verdict."""

from collections.abc import Iterator, Sequence

from weir.rules.determination import Notice
from weir.rules.inputs import ChipInputs
from weir.rules.logic import Answer
from weir.rules.verdicts import Verdict

Variant = tuple[str, ChipInputs]


def sensitivities(
    base: Verdict, variants: Sequence[Variant], others: Sequence[Verdict]
) -> Iterator[Notice]:
    """A notice for every variant of a chip under which the verdict is another.

    Args:
        base: The verdict on the chip as it is taken.
        variants: Why it could be taken otherwise, and how.
        others: The verdict on each variant.
    """
    for number, ((reason, _), other) in enumerate(zip(variants, others, strict=True), start=1):
        if other != base:
            policy = f", {other[2].replace('_', ' ')}" if other[2] else ""
            yield Notice(
                id=f"sensitivity-{number}",
                kind="sensitivity",
                title="Another reading or source would change the verdict",
                text=f"{reason}: classification {other[0]}, licence required {other[1]}{policy}",
                answer=Answer.YES,
                citation="",
                evidence="inferred",
            )
