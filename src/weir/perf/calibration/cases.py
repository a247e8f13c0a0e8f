"""Measured rows as calls of the kernel model.

One function per table turns its columns into the arguments of a kernel, and states what the
measurement did that a model's step does not: the matrix products of the tables read a few copies
of the weights in turn, so small weights stay in the last-level cache, and routed experts read the
same weights again and again, so few experts stay there too.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weir.perf import kernels
from weir.perf.calibration.columns import WINDOW, Columns
from weir.perf.calibration.columns import floats as _floats
from weir.perf.calibration.columns import rows_by as _by
from weir.perf.kernels.collectives import has_links
from weir.perf.kernels.cost import Cost
from weir.perf.kernels.efficiency import Efficiency
from weir.perf.kernels.formats import BF16_BYTES, kernel_format
from weir.perf.kernels.routing import busiest_chip
from weir.perf.machine import Machine

Array = NDArray[np.float64]

# The tables' names of number formats.
DTYPES: Final = {
    "bfloat16": "bf16",
    "fp8": "fp8",
    "fp8_block": "fp8_block",
    "int8_wo": "int8_wo",
    "int4_wo": "int4_wo",
    "sq": "int8",
    "nvfp4": "nvfp4",
    "w4a16_mxfp4": "mxfp4_wo",
    "w4a8_mxfp4_mxfp8": "mxfp4",
    "half": "bf16",
    "int8": "int8",
}
# Sizes of the models whose latent attention the tables measure (arXiv:2412.19437, section 4.2).
MLA_RANK: Final = 512
MLA_ROPE: Final = 64
# Exponents of the routers' power laws; an unnamed distribution is balanced.
POWER_LAW: Final = "power_law_"
FEW_TOKENS: Final = "min_latency"
# Draws of a skewed router that a measurement of experts runs in turn.
SKEWED_DRAWS: Final = 5.0
COLLECTIVES: Final = {
    "all_gather": "all_gather",
    "alltoall": "all_to_all",
    "reduce_scatter": "reduce_scatter",
    "all_reduce": "all_reduce",
}
# Copies of the weights that the collectors of the frameworks read in turn, at most, and those that
# take no more copies than exceed the cache (collect_gemm.py of each, aiconfigurator at 095f58a; the
# first versions of the reference framework always took all).
WEIGHT_COPIES: Final = {"trtllm": 5.0, "sglang": 6.0, "vllm": 6.0}
STOPS_BEYOND_CACHE: Final = {"trtllm": "1.3"}
# Arguments that describe the measurement, not the kernel.
PROTOCOL: Final = ("weight_pool_bytes", "cache_pool_bytes")
ELEMENT_BYTES: Final = {"half": 2.0, "int8": 1.0, "bfloat16": 2.0}


@dataclass(frozen=True)
class Case:
    """Measured calls of one kernel in one format on one chip under one framework.

    Attributes:
        kernel: Name in `weir.perf.kernels`.
        dtype: Format as the report prints it.
        chip: The tables' name of the chip.
        framework: Framework whose kernel was measured.
        machine: The chip.
        arguments: Arguments of the kernel; arrays have one element per row.
        measured_s: Measured times.
    """

    kernel: str
    dtype: str
    chip: str
    framework: str
    machine: Machine
    arguments: Mapping[str, Any]
    measured_s: Array

    @property
    def table(self) -> str:
        """Name of the kernel's table of parameters."""
        return "all_reduce_library" if "library" in self.arguments else self.kernel

    @property
    def read_from(self) -> str:
        """The table that the estimate takes its parameters from."""
        own = self.table != "all_reduce" or bool(np.all(has_links(self.machine)))
        return self.table if own else "all_reduce_library"

    @property
    def has_rate(self) -> bool:
        """Whether the chip publishes the rate that the case's format runs at."""
        form = self.arguments.get("dtype", "bf16")
        return kernel_format(form).rate in self.machine.dense_flop_per_s

    def estimate(self, efficiency: Efficiency) -> Cost:
        """What the model says."""
        function: Callable[..., Cost] = getattr(kernels, self.kernel)
        return function(self.machine, efficiency, **self.arguments)

    def take(self, rows: NDArray[np.intp]) -> "Case":
        """Some of the rows."""
        count = len(self.measured_s)
        picked = {
            name: value[rows] if isinstance(value, np.ndarray) and len(value) == count else value
            for name, value in self.arguments.items()
        }
        return Case(
            self.kernel, self.dtype, self.chip, self.framework, self.machine, picked,
            self.measured_s[rows],
        )  # fmt: skip

    def is_like(self, other: "Case") -> bool:
        """Whether both measure one kernel in one format on one chip under one framework."""
        return (self.table, self.dtype, self.chip, self.framework) == (
            other.table, other.dtype, other.chip, other.framework
        )  # fmt: skip

    def joined(self, other: "Case") -> "Case":
        """The rows of both; they must be alike and have the same arguments."""
        counts = len(self.measured_s), len(other.measured_s)
        both = {}
        for name, value in self.arguments.items():
            pair = value, other.arguments[name]
            if not isinstance(value, np.ndarray) and value == pair[1]:
                both[name] = value
            else:
                columns = [np.broadcast_to(v, n) for v, n in zip(pair, counts, strict=True)]
                both[name] = np.concatenate(columns)
        return replace(
            self, arguments=both, measured_s=np.concatenate([self.measured_s, other.measured_s])
        )


