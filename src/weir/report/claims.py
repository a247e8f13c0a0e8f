"""Published claims beside our numbers, as a document."""

import math
from collections.abc import Iterator
from itertools import groupby

from weir.answers.accuracy.claims import ClaimsCheck, Finding, Judgement
from weir.core.provenance import Source
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
)


def claims_document(answer: ClaimsCheck, sources: tuple[Source, ...]) -> Document:
    """Every claim: what was published, what we compute, and what stands between them.

    Args:
        answer: The findings.
        sources: Documents behind the claims.
    """
    counts = answer.counts
    return Document(
        title="Published claims, checked",
        lead=(
            f"Of {sum(counts.values())} published numbers {counts[Judgement.AGREES]} agree with"
            f" ours, {counts[Judgement.DIFFERS]} differ and {counts[Judgement.NOT_COMPUTED]} are"
            " not computed."
        ),
        facts=(("Data of", answer.data_version),),
        sections=(
            Section("Numbers", (_table(answer.findings),)),
            Section("Claims and reasons", tuple(_reasons(answer.findings))),
        ),
        sources=sources,
    )


def _table(findings: tuple[Finding, ...]) -> Table:
    rows = tuple(
        (
            finding.claim.id,
            finding.claim.quantity,
            Cell(_text(finding.claim.value, finding.claim.unit), cites=(finding.claim.source,)),
            _text(finding.ours, finding.claim.unit),
            _difference(finding),
            finding.judgement.value,
        )
        for finding in findings
    )
    return Table(
        "What was published and what Weir computes",
        (
            "Claim",
            "Quantity",
            Column("Published", align=Align.RIGHT),
            Column("Ours", align=Align.RIGHT),
            Column("Difference", align=Align.RIGHT),
            "Judgement",
        ),
        rows,
        (
            "Ours are computed when this table is made, from the catalogue, the law and the speed"
            " model. A number agrees within a tolerance that depends on what is claimed: rounding"
            " for arithmetic, 5 to 40 % for speeds.",
        ),
    )


def _text(value: float, unit: str) -> str:
    if not math.isfinite(value):
        return "–"
    digits = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"  # noqa: PLR2004
    if abs(value) >= 1e12:  # noqa: PLR2004
        digits = f"{value:.3g}"
    return f"{digits} {unit}".strip()


def _difference(finding: Finding) -> str:
    if not math.isfinite(finding.ours):
        return "–"
    if finding.claim.value == 0.0:
        return f"{finding.ours:+.3g}"
    share = f"{finding.difference:+.1%}"
    return "0.0%" if share in {"+0.0%", "-0.0%"} else share


def _reasons(findings: tuple[Finding, ...]) -> Iterator[Block]:
    for name, group in groupby(findings, key=lambda finding: finding.claim.id):
        members = list(group)
        yield Paragraph(f"{name}: {members[0].claim.text}")
        reasons = dict.fromkeys(member.reason for member in members if member.reason)
        if reasons:
            yield Listing(tuple(Item(reason) for reason in reasons))
