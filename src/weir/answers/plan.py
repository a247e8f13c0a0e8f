"""The best deployments of a model: every legal layout and batch on every chip, as columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.answers.estimate import DEFAULT_WORKLOAD, power_of
from weir.answers.placement import Deployment, Site, domain_of, site_of
from weir.answers.pricing import hourly_price
from weir.catalog.entities import Chip, Model
from weir.catalog.query import Catalog
from weir.catalog.stack import load_economics
from weir.core.errors import InputError, NothingFitsError
from weir.perf.economics import HourlyPrice, electricity_usd_per_hour, facility_power_w
from weir.perf.parallel import Layout, layouts
from weir.perf.serving import Serving, Workload, curves

Array = NDArray[np.float64]

OBJECTIVES: Final = ("throughput", "cost", "energy", "chips")
# Replicas larger than this are only worth it for latency that the step model does not resolve.
DEFAULT_MOST_CHIPS: Final = 32
_FAST_LINK_WEIGHTS: Final = 2


@dataclass(frozen=True, slots=True)
class Target:
    """What a deployment must reach.

    Attributes:
        ttft_s: Longest mean time to first token.
        tpot_s: Longest mean time per output token.
        is_sure: Hold the targets at the upper end of the 80 % interval, not in the middle.
    """

    ttft_s: float = np.inf
    tpot_s: float = np.inf
    is_sure: bool = False


@dataclass(frozen=True, slots=True)
class Candidates:
    """Points of a search on one kind of chip, a column a quantity.

    Attributes:
        chip: The chip.
        site: The model on it.
        layouts: Layout of each point.
        users: Users of a replica.
        chips: Chips of a replica.
        ttft_s: Mean time to first token.
        tpot_s: Mean time per output token.
        ttft_high_s: Upper end of its 80 % interval.
        tpot_low_s: Lower end of the 80 % interval of TPOT.
        tpot_high_s: Upper end.
        requests_per_s_per_chip: Requests finished.
        tokens_per_s_per_chip: Output tokens.
        tokens_per_s_per_user: 1 / TPOT.
        watts_per_chip: At the meter; NaN where the design power is unknown.
        usd_per_chip_hour: All in; NaN where no price is known.
        price: Where the price comes from.
    """

    chip: Chip
    site: Site
    layouts: tuple[Layout, ...]
    users: Array
    chips: Array
    ttft_s: Array
    tpot_s: Array
    ttft_high_s: Array
    tpot_low_s: Array
    tpot_high_s: Array
    requests_per_s_per_chip: Array
    tokens_per_s_per_chip: Array
    tokens_per_s_per_user: Array
    watts_per_chip: Array
    usd_per_chip_hour: Array
    price: HourlyPrice

    def meets(self, target: Target) -> NDArray[np.bool_]:
        """Which points reach a target."""
        ttft = self.ttft_high_s if target.is_sure else self.ttft_s
        tpot = self.tpot_high_s if target.is_sure else self.tpot_s
        return np.asarray((ttft <= target.ttft_s) & (tpot <= target.tpot_s))

    def merit(self, objective: str) -> Array:
        """What an objective maximises.

        Raises:
            InputError: An unknown objective, or one that needs a price nobody has published.
        """
        rate = self.tokens_per_s_per_chip
        if objective in {"throughput", "chips"}:
            return rate
        if objective == "energy":
            return rate / self.watts_per_chip
        if objective == "cost":
            return rate / self.usd_per_chip_hour
        raise InputError(f"unknown objective '{objective}'; known: {', '.join(OBJECTIVES)}")

    def pareto(self, target: Target | None = None) -> NDArray[np.intp]:
        """Points that no other beats in both tokens/s per user and tokens/s per chip.

        In order of falling tokens/s per user.
        """
        allowed = (
            np.arange(len(self.users)) if target is None else np.flatnonzero(self.meets(target))
        )
        order = allowed[
            np.lexsort((-self.tokens_per_s_per_chip[allowed], -self.tokens_per_s_per_user[allowed]))
        ]
        rate = self.tokens_per_s_per_chip[order]
        before = np.concatenate([[-np.inf], np.maximum.accumulate(rate)[:-1]])
        return np.asarray(order[rate > before], dtype=np.intp)


def search(
    chip: Chip | str,
    model: Model | str,
    workload: Workload = DEFAULT_WORKLOAD,
    catalog: Catalog | None = None,
    *,
    deployment: Deployment | None = None,
    most_chips: int = DEFAULT_MOST_CHIPS,
    usd_per_chip_hour: float | None = None,
) -> Candidates:
    """Every legal layout that fits, at every batch, on replicas of one kind of chip.

    Args:
        chip: The chip or its name.
        model: The model or its name.
        workload: Requests of one kind.
        catalog: Where names are looked up; the stock if left out.
        deployment: Framework, number formats and options; the layout is searched, so one that it
            names is left aside.
        most_chips: Chips of the largest replica.
        usd_per_chip_hour: Price of a chip for an hour; an offer of the catalogue if left out.

    Raises:
        UnknownNameError: No such chip, model or framework.
        NothingFitsError: No replica up to `most_chips` holds the model.
    """
    catalog = Catalog.from_environment() if catalog is None else catalog
    chip = catalog.chip(chip) if isinstance(chip, str) else chip
    model = catalog.model(model) if isinstance(model, str) else model
    site = site_of(chip, model, deployment or Deployment(), catalog)
    found, most = fitting_layouts(site, workload, most_chips)
    if not found:
        raise NothingFitsError(
            f"{model.name} does not fit on up to {most_chips} {chip.name} in any legal layout;"
            " allow more chips, or a smaller number format"
        )
    states = curves([site.engine(layout) for layout in found], workload, most)
    price = hourly_price(chip, catalog, usd_per_chip_hour)
    return _columns(site, found, states, price)


def fitting_layouts(
    site: Site, workload: Workload, most_chips: int
) -> tuple[list[Layout], list[float]]:
    """Layouts that hold at least one sequence, and how many each holds.

    Args:
        site: The model on a chip.
        workload: The requests.
        most_chips: Chips of the largest replica.
    """
    domain = domain_of(site)
    found: list[Layout] = []
    most: list[float] = []
    count = 1
    while count <= most_chips:
        stages = max(-(-count // domain), _FAST_LINK_WEIGHTS)
        for layout in layouts(site.model, count, scale_up_domain=domain, most_stages=stages):
            held = site.place(layout, 1, workload.longest_tokens).memory.max_sequences
            if held >= 1:
                found.append(layout)
                most.append(float(held))
        count *= 2
    return found, most


def _columns(
    site: Site, found: Sequence[Layout], states: Sequence[Serving], price: HourlyPrice
) -> Candidates:
    economics = load_economics()
    sizes = [state.users.size for state in states]
    chips = np.repeat([float(layout.chips) for layout in found], sizes)

    def column(name: str) -> Array:
        return np.concatenate([np.ravel(getattr(state, name)) for state in states])

    watts = np.concatenate([np.ravel(power_of(site, state, economics)) for state in states])
    meter = facility_power_w(economics, watts, site.hardware.machine.tdp_w)
    hourly = np.full(len(chips), price.usd_per_hour)
    if not price.includes_energy:
        hourly = hourly + electricity_usd_per_hour(economics, meter)
    return Candidates(
        chip=site.chip,
        site=site,
        layouts=tuple(
            layout for layout, size in zip(found, sizes, strict=True) for _ in range(size)
        ),
        users=column("users"),
        chips=chips,
        ttft_s=column("ttft_s"),
        tpot_s=column("tpot_s"),
        ttft_high_s=column("ttft_high_s"),
        tpot_low_s=column("tpot_low_s"),
        tpot_high_s=column("tpot_high_s"),
        requests_per_s_per_chip=column("requests_per_s") / chips,
        tokens_per_s_per_chip=column("output_tokens_per_s_per_chip"),
        tokens_per_s_per_user=column("output_tokens_per_s_per_user"),
        watts_per_chip=meter,
        usd_per_chip_hour=hourly,
        price=price,
    )
