"""The best plan and the smallest fleet: chips beside each other, for a load and its targets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weir.answers.estimate import DEFAULT_WORKLOAD
from weir.answers.launch import launch_flags
from weir.answers.placement import Deployment
from weir.answers.plan import DEFAULT_MOST_CHIPS, OBJECTIVES, Candidates, Target, search
from weir.answers.pricing import purchase_price
from weir.catalog.entities import Model
from weir.catalog.query import Catalog
from weir.core.errors import InputError, NothingFitsError, WeirError
from weir.core.units import KILO, MEGA, SECONDS_PER_HOUR
from weir.core.words import counted
from weir.perf.parallel import Layout
from weir.perf.serving import Workload

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Choice:
    """One deployment that a plan proposes.

    Attributes:
        chip: Name of the chip.
        layout: Parallel degrees of a replica.
        chips: Chips of a replica.
        users: Users of a replica.
        ttft_s: Mean time to first token.
        tpot_s: Mean time per output token.
        tpot_low_s: Lower end of its 80 % interval.
        tpot_high_s: Upper end.
        tokens_per_s_per_user: 1 / TPOT.
        tokens_per_s_per_chip: Output tokens.
        requests_per_s: Requests a replica finishes.
        energy_j_per_token: At the meter.
        usd_per_million_tokens: Output tokens; NaN where no price is known.
        flags: The command that starts it; empty for frameworks without one.
    """

    chip: str
    layout: Layout
    chips: int
    users: float
    ttft_s: float
    tpot_s: float
    tpot_low_s: float
    tpot_high_s: float
    tokens_per_s_per_user: float
    tokens_per_s_per_chip: float
    requests_per_s: float
    energy_j_per_token: float
    usd_per_million_tokens: float
    flags: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """The fewest replicas of a choice that carry a load.

    Attributes:
        choice: The deployment.
        replicas: How many.
        chips: Chips in all.
        capital_usd: Price of the chips; NaN where unknown.
        usd_per_hour: All in; NaN where unknown.
        power_w: At the meter.
    """

    choice: Choice
    replicas: int
    chips: int
    capital_usd: float
    usd_per_hour: float
    power_w: float


@dataclass(frozen=True, slots=True)
class ChipPlan:
    """What a plan says about one kind of chip.

    Attributes:
        chip: Name of the chip.
        best: The deployment with the highest merit; None where the targets are out of reach.
        front: The Pareto front, in order of falling tokens/s per user.
        fleet: The smallest fleet for the load; None without a load or a best.
        reason: Why there is no best: what does not fit, or the nearest that can be reached.
        assumptions: What a reader should know.
    """

    chip: str
    best: Choice | None
    front: tuple[Choice, ...]
    fleet: Fleet | None
    reason: str
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer of the planner.

    Attributes:
        model: Name of the model.
        workload: The requests.
        target: What had to be reached.
        objective: What was maximised.
        requests_per_s: The load; None without one.
        chips: One plan a chip, the best first.
        crossovers: Where two chips change places, in sentences.
    """

    model: str
    workload: Workload
    target: Target
    objective: str
    requests_per_s: float | None
    chips: tuple[ChipPlan, ...]
    crossovers: tuple[str, ...]


def plan(
    model: Model | str,
    chips: Sequence[str],
    workload: Workload = DEFAULT_WORKLOAD,
    target: Target | None = None,
    catalog: Catalog | None = None,
    *,
    objective: str = "throughput",
    requests_per_s: float | None = None,
    deployment: Deployment | None = None,
    most_chips: int = DEFAULT_MOST_CHIPS,
) -> Plan:
    """The best deployment of a model on each chip, and the smallest fleet for a load.

    Args:
        model: The model or its name.
        chips: Names of the chips to choose among.
        workload: Requests of one kind.
        target: What a deployment must reach; anything if left out.
        catalog: Where names are looked up; the stock if left out.
        objective: One of `OBJECTIVES`.
        requests_per_s: The load.
        deployment: Framework, number formats and options; the layout is searched, so one that it
            names is left aside.
        most_chips: Chips of the largest replica.

    Raises:
        InputError: An unknown objective, no chips, or a load that is no rate.
        UnknownNameError: No such chip, model or framework.
        NothingFitsError: No chip reaches the targets; the message names the nearest that can be.
    """
    catalog = Catalog.from_environment() if catalog is None else catalog
    target = Target() if target is None else target
    _check(chips, target, objective, requests_per_s, most_chips)
    model = catalog.model(model) if isinstance(model, str) else model
    found: list[tuple[str, Candidates | None, str]] = []
    for name in chips:
        chip = catalog.chip(name)
        try:
            candidates = search(
                chip,
                model,
                workload,
                catalog,
                deployment=deployment,
                most_chips=most_chips,
            )
        except WeirError as error:
            if not isinstance(error, NothingFitsError) and len(chips) == 1:
                raise
            found.append((chip.name, None, str(error)))
        else:
            found.append((chip.name, candidates, ""))
    plans = [
        _chip_plan(name, item, reason, target, objective, requests_per_s, catalog)
        for name, item, reason in found
    ]
    if all(item.best is None for item in plans):
        raise NothingFitsError(
            f"nothing reaches the targets for {model.name}. "
            + " ".join(f"{item.chip}: {item.reason}." for item in plans)
        )
    order = sorted(range(len(plans)), key=lambda index: _rank(plans[index], objective))
    return Plan(
        model=model.name,
        workload=workload,
        target=target,
        objective=objective,
        requests_per_s=requests_per_s,
        chips=tuple(plans[index] for index in order),
        crossovers=(),
    )


