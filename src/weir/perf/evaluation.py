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
    )
}
_FIELDS: Final = tuple(item.name for item in fields(Cost))


@dataclass(frozen=True, slots=True)
class _Call:
    """One kernel call: the words among its arguments, and the numbers."""

    kernel: str
    words: tuple[tuple[str, str], ...]
    numbers: Mapping[str, Any]


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
    return tuple(
        _sum(costs, part) * operator.count for operator, part in zip(operators, parts, strict=True)
    )


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
    numbers = {name: v for name, v in operator.arguments.items() if name not in words}
    return [_Call(operator.kernel, tuple(words.items()), numbers)]


def _exchange(operator: Operator, machine: Machine) -> list[_Call]:
    """One collective, inside a scale-up domain or across several.

    Across domains, sums and gathers run in two levels, so that each chip's network adapter carries
    only its share of the buffer: a reduce-scatter inside, the exchange of the shares across, a
    gather inside. All-to-all and point-to-point messages go straight to their receivers.
    """
    message, ranks = operator.arguments["message_bytes"], int(operator.arguments["ranks"])
    domain = int(np.nanmin(np.asarray(machine.scale_up_domain, dtype=np.float64)))
    if operator.span <= domain:
        return [_transfer(operator.kernel, message, ranks, "scale_up")]
    inside, across = min(domain, ranks), -(-ranks // domain)
    if operator.kernel not in _TWO_LEVELS or inside == 1:
        return [_transfer(operator.kernel, message, ranks, "scale_out")]
    around = _TWO_LEVELS[operator.kernel]
    return [
        _transfer(operator.kernel, message / inside, across, "scale_out"),
        *(_transfer(level, message, inside, "scale_up") for level in around),
    ]


def _transfer(kernel: str, message: Array, ranks: int, scope: str) -> _Call:
    return _Call(kernel, (("scope", scope),), {"message_bytes": message, "ranks": ranks})


def _price(calls: Sequence[_Call], machine: Machine, efficiency: Efficiency) -> Sequence[Cost]:
    if _has_columns(machine):
        return [
            _KERNELS[call.kernel](machine, efficiency, **call.numbers, **dict(call.words))
            for call in calls
        ]
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[int]] = {}
    for index, call in enumerate(calls):
        groups.setdefault((call.kernel, call.words), []).append(index)
    found: dict[int, Cost] = {}
    for (kernel, words), members in groups.items():
        stacked = [_stack(calls[index].numbers) for index in members]
        numbers = {
            name: np.concatenate([item.columns[name] for item in stacked])
            for name in stacked[0].columns
        }
        cost: Cost = _KERNELS[kernel](machine, efficiency, **numbers, **dict(words))
        start = 0
        for index, item in zip(members, stacked, strict=True):
            found[index] = item.unstack(cost, start)
            start += item.length
    return [found[index] for index in range(len(calls))]


def _has_columns(machine: Machine) -> bool:
    numeric = (getattr(machine, item.name) for item in fields(machine)[3:])
    return any(np.ndim(value) for value in numeric) or any(
        np.ndim(rate) for rate in machine.dense_flop_per_s.values()
    )


@dataclass(frozen=True, slots=True)
class _Stacked:
    """The numbers of one call as flat columns, and the way back to their shape."""

    columns: Mapping[str, Array]
    shape: tuple[int, ...]
    inverse: NDArray[np.intp] | None

    @property
    def length(self) -> int:
        return len(next(iter(self.columns.values())))

    def unstack(self, cost: Cost, start: int) -> Cost:
        end = start + self.length
        values = {name: getattr(cost, name)[start:end] for name in _FIELDS}
        if self.inverse is not None:
            values = {name: value[self.inverse] for name, value in values.items()}
        return Cost(**{name: value.reshape(self.shape) for name, value in values.items()})


def _stack(numbers: Mapping[str, Any]) -> _Stacked:
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in numbers.items()}
    varying = [name for name, value in arrays.items() if value.size > 1]
    shape = np.broadcast_shapes(*(value.shape for value in arrays.values()))
    if len(varying) == 1 and arrays[varying[0]].size > _WORTH_FOLDING:
        name = varying[0]
        distinct, inverse = np.unique(arrays[name], return_inverse=True)
        columns = {key: np.full(len(distinct), value.flat[0]) for key, value in arrays.items()}
        return _Stacked({**columns, name: distinct}, shape, inverse.ravel())
    length = math.prod(shape)
    flat = {name: _column(value, shape, length) for name, value in arrays.items()}
    return _Stacked(flat, shape, None)


def _column(value: Array, shape: tuple[int, ...], length: int) -> Array:
    if value.size == 1:
        return np.full(length, value.item())
    return np.broadcast_to(value, shape).ravel()
