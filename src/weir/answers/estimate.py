"""How fast a model runs on a chip, with what memory, energy and money, and what bounds it."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.answers.placement import (
    SENSIBLE_SEQUENCES,
    Deployment,
    Placement,
    Site,
    choose_layout,
    default_sequences,
    site_of,
    smallest_that_holds,
)
from weir.answers.pricing import hourly_price
from weir.catalog.entities import Chip, Model
from weir.catalog.query import Catalog
from weir.catalog.stack import Economics, load_economics
from weir.core.defaults import DEFAULT_ISL, DEFAULT_OSL
from weir.core.errors import InputError
from weir.core.provenance import Fact, Status, weakest
from weir.core.words import counted
from weir.perf.economics import (
    HourlyPrice,
    chip_power_w,
    electricity_usd_per_hour,
    facility_power_w,
    usd_per_million_tokens,
)
from weir.perf.formats import FORMATS, Precision
from weir.perf.memory import Memory
from weir.perf.parallel import Layout
from weir.perf.serving import Serving, Workload, closed_loop, prefill_step
from weir.perf.step import StepTime

Array = NDArray[np.float64]

DEFAULT_WORKLOAD: Final = Workload(isl=DEFAULT_ISL, osl=DEFAULT_OSL)
METHOD: Final = (
    "First speed model: kernels are priced from the datasheet with what A100, H100, L40S and B200"
    " have in common, frameworks as on H100 and B200; any other chip is a prediction. The interval"
    " is meant to hold 80 % of measured values."
)


@dataclass(frozen=True, slots=True)
class Ranged:
    """An estimate with its 80 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PhaseTime:
    """One step, taken apart.

    Attributes:
        time: Wall time of the step.
        hardware_s: What the datasheet alone would allow.
        kernel_s: Estimated kernels.
        stack_s: What the framework adds.
        by_part: Kernel seconds by part of the model.
        by_bound: Seconds by what bounds them: compute, memory, link, launch, stack.
    """

    time: Ranged
    hardware_s: float
    kernel_s: float
    stack_s: float
    by_part: Mapping[str, float]
    by_bound: Mapping[str, float]

    @property
    def bottleneck(self) -> str:
        """What bounds most of the step."""
        return max(self.by_bound, key=lambda name: self.by_bound[name])


@dataclass(frozen=True, slots=True)
class Estimate:
    """One deployment of one model on one kind of chip.

    Attributes:
        chip: Name of the chip.
        model: Name of the model.
        layout: Parallel degrees of a replica.
        chips: Chips of a replica.
        smallest_chips: The fewest chips that hold weights and one sequence; None where none do.
        precision: Number formats.
        framework: Serving framework.
        workload: The requests.
        users: Users of the replica, each with one request under way.
        max_users: Users whose cache fits.
        memory: Memory of the fullest chip.
        ttft_s: Mean time to first token with `users` users.
        tpot_s: Mean time per output token.
        request_s: Mean time of a request.
        prefill: The step, or the equal steps, of a prompt alone.
        prefill_steps: How many of them a prompt takes.
        decode: The decode step of the batch.
        output_tokens_per_s_per_chip: Output tokens.
        output_tokens_per_s_per_user: 1 / TPOT.
        power_w_per_chip: Mean power of a chip; NaN where its design power is unknown.
        energy_j_per_output_token: At the meter, host and building included.
        price: What an hour of a chip costs; NaN where nothing is known.
        usd_per_million_output_tokens: At that price, in full use.
        assumptions: Every sentence a reader should know.
        facts: The facts of the datasheet that were used.
        sources: The citations behind them.
        status: The weakest status among what was used.
    """

    chip: str
    model: str
    layout: Layout
    chips: int
    smallest_chips: int | None
    precision: Precision
    framework: str
    workload: Workload
    users: float
    max_users: int
    memory: Memory
    ttft_s: Ranged
    tpot_s: Ranged
    request_s: Ranged
    prefill: PhaseTime
    prefill_steps: int
    decode: PhaseTime
    output_tokens_per_s_per_chip: Ranged
    output_tokens_per_s_per_user: Ranged
    power_w_per_chip: float
    energy_j_per_output_token: float
    price: HourlyPrice
    usd_per_million_output_tokens: float
    assumptions: tuple[str, ...]
    facts: Mapping[str, Fact]
    sources: tuple[str, ...]
    status: Status


@dataclass(frozen=True, slots=True)
class Frontier:
    """Throughput against interactivity for one deployment, over numbers of users.

    Attributes:
        chip: Name of the chip.
        layout: Parallel degrees.
        users: Users of the replica.
        tokens_per_s_per_user: What one user sees.
        tokens_per_s_per_chip: What one chip delivers.
        low: Lower end of the 80 % interval of `tokens_per_s_per_chip`.
        high: Upper end.
        ttft_s: Mean time to first token.
    """

    chip: str
    layout: Layout
    users: Array
    tokens_per_s_per_user: Array
    tokens_per_s_per_chip: Array
    low: Array
    high: Array
    ttft_s: Array