def spread_rows(count: int, most: int) -> NDArray[np.intp]:
    """At most so many of `count` rows, spread evenly and without the rhythm of a grid.

    Rows are ordered by a multiplicative hash of their index (Knuth, volume 3, section 6.4), so the
    choice depends on nothing but the count.
    """
    if count <= most:
        return np.arange(count)
    order = (np.arange(count, dtype=np.uint64) * np.uint64(2654435761)) % np.uint64(2**32)
    return np.sort(np.argsort(order, kind="stable")[:most])


def gemm_cases(columns: Columns, machine: Machine, chip: str, framework: str) -> Iterator[Case]:
    """Matrix products."""
    for (name,), part in _by(columns, "gemm_dtype"):
        dtype = DTYPES.get(name)
        if dtype is None:
            continue
        m, n, k = _floats(part, "m", "n", "k")
        weights = kernel_format(dtype).weight_bytes * n * k
        copies = np.full_like(weights, WEIGHT_COPIES[framework])
        if _stops_beyond_cache(part, framework):
            cache = np.asarray(machine.last_level_cache_bytes, dtype=np.float64)
            copies = np.minimum(copies, np.ceil(cache / weights))
        yield Case(
            "gemm", dtype, chip, framework, machine,
            {"m": m, "n": n, "k": k, "dtype": dtype, "weight_pool_bytes": copies * weights},
            part["latency"],
        )  # fmt: skip


def _stops_beyond_cache(columns: Columns, framework: str) -> bool:
    """Whether the rows' collector takes no more copies of the weights than exceed the cache."""
    versions = columns.get("version", np.array([]))
    since = STOPS_BEYOND_CACHE.get(framework)
    return since is not None and all(str(version).startswith(since) for version in versions[:1])


def prefill_cases(columns: Columns, machine: Machine, chip: str, framework: str) -> Iterator[Case]:
    """Prefill attention of whole prompts."""
    for (attn, cache), part in _by(columns, "attn_dtype", "kv_cache_dtype"):
        dtype, kv_dtype = DTYPES[attn], DTYPES[cache]
        batch, tokens, heads, kv_heads, dim, window = _floats(
            part, "batch_size", "isl", "num_heads", "num_key_value_heads", "head_dim", WINDOW
        )
        arguments = {
            "batch": batch, "q_tokens": tokens, "kv_tokens": tokens, "heads": heads,
            "kv_heads": kv_heads, "head_dim": dim, "window": window,
            "dtype": dtype, "kv_dtype": kv_dtype,
        }  # fmt: skip
        yield Case(
            "attention_prefill", f"{dtype}-{kv_dtype}", chip, framework, machine, arguments,
            part["latency"],
        )  # fmt: skip


def decode_cases(columns: Columns, machine: Machine, chip: str, framework: str) -> Iterator[Case]:
    """Decode attention."""
    for (cache,), part in _by(columns, "kv_cache_dtype"):
        kv_dtype = DTYPES[cache]
        batch, step, heads, kv_heads, dim, window = _floats(
            part, "batch_size", "step", "num_heads", "num_key_value_heads", "head_dim",
            WINDOW,
        )  # fmt: skip
        arguments = {
            "batch": batch, "kv_tokens": step + 1.0, "heads": heads, "kv_heads": kv_heads,
            "head_dim": dim, "window": window, "kv_dtype": kv_dtype, "cache_pool_bytes": 1.0,
        }  # fmt: skip
        yield Case(
            "attention_decode", kv_dtype, chip, framework, machine, arguments, part["latency"]
        )


def mla_prefill_cases(
    columns: Columns, machine: Machine, chip: str, framework: str
) -> Iterator[Case]:
    """Latent attention of whole prompts."""
    for (cache,), part in _by(columns, "kv_cache_dtype"):
        kv_dtype = DTYPES[cache]
        batch, tokens, heads = _floats(part, "batch_size", "isl", "num_heads")
        arguments = {
            "batch": batch, "q_tokens": tokens, "kv_tokens": tokens, "heads": heads,
            "kv_lora_rank": MLA_RANK, "rope_dim": MLA_ROPE, "kv_dtype": kv_dtype,
        }  # fmt: skip
        yield Case("mla_prefill", kv_dtype, chip, framework, machine, arguments, part["latency"])


