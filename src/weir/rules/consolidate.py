"""The text of an entry on a day: the first text and every amendment up to then."""

import datetime as dt
from collections.abc import Iterator

from weir.catalog.law import Amendment, Law
from weir.core.errors import InputError


def amendments(law: Law, unit: str) -> tuple[Amendment, ...]:
    """Every amendment of an entry, the oldest first."""
    found = [
        item
        for instrument in law.instruments.values()
        for item in instrument.amendments
        if item.unit == unit
    ]
    return tuple(sorted(found, key=lambda item: item.effective))


def consolidated(law: Law, unit: str, on: dt.date) -> dict[str, str]:
    """The words of an entry as amended up to a day, by paragraph.

    Raises:
        InputError: An amendment that cannot be carried out: a paragraph added twice, or changed
            or removed where there is none.
    """
    text: dict[str, str] = {}
    for item in amendments(law, unit):
        if item.effective > on:
            break
        is_there = item.paragraph in text
        if is_there == (item.action == "add"):
            state = "is there already" if is_there else "is not there"
            raise InputError(
                f"{unit} {item.paragraph} on {item.effective}: cannot {item.action}, it {state}"
            )
        if item.action == "remove":
            del text[item.paragraph]
        else:
            text[item.paragraph] = item.text
    return dict(sorted(text.items(), key=lambda pair: _order(pair[0])))


def _order(paragraph: str) -> tuple[bool, str]:
    return paragraph.startswith("note"), paragraph


def as_markdown(unit: str, text: dict[str, str]) -> str:
    """A consolidated entry as a list, one paragraph a line."""
    return "\n".join(_lines(unit, text)) + "\n"


def _lines(unit: str, text: dict[str, str]) -> Iterator[str]:
    yield f"# {unit}"
    yield ""
    for paragraph, words in text.items():
        yield f"- **{paragraph}.** {words}"
