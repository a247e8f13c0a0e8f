"""Layouts: how a model is spread over chips, which are legal, and who holds what.

One replica takes `tp * cp * dp * pp` chips. Attention runs with `tp`-way tensor parallelism in
each of `dp` data-parallel groups, the context of a sequence is split over `cp` chips (Helix,
arXiv:2507.07120), layers over `pp` stages. The `tp * cp * dp` chips of a stage share the routed
experts: `ep` ways by expert and the rest, `moe_tp`, inside each expert.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from weir.catalog.entities import Model
from weir.core.errors import LayoutError

_DEGREES: Final = ("tp", "pp", "dp", "ep", "cp")


@dataclass(frozen=True, slots=True, order=True)
class Layout:
    """Parallel degrees of one replica.

    Attributes:
        tp: Tensor parallelism of attention and dense layers.
        pp: Pipeline stages.
        dp: Data-parallel attention groups inside the replica.
        ep: Expert parallelism; 1 where experts are only split by width.
        cp: Context parallelism.
    """

    tp: int = 1
    pp: int = 1
    dp: int = 1
    ep: int = 1
    cp: int = 1

    def __post_init__(self) -> None:
        for name in _DEGREES:
            if getattr(self, name) < 1:
                raise LayoutError(
                    f"{name}={getattr(self, name)} is not a parallel degree; use 1 or more"
                )
        if self.expert_group % self.ep:
            raise LayoutError(
                f"ep={self.ep} does not divide the {self.expert_group} chips of a stage"
                f" (tp x cp x dp = {self.tp} x {self.cp} x {self.dp}); use a divisor of it"
            )

    @property
    def expert_group(self) -> int:
        """Chips that share the routed experts of a layer."""
        return self.tp * self.cp * self.dp

    @property
    def chips(self) -> int:
        """Chips of one replica."""
        return self.expert_group * self.pp

    @property
    def dense_tp(self) -> int:
        """Ways a dense feed-forward layer is split."""
        return self.tp * self.cp

    @property
    def moe_tp(self) -> int:
        """Ways each routed expert is split by width."""
        return self.expert_group // self.ep

    def __str__(self) -> str:
        parts = [f"{name}{getattr(self, name)}" for name in _DEGREES if getattr(self, name) > 1]
        return " ".join(parts) or "tp1"


def check_layout(model: Model, layout: Layout) -> None:
    """Refuses a layout that does not divide the model.

    Raises:
        LayoutError: With the dimension that does not divide and what would.
    """
    _check_attention(model, layout)
    _check_feed_forward(model, layout)
    if layout.pp > model.layer_count:
        raise LayoutError(
            f"pp={layout.pp} is more than the {model.layer_count} layers of {model.name}"
        )


def is_legal(model: Model, layout: Layout) -> bool:
    """Whether the layout divides the model."""
    try:
        check_layout(model, layout)
    except LayoutError:
        return False
    return True


def _refuse(model: Model, what: str, size: int, name: str, degree: int) -> None:
    if size % degree:
        fits = ", ".join(str(d) for d in range(1, size + 1) if size % d == 0 and d <= degree)
        raise LayoutError(
            f"{name}={degree} does not divide the {size} {what} of {model.name};"
            f" divisors up to there: {fits}"
        )


def _check_attention(model: Model, layout: Layout) -> None:
    for attention in model.attentions.values():
        heads = attention.heads or attention.value_heads
        if not heads:
            continue
        _refuse(model, "attention heads", heads, "tp", layout.tp)
        _refuse(model, "attention heads", heads, "tp x cp", layout.tp * layout.cp)
        kv = attention.kv_heads
        if attention.kind == "gqa" and kv % layout.tp and layout.tp % kv:
            raise LayoutError(
                f"tp={layout.tp} neither divides nor is a multiple of the {kv} key-value heads of"
                f" {model.name}, so a head would be cut"
            )


def _check_feed_forward(model: Model, layout: Layout) -> None:
    sparse = [f for f in model.feed_forwards.values() if f.experts]
    if not sparse and layout.ep > 1:
        raise LayoutError(f"ep={layout.ep}, but {model.name} has no experts; use ep=1")
    for block in model.feed_forwards.values():
        if block.intermediate:
            _refuse(model, "feed-forward columns", block.intermediate, "tp x cp", layout.dense_tp)
        if block.experts:
            _refuse(model, "experts", block.experts, "ep", layout.ep)
            width = block.expert_intermediate
            _refuse(model, "columns of an expert", width, "expert tp", layout.moe_tp)


def _powers(limit: int) -> Iterator[int]:
    degree = 1
    while degree <= limit:
        yield degree
        degree *= 2


def layouts(
    model: Model, chips: int, *, scale_up_domain: int, most_stages: int | None = None
) -> tuple[Layout, ...]:
    """All legal layouts of a model on exactly `chips` chips that anyone would run.

    Tensor parallelism stays inside a scale-up domain, because it synchronises twice a layer;
    degrees are powers of two but for the pipeline, which takes what is left.

    Args:
        model: The model.
        chips: Chips of one replica.
        scale_up_domain: Chips that share fast links.
        most_stages: Most pipeline stages; any number if left out.

    Returns:
        Layouts in ascending order; empty if none divides.
    """
    found: set[Layout] = set()
    for tp in _powers(min(chips, scale_up_domain)):
        for dp in _powers(chips // tp):
            if chips % (tp * dp):
                continue
            group, pp = tp * dp, chips // (tp * dp)
            if most_stages is not None and pp > most_stages:
                continue
            degrees = (
                sorted({1, group} | {d for d in _powers(group) if d >= tp})
                if model.has_experts
                else [1]
            )
            for ep in degrees:
                if group % ep or (dp > 1 and not model.has_experts):
                    continue
                layout = Layout(tp=tp, pp=pp, dp=dp, ep=ep)
                if is_legal(model, layout):
                    found.add(layout)
    return tuple(sorted(found))
