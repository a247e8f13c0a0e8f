"""Launch commands for the layout of a plan, in the words of each framework."""

from typing import Final

from weir.catalog.entities import Model
from weir.perf.formats import Precision
from weir.perf.parallel import Layout

# What each framework calls a format that is not the published one.
_VLLM_QUANTISATION: Final = {"fp8": "fp8", "int8_wo": "int8", "int4_wo": "awq"}
_SGLANG_QUANTISATION: Final = {"fp8": "fp8", "int8": "w8a8_int8", "int4_wo": "awq"}


def launch_flags(model: Model, layout: Layout, precision: Precision, framework: str) -> str:
    """The command that starts a replica; empty for a framework without one.

    Args:
        model: The model; its name stands for the checkpoint.
        layout: Parallel degrees.
        precision: Number formats.
        framework: "vllm" or "sglang"; others have no command here.
    """
    folded = framework.casefold()
    if folded == "vllm":
        return _vllm(model, layout, precision)
    if folded == "sglang":
        return _sglang(model, layout, precision)
    return ""


def checkpoint(model: Model) -> str:
    """A name of the model that is one word on a command line, in place of its checkpoint."""
    return next((name for name in (model.name, *model.aliases) if " " not in name), model.id)


def _vllm(model: Model, layout: Layout, precision: Precision) -> str:
    parts = [f"vllm serve {checkpoint(model)}", f"--tensor-parallel-size {layout.tp}"]
    if layout.pp > 1:
        parts.append(f"--pipeline-parallel-size {layout.pp}")
    if layout.dp > 1:
        parts.append(f"--data-parallel-size {layout.dp}")
    if layout.cp > 1:
        parts.append(f"--decode-context-parallel-size {layout.cp}")
    if layout.ep > 1:
        parts.append("--enable-expert-parallel")
    if precision.weights in _VLLM_QUANTISATION:
        parts.append(f"--quantization {_VLLM_QUANTISATION[precision.weights]}")
    if precision.kv_cache == "fp8":
        parts.append("--kv-cache-dtype fp8")
    return " ".join(parts)


def _sglang(model: Model, layout: Layout, precision: Precision) -> str:
    # SGLang counts the chips of a stage as tensor parallel and splits attention by --dp-size.
    parts = [
        f"python -m sglang.launch_server --model-path {checkpoint(model)}",
        f"--tp-size {layout.expert_group}",
    ]
    if layout.pp > 1:
        parts.append(f"--pp-size {layout.pp}")
    if layout.dp > 1:
        parts.append(f"--dp-size {layout.dp} --enable-dp-attention")
    if layout.ep > 1:
        parts.append(f"--ep-size {layout.ep}")
    if precision.weights in _SGLANG_QUANTISATION:
        parts.append(f"--quantization {_SGLANG_QUANTISATION[precision.weights]}")
    if precision.kv_cache == "fp8":
        parts.append("--kv-cache-dtype fp8_e4m3")
    return " ".join(parts)
