"""The time of one engine step: hardware bound, kernel efficiency and stack overhead kept apart."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.catalog.entities import Model
from weir.catalog.stack import Stack
from weir.perf.arch import operators
from weir.perf.evaluation import evaluate
from weir.perf.formats import FORMATS, Precision
from weir.perf.kernels.cost import BOUNDS, Cost
from weir.perf.kernels.efficiency import Efficiency
from weir.perf.machine import Machine
from weir.perf.operators import EVEN, Batch, Operator, Part, Routing
from weir.perf.parallel import Layout

Array = NDArray[np.float64]

EXCHANGE: Final = "all_to_all"
# The quantiles of an 80 % interval of a normal distribution lie so many deviations off.
INTERVAL_DEVIATIONS: Final = 1.2815515655446004


@dataclass(frozen=True, slots=True)
class OperatorTime:
    """One operator of a step over all its calls.

    Attributes:
        operator: What runs.
        cost: Its price by the kernel model.
        time_s: Its time in the framework's own kernels.
    """

    operator: Operator
    cost: Cost
    time_s: Array

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
        kernel_s: The sum of estimated times of the framework's kernels.
        stack_s: What the framework adds between them: launches and the host's work.
        flop: Arithmetic on one chip.
        memory_bytes: Memory traffic on one chip.
        link_bytes: Traffic over links of one chip.
        sequences: Sequences of the batch, whose host time the stack adds.
        has_prompts: Prompt tokens are among it, so that it is launched kernel by kernel.
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
    sequences: Array
    has_prompts: bool
    operators: tuple[OperatorTime, ...]

    def by_part(self) -> dict[Part, Array]:
        """Kernel seconds by part of the model, parts that take none left out."""
        found: dict[Part, Array] = {}
        for item in self.operators:
            found[item.part] = found.get(item.part, np.zeros(())) + item.time_s
        return found

    def by_bound(self) -> dict[str, Array]:
        """Kernel seconds by what bounds them, with the stack's own as "stack"."""
        found: dict[str, Array] = {name: np.zeros(self.time_s.shape) for name in BOUNDS}
        for item in self.operators:
            bound = np.asarray(item.cost.bound)
            for index, name in enumerate(BOUNDS):
                found[name] = found[name] + np.where(bound == index, item.time_s, 0.0)
        return {**found, "stack": np.broadcast_to(self.stack_s, self.time_s.shape)}


@dataclass(frozen=True, slots=True)
class Drafts:
    """Speculative decoding: tokens drafted each step and verified together.

    Attributes:
        tokens: Drafted tokens of a step; 0 for none.
        acceptance: Probability that a drafted token is accepted, given that those before it were.
        layers: Layers of the draft model, of the make of the model's own; 1 for a multi-token
            prediction layer.
    """

    tokens: int = 0
    acceptance: float = 0.0
    layers: float = 1.0

    @property
    def gain(self) -> float:
        """Expected tokens of a step: 1 + a + a^2 + ... + a^tokens (arXiv:2211.17192, eq. 1)."""
        return float(sum(self.acceptance**power for power in range(self.tokens + 1)))


NO_DRAFTS: Final = Drafts()


@dataclass(frozen=True, slots=True)
class Engine:
    """A model in one layout on one kind of chip under one framework: all that a step needs.

    `exchange_overlap` is the share of the time of all-to-all exchanges that runs beside kernels, as
    with two micro-batches in turn; `routing` how tokens are spread over experts.
    """

    model: Model
    layout: Layout
    precision: Precision
    machine: Machine
    efficiency: Efficiency
    stack: Stack
    drafts: Drafts = NO_DRAFTS
    exchange_overlap: float = 0.0
    routing: Routing = EVEN

    def step(self, batch: Batch) -> StepTime:
        """Time of one step; see `step_times`."""
        return step_times([(self, batch)])[0]


def step_times(wanted: Sequence[tuple[Engine, Batch]]) -> list[StepTime]:
    """Time of engine steps on the busiest chip of each replica.

    Kernels run one after the other; the stack multiplies them by its own factor. A step with
    prompt tokens is launched kernel by kernel, so it takes at least the launches; a decode step
    replays a captured graph. The host's part comes on top.

    Args:
        wanted: Engines and the sequences of a step of each; all on one machine with one set of
            efficiencies, whose kernels are priced together. Fields of a batch may be arrays that
            broadcast with the machine's.

    Raises:
        LayoutError: The layout does not divide the model.
        MissingRateError: The chip has no rate for a format.
    """
    lists = [
        operators(e.model, e.layout, e.precision, replace(batch, routing=e.routing))
        for e, batch in wanted
    ]
    first = wanted[0][0]
    together = [operator for each in lists for operator in each]
    costs = iter(evaluate(together, first.machine, first.efficiency))
    return [
        _assemble(
            engine,
            _sequences(batch),
            [(item, next(costs)) for item in each],
            has_prompts=batch.prefill_sequences is not None,
        )
        for (engine, batch), each in zip(wanted, lists, strict=True)
    ]