def site_of_estimate(answer: Estimate, deployment: Deployment, catalog: Catalog) -> Site:
    """The site of an estimate, with the layout that was found.

    Args:
        answer: The estimate.
        deployment: What it was asked for.
        catalog: Where chip and model are looked up.
    """
    fixed = replace(deployment, layout=answer.layout, chips=answer.chips)
    return site_of(catalog.chip(answer.chip), catalog.model(answer.model), fixed, catalog)


def estimate(
    chip: Chip | str,
    model: Model | str,
    deployment: Deployment | None = None,
    workload: Workload = DEFAULT_WORKLOAD,
    catalog: Catalog | None = None,
    *,
    users: float | None = None,
    usd_per_chip_hour: float | None = None,
    on: dt.date | None = None,
) -> Estimate:
    """Estimates one deployment.

    Args:
        chip: The chip or its name.
        model: The model or its name.
        deployment: Chips, layout, framework and formats; the smallest sensible one if left out.
        workload: The requests.
        catalog: Where names are looked up; the stock if left out.
        users: Users of one replica; `SENSIBLE_SEQUENCES` if left out, or as many as the chips that
            are asked for hold.
        usd_per_chip_hour: Price of a chip for an hour; the newest offer of the catalogue if left
            out.
        on: The day whose price is meant: later offers are left aside.

    Raises:
        UnknownNameError: No such chip, model or framework.
        LayoutError: The layout does not divide the model.
        NothingFitsError: The model or the batch does not fit; the message says what would.
        InputError: A count that is no count, or a datasheet that lacks what is needed.
    """
    catalog = Catalog.from_environment() if catalog is None else catalog
    deployment = Deployment() if deployment is None else deployment
    _check(workload, users, deployment)
    chip = catalog.chip(chip) if isinstance(chip, str) else chip
    model = catalog.model(model) if isinstance(model, str) else model
    site = site_of(chip, model, deployment, catalog)
    batch = default_sequences(site, workload) if users is None else float(users)
    placed = choose_layout(site, workload, sequences=batch, chips=deployment.chips)
    price = hourly_price(chip, catalog, usd_per_chip_hour, on)
    return _estimate(site, placed, workload, batch, price, chosen_users=users is None)


def frontier(
    chip: Chip | str,
    model: Model | str,
    deployment: Deployment | None = None,
    workload: Workload = DEFAULT_WORKLOAD,
    catalog: Catalog | None = None,
) -> Frontier:
    """Tokens per second per chip against tokens per second per user, from one user to a full cache.

    Raises:
        UnknownNameError: No such chip, model or framework.
        NothingFitsError: The model does not fit.
    """
    catalog = Catalog.from_environment() if catalog is None else catalog
    deployment = Deployment() if deployment is None else deployment
    chip = catalog.chip(chip) if isinstance(chip, str) else chip
    model = catalog.model(model) if isinstance(model, str) else model
    site = site_of(chip, model, deployment, catalog)
    placed = choose_layout(site, workload, chips=deployment.chips)
    steps = math.floor(math.log2(max(placed.max_users, 1)))
    users = np.unique(np.append(2.0 ** np.arange(steps + 1), float(placed.max_users)))
    state = closed_loop(placed.engine, workload, users)
    rate = state.output_tokens_per_s_per_chip
    return Frontier(
        chip=chip.name,
        layout=placed.engine.layout,
        users=users,
        tokens_per_s_per_user=state.output_tokens_per_s_per_user,
        tokens_per_s_per_chip=rate,
        low=rate * state.tpot_s / state.tpot_high_s,
        high=rate * state.tpot_s / state.tpot_low_s,
        ttft_s=state.ttft_s,
    )


def _check(workload: Workload, users: float | None, deployment: Deployment) -> None:
    named = {
        "input tokens (isl)": workload.isl,
        "output tokens (osl)": workload.osl,
        "users": 1 if users is None else users,
        "chips": 1 if deployment.chips is None else deployment.chips,
    }
    for name, value in named.items():
        if not np.all(np.isfinite(value)) or np.any(np.asarray(value) < 1):
            raise InputError(f"{name} is {value}; use a number of at least 1")
    if not 0.0 <= workload.prefix_hit_rate < 1.0:
        raise InputError(
            f"prefix_hit_rate is {workload.prefix_hit_rate}; use a share from 0 up to below 1"
        )


