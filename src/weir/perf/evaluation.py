"""Operators to costs, many at a time: calls of one kernel are stacked and priced together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weir.perf import kernels
from weir.perf.formats import FORMATS
from weir.perf.kernels.cost import Cost
from weir.perf.kernels.efficiency import Efficiency
from weir.perf.machine import Machine
from weir.perf.operators import Operator

Array = NDArray[np.float64]

_FORMAT_ARGUMENTS: Final = ("dtype", "kv_dtype")
# Other words among the arguments of kernels.
_WORDS: Final = ("variant",)
# What runs inside each domain around the exchange across domains.
_TWO_LEVELS: Final = {
    "all_reduce": ("reduce_scatter", "all_gather"),
    "all_gather": ("all_gather",),
    "reduce_scatter": ("reduce_scatter",),
}
# From here on looking for repeated shapes is cheaper than pricing them again.
_WORTH_FOLDING: Final = 4096
_KERNELS: Final[Mapping[str, Any]] = {
    name: getattr(kernels, name)
    for name in (
        "gemm",
        "attention_prefill",
        "attention_decode",
        "mla_prefill",
        "mla_decode",
        "moe_gemm",
        "all_reduce",
        "all_gather",
        "reduce_scatter",
        "all_to_all",
        "p2p",
        "elementwise",
        "convolution_prefill",
        "convolution_decode",
        "linear_prefill",
        "linear_decode",
        "mamba_prefill",
        "mamba_decode",
        "indexer_prefill",
        "indexer_decode",
        "key_selection",
        "sparse_mla_prefill",
    )
}
_FIELDS: Final = tuple(item.name for item in fields(Cost))


@dataclass(frozen=True, slots=True)
class _Call:
    """One kernel call: the words among its arguments, the numbers, and how often it is made."""

    kernel: str
    words: tuple[tuple[str, str], ...]
    numbers: Mapping[str, Any]
    count: float


def evaluate(
    operators: Sequence[Operator], machine: Machine, efficiency: Efficiency
) -> tuple[Cost, ...]:
    """Cost of all calls of each operator.

    Args:
        operators: Operators of one step or of many.
        machine: The chip; its columns may be arrays that broadcast with the operators' arguments.
        efficiency: Parameters of the kernels.

    Returns:
        One cost an operator, in the same order, in the broadcast shape of its arguments.

    Raises:
        MissingRateError: The chip has no rate for a format.
        InputError: A size is not positive, or a link rate is unknown.
    """
    calls: list[_Call] = []
    parts: list[range] = []
    for operator in operators:
        start = len(calls)
        calls += _calls(operator, machine)
        parts.append(range(start, len(calls)))
    costs = _price(calls, machine, efficiency)
    return tuple(_sum(costs, part) for part in parts)


def _sum(costs: Sequence[Cost], part: range) -> Cost:
    total = costs[part.start]
    for index in part[1:]:
        total = total + costs[index]
    return total


def _calls(operator: Operator, machine: Machine) -> list[_Call]:
    if operator.span:
        return _exchange(operator, machine)
    words = {
        name: FORMATS[value].kernel
        for name, value in operator.arguments.items()
        if name in _FORMAT_ARGUMENTS
    }
    words |= {name: operator.arguments[name] for name in _WORDS if name in operator.arguments}
    numbers = {name: v for name, v in operator.arguments.items() if name not in words}
    return [_Call(operator.kernel, tuple(words.items()), numbers, operator.count)]


def _exchange(operator: Operator, machine: Machine) -> list[_Call]:
    """One collective, inside a scale-up domain or across several.

    Across domains, sums and gathers run in two levels, so that each chip's network adapter carries
    only its share of the buffer: a reduce-scatter inside, the exchange of the shares across, a
    gather inside. All-to-all and point-to-point messages go straight to their receivers.
    """
    message, ranks = operator.arguments["message_bytes"], int(operator.arguments["ranks"])
    domain = int(np.nanmin(np.asarray(machine.scale_up_domain, dtype=np.float64)))

    def transfer(kernel: str, message: Array, ranks: int, scope: str) -> _Call:
        sizes = {"message_bytes": message, "ranks": ranks}
        return _Call(kernel, (("scope", scope),), sizes, operator.count)

    if operator.span <= domain:
        return [transfer(operator.kernel, message, ranks, "scale_up")]
    inside, across = min(domain, ranks), -(-ranks // domain)
    if operator.kernel not in _TWO_LEVELS or inside == 1:
        return [transfer(operator.kernel, message, ranks, "scale_out")]
    around = _TWO_LEVELS[operator.kernel]
    return [
        transfer(operator.kernel, message / inside, across, "scale_out"),
        *(transfer(level, message, inside, "scale_up") for level in around),
    ]


def _price(calls: Sequence[_Call], machine: Machine, efficiency: Efficiency) -> Sequence[Cost]:
    if _has_columns(machine):
        return [
            _KERNELS[call.kernel](machine, efficiency, **call.numbers, **dict(call.words))
            * call.count
            for call in calls
        ]
    # Calls that leave out an argument cannot be stacked on calls that give it.
    groups: dict[tuple[str, tuple[tuple[str, str], ...], frozenset[str]], list[int]] = {}
    for index, call in enumerate(calls):
        groups.setdefault((call.kernel, call.words, frozenset(call.numbers)), []).append(index)
    found: dict[int, Cost] = {}
    for (kernel, words, _), members in groups.items():
        columns, places = _stack([calls[index] for index in members])
        cost: Cost = _KERNELS[kernel](machine, efficiency, **columns, **dict(words))
        counts = [calls[index].count for index in members]
        cost = cost * np.repeat(counts, [place.length for place in places])
        values = [getattr(cost, name) for name in _FIELDS]
        for index, place in zip(members, places, strict=True):
            found[index] = Cost(*(place.cut(value) for value in values))
    return [found[index] for index in range(len(calls))]


def _has_columns(machine: Machine) -> bool:
    numeric = (getattr(machine, item.name) for item in fields(machine)[3:])
    return any(np.ndim(value) for value in numeric) or any(
        np.ndim(rate) for rate in machine.dense_flop_per_s.values()
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one call stands in the columns of all, and the way back to its shape."""

    start: int
    length: int
    shape: tuple[int, ...]
    inverse: NDArray[np.intp] | None

    def cut(self, column: NDArray[Any]) -> NDArray[Any]:
        """The call's own part of a column."""
        part = column[self.start : self.start + self.length]
        if self.inverse is not None:
            part = part[self.inverse]
        return part if len(self.shape) == 1 else part.reshape(self.shape)


