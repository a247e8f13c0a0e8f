"""Lines before a server whose users started together: how long their waves stay waves.

Users of a closed loop who begin at once queue for prefill once, and from then on follow each other
at the pace at which prompts went through. They come back after an answer in the same order, spread
further only as far as the lengths of their answers differ. A short run never sees the steady state.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# The variance of a uniform distribution over its width squared is one in twelve.
_WIDTHS: Final = 12.0
_HALF: Final = 0.5
# Mean of a reflected Brownian bridge: the line before a server that is just kept busy by so many
# arrivals, in services, over the root of their number (Shorack and Wellner, 1986, section 3.8).
_BRIDGE: Final = float(np.sqrt(np.pi / 32.0))
# A use so near one that the steady line would be longer than any number of users.
_BUSIEST: Final = 0.999


def steady_line(use: ArrayLike, service_cv: ArrayLike = 0.0) -> Array:
    """Mean wait in services before a server that is busy for a share of the time.

    Pollaczek and Khinchine: use (1 + cv^2) / (2 (1 - use)), for arrivals at any time.

    Args:
        use: Share of time the server works.
        service_cv: Coefficient of variation of the services.
    """
    busy = np.minimum(np.asarray(use, dtype=np.float64), _BUSIEST)
    return np.asarray(_HALF * busy * (1.0 + np.square(service_cv)) / (1.0 - busy))


def line(
    use: ArrayLike,
    users: ArrayLike,
    *,
    service_cv: ArrayLike = 0.0,
    answer_cv: ArrayLike = 0.0,
    turns: int = 0,
) -> Array:
    """Mean wait in services of requests after the first burst.

    In turn g of a user the wave is as wide as the burst took to go through, and by the square root
    of g wider as answers differ in length: the server is busy for use / sqrt(use^2 + 12 g cv^2) of
    it. Where that is nearly always, the line is that of a bridge over the arrivals that change
    places.

    Args:
        use: Share of time the server works over the whole run.
        users: Users that wait or are served.
        service_cv: Coefficient of variation of the services.
        answer_cv: That of the lengths of answers.
        turns: Requests each user sends; 0 where they have long forgotten the start.
    """
    steady = steady_line(use, service_cv)
    if turns <= 1:
        return steady
    busy = np.maximum(np.asarray(use, dtype=np.float64), np.finfo(float).tiny)
    total: Array = np.zeros(())
    for turn in range(1, turns):
        spread = np.sqrt(_WIDTHS * turn) * np.asarray(answer_cv)
        local = np.maximum(busy / np.hypot(busy, spread), busy)
        mixed = np.minimum(np.asarray(users) * np.minimum(spread / busy, 1.0), users)
        bridge = _BRIDGE * np.sqrt((1.0 + np.square(service_cv)) * mixed)
        total = total + np.minimum(steady_line(local, service_cv), bridge)
    return np.asarray(total / (turns - 1))
