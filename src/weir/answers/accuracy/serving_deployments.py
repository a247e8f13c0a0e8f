"""The deployments that measured serving runs were made on: engine, requests, users, cache."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.answers.accuracy.serving_sample import Pools, SampleRow
from weir.answers.machines import machine_of
from weir.answers.placement import assumed_routing
from weir.catalog.calibration import load_efficiency
from weir.catalog.entities import Model
from weir.catalog.kernel_tables import chips_of_tables
from weir.catalog.launches import AS_DEFAULT, Launch, PoolRun, Run, launch_of, places_of
from weir.catalog.query import Catalog
from weir.catalog.stack import Client, Habits, Stack, load_stack
from weir.core.errors import LayoutError
from weir.perf.formats import Precision, choose_precision
from weir.perf.kernels.efficiency import Efficiency
from weir.perf.memory import memory
from weir.perf.parallel import Layout, check_layout
from weir.perf.serving import Workload
from weir.perf.step import Engine

Array = NDArray[np.float64]

_MODELS: Final = {
    "Qwen/Qwen3-235B-A22B-FP8": "qwen3-235b-a22b",
    "nvidia/Llama-3.1-8B-Instruct-FP8": "llama-3.1-8b",
    "nvidia/DeepSeek-R1-NVFP4": "deepseek-r1",
    "nvidia/Qwen3-32B-NVFP4": "qwen3-32b",
    "nvidia/DeepSeek-V3.1-NVFP4": "deepseek-v3.1",
}
_FORMATS: Final = {"fp8": "fp8", "fp8_block": "fp8_block", "nvfp4": "nvfp4", "int4_wo": "int4_wo"}


@dataclass(frozen=True, slots=True)
class Deployed:
    """Runs of one deployment.

    Attributes:
        engine: The replica.
        work: Mean lengths of the requests of each run.
        users: Users of each run.
        most_sequences: Sequences the cache holds, for each run.
        client: Key of the client that sent the requests.
        launch: Options of the server.
    """

    engine: Engine
    work: Workload
    users: Array
    most_sequences: Array
    client: str
    launch: Launch

    def under(self, stack: Stack, habits: Habits) -> "Deployed":
        """The same under other framework parameters; its memory settings stay."""
        launched = self.launch.applied(replace(stack, poll_steps=habits.poll_steps))
        return replace(self, engine=replace(self.engine, stack=launched))


def deployed(
    rows: Sequence[SampleRow],
    catalog: Catalog,
    stacks: Mapping[str, Stack] | None,
    clients: Mapping[str, Client],
    efficiency: Efficiency | None = None,
) -> Deployed:
    """The deployment of runs that differ only in lengths and users.

    Args:
        rows: The runs, at least one.
        catalog: Where chips and models are looked up.
        stacks: Framework parameters by key; those of the stock if None.
        clients: Benchmark clients by key.
        efficiency: Parameters of the kernels; those of the stock if left out.

    Raises:
        UnknownNameError: The catalogue lacks the chip or model.
        LayoutError: The layout does not divide the model.
    """
    first = rows[0]
    engine = engine_of(first, catalog, stacks, efficiency=efficiency)
    client = clients[first.client]
    launch = launch_for(first)
    engine = _with_habits(engine, client, first.framework, launch)
    work = lengths_of(rows, client)
    users = np.array([row.concurrency for row in rows])
    held = memory(
        engine.model,
        engine.layout,
        engine.precision,
        engine.stack,
        engine.machine.memory_capacity_bytes,
        sequences=users,
        # Blocks are taken as sequences grow, so that the mean context fills the cache.
        context_tokens=work.decode_context,
    )
    return Deployed(engine, work, users, np.maximum(held.max_sequences, 1.0), first.client, launch)


def _with_habits(engine: Engine, client: Client, framework: str, launch: Launch) -> Engine:
    """The engine as a benchmark launches it."""
    poll = client.habits(framework).poll_steps
    return replace(engine, stack=launch.applied(replace(engine.stack, poll_steps=poll)))


def launch_for(row: SampleRow) -> Launch:
    """The options a run was launched with, where the public benchmark's scripts tell them."""
    if not row.is_public or row.layout is None:
        return AS_DEFAULT
    return launch_of(
        Run(
            framework=row.framework,
            model=row.model.rpartition("/")[2],
            precision=row.precision,
            chip=_record(row.chip),
            image=row.image,
            chips=row.layout.chips,
            users=row.concurrency,
            isl=row.isl,
        )
    )


def _record(chip: str) -> str:
    """The record of a chip that the sample names as the kernel tables do."""
    return next((each.record for each in chips_of_tables() if each.name == chip), chip)


def places_for(row: SampleRow, pools: Pools) -> float:
    """Sequences that a decode worker of a disaggregated run takes; endless where unknown."""
    if not np.isfinite(row.concurrency):
        return np.inf
    found = places_of(
        PoolRun(
            chip=_record(row.chip),
            precision=row.precision,
            image=row.image,
            isl=int(row.isl),
            osl=int(row.osl),
            users=int(row.concurrency),
            prefill_workers=pools.prefill_workers,
            decode_workers=pools.decode_workers,
            decode_chips=pools.decode.chips,
            decode_dp=pools.decode.dp,
        )
    )
    return np.inf if found is None else found


def lengths_of(rows: Sequence[SampleRow], client: Client) -> Workload:
    """Mean lengths of the requests of each run."""
    return Workload(
        isl=client.length_share * np.array([row.isl for row in rows]),
        osl=client.length_share * np.array([row.osl for row in rows]),
        isl_cv=client.length_cv,
        osl_cv=client.length_cv,
    )


def engine_of(
    row: SampleRow,
    catalog: Catalog,
    stacks: Mapping[str, Stack] | None = None,
    layout: Layout | None = None,
    efficiency: Efficiency | None = None,
) -> Engine:
    """The replica, or the worker of another layout, that a run of the sample was measured on.

    Raises:
        UnknownNameError: The catalogue lacks the chip or model.
        LayoutError: The layout does not divide the model.
    """
    chip = catalog.chip(_record(row.chip))
    model = catalog.model(_MODELS.get(row.model, row.model.rpartition("/")[2]))
    machine = machine_of(chip, catalog).machine
    layout = row.layout if layout is None else layout
    if layout is None:
        raise LayoutError("the row has no layout")
    check_layout(model, layout)
    stack = load_stack(row.framework) if stacks is None else stacks[row.framework]
    precision = _precision(row, model, frozenset(machine.dense_flop_per_s))
    efficiency = load_efficiency(row.framework) if efficiency is None else efficiency
    routing = assumed_routing()
    return Engine(model, layout, precision, machine, efficiency, stack, routing=routing)


def _precision(row: SampleRow, model: Model, rates: frozenset[str]) -> Precision:
    """The formats of a run: those of the row, where the model is not published in four bits."""
    published, _ = choose_precision(
        model.shape.weight_format, model.shape.expert_weight_format, rates
    )
    cache = "fp8" if row.framework == "trtllm" and row.weights else published.kv_cache
    if model.shape.expert_weight_format is not None or not row.weights:
        return Precision(published.weights, published.experts, cache)
    # The FP8 checkpoints of mixtures of experts are block-scaled, whatever the row calls them.
    names = {**_FORMATS, "fp8": "fp8_block"} if model.has_experts else _FORMATS
    return Precision(names[row.weights], names[row.experts], cache)
