"""The clock and the calendar of a simulation: events in a total order.

Two events never compare equal: time decides, then priority, then the order of entry. A run is
therefore the same on every machine, and a calendar that was pickled goes on where it stopped.
"""

import heapq
import math
from typing import NamedTuple

from weir.core.errors import InputError


class Event(NamedTuple):
    """Something that happens at an instant.

    Attributes:
        time_s: When.
        priority: Who goes first at one instant; lower first.
        sequence: Order of entry, unique in a calendar.
        kind: What happens; the owner of the calendar gives it a meaning.
        subject: To whom: a worker or a request.
        version: The owner's stamp; an event whose stamp is out of date is void.
    """

    time_s: float
    priority: int
    sequence: int
    kind: int
    subject: int
    version: int


class Calendar:
    """Events to come, and the time of the last one taken out."""

    __slots__ = ("_heap", "_sequence", "now_s")

    def __init__(self) -> None:
        self.now_s = 0.0
        self._heap: list[Event] = []
        self._sequence = 0

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def next_s(self) -> float:
        """Time of the next event; infinity where there is none."""
        return self._heap[0].time_s if self._heap else math.inf

    def push(self, time_s: float, priority: int, kind: int, subject: int, version: int = 0) -> None:
        """Enters an event.

        Raises:
            InputError: The time lies in the past or is not a number, which a step time that is
                negative or not a number brings about.
        """
        if not time_s >= self.now_s:
            raise InputError(
                f"an event at {time_s} s cannot follow {self.now_s} s; "
                "step, think and transfer times must be numbers of at least 0"
            )
        heapq.heappush(self._heap, Event(time_s, priority, self._sequence, kind, subject, version))
        self._sequence += 1

    def pop(self) -> Event:
        """Takes the next event out and moves the clock to it."""
        event = heapq.heappop(self._heap)
        self.now_s = event.time_s
        return event