def with_stack(step: StepTime, engine: Engine) -> StepTime:
    """The same kernels under another framework."""
    priced = [(item.operator, item.cost) for item in step.operators]
    return _assemble(engine, step.sequences, priced, has_prompts=step.has_prompts)


def _assemble(
    engine: Engine,
    sequences: Array,
    priced: Sequence[tuple[Operator, Cost]],
    *,
    has_prompts: bool,
) -> StepTime:
    layout, stack = engine.layout, engine.stack
    costs = [cost for _, cost in priced]
    hardware = _total(costs, "hardware_s") - engine.exchange_overlap * _total(
        [cost for operator, cost in priced if operator.kernel == EXCHANGE], "hardware_s"
    )
    items = _own_kernels(priced, engine, hardware, has_prompts=has_prompts)
    busy: Array = np.zeros(())
    for item in items:
        busy = busy + item.time_s
    launches = sum(operator.count for operator, _ in priced)
    issued = stack.eager_launch_s * launches if has_prompts else 0.0
    # Every pipeline stage prepares its own inputs before it runs.
    host = (stack.mixed_step_s if has_prompts else stack.decode_step_s) * layout.pp
    added = np.asarray(issued + host + stack.sequence_s * sequences / layout.dp)
    time = busy + added
    low, high = _interval(priced, time, stack.step_log_sd)
    return StepTime(
        time_s=time,
        low_s=low,
        high_s=high,
        hardware_s=hardware,
        kernel_s=busy,
        stack_s=added,
        flop=_total(costs, "flop"),
        memory_bytes=_total(costs, "memory_bytes"),
        link_bytes=_total(costs, "link_bytes"),
        sequences=sequences,
        has_prompts=has_prompts,
        operators=items,
    )


def _sequences(batch: Batch) -> Array:
    prompts = np.asarray(0.0 if batch.prefill_sequences is None else batch.prefill_sequences)
    decoding = np.asarray(0.0 if batch.decode_sequences is None else batch.decode_sequences)
    return np.asarray(prompts + decoding, dtype=np.float64)


def _own_kernels(
    priced: Sequence[tuple[Operator, Cost]],
    engine: Engine,
    hardware: Array,
    *,
    has_prompts: bool,
) -> tuple[OperatorTime, ...]:
    """The framework's own kernels in the place of those that the model prices.

    What fusion and overlapping launches save is taken off all of them alike, down to what the
    datasheet allows.
    """
    stack = engine.stack
    factor = stack.kernel_factor_prefill if has_prompts else stack.kernel_factor_decode
    times = [
        _own_kernel(operator, cost, engine, has_prompts=has_prompts)
        * factor
        * (1.0 - engine.exchange_overlap if operator.kernel == EXCHANGE else 1.0)
        for operator, cost in priced
    ]
    total: Array = np.zeros(())
    for time in times:
        total = total + time
    launches = sum(operator.count for operator, _ in priced)
    saved = 0.0 if has_prompts else stack.fused_launch_s * launches
    left = np.maximum(total - saved, hardware) / total
    return tuple(
        OperatorTime(operator, cost, np.asarray(time * left))
        for (operator, cost), time in zip(priced, times, strict=True)
    )


def _own_kernel(operator: Operator, cost: Cost, engine: Engine, *, has_prompts: bool) -> Array:
    """Time of a kernel in the framework's own version of it."""
    words = operator.arguments
    form = str(words.get("dtype", words.get("kv_dtype", words.get("variant", ""))))
    kernel = FORMATS[form].kernel if form in FORMATS else form
    family = engine.efficiency.family(engine.machine.generation)
    found = engine.stack.factors(operator.kernel, kernel, family)
    work = found.prefill if has_prompts else found.decode
    return (
        cost.time_s * work
        + cost.launch_s * (found.launch - work)
        + cost.groups_s * (found.groups - work)
    )


def _interval(
    priced: Sequence[tuple[Operator, Cost]], time: Array, sd: float
) -> tuple[Array, Array]:
    """80 % interval of a step.

    Errors of one kernel go the same way wherever it is called (a rate or a floor that is off is
    off everywhere), so its ends add up; errors of different kernels, and of the stack, are
    independent and add in squares.
    """
    up: dict[str, Array] = {}
    down: dict[str, Array] = {}
    kernel: Array = np.zeros(())
    for operator, cost in priced:
        name, kernel = operator.kernel, kernel + cost.time_s
        up[name] = up.get(name, np.zeros(())) + (cost.high_s - cost.time_s)
        down[name] = down.get(name, np.zeros(())) + (cost.time_s - cost.low_s)
    above = np.sqrt(sum(np.square(value) for value in up.values()))
    below = np.sqrt(sum(np.square(value) for value in down.values()))
    stack = INTERVAL_DEVIATIONS * sd
    wide = np.hypot(np.log1p(above / kernel), stack)
    deep = np.hypot(-np.log1p(-below / kernel), stack)
    return time * np.exp(-deep), time * np.exp(wide)


def _total(costs: Sequence[Cost], field: str) -> Array:
    total: Array = np.zeros(())
    for cost in costs:
        total = total + np.asarray(getattr(cost, field), dtype=np.float64)
    return total
