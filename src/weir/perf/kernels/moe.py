"""Routed experts: two grouped matrix products over the tokens that the router sent to each expert.

Experts without tokens cost nothing, so few tokens read few experts' weights. A skewed router sends
more tokens to some experts; the chip that holds the most popular one is the one that is waited for.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.perf.kernels.cost import COMPUTE, LAUNCH, MEMORY, POWER, Cost, cost, sizes
from weir.perf.kernels.efficiency import Efficiency, parameter, silicon, widening
from weir.perf.kernels.formats import BF16_BYTES, kernel_format
from weir.perf.kernels.gemm import GemmParameters, product
from weir.perf.machine import Machine

Array = NDArray[np.float64]

KERNEL: Final = "moe_gemm"
# The most popular expert of a power law gets at most this share of all tokens.
MOST_OF_TOKENS: Final = 0.8
EXPONENT_GAP: Final = 1e-3


@dataclass(frozen=True)
class MoeParameters(GemmParameters):
    """What is learned about routed experts, on top of matrix products.

    Attributes:
        expert_s: Fixed cost of an expert with tokens.
        permute_passes: Passes over the routed activations by the kernels between the products.
        token_passes: Passes over the tokens of the whole group by the kernels that route them and
            collect their results.
        popular_experts: How many of the most popular experts of a skewed router share a chip.
    """

    expert_s: float = parameter("s", 0.0, 1e-5, per="generation format")
    permute_passes: float = parameter("1", 0.0, 20.0, per="format")
    token_passes: float = parameter("1", 0.0, 40.0, per="format")
    popular_experts: float = parameter("1", 1.0, 16.0)


def moe_gemm(
    machine: Machine,
    eff: Efficiency,
    tokens: ArrayLike,
    hidden: ArrayLike,
    intermediate: ArrayLike,
    experts_local: ArrayLike,
    experts: ArrayLike,
    top_k: ArrayLike,
    *,
    dtype: str,
    skew: ArrayLike = 0.0,
    gated: ArrayLike = 1.0,
) -> Cost:
    """All routed experts of one layer on one chip.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        tokens: Tokens that the router of the whole expert-parallel group sees.
        hidden: Width of the tokens.
        intermediate: Inner width of one expert on this chip.
        experts_local: Experts on this chip.
        experts: Experts of the layer.
        top_k: Experts of a token.
        dtype: Kernel format.
        skew: Exponent of the power law of expert loads; 0 for a balanced router.
        gated: 1 where the first product makes a gate and a value, 0 where it makes one.

    Raises:
        InputError: A size is not positive.
        MissingRateError: The chip has no rate for the format.
        UnknownNameError: No such format.
    """
    tokens, hidden, inner, local, experts, top_k = sizes(
        KERNEL, tokens=tokens, hidden=hidden, intermediate=intermediate,
        experts_local=experts_local, experts=experts, top_k=top_k,
    )  # fmt: skip
    skew, gated = sizes(KERNEL, allow_zero=True, skew=skew, gated=gated)
    width = (1.0 + gated) * inner
    p = eff.of(MoeParameters, KERNEL, machine.generation, dtype)
    form, pool = kernel_format(dtype), np.full((), np.inf)
    load = busiest_chip(tokens, local, experts, top_k, skew, p.popular_experts)
    rows, active = load.rows, load.active
    each = rows / active
    up = product(machine, eff, p, form, each, width, hidden, active, pool)
    down = product(machine, eff, p, form, each, hidden, inner, active, pool)
    streaming = np.asarray(silicon(machine, eff).bandwidth) * p.memory_efficiency
    passed = p.permute_passes * rows * (hidden + width) + p.token_passes * tokens * hidden
    between = passed * BF16_BYTES / streaming
    launch = p.launch_s + p.expert_s * active + up.quantise_s + down.quantise_s
    memory = up.memory_s + down.memory_s + between
    shapes = {
        "tokens": tokens, "hidden": hidden, "intermediate": inner, "experts_local": local,
        "top_k": top_k,
    }  # fmt: skip
    return cost(
        {
            COMPUTE: up.matrix_s + down.matrix_s, MEMORY: memory, LAUNCH: launch,
            POWER: up.power_s + down.power_s,
        },
        launch + up.busy_s + down.busy_s + between,
        p.interval_log + widening(eff, KERNEL, machine, **shapes),
        hardware_s=up.hardware_s + down.hardware_s,
        flop=up.flop + down.flop,
        memory_bytes=up.memory_bytes + down.memory_bytes,
    )  # fmt: skip


@dataclass(frozen=True)
class Load:
    """What the router leaves on the busiest chip.

    Attributes:
        rows: Pairs of a token and an expert on this chip.
        active: Experts on this chip with at least one token.
    """

    rows: Array
    active: Array


def busiest_chip(
    tokens: Array, local: Array, experts: Array, top_k: Array, skew: Array, popular: float
) -> Load:
    """Rows and active experts on the chip with the most tokens.

    A balanced router spreads evenly. Under a power law the loads of experts are spread like the
    quantiles of a density x^-skew between one and most of the tokens; the busiest chip holds the
    most popular experts and an average share of the others.

    Args:
        tokens: Tokens of the whole group.
        local: Experts on a chip.
        experts: Experts of the layer.
        top_k: Experts of a token.
        skew: Exponent of the power law, 0 for balanced.
        popular: Popular experts on the busiest chip.
    """
    pairs = tokens * top_k
    even = pairs * local / experts
    # The law is singular at an exponent of one, where it is the logarithmic one.
    order = np.where(np.abs(skew - 1.0) < EXPONENT_GAP, 1.0 + EXPONENT_GAP, skew)
    most = np.maximum(MOST_OF_TOKENS * tokens, 2.0)
    one = 1.0 - order
    power = (one + 1.0) / one
    span = np.power(most, one) - 1.0
    total = np.power(most, one + 1.0) - 1.0
    held = np.minimum(popular, local)
    edge = 1.0 + span * (1.0 - held / experts)
    top = (np.power(most, one + 1.0) - np.power(edge, power)) / total
    rest = (1.0 - top) * (local - held) / np.maximum(experts - held, 1.0)
    skewed = np.minimum(pairs * (top + rest), tokens * np.minimum(local, top_k))
    # An expert whose share falls below one token has that share of a chance of one.
    least = np.clip(total / (power * span) * experts / pairs, 1.0, most)
    below = (np.power(least, one) - 1.0) / span
    few = pairs * (np.power(1.0 + span * below, power) - 1.0) / total
    touched = experts * (1.0 - below) + few
    rows = np.maximum(np.where(skew > 0.0, np.maximum(skewed, even), even), 1.0)
    present = local * np.where(skew > 0.0, np.minimum(touched / experts, 1.0), 1.0)
    return Load(rows, np.minimum(np.maximum(present, 1.0), rows))
