"""Launch commands for the layout of a plan, in the words of each framework."""

import json
from typing import Final

from weir.answers.placement import Site
from weir.catalog.entities import Model
from weir.perf.parallel import Layout

# What each framework calls a format that the checkpoint itself does not have.
_VLLM_QUANTISATION: Final = {
    "fp8": "fp8", "int8": "compressed-tensors", "int8_wo": "gptq", "int4_wo": "awq",
    "nvfp4": "modelopt_fp4",
}  # fmt: skip
_SGLANG_QUANTISATION: Final = {
    "fp8": "fp8", "int8": "w8a8_int8", "int8_wo": "gptq", "int4_wo": "awq", "nvfp4": "modelopt_fp4",
}  # fmt: skip


def launch_flags(site: Site, layout: Layout, framework: str | None = None) -> str:
    """The command that starts a replica; empty for a framework without one.

    A checkpoint tells its own number format, so a flag is given only for another one. Drafts are
    those of the model's own multi-token prediction layer.

    Args:
        site: The model on the chip, with formats, drafts and overlap.
        layout: Parallel degrees.
        framework: "vllm" or "sglang", others have no command here; that of the site if left out.
    """
    folded = (framework or site.deployment.framework).casefold()
    if folded == "vllm":
        return " ".join(_vllm(site, layout))
    if folded == "sglang":
        return " ".join(_sglang(site, layout))
    return ""


def checkpoint(model: Model) -> str:
    """A name of the model that is one word on a command line, in place of its checkpoint."""
    return next((name for name in (model.name, *model.aliases) if " " not in name), model.id)


def _vllm(site: Site, layout: Layout) -> list[str]:
    # vLLM splits the cache over ranks that tensor parallelism has counted already.
    parts = [f"vllm serve {checkpoint(site.model)} --tensor-parallel-size {layout.dense_tp}"]
    if layout.pp > 1:
        parts.append(f"--pipeline-parallel-size {layout.pp}")
    if layout.dp > 1:
        parts.append(f"--data-parallel-size {layout.dp}")
    if layout.cp > 1:
        parts.append(f"--decode-context-parallel-size {layout.cp}")
    if layout.ep > 1:
        parts.append("--enable-expert-parallel")
    if _overlaps(site, layout):
        parts.append("--all2all-backend deepep_low_latency --enable-dbo")
    drafts = site.deployment.drafts.tokens
    if drafts:
        settings = json.dumps({"method": "mtp", "num_speculative_tokens": drafts})
        parts.append(f"--speculative-config '{settings}'")
    parts += _quantisation(site, _VLLM_QUANTISATION)
    if site.precision.kv_cache == "fp8":
        parts.append("--kv-cache-dtype fp8")
    return parts


def _sglang(site: Site, layout: Layout) -> list[str]:
    # SGLang counts the chips of a stage as tensor parallel and splits attention by --dp-size.
    parts = [
        f"python -m sglang.launch_server --model-path {checkpoint(site.model)}",
        f"--tp-size {layout.expert_group}",
    ]
    if layout.pp > 1:
        parts.append(f"--pp-size {layout.pp}")
    if layout.dp > 1:
        parts.append(f"--dp-size {layout.dp} --enable-dp-attention")
    if layout.ep > 1:
        parts.append(f"--ep-size {layout.ep}")
    if _overlaps(site, layout):
        parts.append("--moe-a2a-backend deepep --enable-two-batch-overlap")
    drafts = site.deployment.drafts.tokens
    if drafts:
        parts.append(
            f"--speculative-algorithm EAGLE --speculative-num-steps {drafts}"
            f" --speculative-eagle-topk 1 --speculative-num-draft-tokens {drafts + 1}"
        )
    parts += _quantisation(site, _SGLANG_QUANTISATION)
    if site.precision.kv_cache == "fp8":
        parts.append("--kv-cache-dtype fp8_e4m3")
    return parts


def _quantisation(site: Site, names: dict[str, str]) -> list[str]:
    asked = site.precision.weights
    is_published = site.deployment.weights is None
    return [] if is_published or asked not in names else [f"--quantization {names[asked]}"]


def _overlaps(site: Site, layout: Layout) -> bool:
    """Whether exchanges run beside kernels, which both frameworks do for spread experts only."""
    return site.deployment.exchange_overlap > 0.0 and layout.ep > 1 and layout.dp > 1
