"""What happened to each request, written down while the simulation runs.

Tokens are not logged one by one. A worker notes when each of its decode steps ended; a sequence
notes the first and last decode step it took part in, a stretch. Both together give every token's
time exactly, in memory that grows with steps and requests.
"""

import math
from array import array
from typing import NamedTuple


class Stretch(NamedTuple):
    """Consecutive decode steps of one worker that each gave a request a token.

    Attributes:
        request: The request.
        worker: The worker.
        start_tick: First decode step.
        end_tick: The step after the last.
        previous_s: When the token before the first of these came out.
    """

    request: int
    worker: int
    start_tick: int
    end_tick: int
    previous_s: float


class ResumedToken(NamedTuple):
    """A token that came out of a prefill computed again after a preemption.

    Attributes:
        request: The request.
        time_s: When it came out.
        gap_s: Time since the token before.
    """

    request: int
    time_s: float
    gap_s: float


class Log:
    """Times and counts by request.

    Args:
        requests: Number of requests.
    """

    __slots__ = (
        "arrival_s",
        "finish_s",
        "first_token_s",
        "preemptions",
        "prefilled_tokens",
        "rejected",
        "resumed",
        "scheduled_s",
        "stretches",
    )

    def __init__(self, requests: int) -> None:
        never = array("d", [math.nan]) * requests
        self.arrival_s = never[:]
        self.scheduled_s = never[:]
        self.first_token_s = never[:]
        self.finish_s = never[:]
        self.preemptions = array("q", [0]) * requests
        self.prefilled_tokens = array("q", [0]) * requests
        self.rejected = array("b", [0]) * requests
        self.stretches: list[Stretch] = []
        self.resumed: list[ResumedToken] = []
