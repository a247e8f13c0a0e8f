"""The time of one engine step: hardware bound, kernel efficiency and stack overhead kept apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weir.catalog.entities import Model
from weir.catalog.stack import Stack
from weir.perf import kernels
from weir.perf.arch import operators
from weir.perf.formats import FORMATS, Precision
from weir.perf.kernels.cost import BOUNDS, Cost
from weir.perf.kernels.efficiency import Efficiency
from weir.perf.machine import Machine
from weir.perf.operators import Batch, Operator, Part
from weir.perf.parallel import Layout

Array = NDArray[np.float64]

# The quantiles of an 80 % interval of a normal distribution lie so many deviations off.
INTERVAL_DEVIATIONS: Final = 1.2815515655446004
_FORMAT_ARGUMENTS: Final = ("dtype", "kv_dtype")


@dataclass(frozen=True, slots=True)
class OperatorTime:
    """One operator of a step with its cost over all its calls."""

    operator: Operator
    cost: Cost

    @property
    def part(self) -> Part:
        """The row of the breakdown it belongs to."""
        return self.operator.part


@dataclass(frozen=True, slots=True)
class StepTime:
    """One engine step over arrays of points.

    Attributes:
        time_s: Wall time from one step to the next: kernels and what the stack adds.
        low_s: Lower end of the 80 % interval.
        high_s: Upper end.
        hardware_s: The sum of what the datasheet alone would allow each kernel.
        kernel_s: The sum of estimated kernel times.
        stack_s: What the framework adds: its kernels over the reference ones, launches, host.
        flop: Arithmetic on one chip.
        memory_bytes: Memory traffic on one chip.
        link_bytes: Traffic over links of one chip.
        operators: Every operator with its cost.
    """

    time_s: Array
    low_s: Array
    high_s: Array
    hardware_s: Array
    kernel_s: Array
    stack_s: Array
    flop: Array
    memory_bytes: Array
    link_bytes: Array
    operators: tuple[OperatorTime, ...]

    def by_part(self) -> dict[Part, Array]:
        """Kernel seconds by part of the model, parts that take none left out."""
        found: dict[Part, Array] = {}
        for item in self.operators:
            found[item.part] = found.get(item.part, np.zeros(())) + item.cost.time_s
        return found

    def by_bound(self) -> dict[str, Array]:
        """Kernel seconds by what bounds them, with the stack's own as "stack"."""
        found: dict[str, Array] = {name: np.zeros(self.time_s.shape) for name in BOUNDS}
        for item in self.operators:
            bound = np.asarray(item.cost.bound)
            for index, name in enumerate(BOUNDS):
                found[name] = found[name] + np.where(bound == index, item.cost.time_s, 0.0)
        return {**found, "stack": np.broadcast_to(self.stack_s, self.time_s.shape)}


@dataclass(frozen=True, slots=True)
class Engine:
    """A model in one layout on one kind of chip under one framework: all that a step needs."""

    model: Model
    layout: Layout
    precision: Precision
    machine: Machine
    efficiency: Efficiency
    stack: Stack

    def step(self, batch: Batch) -> StepTime:
        """Time of one step; see `step_time`."""
        return step_time(
            self.model,
            self.layout,
            self.precision,
            batch,
            self.machine,
            self.efficiency,
            self.stack,
        )


