"""Where a model goes: its layouts on a chip, what fits, and the smallest that does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from weir.answers.machines import MachineOfChip, machine_of
from weir.catalog.entities import Chip, Model
from weir.catalog.query import Catalog
from weir.catalog.stack import Stack, framework_key, load_assumptions, load_stack
from weir.core.errors import InputError, NothingFitsError
from weir.core.provenance import Status
from weir.core.units import GIGA
from weir.core.words import counted
from weir.perf.formats import Precision, choose_precision
from weir.perf.kernels.efficiency import Efficiency
from weir.perf.memory import Memory, memory, usable_bytes, weights_per_chip
from weir.perf.operators import Routing
from weir.perf.parallel import Layout, check_layout, layouts
from weir.perf.serving import Workload, throughput
from weir.perf.step import NO_DRAFTS, Drafts, Engine

DEFAULT_FRAMEWORK: Final = "vllm"
# A deployment that holds fewer sequences than this wastes the weights it streams for each token.
SENSIBLE_SEQUENCES: Final = 32
MOST_CHIPS: Final = 1024
# Far steeper than any that was measured: nearly all tokens then meet the same experts.
STEEPEST_SKEW: Final = 10.0
# The maker of every chip whose serving runs the factors of a framework were fitted on.
_STACK_LEARNED_ON: Final = "NVIDIA"


@dataclass(frozen=True, slots=True)
class Deployment:
    """How a model is served; what is left out is chosen, and the choice is said.

    Attributes:
        chips: Chips of one replica.
        layout: Parallel degrees of one replica.
        framework: Serving framework.
        weights: Number format of all weights.
        kv_cache: Number format of the attention cache.
        drafts: Speculative decoding.
        exchange_overlap: Share of all-to-all time that runs beside kernels, from 0 to 1.
        expert_skew: Exponent of the power law of expert loads, such as 1.2, under which the chip
            with the most tokens is waited for; 0 for an even router; as assumed if left out.
    """

    chips: int | None = None
    layout: Layout | None = None
    framework: str = DEFAULT_FRAMEWORK
    weights: str | None = None
    kv_cache: str | None = None
    drafts: Drafts = NO_DRAFTS
    exchange_overlap: float = 0.0
    expert_skew: float | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """One layout of a model on a chip, with its memory.

    Attributes:
        engine: All that a step needs.
        memory: Memory of the fullest chip at the batch that was asked for.
    """

    engine: Engine
    memory: Memory

    @property
    def max_users(self) -> int:
        """Sequences the replica can hold."""
        return int(np.min(self.memory.max_sequences))


@dataclass(frozen=True)
class Site:
    """A model on a kind of chip under a framework, before a layout is chosen.

    Attributes:
        chip: The chip.
        model: The model.
        hardware: Its machine, with facts and assumptions.
        precision: Number formats that will be used.
        deployment: What the user asked for.
        notes: What had to give way.
    """

    chip: Chip
    model: Model
    hardware: MachineOfChip
    precision: Precision
    deployment: Deployment
    notes: tuple[str, ...]
    efficiency: Efficiency = field(repr=False)

    def engine(self, layout: Layout) -> Engine:
        """The engine in one layout."""
        return Engine(
            model=self.model,
            layout=layout,
            precision=self.precision,
            machine=self.hardware.machine,
            efficiency=self.efficiency,
            stack=load_stack(self.deployment.framework),
            drafts=self.deployment.drafts,
            exchange_overlap=self.deployment.exchange_overlap,
            routing=routing_of(self.deployment),
        )

    def place(self, layout: Layout, sequences: float, context_tokens: ArrayLike) -> Placement:
        """A layout with its memory at a batch."""
        engine = self.engine(layout)
        needed = memory(
            self.model,
            layout,
            self.precision,
            engine.stack,
            self.hardware.machine.memory_capacity_bytes,
            sequences=sequences,
            context_tokens=context_tokens,
        )
        return Placement(engine, needed)


def site_of(chip: Chip, model: Model, deployment: Deployment, catalog: Catalog) -> Site:
    """A model on a chip, with machine, formats and efficiencies.

    Raises:
        InputError: The datasheet lacks what an estimate needs, or a format is unknown.
        MissingRateError: The chip has no rate for a format that was asked for.
        UnknownNameError: No such framework.
    """
    from weir.catalog.calibration import load_efficiency

    stack = load_stack(deployment.framework)
    if not 0.0 <= deployment.exchange_overlap <= 1.0:
        raise InputError(
            f"exchange_overlap is {deployment.exchange_overlap}; use a share from 0 to 1"
        )
    if not 0.0 <= (deployment.expert_skew or 0.0) <= STEEPEST_SKEW:
        raise InputError(
            f"expert_skew is {deployment.expert_skew}; use an exponent from 0 to {STEEPEST_SKEW:g}"
        )
    hardware = machine_of(chip, catalog)
    precision, notes = choose_precision(
        model.shape.weight_format,
        model.shape.expert_weight_format,
        frozenset(hardware.machine.dense_flop_per_s),
        weights=deployment.weights,
        kv_cache=deployment.kv_cache,
        chip=chip.name,
    )
    return Site(
        chip=chip,
        model=model,
        hardware=hardware,
        precision=precision,
        deployment=deployment,
        notes=(*hardware.assumptions, *notes, *_stated(deployment, model), *_foreign(chip, stack)),
        efficiency=load_efficiency(framework_key(deployment.framework)),
    )


def routing_of(deployment: Deployment) -> Routing:
    """The routing that is asked for, or else assumed."""
    if deployment.expert_skew is not None:
        return Routing(deployment.expert_skew)
    return assumed_routing()


def assumed_routing() -> Routing:
    """Loads of experts as they are assumed, evened out over chips as load balancers do."""
    return Routing(load_assumptions()["expert_skew"].value, is_placed=True)


def _stated(deployment: Deployment, model: Model) -> Iterator[str]:
    """Says what was asked for, or assumed, beyond a layout: nothing of it is computed."""
    drafts = deployment.drafts
    if drafts.tokens:
        yield (
            f"{counted(drafts.tokens, 'drafted token')} a step, each accepted with a probability of"
            f" {drafts.acceptance:.0%} after those before it: {drafts.gain:.2f} tokens a step, as"
            " stated."
        )
    if not model.has_experts:
        if deployment.exchange_overlap or deployment.expert_skew:
            yield f"{model.name} has no routed experts: what was stated of them changes nothing."
        return
    if deployment.exchange_overlap:
        yield (
            f"{deployment.exchange_overlap:.0%} of the time of exchanges between experts runs"
            " beside kernels, as stated; what that costs the kernels is left out."
        )
    if deployment.expert_skew:
        yield (
            "Loads of experts follow a power law with an exponent of"
            f" {deployment.expert_skew:g}, as stated; the chip with the most tokens is waited for."
        )
    elif deployment.expert_skew is None:
        yield f"{load_assumptions()['expert_skew'].text}."


def _foreign(chip: Chip, stack: Stack) -> Iterator[str]:
    """Says where a framework's factors come from chips of another maker."""
    if stack.status is Status.DERIVED and chip.designer != _STACK_LEARNED_ON:
        yield (
            f"{stack.name} was learned on {_STACK_LEARNED_ON} chips alone. What it adds to a step,"
            f" and how its kernels compare with the model's, is carried over to {chip.name}, whose"
            " build of it is another: no measurement of that build was read."
        )


