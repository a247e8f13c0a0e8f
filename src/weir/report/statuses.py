"""The status of a chip in words and colours, as the answers over time share them."""

from collections.abc import Iterable, Mapping, Sequence

from weir.report.determination import TONE_OF_LICENCE
from weir.report.document import Cell, Item, Listing, Paragraph, Section, Weight
from weir.report.palette import Tone
from weir.rules.logic import Answer
from weir.rules.periods import Cause, Status

_ECCN = {"none": "not in 3A090", "not yet": "before 3A090"}
_LICENCE = {
    Answer.YES: "licence required",
    Answer.NO: "no licence requirement found",
    Answer.UNKNOWN: "licence not determined",
}
_POLICY = {
    "undetermined": "open: depends on facts or certifications not given",
    "open": "open between denial and case by case",
}
_SHORT_POLICY = {
    "undetermined": "review policy undetermined",
    "open": "review policy open",
    "unpublished": "review policy unpublished",
}
_REQUIREMENT = {
    Answer.YES: "required",
    Answer.NO: "no requirement found",
    Answer.UNKNOWN: "not determined",
}

_SHORT = 20  # characters of a place in print such as "87 FR 62186"

Cited = Mapping[str, tuple[str, ...]]


def eccn_words(status: Status) -> str:
    """The classification in words."""
    return _ECCN.get(status.eccn, status.eccn)


def licence_words(status: Status) -> str:
    """The licence requirement in words."""
    return _LICENCE[status.licence_required]


def requirement_words(status: Status) -> str:
    """The licence requirement in words, for a column that is headed "Licence"."""
    return _REQUIREMENT[status.licence_required]


def policy_words(status: Status) -> str:
    """The review policy in words, empty where none arises."""
    return _POLICY.get(status.policy, status.policy.replace("_", " "))


def status_words(status: Status) -> str:
    """A whole status in one line."""
    policy = f", {_SHORT_POLICY.get(status.policy, policy_words(status))}" if status.policy else ""
    more = f", exception {', '.join(status.exceptions)}" if status.exceptions else ""
    return f"{eccn_words(status)}: {licence_words(status)}{policy}{more}"


def tone_of(status: Status) -> Tone:
    """The colour of a status."""
    return TONE_OF_LICENCE[status.licence_required]


def status_cell(status: Status) -> Cell:
    """A whole status as a cell."""
    return Cell(status_words(status), tone=tone_of(status))


def cause_words(causes: Iterable[Cause]) -> str:
    """Who made a change, in one line."""
    return "; ".join(cause_line(cause) for cause in causes)


def cause_line(cause: Cause) -> str:
    """One instrument with its citation, where the citation says more than its title."""
    return f"{cause.title} ({cause.citation})" if cause.citation else cause.title


def cause_name(cause: Cause) -> str:
    """How an instrument is called in a few words: its place in print, or else its title."""
    return cause.citation if 0 < len(cause.citation) <= _SHORT else cause.title


def cause_items(causes: Iterable[Cause], cited: Cited) -> tuple[Item, ...]:
    """Who made a change and what of it, with the documents behind it."""
    return tuple(
        Item(f"{cause_line(cause)}: {cause.text}", cites=cited.get(cause.instrument, ()))
        for cause in causes
    )


def assumed(lines: Sequence[str]) -> Section:
    """What was filled in."""
    block = Listing(tuple(Item(line) for line in lines)) if lines else Paragraph("Nothing.")
    return Section("Assumed", (block,))


def past_horizon(last: object, horizon: object) -> tuple[Paragraph, ...]:
    """The caution for days after the evidence ends; nothing where there are none."""
    return (
        Paragraph(
            f"The evidence reaches {horizon}. Rules published between that day and {last} are not "
            "known; no later rule was found, which is weak evidence that there is none.",
            weight=Weight.CAUTION,
        ),
    )