def step_time(
    model: Model,
    layout: Layout,
    precision: Precision,
    batch: Batch,
    machine: Machine,
    efficiency: Efficiency,
    stack: Stack,
) -> StepTime:
    """Time of one engine step on the busiest chip of a replica.

    Kernels run one after the other; the stack multiplies them by its own factor. A step with
    prompt tokens is launched kernel by kernel, so it takes at least the launches; a decode step
    replays a captured graph. The host's part comes on top.

    Args:
        model: The model.
        layout: Parallel degrees.
        precision: Number formats.
        batch: The sequences; fields may be arrays that broadcast with the machine's.
        machine: The chip.
        efficiency: Parameters of the kernels (`weir.catalog.calibration`).
        stack: The framework.

    Raises:
        LayoutError: The layout does not divide the model.
        MissingRateError: The chip has no rate for a format.
    """
    items = tuple(
        OperatorTime(operator, evaluate(operator, machine, efficiency))
        for operator in operators(model, layout, precision, batch)
    )
    kernel = _total(items, "time_s")
    spread = _total(items, "high_s"), _total(items, "low_s")
    prefill = batch.prefill_sequences is not None
    factor = stack.kernel_factor_prefill if prefill else stack.kernel_factor_decode
    launches = sum(item.operator.count for item in items)
    issued = stack.eager_launch_s * launches if prefill else 0.0
    # Every pipeline stage prepares its own inputs before it runs.
    host = (stack.mixed_step_s if prefill else stack.decode_step_s) * layout.pp
    sequences = _sequences(batch)
    time = np.maximum(kernel * factor, issued) + host + stack.sequence_s * sequences / layout.dp
    low, high = _interval(time, kernel, spread[1], spread[0], stack.step_log_sd)
    return StepTime(
        time_s=time,
        low_s=low,
        high_s=high,
        hardware_s=_total(items, "hardware_s"),
        kernel_s=kernel,
        stack_s=time - kernel,
        flop=_total(items, "flop"),
        memory_bytes=_total(items, "memory_bytes"),
        link_bytes=_total(items, "link_bytes"),
        operators=items,
    )


def _sequences(batch: Batch) -> Array:
    prompts = np.asarray(0.0 if batch.prefill_sequences is None else batch.prefill_sequences)
    decoding = np.asarray(0.0 if batch.decode_sequences is None else batch.decode_sequences)
    return np.asarray(prompts + decoding, dtype=np.float64)


def _interval(
    time: Array, kernel: Array, low: Array, high: Array, sd: float
) -> tuple[Array, Array]:
    """80 % interval of a step.

    Kernel errors of one chip go the same way (a rate or a floor that is off is off everywhere), so
    their ends add up; the stack's error is independent of them and adds in squares of logarithms.
    """
    stack = np.asarray(INTERVAL_DEVIATIONS * sd)
    up = np.hypot(np.log(high / kernel), stack)
    down = np.hypot(np.log(kernel / low), stack)
    return time * np.exp(-down), time * np.exp(up)


def _total(items: tuple[OperatorTime, ...], field: str) -> Array:
    total: Array = np.zeros(())
    for item in items:
        total = total + np.asarray(getattr(item.cost, field), dtype=np.float64)
    return total


def evaluate(operator: Operator, machine: Machine, efficiency: Efficiency) -> Cost:
    """Cost of all calls of one operator."""
    arguments: dict[str, Any] = dict(operator.arguments)
    for name in _FORMAT_ARGUMENTS:
        if name in arguments:
            arguments[name] = FORMATS[arguments[name]].kernel
    if operator.span:
        return exchange(operator, machine, efficiency) * operator.count
    cost: Cost = _KERNELS[operator.kernel](machine, efficiency, **arguments)
    return cost * operator.count


def exchange(operator: Operator, machine: Machine, efficiency: Efficiency) -> Cost:
    """One collective, inside a scale-up domain or across several.

    Across domains, sums and gathers run in two levels, so that each chip's network adapter carries
    only its share of the buffer: a reduce-scatter inside, the exchange of the shares across, a
    gather inside. All-to-all and point-to-point messages go straight to their receivers.
    """
    message, ranks = operator.arguments["message_bytes"], int(operator.arguments["ranks"])
    domain = int(np.nanmin(np.asarray(machine.scale_up_domain, dtype=np.float64)))
    if operator.span <= domain:
        return _call(operator.kernel, machine, efficiency, message, ranks, "scale_up")
    inside, across = min(domain, ranks), -(-ranks // domain)
    if operator.kernel not in _TWO_LEVELS or inside == 1:
        return _call(operator.kernel, machine, efficiency, message, ranks, "scale_out")
    total = _call(operator.kernel, machine, efficiency, message / inside, across, "scale_out")
    for level in _TWO_LEVELS[operator.kernel]:
        total = total + _call(level, machine, efficiency, message, inside, "scale_up")
    return total


def _call(
    kernel: str, machine: Machine, efficiency: Efficiency, message: Array, ranks: int, scope: str
) -> Cost:
    cost: Cost = _KERNELS[kernel](machine, efficiency, message, ranks, scope=scope)
    return cost


# What runs inside each domain around the exchange across domains.
_TWO_LEVELS: Final = {
    "all_reduce": ("reduce_scatter", "all_gather"),
    "all_gather": ("all_gather",),
    "reduce_scatter": ("reduce_scatter",),
}
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
