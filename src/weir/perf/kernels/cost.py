"""What one kernel call costs: its time, its interval, and what bounds it."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.core.errors import InputError

Array = NDArray[np.float64]

BOUNDS: Final = ("compute", "memory", "link", "launch", "power")
COMPUTE, MEMORY, LINK, LAUNCH, POWER = range(len(BOUNDS))

# One multiply-add is two floating-point operations.
FLOP_PER_MAC: Final = 2.0


@dataclass(frozen=True)
class Cost:
    """Time of one kernel call, or of several in a row; every field broadcasts with the shapes.

    Attributes:
        time_s: Estimated time.
        hardware_s: What the datasheet alone allows: the largest of FLOP over the dense rate,
            bytes over the memory bandwidth and bytes over the link rate.
        flop: Arithmetic, one multiply-add counting two.
        memory_bytes: Operands read and results written once.
        link_bytes: Bytes that leave the chip over links.
        bound: What takes longest, an index into `BOUNDS`.
        low_s: Lower end of the 80 % interval of the time.
        high_s: Upper end.
        launch_s: Part of the time that does not grow with the work.
        groups_s: Further part that goes with the number of experts, with tokens or without.
    """

    time_s: Array
    hardware_s: Array
    flop: Array
    memory_bytes: Array
    link_bytes: Array
    bound: NDArray[np.int8]
    low_s: Array
    high_s: Array
    launch_s: Array
    groups_s: Array

    def __add__(self, other: "Cost") -> "Cost":
        """One after the other: errors of one chip go the same way, so interval ends add."""
        return Cost(
            time_s=self.time_s + other.time_s,
            hardware_s=self.hardware_s + other.hardware_s,
            flop=self.flop + other.flop,
            memory_bytes=self.memory_bytes + other.memory_bytes,
            link_bytes=self.link_bytes + other.link_bytes,
            bound=np.where(self.time_s >= other.time_s, self.bound, other.bound).astype(np.int8),
            low_s=self.low_s + other.low_s,
            high_s=self.high_s + other.high_s,
            launch_s=self.launch_s + other.launch_s,
            groups_s=self.groups_s + other.groups_s,
        )

    def __mul__(self, count: ArrayLike) -> "Cost":
        """The same call so many times in a row."""
        return scale(self, count)

    __rmul__ = __mul__


def scale(cost: Cost, count: ArrayLike) -> Cost:
    """The same call `count` times in a row; the count may be an average and need not be whole."""
    times = np.asarray(count, dtype=np.float64)
    return Cost(
        time_s=cost.time_s * times,
        hardware_s=cost.hardware_s * times,
        flop=cost.flop * times,
        memory_bytes=cost.memory_bytes * times,
        link_bytes=cost.link_bytes * times,
        bound=cost.bound,
        low_s=cost.low_s * times,
        high_s=cost.high_s * times,
        launch_s=cost.launch_s * times,
        groups_s=cost.groups_s * times,
    )


def choose(condition: ArrayLike, first: Cost, second: Cost) -> Cost:
    """The first call where a condition holds, the second elsewhere."""
    picked = {
        item.name: np.where(condition, getattr(first, item.name), getattr(second, item.name))
        for item in fields(Cost)
    }
    return Cost(**picked)


def cost(
    parts: dict[int, ArrayLike],
    time_s: ArrayLike,
    interval_log: ArrayLike,
    *,
    hardware_s: ArrayLike,
    flop: ArrayLike = 0.0,
    memory_bytes: ArrayLike = 0.0,
    link_bytes: ArrayLike = 0.0,
    groups_s: ArrayLike = 0.0,
) -> Cost:
    """Assembles a `Cost` whose fields all have the broadcast shape.

    Args:
        parts: Seconds by bound (`COMPUTE`, `MEMORY`, …); the largest names the bound.
        time_s: Estimated time.
        interval_log: Half width of the 80 % interval of the logarithm of the time.
        hardware_s: Pure roofline bound.
        flop: Arithmetic.
        memory_bytes: Memory traffic.
        link_bytes: Link traffic.
        groups_s: What of the launch part goes with the number of experts.
    """
    shape = np.broadcast_shapes(
        np.shape(time_s),
        np.shape(interval_log),
        np.shape(hardware_s),
        *(np.shape(part) for part in parts.values()),
    )
    best = np.full(shape, -np.inf)
    bound = np.zeros(shape, dtype=np.int8)
    for index, seconds in parts.items():
        longer = seconds > best
        bound = np.where(longer, index, bound).astype(np.int8)
        best = np.where(longer, seconds, best)
    time = np.broadcast_to(np.asarray(time_s, dtype=np.float64), shape)
    spread = np.exp(interval_log)
    return Cost(
        time_s=time,
        hardware_s=_full(hardware_s, shape),
        flop=_full(flop, shape),
        memory_bytes=_full(memory_bytes, shape),
        link_bytes=_full(link_bytes, shape),
        bound=bound,
        low_s=_full(time / spread, shape),
        high_s=_full(time * spread, shape),
        launch_s=_full(np.minimum(parts.get(LAUNCH, 0.0), time) - groups_s, shape),
        groups_s=_full(groups_s, shape),
    )


def _full(value: ArrayLike, shape: tuple[int, ...]) -> Array:
    return np.broadcast_to(np.asarray(value, dtype=np.float64), shape)


def sizes(kernel: str, *, allow_zero: bool = False, **named: ArrayLike) -> tuple[Array, ...]:
    """Shapes as float arrays, each checked to be a positive number.

    Raises:
        InputError: A size is zero, negative or not a number.
    """
    found = []
    for name, value in named.items():
        array = np.asarray(value, dtype=np.float64)
        good = array >= 0 if allow_zero else array > 0
        if not np.all(good):
            wrong = array[~good].flat[0] if array.ndim else float(array)
            need = "zero or more" if allow_zero else "more than zero"
            raise InputError(f"{kernel}: {name} is {wrong:g}; it must be {need}.")
        found.append(array)
    return tuple(found)
