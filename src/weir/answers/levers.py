"""What moves an estimate: each property of the chip and the framework changed on its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from weir.answers.estimate import Estimate, site_of_estimate
from weir.answers.placement import Deployment
from weir.catalog.calibration import Efficiency, Table
from weir.catalog.query import Catalog
from weir.perf.machine import Machine
from weir.perf.serving import closed_loop
from weir.perf.step import Engine

# A change that a neighbouring product, a better kernel or a new release brings about.
CHANGE: Final = 0.25
_LAUNCH: Final = "launch_s"


@dataclass(frozen=True, slots=True)
class Lever:
    """One property, changed both ways.

    Attributes:
        name: What is changed.
        change: By how much, as a share.
        ttft: Ratio of TTFT to that of the estimate, with less and with more of it.
        tpot: The same of TPOT.
        tokens_per_s_per_chip: The same of output tokens.
    """

    name: str
    change: float
    ttft: tuple[float, float]
    tpot: tuple[float, float]
    tokens_per_s_per_chip: tuple[float, float]


def levers(
    answer: Estimate, deployment: Deployment, catalog: Catalog, change: float = CHANGE
) -> tuple[Lever, ...]:
    """Changes each property by a share, down and up, in the layout of an estimate.

    Args:
        answer: The estimate.
        deployment: What it was asked for; its layout is taken from the estimate.
        catalog: Where chip and model are looked up.
        change: Share of the change.
    """
    engine = site_of_estimate(answer, deployment, catalog).engine(answer.layout)
    base = _state(engine, answer)
    found = []
    for name, changed in _CHANGES.items():
        pairs = [_state(changed(engine, factor), answer) for factor in (1 - change, 1 + change)]
        less, more = pairs
        ratios = [(low / own, high / own) for own, low, high in zip(base, less, more, strict=True)]
        found.append(Lever(name, change, *ratios))
    return tuple(found)


def _state(engine: Engine, answer: Estimate) -> tuple[float, float, float]:
    state = closed_loop(engine, answer.workload, answer.users)
    rate = float(state.output_tokens_per_s_per_chip)
    return float(state.ttft_s), float(state.tpot_s), rate


def _machine(change: Callable[[Machine, float], Machine]) -> Callable[[Engine, float], Engine]:
    return lambda engine, factor: replace(engine, machine=change(engine.machine, factor))


def _bandwidth(machine: Machine, factor: float) -> Machine:
    rate = machine.memory_bandwidth_bytes_per_s * factor
    return replace(machine, memory_bandwidth_bytes_per_s=rate)


def _arithmetic(machine: Machine, factor: float) -> Machine:
    rates = {name: rate * factor for name, rate in machine.dense_flop_per_s.items()}
    return replace(machine, dense_flop_per_s=rates)


def _links(machine: Machine, factor: float) -> Machine:
    up, out = (
        getattr(machine, name) * factor
        for name in ("scale_up_bytes_per_s_per_direction", "scale_out_bytes_per_s_per_direction")
    )
    return replace(
        machine,
        scale_up_bytes_per_s_per_direction=up,
        scale_out_bytes_per_s_per_direction=out,
    )


def _power(machine: Machine, factor: float) -> Machine:
    return replace(machine, tdp_w=machine.tdp_w * factor)


def _launch(engine: Engine, factor: float) -> Engine:
    stack = replace(engine.stack, eager_launch_s=engine.stack.eager_launch_s * factor)
    return replace(engine, efficiency=_launches(engine.efficiency, factor), stack=stack)


def _launches(efficiency: Efficiency, factor: float) -> Efficiency:
    tables = {name: _scaled(table, factor) for name, table in efficiency.tables.items()}
    return replace(efficiency, tables=tables)


def _scaled(table: Table, factor: float) -> Table:
    def values(found: Mapping[str, float]) -> dict[str, float]:
        return {key: v * factor if key.endswith(_LAUNCH) else v for key, v in found.items()}

    return replace(
        table,
        shared=values(table.shared),
        generation={name: values(found) for name, found in table.generation.items()},
        dtype={name: values(found) for name, found in table.dtype.items()},
    )


def _host(engine: Engine, factor: float) -> Engine:
    stack = engine.stack
    return replace(
        engine,
        stack=replace(
            stack,
            decode_step_s=stack.decode_step_s * factor,
            mixed_step_s=stack.mixed_step_s * factor,
            sequence_s=stack.sequence_s * factor,
            request_s=stack.request_s * factor,
        ),
    )


_CHANGES: Final[Mapping[str, Callable[[Engine, float], Engine]]] = {
    "memory bandwidth": _machine(_bandwidth),
    "dense arithmetic": _machine(_arithmetic),
    "links": _machine(_links),
    "power limit": _machine(_power),
    "kernel launch time": _launch,
    "host time of the framework": _host,
}
