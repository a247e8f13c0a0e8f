"""The answer to "is this controlled here, on this day?": plain, complete, for people and tools."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from weir.core.trace import Step
from weir.rules.logic import Answer

DISCLAIMER = "Information about published rules, not legal advice; it authorises nothing."


@dataclass(frozen=True, slots=True)
class Margin:
    """How far an input is from one line of the law.

    Attributes:
        clause: Provision id.
        metric: Metric id.
        label: Metric for people.
        comparison: "ge", "gt", "le" or "lt".
        threshold: As printed.
        unit: As printed.
        low: Lower bound of the input in that unit.
        high: Upper bound.
        gap_low: Input less threshold at the lower bound.
        gap_high: The same at the upper bound.
        answer: Whether the test holds.
        text: The whole in words.
    """

    clause: str
    metric: str
    label: str
    comparison: str
    threshold: float
    unit: str
    low: float
    high: float
    gap_low: float
    gap_high: float
    answer: Answer
    text: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of a classification: whether it holds, on which words."""

    id: str
    title: str
    paragraphs: tuple[str, ...]
    effect: str
    answer: Answer
    citation: str
    quote: str
    evidence: str
    instrument: str
    margins: tuple[Margin, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """How an application would be reviewed.

    Attributes:
        policy: Policy id, empty where it is not determined or no licence is needed.
        label: In words.
        meaning: What that means, and does not.
        possible: Policy ids that the inputs leave open.
        citation: The paragraph.
        conditions: What has to be certified or done for it.
        missing: Certifications and facts that are not known.
    """

    policy: str = ""
    label: str = ""
    meaning: str = ""
    possible: tuple[str, ...] = ()
    citation: str = ""
    conditions: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """One licence requirement that applies, or may."""

    id: str
    title: str
    answer: Answer
    instrument: str
    kind: str
    force: str
    binding_on: tuple[str, ...]
    citation: str
    quote: str
    evidence: str
    note: str
    review: Review


@dataclass(frozen=True, slots=True)
class LicenceException:
    """One exception and whether its terms are met; its conditions remain to be fulfilled."""

    id: str
    title: str
    answer: Answer
    conditions: tuple[str, ...]
    citation: str
    quote: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to know beside the verdict: a warning, a tariff, text that is not enforced."""

    id: str
    kind: str  # "warning", "tariff", "not enforced", "not yet applied", "foreign measure", "date",
    # "sensitivity"
    title: str
    text: str
    answer: Answer
    citation: str
    evidence: str
    instrument: str = ""


@dataclass(frozen=True, slots=True)
class Flip:
    """What would change the verdict, exactly.

    Attributes:
        variable: Input that moves, all others as they are.
        low: Lower end in the unit, -inf or 0 where open.
        high: Upper end, inf where open.
        unit: Unit of the ends; empty for a yes/no input.
        includes_low: The lower end itself belongs to it.
        includes_high: The upper end itself belongs to it.
        eccn: Classification there.
        licence_required: Licence requirement there.
        policy: Review policy there.
        text: The statement.
    """

    variable: str
    low: float
    high: float
    unit: str
    includes_low: bool
    includes_high: bool
    eccn: str
    licence_required: Answer
    policy: str
    text: str


@dataclass(frozen=True, slots=True)
class InputFact:
    """One input of the determination, with where it comes from."""

    name: str
    label: str
    text: str
    low: float
    high: float
    unit: str
    status: str = ""
    sources: tuple[str, ...] = ()
    how: str = ""
    is_decisive: bool = False  # its uncertainty leaves something of the verdict open
    note: str = ""


@dataclass(frozen=True)
class Determination:
    """What the published law says of one chip in one transaction on one day.

    Attributes:
        chip: Name of the chip.
        chip_id: Its id.
        on: The day.
        kind: Kind of transaction.
        destination: ISO code.
        destination_name: English name.
        origin: ISO code.
        exporter: Company.
        consignee: ISO code of the consignee's seat.
        parent: ISO code of its ultimate parent's seat.
        headline: The answer in one or two sentences.
        eccn: "3A090.a" …; "none" where no paragraph applies; "undetermined" where inputs leave it
            open; "not yet" before the first rule.
        companions: What else is classified with it.
        paragraphs: Answer by paragraph.
        clauses: Every clause and exclusion in force.
        licence_required: Yes, no or unknown.
        grounds: Requirements that apply or may apply.
        tested_grounds: Ids of all requirements that were tested.
        review: Review policy over all grounds.
        exceptions: Exceptions that are open or may be.
        notices: Warnings, tariffs, text that is not enforced, evidence limits.
        margins: Distance of every input from every line of the classification and the grounds.
        flips: What would change the verdict.
        inputs: The numbers and facts it rests on.
        assumptions: What was filled in.
        not_checked: What was not tested.
        evidence_horizon: The last day the evidence reaches.
        sources: Source ids of law and facts.
        data_version: Day of the data.
        overlay: Titles of what-if changes; empty for the law as it is.
        trace: Every step.
        disclaimer: What this is and is not.
    """

    chip: str
    chip_id: str
    on: dt.date
    kind: str
    destination: str
    destination_name: str
    origin: str
    exporter: str
    consignee: str
    parent: str
    headline: str
    eccn: str
    companions: str
    paragraphs: Mapping[str, Answer]
    clauses: tuple[Clause, ...]
    licence_required: Answer
    grounds: tuple[Ground, ...]
    tested_grounds: tuple[str, ...]
    review: Review
    exceptions: tuple[LicenceException, ...]
    notices: tuple[Notice, ...]
    margins: tuple[Margin, ...]
    flips: tuple[Flip, ...]
    inputs: tuple[InputFact, ...]
    assumptions: tuple[str, ...]
    not_checked: tuple[str, ...]
    evidence_horizon: dt.date
    sources: tuple[str, ...]
    data_version: str
    overlay: tuple[str, ...]
    trace: Step | None
    disclaimer: str = DISCLAIMER

    @property
    def verdict(self) -> Answer:
        """Whether a licence is required."""
        return self.licence_required

    @property
    def is_past_horizon(self) -> bool:
        """True where the day lies after the last one that the evidence reaches."""
        return self.on > self.evidence_horizon

    @property
    def decisive(self) -> tuple[str, ...]:
        """The inputs whose uncertainty leaves something of the verdict open."""
        return tuple(item.name for item in self.inputs if item.is_decisive)

    @property
    def tariffs(self) -> tuple[Notice, ...]:
        """The tariffs that apply on import into the United States."""
        return tuple(item for item in self.notices if item.kind == "tariff")

    @property
    def warnings(self) -> tuple[Notice, ...]:
        """Everything to know beside the verdict but tariffs."""
        return tuple(item for item in self.notices if item.kind != "tariff")