def _estimate(
    site: Site,
    placed: Placement,
    workload: Workload,
    users: float,
    price: HourlyPrice,
    *,
    chosen_users: bool,
) -> Estimate:
    engine, economics = placed.engine, load_economics()
    state = closed_loop(engine, workload, users)
    prompt = prefill_step(engine, workload)
    smallest = smallest_that_holds(site, workload)
    watts = float(power_of(site, state, economics))
    meter = float(facility_power_w(economics, watts, site.hardware.machine.tdp_w))
    rate = float(state.output_tokens_per_s_per_chip)
    ranged_rate = Ranged(
        rate,
        rate * float(state.tpot_s / state.tpot_high_s),
        rate * float(state.tpot_s / state.tpot_low_s),
    )
    per_user = float(state.output_tokens_per_s_per_user)
    hourly = price.usd_per_hour
    if not price.includes_energy:
        hourly += float(electricity_usd_per_hour(economics, meter))
    assumptions = _assumptions(site, engine.stack.basis, economics, price, chosen_users, users)
    facts = site.hardware.facts
    return Estimate(
        chip=site.chip.name,
        model=site.model.name,
        layout=engine.layout,
        chips=engine.layout.chips,
        smallest_chips=None if smallest is None else smallest.engine.layout.chips,
        precision=site.precision,
        framework=engine.stack.name,
        workload=workload,
        users=users,
        max_users=placed.max_users,
        memory=placed.memory,
        ttft_s=Ranged(float(state.ttft_s), float(state.ttft_low_s), float(state.ttft_high_s)),
        tpot_s=Ranged(float(state.tpot_s), float(state.tpot_low_s), float(state.tpot_high_s)),
        request_s=_request(state, workload),
        prefill=_phase(prompt),
        prefill_steps=int(np.ceil(workload.new_tokens / engine.stack.chunk_tokens)),
        decode=_phase(state.decode_step),
        output_tokens_per_s_per_chip=ranged_rate,
        output_tokens_per_s_per_user=Ranged(
            per_user, 1.0 / float(state.tpot_high_s), 1.0 / float(state.tpot_low_s)
        ),
        power_w_per_chip=watts,
        energy_j_per_output_token=meter / rate,
        price=price,
        usd_per_million_output_tokens=float(usd_per_million_tokens(hourly, rate)),
        assumptions=assumptions,
        facts=facts,
        sources=tuple(dict.fromkeys(c for fact in facts.values() for c in fact.sources)),
        status=weakest([*(fact.status for fact in facts.values()), engine.stack.status]),
    )


def _request(state: Serving, workload: Workload) -> Ranged:
    steps = float(workload.decode_steps)
    return Ranged(
        float(state.request_s),
        float(state.ttft_low_s + steps * state.tpot_low_s),
        float(state.ttft_high_s + steps * state.tpot_high_s),
    )


def _phase(step: StepTime) -> PhaseTime:
    return PhaseTime(
        time=Ranged(float(step.time_s), float(step.low_s), float(step.high_s)),
        hardware_s=float(step.hardware_s),
        kernel_s=float(step.kernel_s),
        stack_s=float(step.stack_s),
        by_part={str(part): float(seconds) for part, seconds in step.by_part().items()},
        by_bound={name: float(seconds) for name, seconds in step.by_bound().items()},
    )


def power_of(site: Site, state: Serving, economics: Economics) -> Array:
    """Mean power of one chip over plain and mixed steps, W."""
    machine, share = site.hardware.machine, state.mixed_share
    rate = machine.dense_flop_per_s[FORMATS[site.precision.weights].rate]
    spent = (1.0 - share) * state.decode_step.flop + share * state.mixed_step.flop
    moved = (1.0 - share) * state.decode_step.memory_bytes + share * state.mixed_step.memory_bytes
    compute = np.minimum(spent / state.tpot_s / rate, 1.0)
    stream = np.minimum(moved / state.tpot_s / machine.memory_bandwidth_bytes_per_s, 1.0)
    return chip_power_w(economics.power, machine.tdp_w, compute, stream)


def _assumptions(
    site: Site,
    stack_basis: str,
    economics: Economics,
    price: HourlyPrice,
    chosen_users: bool,
    users: float,
) -> tuple[str, ...]:
    notes = [METHOD, *site.notes]
    if chosen_users:
        why = ", as many as these chips hold" if users < SENSIBLE_SEQUENCES else ""
        were = "was" if users == 1 else "were"
        notes.append(f"{counted(users, 'user')} at a time {were} assumed{why}.")
    notes.append(f"Framework overheads: {stack_basis}.")
    notes.append(f"Power at load: {economics.power.basis}; host: {economics.host.basis}.")
    notes.append(price.basis)
    return tuple(notes)
