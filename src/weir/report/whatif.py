"""What-ifs as documents: what a changed rule catches and lets go, and whom it hits beside."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from weir.answers.changes import StatusFlip
from weir.answers.law_map import LawMap
from weir.answers.whatif import WhatIf
from weir.report.document import (
    Block,
    Cell,
    Document,
    Item,
    Listing,
    Paragraph,
    Section,
    Table,
    Weight,
)
from weir.report.maps import map_picture
from weir.report.statuses import assumed, status_cell
from weir.rules.logic import Answer

_NAMED: Final = 14  # more names than that and a map can no longer be read
_OPEN: Final = ", open today"
_NO_COLLATERAL: Final = "No captured chip is known to be outside the data-centre market."
_UNCHANGED: Final = "No chip has another status under the change."

Maps = Sequence[tuple[str, LawMap]]


def whatif_document(answer: WhatIf, asked: Sequence[str], maps: Maps = ()) -> Document:
    """The law as it is beside a changed one.

    Args:
        answer: The comparison.
        asked: Ids of the chips that were named; empty where all were asked about.
        maps: Maps to draw, each with its title, unique by title.
    """
    job = answer.transaction
    return Document(
        title=f"What if: {answer.title}",
        lead=_lead(answer),
        facts=(
            ("To", answer.destination_name),
            ("On", job.on.isoformat()),
            ("Captured", f"{len(answer.captured):,}"),
            ("Released", f"{len(answer.released):,}"),
            ("Changed otherwise", f"{len(answer.shifted):,}"),
            ("As before", f"{answer.unchanged:,}"),
            ("Data of", answer.data_version),
        ),
        sections=(
            Section("Chips whose status changes", tuple(_flips(answer))),
            Section("Collateral", _collateral(answer)),
            Section("What is changed", (_lines(answer),)),
            *_maps(answer, asked, maps),
            assumed(answer.assumptions),
        ),
        notice=f"A hypothetical, not the law. {answer.disclaimer}",
    )


def _lead(answer: WhatIf) -> str:
    count = len(answer.flips) + answer.unchanged
    if not answer.flips:
        return f"{_UNCHANGED} {count:,} were compared."
    told = (
        f"Of {count:,} chips, {len(answer.captured):,} would come to need a licence"
        f"{_of_open(answer.captured)}, {len(answer.released):,} would no longer"
        f"{_of_open(answer.released)}, {len(answer.shifted):,} would change otherwise."
    )
    return f"{told} {_hit(answer)}".rstrip()


def _of_open(flips: Sequence[StatusFlip]) -> str:
    count = sum(_is_open(flip) for flip in flips)
    return f" (for {count:,} of them that is open today)" if count else ""


def _hit(answer: WhatIf) -> str:
    if not answer.captured:
        return ""
    count = len(answer.collateral)
    if not count:
        return _NO_COLLATERAL
    names = f": {', '.join(flip.chip for flip in answer.collateral)}"
    return (
        f"{count:,} of the {len(answer.captured):,} captured are not marketed for data centres"
        f"{names}."
    )


def _flips(answer: WhatIf) -> Iterator[Block]:
    if not answer.flips:
        yield Paragraph(_UNCHANGED)
        return
    collateral = {flip.chip_id for flip in answer.collateral}
    rows: list[tuple[Cell | str, ...]] = []
    for word, flips in (
        ("captured", answer.captured),
        ("released", answer.released),
        ("otherwise", answer.shifted),
    ):
        rows += [
            (
                flip.chip,
                f"{word}{_OPEN if _is_open(flip) and word != 'otherwise' else ''}",
                status_cell(flip.before),
                status_cell(flip.after),
                "not for data centres" if flip.chip_id in collateral else "",
            )
            for flip in flips
        ]
    columns = ("Chip", "Effect", "Today", "Under the change", "Market")
    yield Table("Every chip whose status differs", columns, tuple(rows))


def _is_open(flip: StatusFlip) -> bool:
    return flip.before.licence_required is Answer.UNKNOWN


def _collateral(answer: WhatIf) -> tuple[Block, ...]:
    if not answer.collateral:
        return (Paragraph(_NO_COLLATERAL),)
    text = "Captured although not designed or marketed for data centres, gaming parts among them:"
    return (Paragraph(text), Listing(tuple(Item(flip.chip) for flip in answer.collateral)))


def _lines(answer: WhatIf) -> Block:
    if not answer.moved:
        return Paragraph("Nothing of the law differs.")
    rows = tuple(
        (item.what, item.before or "does not exist", item.after or "does not exist")
        for item in answer.moved
    )
    columns = ("Of the law", "Today", "Under the change")
    return Table("What of the law differs", columns, rows)


def _maps(answer: WhatIf, asked: Sequence[str], maps: Maps) -> Iterator[Section]:
    if not maps:
        return
    changed = _told_first(answer)
    pictures = tuple(
        map_picture(one, f"map-{number}", title, _named(one, asked, changed))
        for number, (title, one) in enumerate(maps, start=1)
    )
    text = (
        f"Named are the chips asked about and, of those whose status changes, up to {_NAMED} of "
        "which both numbers are known; the others are dots, or ticks on an edge."
    )
    yield Section("Maps", (*pictures, Paragraph(text, weight=Weight.SMALL)))


def _named(one: LawMap, asked: Sequence[str], changed: Sequence[str]) -> set[str]:
    placed = {
        place.chip_id
        for place in one.places
        if all(0 < bound < math.inf for bound in (*place.x, *place.y))
    }
    return {*asked, *[key for key in changed if key in placed][:_NAMED]}


def _told_first(answer: WhatIf) -> list[str]:
    flips: list[StatusFlip] = [*answer.collateral, *answer.captured, *answer.released]
    return list(dict.fromkeys(flip.chip_id for flip in [*flips, *answer.shifted]))
