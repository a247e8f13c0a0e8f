"""Day-exact dates: published, effective, compliance, enforced and superseded are different days."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

from weir.core.errors import DateError

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def parse_date(text: str) -> dt.date:
    """Reads YYYY-MM-DD.

    Raises:
        DateError: Not in that form, or no such day.
    """
    if not _DAY.fullmatch(text.strip()):
        raise DateError(f"'{text}' is not a date; write YYYY-MM-DD")
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError as error:
        raise DateError(f"'{text}' is not a date: {error}; write YYYY-MM-DD") from None


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` to `end`, both included; None means no bound on that side."""

    start: dt.date | None = None
    end: dt.date | None = None

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.end < self.start:
            raise DateError(f"a period cannot end ({self.end}) before it starts ({self.start})")

    def __contains__(self, day: dt.date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    def overlaps(self, other: "Period") -> bool:
        """True where the two share at least one day."""
        starts_in_time = self.end is None or other.start is None or other.start <= self.end
        ends_in_time = other.end is None or self.start is None or self.start <= other.end
        return starts_in_time and ends_in_time

    def __str__(self) -> str:
        first = self.start.isoformat() if self.start else "…"
        last = self.end.isoformat() if self.end else "…"
        return f"{first} to {last}"


def day_before(day: dt.date) -> dt.date:
    """The calendar day before."""
    return day - dt.timedelta(days=1)