def _check(
    chips: Sequence[str],
    target: Target,
    objective: str,
    requests_per_s: float | None,
    most_chips: int,
) -> None:
    if objective not in OBJECTIVES:
        raise InputError(f"unknown objective '{objective}'; known: {', '.join(OBJECTIVES)}")
    if not chips:
        raise InputError("no chips to choose among; name at least one")
    named = {"ttft": target.ttft_s, "tpot": target.tpot_s, "most_chips": most_chips}
    if requests_per_s is not None:
        named["requests_per_s"] = requests_per_s
    for name, value in named.items():
        if not value > 0:
            raise InputError(f"{name} is {value}; use a number above 0")


def _rank(item: ChipPlan, objective: str) -> float:
    """Smaller is better; chips without a best come last."""
    if item.best is None:
        return np.inf
    if objective == "cost":
        known = item.best.usd_per_million_tokens
        return known if np.isfinite(known) else np.finfo(float).max
    if objective == "energy":
        known = item.best.energy_j_per_token
        return known if np.isfinite(known) else np.finfo(float).max
    if objective == "chips" and item.fleet is not None:
        return float(item.fleet.chips)
    return -item.best.tokens_per_s_per_chip


def _chip_plan(
    name: str,
    found: Candidates | None,
    reason: str,
    target: Target,
    objective: str,
    requests_per_s: float | None,
    catalog: Catalog,
) -> ChipPlan:
    if found is None:
        return ChipPlan(name, None, (), None, reason, ())
    notes = (*found.site.notes, found.price.basis)
    front = tuple(_choice(found, int(index)) for index in found.pareto())
    allowed = np.flatnonzero(found.meets(target))
    if not len(allowed):
        return ChipPlan(name, None, front, None, _nearest(found, target), notes)
    fleet = None
    if requests_per_s is None:
        index = int(allowed[np.argmax(_merit(found, objective)[allowed])])
    else:
        index, fleet = _smallest(found, allowed, requests_per_s, objective, catalog)
    return ChipPlan(name, _choice(found, index), front, fleet, "", notes)


def _merit(found: Candidates, objective: str) -> Array:
    """The merit of an objective; throughput where a price or power that it needs is unknown."""
    merit = found.merit(objective)
    return merit if np.all(np.isfinite(merit)) else found.tokens_per_s_per_chip


def _smallest(
    found: Candidates,
    allowed: NDArray[np.intp],
    requests_per_s: float,
    objective: str,
    catalog: Catalog,
) -> tuple[int, Fleet]:
    """The point whose whole replicas carry a load at the least cost in the objective's terms."""
    per_replica = found.requests_per_s_per_chip * found.chips
    replicas = np.ceil(requests_per_s / per_replica)
    total = replicas * found.chips
    burden = {
        "chips": total,
        "throughput": total,
        "energy": total * found.watts_per_chip,
        "cost": total * found.usd_per_chip_hour,
    }[objective]
    burden = burden if np.all(np.isfinite(burden)) else total
    # Among equals the one that leaves users the fastest tokens.
    order = np.lexsort((found.tpot_s[allowed], burden[allowed]))
    index = int(allowed[order[0]])
    choice = _choice(found, index)
    count = int(total[index])
    fleet = Fleet(
        choice=choice,
        replicas=int(replicas[index]),
        chips=count,
        capital_usd=count * purchase_price(found.chip, catalog),
        usd_per_hour=count * float(found.usd_per_chip_hour[index]),
        power_w=count * float(found.watts_per_chip[index]),
    )
    return index, fleet


def _choice(found: Candidates, index: int) -> Choice:
    rate = float(found.tokens_per_s_per_chip[index])
    layout = found.layouts[index]
    per_hour = rate * SECONDS_PER_HOUR / MEGA
    return Choice(
        chip=found.chip.name,
        layout=layout,
        chips=layout.chips,
        users=float(found.users[index]),
        ttft_s=float(found.ttft_s[index]),
        tpot_s=float(found.tpot_s[index]),
        tpot_low_s=float(found.tpot_low_s[index]),
        tpot_high_s=float(found.tpot_high_s[index]),
        tokens_per_s_per_user=float(found.tokens_per_s_per_user[index]),
        tokens_per_s_per_chip=rate,
        requests_per_s=float(found.requests_per_s_per_chip[index]) * layout.chips,
        energy_j_per_token=float(found.watts_per_chip[index]) / rate,
        usd_per_million_tokens=float(found.usd_per_chip_hour[index]) / per_hour,
        flags=launch_flags(found.site, layout),
    )


def _nearest(found: Candidates, target: Target) -> str:
    """The nearest reachable targets: each alone, and both together."""
    ttft, tpot = float(np.min(found.ttft_s)), float(np.min(found.tpot_s))
    excess = np.maximum(found.ttft_s / target.ttft_s, found.tpot_s / target.tpot_s)
    near = int(np.argmin(excess))
    return (
        f"the shortest TTFT is {ttft * KILO:.0f} ms and the shortest TPOT {tpot * KILO:.1f} ms; the"
        f" nearest to both is {found.layouts[near]} with {counted(found.users[near], 'user')}:"
        f" {found.ttft_s[near] * KILO:.0f} ms and {found.tpot_s[near] * KILO:.1f} ms"
    )