def chip_counts(domain: int) -> Iterator[int]:
    """Counts of chips that people deploy: powers of two in a domain, then whole domains."""
    count = 1
    while count < domain:
        yield count
        count *= 2
    count = domain
    while count <= MOST_CHIPS:
        yield count
        count *= 2


def domain_of(site: Site) -> int:
    """Chips that share fast links."""
    return int(np.min(site.hardware.machine.scale_up_domain))


def placements(
    site: Site, chips: int, workload: Workload, sequences: float
) -> tuple[Placement, ...]:
    """Every sensible legal layout on exactly so many chips, whether it fits or not."""
    domain = domain_of(site)
    # Stages are worth their bubbles where they replace traffic across domains; experts are split
    # by width or spread whole, but not both.
    stages = -(-chips // domain)
    found = layouts(site.model, chips, scale_up_domain=domain, most_stages=stages)
    return tuple(
        site.place(layout, sequences, workload.longest_tokens)
        for layout in found
        if layout.ep in {1, layout.expert_group}
    )


def choose_layout(
    site: Site,
    workload: Workload,
    *,
    sequences: float = SENSIBLE_SEQUENCES,
    chips: int | None = None,
) -> Placement:
    """The smallest number of chips that holds a model and a batch, in its fastest layout.

    Args:
        site: The model on the chip.
        workload: The requests.
        sequences: Sequences that must be held at once.
        chips: The number of chips, where it is given.

    Returns:
        The placement with the most output tokens per second at `sequences` users.

    Raises:
        NothingFitsError: No layout of any tried number of chips holds the batch.
        LayoutError: The layout that was asked for does not divide the model.
    """
    asked = site.deployment.layout
    if asked is not None:
        return _asked(site, asked, workload, sequences, chips)
    counts = [chips] if chips is not None else _worth_trying(site)
    for count in counts:
        tried = placements(site, count, workload, sequences)
        fitting = [placed for placed in tried if placed.max_users >= sequences]
        if fitting:
            return _fastest(fitting, workload, sequences)
    raise NothingFitsError(_why_not(site, workload, sequences, chips))


def default_sequences(site: Site, workload: Workload) -> float:
    """Sequences where none are asked for: `SENSIBLE_SEQUENCES`, or what the chips given hold.

    Chips that hold none get the usual number, so that the refusal says what would.
    """
    layout, chips = site.deployment.layout, site.deployment.chips
    if layout is not None:
        check_layout(site.model, layout)
        tried: Sequence[Placement] = [site.place(layout, 1, workload.longest_tokens)]
    elif chips is not None:
        tried = placements(site, chips, workload, 1)
    else:
        return float(SENSIBLE_SEQUENCES)
    most = max((placed.max_users for placed in tried), default=0)
    return float(min(SENSIBLE_SEQUENCES, most) if most else SENSIBLE_SEQUENCES)


def smallest_that_holds(site: Site, workload: Workload) -> Placement | None:
    """The fewest chips that hold the weights and one sequence; None where no count does."""
    for count in _worth_trying(site):
        fitting = [p for p in placements(site, count, workload, 1) if p.max_users >= 1]
        if fitting:
            return max(fitting, key=lambda placed: placed.max_users)
    return None


def _worth_trying(site: Site) -> list[int]:
    """Counts of chips whose memory together is more than the weights."""
    weights, _ = weights_per_chip(site.model, Layout(), site.precision)
    engine = site.engine(Layout())
    capacity = float(np.min(engine.machine.memory_capacity_bytes))
    return [
        count
        for count in chip_counts(domain_of(site))
        if count * float(usable_bytes(engine.stack, capacity, weights / count)) > weights
    ]


def _asked(
    site: Site, layout: Layout, workload: Workload, sequences: float, chips: int | None
) -> Placement:
    check_layout(site.model, layout)
    if chips is not None and chips != layout.chips:
        raise InputError(
            f"layout {layout} takes {layout.chips} chips, but {chips} are given; leave one out"
        )
    placed = site.place(layout, sequences, workload.longest_tokens)
    if placed.max_users < sequences:
        raise NothingFitsError(_explain(site, placed, sequences) + _remedy(site, workload))
    return placed


def _fastest(fitting: Sequence[Placement], workload: Workload, users: float) -> Placement:
    rates = throughput([placed.engine for placed in fitting], workload, users)
    return fitting[int(np.argmax([float(rate) for rate in rates]))]


def _why_not(site: Site, workload: Workload, sequences: float, chips: int | None) -> str:
    if chips is None:
        return (
            f"{site.model.name} with {counted(sequences, 'sequence')} does not fit on any number of"
            f" {site.chip.name} up to {MOST_CHIPS} in a legal layout"
        )
    tried = placements(site, chips, workload, sequences)
    if not tried:
        return (
            f"no legal layout spreads {site.model.name} over {chips} {site.chip.name};"
            f" use a power of two{_remedy(site, workload)}"
        )
    best = max(tried, key=lambda placed: placed.max_users)
    return _explain(site, best, sequences) + _remedy(site, workload)


def _explain(site: Site, placed: Placement, sequences: float) -> str:
    held, layout = placed.memory, placed.engine.layout
    need, have = float(held.fixed_bytes) / GIGA, float(held.usable_bytes) / GIGA
    cache = float(held.cache_bytes_per_sequence) / GIGA
    what = (
        f"{site.model.name} on {layout.chips} x {site.chip.name} ({layout}): weights"
        f" {held.weights_bytes / GIGA:.1f} GB, {need:.1f} GB with working memory, of {have:.1f} GB"
        " usable on each chip"
    )
    if need > have:
        return f"{what}; the weights do not fit"
    return (
        f"{what}; {counted(placed.max_users, 'sequence')} of {cache:.2f} GB fit,"
        f" {sequences:,.0f} are asked for"
    )


def _remedy(site: Site, workload: Workload) -> str:
    smallest = smallest_that_holds(site, workload)
    if smallest is None:
        return ""
    layout = smallest.engine.layout
    holds = "holds" if layout.chips == 1 else "hold"
    return (
        f". {counted(layout.chips, 'chip')} ({layout}) {holds} it"
        f" with up to {counted(smallest.max_users, 'sequence')}"
    )
