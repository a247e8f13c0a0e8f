"""Measured rows of linear attention and Mamba-2 as calls of the kernel model.

The rows hold single kernels; the projections around them are matrix products of their own. The
tables have no row of the scan or of the state update of Mamba-2, only of its convolution.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weir.perf.calibration.cases import Case
from weir.perf.calibration.columns import Columns, floats, rows_by
from weir.perf.machine import Machine

Array = NDArray[np.float64]

CONVOLUTION: Final = "causal_conv1d_fn"
CONVOLUTION_UPDATE: Final = "causal_conv1d_update"
SCANS: Final = (
    "chunk_gated_delta_rule",
    "chunk_gated_delta_rule_flashinfer",
    "chunk_gated_delta_rule_triton",
    "chunk_kda",
    "chunk_kda_with_fused_gate",
    "flashkda_fwd",
)
# Kernels that update states, and the bytes of one number of a state as they read and write it.
UPDATES: Final[Mapping[str, tuple[float, float]]] = {
    "fused_recurrent_gated_delta_rule": (2.0, 4.0),
    "fused_recurrent_gated_delta_rule_packed_decode": (4.0, 4.0),
    "fused_recurrent_kda_packed_decode": (4.0, 4.0),
    "fused_sigmoid_gating_delta_rule_update": (4.0, 4.0),
}
# Where only the channels of the keys were convolved, not those of queries and values with them:
# the framework, or the version of it.
KEYS_ONLY: Final = ("TRTLLM", "0.5.10")


def gated_delta_cases(
    columns: Columns, machine: Machine, chip: str, framework: str
) -> Iterator[Case]:
    """Gated delta net: convolution, scan of prompts, update of states."""
    for (source, *named), part in rows_by(columns, "kernel_source", "framework", "version"):
        keys, values = _widths(part)
        channels = keys if set(named) & set(KEYS_ONLY) else 2.0 * keys + values
        if source in (CONVOLUTION, CONVOLUTION_UPDATE):
            yield _convolution(source, part, channels, machine, chip, framework)
        else:
            yield from _delta_rule(source, "gated_delta", part, machine, chip, framework)


def kimi_delta_cases(
    columns: Columns, machine: Machine, chip: str, framework: str
) -> Iterator[Case]:
    """Kimi delta attention: scan of prompts, update of states by one token and by drafts."""
    for (source,), part in rows_by(columns, "kernel_source"):
        yield from _delta_rule(source, "kimi_delta", part, machine, chip, framework)


def mamba_cases(columns: Columns, machine: Machine, chip: str, framework: str) -> Iterator[Case]:
    """Convolution of Mamba-2 over inputs and the matrices of every group."""
    for (source,), part in rows_by(columns, "kernel_source"):
        heads, dim, groups, state = floats(part, "nheads", "head_dim", "n_groups", "d_state")
        channels = heads * dim + 2.0 * groups * state
        if source in (CONVOLUTION, CONVOLUTION_UPDATE):
            yield _convolution(source, part, channels, machine, chip, framework)


def _widths(part: Columns) -> tuple[Array, Array]:
    key_heads, key, heads, value = floats(
        part, "num_k_heads", "head_k_dim", "num_v_heads", "head_v_dim"
    )
    return key_heads * key, heads * value


def _convolution(
    source: str, part: Columns, channels: Array, machine: Machine, chip: str, framework: str
) -> Case:
    batch, tokens, width = floats(part, "batch_size", "seq_len", "d_conv")
    arguments: dict[str, Any] = {"batch": batch, "channels": channels, "width": width}
    if source == CONVOLUTION:
        arguments["tokens"] = tokens
        kernel = "convolution_prefill"
    else:
        arguments["cache_pool_bytes"] = 1.0
        kernel = "convolution_decode"
    return Case(kernel, "", chip, framework, machine, arguments, part["latency"])


def _delta_rule(
    source: str, variant: str, part: Columns, machine: Machine, chip: str, framework: str
) -> Iterator[Case]:
    batch, tokens, key_heads, key, heads, value = floats(
        part, "batch_size", "seq_len", "num_k_heads", "head_k_dim", "num_v_heads", "head_v_dim"
    )
    arguments: dict[str, Any] = {
        "batch": batch, "tokens": tokens, "key_heads": key_heads, "value_heads": heads,
        "key_dim": key, "value_dim": value, "variant": variant,
    }  # fmt: skip
    if source in SCANS:
        kernel = "linear_prefill"
    elif source in UPDATES:
        kernel = "linear_decode"
        read, written = UPDATES[source]
        arguments |= {"read_bytes": read, "written_bytes": written, "cache_pool_bytes": 1.0}
    else:
        return
    yield Case(kernel, variant, chip, framework, machine, arguments, part["latency"])


TABLES: Final[Mapping[str, Callable[[Columns, Machine, str, str], Iterator[Case]]]] = {
    "gdn": gated_delta_cases,
    "kda": kimi_delta_cases,
    "mamba2": mamba_cases,
}
