"""Histories as documents: each status with its days, and the instrument behind each change."""

from collections.abc import Iterator, Sequence
from typing import Final

from weir.answers.history import History
from weir.core.provenance import Source
from weir.report.charts import Period, timeline
from weir.report.document import (
    Align,
    Block,
    Cell,
    Column,
    Document,
    Item,
    Listing,
    Paragraph,
    Picture,
    Section,
    Table,
)
from weir.report.statuses import (
    Cited,
    assumed,
    cause_items,
    cause_name,
    cause_words,
    eccn_words,
    licence_words,
    past_horizon,
    policy_words,
    requirement_words,
    status_words,
    tone_of,
)
from weir.rules.periods import StatusPeriod

_LABEL: Final = 44  # characters of an instrument's name that fit beside a bar


def history_document(
    answer: History, cited: Cited, sources: Sequence[Source], *, pictures: bool = False
) -> Document:
    """The status of a chip over time.

    Args:
        answer: The history.
        cited: Citations by instrument.
        sources: The documents that they name.
        pictures: Draw the timeline.
    """
    overlay = (("What if", "; ".join(answer.overlay)),) if answer.overlay else ()
    return Document(
        title=f"{answer.chip} to {answer.destination_name}, {answer.since} to {answer.until}",
        lead=_lead(answer),
        facts=(
            (f"On {answer.until.isoformat()}", status_words(answer.periods[-1].status)),
            ("Evidence reaches", answer.evidence_horizon.isoformat()),
            ("Data of", answer.data_version),
            *overlay,
        ),
        sections=(
            Section("Status over time", tuple(_status_blocks(answer, cited, pictures=pictures))),
            *_changes(answer, cited),
            assumed(answer.assumptions),
        ),
        sources=tuple(sources),
        notice=answer.disclaimer,
    )


def _lead(answer: History) -> str:
    last = answer.periods[-1]
    count = len(answer.periods) - 1
    if not count:
        return f"The status did not change: {status_words(last.status)}."
    noun = "time" if count == 1 else "times"
    why = cause_words(last.causes) or "a change of the law that names no cause"
    return (
        f"The status changed {count} {noun}, last on {last.start.isoformat()}: "
        f"{status_words(last.status)}. Behind it: {why}."
    )


def _status_blocks(answer: History, cited: Cited, *, pictures: bool) -> Iterator[Block]:
    if answer.until > answer.evidence_horizon:
        yield from past_horizon(answer.until, answer.evidence_horizon)
    if pictures:
        yield _picture(answer)
    excepted = any(period.status.exceptions for period in answer.periods)
    until = Column("Until", align=Align.RIGHT)  # a column that keeps its days in one line
    columns = ("From", until, "Classification", "Licence", "Review policy")
    rows = []
    for period in answer.periods:
        told = ", ".join(period.status.exceptions) or "none"
        row = _row(period, answer)
        rows.append((*row, *((told,) if excepted else ()), _why(period, cited)))
    yield Table(
        f"{answer.chip} to {answer.destination_name}",
        (*columns, *(("Exceptions",) if excepted else ()), "Changed by"),
        tuple(rows),
    )


def _row(period: StatusPeriod, answer: History) -> tuple[Cell | str, ...]:
    status = period.status
    return (
        period.start.isoformat(),
        (period.end or answer.until).isoformat(),
        eccn_words(status),
        Cell(requirement_words(status), tone=tone_of(status)),
        policy_words(status) or "does not arise",
    )


def _why(period: StatusPeriod, cited: Cited) -> Cell:
    behind = [cause.instrument for cause in period.causes]
    cites = tuple(dict.fromkeys(item for key in behind for item in cited.get(key, ())))
    names = dict.fromkeys(cause_name(cause) for cause in period.causes)
    return Cell("; ".join(names), cites=cites)


def _changes(answer: History, cited: Cited) -> Iterator[Section]:
    items = tuple(
        Item(
            status_words(period.status),
            label=period.start.isoformat(),
            tone=tone_of(period.status),
            children=cause_items(period.causes, cited),
        )
        for period in answer.periods[1:]
    )
    if items:
        yield Section("What changed", (Listing(items, ordered=True),))
    else:
        text = "Nothing in the law that bears on this transaction changed its status."
        yield Section("What changed", (Paragraph(text),))


def _picture(answer: History) -> Picture:
    bars = [
        Period(
            row="",
            start=period.start,
            end=period.end,
            tone=tone_of(period.status),
            status=f"{eccn_words(period.status)}: {licence_words(period.status)}",
            instrument=_label(period),
        )
        for period in answer.periods
    ]
    title = f"{answer.chip} to {answer.destination_name}"
    told = "; ".join(
        f"from {period.start.isoformat()} {status_words(period.status)}"
        for period in answer.periods
    )
    return Picture(
        key="timeline",
        spec=timeline(title, bars, answer.until, min(answer.evidence_horizon, answer.until)),
        caption="What the law said when; the instrument stands at the day of each change",
        alt=f"{title}: {told}.",
        source=f"The law as read up to {answer.evidence_horizon.isoformat()}.",
    )


def _label(period: StatusPeriod) -> str:
    if not period.causes:
        return ""
    names = list(dict.fromkeys(cause_name(cause) for cause in period.causes))
    name = names[0] if len(names[0]) <= _LABEL else f"{names[0][: _LABEL - 1].rstrip()}…"
    return f"{name} and {len(names) - 1} more" if len(names) > 1 else name