def mla_decode_cases(
    columns: Columns, machine: Machine, chip: str, framework: str
) -> Iterator[Case]:
    """Decode latent attention with absorbed weights."""
    for (cache,), part in _by(columns, "kv_cache_dtype"):
        kv_dtype = DTYPES[cache]
        batch, step, heads = _floats(part, "batch_size", "step", "num_heads")
        arguments = {
            "batch": batch, "kv_tokens": step + 1.0, "heads": heads,
            "kv_lora_rank": MLA_RANK, "rope_dim": MLA_ROPE, "kv_dtype": kv_dtype,
            "cache_pool_bytes": 1.0,
        }  # fmt: skip
        yield Case("mla_decode", kv_dtype, chip, framework, machine, arguments, part["latency"])


def moe_cases(columns: Columns, machine: Machine, chip: str, framework: str) -> Iterator[Case]:
    """Routed experts of one layer on one chip."""
    few = [source.endswith(FEW_TOKENS) for source in columns["kernel_source"].tolist()]
    columns = {**columns, "for_few_tokens": np.array(few)}
    for (name, for_few), part in _by(columns, "moe_dtype", "for_few_tokens"):
        dtype = DTYPES.get(name)
        if dtype is None:
            continue
        dtype = f"{dtype}_latency" if for_few else dtype
        tokens, hidden, inner, top_k, experts, tp, ep = _floats(
            part, "num_tokens", "hidden_size", "inter_size", "topk", "num_experts", "moe_tp_size",
            "moe_ep_size",
        )  # fmt: skip
        skew = np.array(
            [
                float(text.removeprefix(POWER_LAW)) if text.startswith(POWER_LAW) else 0.0
                for text in part["distribution"].tolist()
            ]
        )
        ungated = np.array([text.endswith("nongated") for text in part["kernel_source"].tolist()])
        gated = np.where(ungated, 0.0, 1.0)
        local = experts / ep
        load = busiest_chip(tokens, local, experts, top_k, skew)
        # A balanced call is repeated as it is; a skewed one is drawn anew a few times in turn.
        chances = np.where(skew > 0.0, SKEWED_DRAWS, 1.0)
        used = local * (1.0 - (1.0 - np.minimum(load.active / local, 1.0)) ** chances)
        expert = kernel_format(dtype).weight_bytes * (2.0 + gated) * hidden * inner / tp
        arguments = {
            "tokens": tokens, "hidden": hidden, "intermediate": inner / tp,
            "experts_local": local, "experts": experts, "top_k": top_k, "skew": skew,
            "gated": gated, "dtype": dtype, "weight_pool_bytes": used * expert,
        }  # fmt: skip
        yield Case("moe_gemm", dtype, chip, framework, machine, arguments, part["latency"])


def collective_cases(
    columns: Columns, machine: Machine, chip: str, framework: str
) -> Iterator[Case]:
    """Collectives of the communication library; sizes are elements of the whole buffer."""
    for (name,), part in _by(columns, "op_name"):
        kernel = COLLECTIVES.get(name)
        if kernel is None:
            continue
        elements, ranks = _floats(part, "message_size", "num_gpus")
        width = np.array([ELEMENT_BYTES[text] for text in part["nccl_dtype"].tolist()])
        arguments = {"message_bytes": elements * width, "ranks": ranks, "scope": "scale_up"}
        if kernel == "all_reduce":
            arguments["library"] = True
        yield Case(kernel, "scale_up", chip, framework, machine, arguments, part["latency"])


def custom_all_reduce_cases(
    columns: Columns, machine: Machine, chip: str, framework: str
) -> Iterator[Case]:
    """All-reduce kernels of the serving frameworks; sizes are elements of the buffer."""
    elements, ranks = _floats(columns, "message_size", "num_gpus")
    width = np.array([ELEMENT_BYTES[text] for text in columns["allreduce_dtype"].tolist()])
    plain = np.array(["MNNVL" not in text for text in columns["kernel_source"].tolist()])
    arguments = {"message_bytes": elements * width, "ranks": ranks, "scope": "scale_up"}
    whole = Case("all_reduce", "scale_up", chip, framework, machine, arguments, columns["latency"])
    yield whole.take(np.nonzero(plain)[0])


def conversion_cases(
    columns: Columns, machine: Machine, chip: str, framework: str
) -> Iterator[Case]:
    """Element-wise kernels, by the one that converts 16-bit activations to eight bits."""
    m, k = _floats(columns, "m", "k")
    arguments = {"bytes_read": BF16_BYTES * m * k, "bytes_written": m * k}
    yield Case("elementwise", "", chip, framework, machine, arguments, columns["latency"])


TABLES: Final[Mapping[str, Callable[[Columns, Machine, str, str], Iterator[Case]]]] = {
    "gemm": gemm_cases,
    "context_attention": prefill_cases,
    "generation_attention": decode_cases,
    "context_mla": mla_prefill_cases,
    "generation_mla": mla_decode_cases,
    "moe": moe_cases,
    "scale_matrix": conversion_cases,
    "nccl": collective_cases,
    "custom_allreduce": custom_all_reduce_cases,
}