def _stack(calls: Sequence[_Call]) -> tuple[dict[str, Array], list[_Place]]:
    """The numbers of calls of one kernel as flat columns, and the place of each call in them."""
    places: list[_Place] = []
    numbers: list[Mapping[str, Any]] = []
    end = 0
    for call in calls:
        shape = _shape(call.numbers)
        length, given, inverse = math.prod(shape), call.numbers, None
        if length > _WORTH_FOLDING:
            given, inverse = _folded(given)
            length = length if inverse is None else math.prod(_shape(given))
        places.append(_Place(end, length, shape, inverse))
        numbers.append(given)
        end += length
    columns: dict[str, Array] = {}
    for name in calls[0].numbers:
        column = columns[name] = np.empty(end)
        for place, given in zip(places, numbers, strict=True):
            part = column[place.start : place.start + place.length]
            if place.inverse is None and len(place.shape) > 1:
                part = part.reshape(place.shape)
            part[...] = given[name]
    return columns, places


def _shape(numbers: Mapping[str, Any]) -> tuple[int, ...]:
    # Most are plain numbers, whose shape is not worth asking numpy for.
    shapes = {np.shape(v) for v in numbers.values() if not isinstance(v, int | float)} - {()}
    return next(iter(shapes), ()) if len(shapes) <= 1 else np.broadcast_shapes(*shapes)


def _folded(numbers: Mapping[str, Any]) -> tuple[Mapping[str, Any], NDArray[np.intp] | None]:
    """Each value of the only column that varies once; the numbers as they are where several do."""
    varying = [name for name, value in numbers.items() if np.size(value) > 1]
    if len(varying) != 1:
        return numbers, None
    name = varying[0]
    distinct, inverse = np.unique(numbers[name], return_inverse=True)
    alone = {key: np.ravel(value)[0] for key, value in numbers.items() if key != name}
    return {**alone, name: distinct}, inverse.ravel()
