"""State-space mixer of Mamba-2: chunked scan of prompts and update of states in decoding.

The duality of state-space models and masked attention (arXiv:2405.21060, section 6) makes the scan
the plain case of linear attention: the input matrix is the key, the output matrix the query, the
step-scaled input the value, and a group of heads shares queries and keys. The learned parameters
are those of linear attention, because no measured table of the scan is known.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from weir.perf.kernels.cost import FLOP_PER_MAC, Cost, sizes
from weir.perf.kernels.efficiency import Efficiency
from weir.perf.kernels.formats import BF16_BYTES
from weir.perf.kernels.linear_attention import (
    DECODE,
    FP32_BYTES,
    PLAIN,
    PREFILL,
    ScanParameters,
    Update,
    UpdateParameters,
    chunked_scan,
    scan_cost,
    update_cost,
)
from weir.perf.machine import Machine

VARIANT: Final = "mamba2"
# Chunk of the published implementation (arXiv:2405.21060, section 6); some models take half.
CHUNK: Final = 256.0


def mamba_prefill(
    machine: Machine,
    eff: Efficiency,
    batch: ArrayLike,
    tokens: ArrayLike,
    groups: ArrayLike,
    heads: ArrayLike,
    head_dim: ArrayLike,
    state_size: ArrayLike,
) -> Cost:
    """Chunked scan of new tokens; projections and the short convolution are calls of their own.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        batch: Sequences.
        tokens: New tokens of each.
        groups: Groups of heads that share input and output matrices, on this chip.
        heads: Heads on this chip.
        head_dim: Channels of a head.
        state_size: State of a channel.

    Raises:
        InputError: A size is not positive.
    """
    batch, tokens, groups, heads, dim, state = sizes(
        "mamba_prefill", batch=batch, tokens=tokens, groups=groups, heads=heads,
        head_dim=head_dim, state_size=state_size,
    )  # fmt: skip
    scan = chunked_scan(PLAIN, CHUNK, batch, tokens, groups, heads, state, dim)
    p = eff.of(ScanParameters, PREFILL, machine.generation, VARIANT)
    shapes = {"batch": batch, "tokens": tokens, "value_heads": heads, "key_dim": state}
    return scan_cost(machine, eff, p, scan, shapes)


def mamba_decode(
    machine: Machine,
    eff: Efficiency,
    batch: ArrayLike,
    groups: ArrayLike,
    heads: ArrayLike,
    head_dim: ArrayLike,
    state_size: ArrayLike,
    *,
    tokens: ArrayLike = 1.0,
) -> Cost:
    """Update of the state of every sequence by its new tokens.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        batch: Sequences.
        groups: Groups of heads that share input and output matrices, on this chip.
        heads: Heads on this chip.
        head_dim: Channels of a head.
        state_size: State of a channel.
        tokens: Tokens of each sequence; the state after each is written.

    Raises:
        InputError: A size is not positive.
    """
    batch, groups, heads, dim, state, tokens = sizes(
        "mamba_decode", batch=batch, groups=groups, heads=heads, head_dim=head_dim,
        state_size=state_size, tokens=tokens,
    )  # fmt: skip
    # Input and output matrices of the groups are read; inputs are read and results written.
    vectors = 2.0 * (groups * state + heads * dim)
    states = heads * dim * state
    update = Update(
        moved=batch * (states * FP32_BYTES * (1.0 + tokens) + tokens * vectors * BF16_BYTES),
        flop=FLOP_PER_MAC * PLAIN.inside_products * batch * tokens * states,
        pool=np.full((), np.inf),
    )
    p = eff.of(UpdateParameters, DECODE, machine.generation, VARIANT)
    shapes = {"batch": batch, "value_heads": heads, "key_dim": state, "tokens": tokens}
    return update_cost(machine, eff, p, update, shapes)
