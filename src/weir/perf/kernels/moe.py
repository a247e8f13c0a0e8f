"""Routed experts: two grouped matrix products over the tokens that the router sent to each expert.

Experts without tokens cost nothing, so few tokens read few experts' weights. A skewed router loads
some experts more; the cores share all tiles, so skew costs where it fills fewer tiles or more
experts' weights are read per useful row.
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
# Gate and up projection are one product.
GATE_AND_UP: Final = 2.0


@dataclass(frozen=True)
class MoeParameters(GemmParameters):
    """What is learned about routed experts, on top of matrix products.

    Attributes:
        expert_s: Fixed cost of an expert with tokens.
        permute_passes: Passes over the routed activations by the kernels between the products.
        skew_share: How much of the imbalance of a skewed router stays exposed.
    """

    expert_s: float = parameter("s", 0.0, 1e-5)
    permute_passes: float = parameter("1", 0.0, 20.0)
    skew_share: float = parameter("1", 0.0, 3.0)


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

    Raises:
        InputError: A size is not positive.
        MissingRateError: The chip has no rate for the format.
        UnknownNameError: No such format.
    """
    tokens, hidden, inner, local, experts, top_k = sizes(
        KERNEL, tokens=tokens, hidden=hidden, intermediate=intermediate,
        experts_local=experts_local, experts=experts, top_k=top_k,
    )  # fmt: skip
    (skew,) = sizes(KERNEL, allow_zero=True, skew=skew)
    p = eff.of(MoeParameters, KERNEL, machine.generation, dtype)
    form = kernel_format(dtype)
    rows = tokens * top_k * local / experts
    active = np.minimum(local, np.maximum(rows, 1.0))
    each = np.maximum(rows, 1.0) / active
    pool = np.full((), np.inf)
    up = product(machine, eff, p, form, each, GATE_AND_UP * inner, hidden, active, pool)
    down = product(machine, eff, p, form, each, hidden, inner, active, pool)
    chip = silicon(machine, eff)
    streaming = np.asarray(chip.bandwidth) * p.memory_efficiency
    between = p.permute_passes * rows * (hidden + GATE_AND_UP * inner) * BF16_BYTES / streaming
    launch = p.launch_s + p.expert_s * active + up.quantise_s + down.quantise_s
    imbalance = 1.0 + p.skew_share * skew / np.maximum(each, 1.0)
    busy = (up.busy_s + down.busy_s) * imbalance + between
    return cost(
        {
            COMPUTE: up.matrix_s + down.matrix_s,
            MEMORY: up.memory_s + down.memory_s + between,
            LAUNCH: launch,
            POWER: up.power_s + down.power_s,
        },
        launch + busy,
        p.interval_log + widening(eff, KERNEL, machine),
        hardware_s=up.hardware_s + down.hardware_s,
        flop=up.flop + down.flop,
        memory_bytes=up.memory_bytes + down.memory_bytes,
    )
