"""Where two chips change places: tokens per chip-hour over prompt lengths and users' speeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.answers.placement import Deployment
from weir.answers.plan import DEFAULT_MOST_CHIPS, Target, search
from weir.catalog.entities import Model
from weir.catalog.query import Catalog
from weir.core.words import rounded
from weir.perf.serving import Workload

Array = NDArray[np.float64]

CONTEXTS: Final = (512.0, 2048.0, 8192.0, 32768.0, 131072.0)
USER_SPEEDS: Final = (10.0, 20.0, 40.0, 80.0)
# Prompts found in the cache to this share compare decoding alone.
DECODE_ALONE: Final = 0.999


@dataclass(frozen=True, slots=True)
class Crossover:
    """Two chips beside each other, each in the best deployment for every point.

    Attributes:
        chip: Name of one chip.
        other: Name of the other.
        osl: Output tokens.
        prefix_hit_rate: Share of prompt tokens whose cache is there already.
        contexts: Prompt tokens, one a column of `gain`.
        tokens_per_s_per_user: What each user must see, one a row of `gain`.
        gain: Tokens per chip-hour of `chip` over those of `other`; 0 where only `other` reaches
            the speed, infinite where only `chip` does, NaN where neither does.
        sentences: Where they change places, speeds with the same answer together.
    """

    chip: str
    other: str
    osl: float
    prefix_hit_rate: float
    contexts: tuple[float, ...]
    tokens_per_s_per_user: tuple[float, ...]
    gain: Array
    sentences: tuple[str, ...]


def crossovers(
    model: Model | str,
    chip: str,
    other: str,
    catalog: Catalog,
    *,
    osl: float,
    prefix_hit_rate: float = 0.0,
    speeds: Sequence[float] = USER_SPEEDS,
    contexts: Sequence[float] = CONTEXTS,
    deployment: Deployment | None = None,
    most_chips: int = DEFAULT_MOST_CHIPS,
    progress: Callable[[], None] = lambda: None,
) -> Crossover:
    """Compares two chips over prompt lengths and speeds.

    Args:
        model: The model or its name.
        chip: One chip.
        other: The other.
        catalog: Where names are looked up.
        osl: Output tokens.
        prefix_hit_rate: Share of prompt tokens whose cache is there already; near 1 compares
            decoding alone.
        speeds: Tokens per second that each user must see.
        contexts: Prompt tokens.
        deployment: Framework, number formats and options; the layout is searched, so one that it
            names is left aside.
        most_chips: Chips of the largest replica.
        progress: Called after each of the `2 * len(contexts)` searches.

    Raises:
        UnknownNameError: No such chip or model.
        NothingFitsError: The model does not fit on one of them.
    """
    rates = np.zeros((2, len(speeds), len(contexts)))
    for row, name in enumerate((chip, other)):
        for column, isl in enumerate(contexts):
            work = Workload(isl=isl, osl=osl, prefix_hit_rate=prefix_hit_rate)
            found = search(name, model, work, catalog, deployment=deployment, most_chips=most_chips)
            for line, speed in enumerate(speeds):
                reached = found.tokens_per_s_per_chip[found.meets(Target(tpot_s=1.0 / speed))]
                rates[row, line, column] = np.max(reached, initial=0.0)
            progress()
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = rates[0] / rates[1]
    names = catalog.chip(chip).name, catalog.chip(other).name
    return Crossover(
        chip=names[0],
        other=names[1],
        osl=osl,
        prefix_hit_rate=prefix_hit_rate,
        contexts=tuple(contexts),
        tokens_per_s_per_user=tuple(speeds),
        gain=gain,
        sentences=sentences_of(names, np.asarray(contexts), gain, speeds),
    )


def sentences_of(
    names: tuple[str, str], contexts: Array, gain: Array, speeds: Sequence[float]
) -> tuple[str, ...]:
    """Where two chips change places, speeds with the same answer together.

    Args:
        names: The chips.
        contexts: Prompt tokens, ascending.
        gain: Tokens per chip-hour of the first over those of the second; see `Crossover`.
        speeds: Tokens per second that each user sees, one a row of `gain`.
    """
    grouped: dict[str, list[str]] = {}
    for row, speed in zip(gain, speeds, strict=True):
        grouped.setdefault(_outcome(names, contexts, row), []).append(rounded(speed))
    return tuple(
        f"At {_listed(alike)} tokens/s per user {outcome}." for outcome, alike in grouped.items()
    )


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _outcome(names: tuple[str, str], contexts: Array, gain: Array) -> str:
    """Who needs fewer chip-hours at one speed.

    Between two lengths the place is read on a line through the logarithms of gain and length.
    """
    reached = np.flatnonzero(~np.isnan(gain))
    if not len(reached):
        return f"neither {names[0]} nor {names[1]} serves any length tried"
    gain, contexts = gain[reached], contexts[reached]
    is_ahead = gain > 1.0
    changes = np.flatnonzero(is_ahead[:-1] != is_ahead[1:])
    if not len(changes):
        better, worse = names if is_ahead[0] else names[::-1]
        return f"{better} needs fewer chip-hours than {worse} at every length tried"
    parts = []
    for index in changes.tolist():
        better, worse = names if is_ahead[index + 1] else names[::-1]
        parts.append(
            f"{better} needs fewer chip-hours than {worse} {_where(contexts, gain, index)}"
        )
    return "; ".join(parts)


def _where(contexts: Array, gain: Array, index: int) -> str:
    """The prompt length between two neighbours at which the gain is 1."""
    pair = gain[index : index + 2]
    if np.any(np.isinf(pair)) or np.any(pair == 0.0):
        return f"between {contexts[index]:,.0f} and {contexts[index + 1]:,.0f} tokens of prompt"
    low, high = np.log(contexts[index : index + 2])
    before, after = np.log(pair)
    place = np.exp(low + (high - low) * before / (before - after))
    return f"above {place:,.0f} tokens of prompt"
