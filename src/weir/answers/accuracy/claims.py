"""What others published beside what Weir computes: agreement, or the reason for the difference."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from weir.answers.accuracy import claim_facts, claim_law, claim_speed
from weir.answers.accuracy.claim_facts import Computation
from weir.catalog.claims import Claim, load_claims
from weir.catalog.query import Catalog
from weir.core.errors import WeirError

COMPUTATIONS: Final[Mapping[str, Computation]] = {
    **claim_law.COMPUTATIONS,
    **claim_facts.COMPUTATIONS,
    **claim_speed.COMPUTATIONS,
}


class Judgement(StrEnum):
    """How a claim and our number stand to each other."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NOT_COMPUTED = "not computed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One published number beside ours.

    Attributes:
        claim: What was published.
        ours: Our number in the unit of the claim; NaN where there is none.
        judgement: Whether they agree within what the claim allows.
        reason: Why not, or why there is none; empty where they agree.
    """

    claim: Claim
    ours: float
    judgement: Judgement
    reason: str

    @property
    def difference(self) -> float:
        """Ours over the published number, less one; plain difference where that is 0."""
        if self.claim.value == 0.0:
            return self.ours
        return self.ours / self.claim.value - 1.0


@dataclass(frozen=True, slots=True)
class ClaimsCheck:
    """Every claim with its finding.

    Attributes:
        findings: In the order of the file.
        counts: Findings by judgement; a number that stands again, under another reading of its
            terms, counts once.
        data_version: Age of the catalogue.
    """

    findings: tuple[Finding, ...]
    counts: Mapping[Judgement, int]
    data_version: str


def check_claims(catalog: Catalog, claims: tuple[Claim, ...] | None = None) -> ClaimsCheck:
    """Computes our number for every claim.

    Args:
        catalog: Where chips and models are looked up.
        claims: The claims; those of the stock if left out.
    """
    chosen = load_claims() if claims is None else claims
    findings = tuple(find(claim, catalog) for claim in chosen)
    counts = Counter(found.judgement for found in findings if not found.claim.is_again)
    return ClaimsCheck(findings, {each: counts[each] for each in Judgement}, catalog.data_version)


def find(claim: Claim, catalog: Catalog) -> Finding:
    """Our number for one claim; what stops the computation becomes the reason."""
    if not claim.computed_by:
        return Finding(claim, math.nan, Judgement.NOT_COMPUTED, claim.reason)
    try:
        ours = COMPUTATIONS[claim.computed_by](catalog, claim.arguments)
    except WeirError as error:
        return Finding(claim, math.nan, Judgement.NOT_COMPUTED, str(error))
    if math.isnan(ours):
        return Finding(claim, ours, Judgement.NOT_COMPUTED, "a fact that it needs is unknown")
    finding = Finding(claim, ours, Judgement.AGREES, "")
    if abs(finding.difference) <= claim.within:
        return finding
    return Finding(claim, ours, Judgement.DIFFERS, claim.reason or "no reason is known yet")
