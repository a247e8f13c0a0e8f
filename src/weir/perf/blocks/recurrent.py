"""Mixers with a state instead of a cache: gated linear attention and Mamba-2."""

from collections.abc import Iterator, Mapping
from typing import Any

from weir.catalog.architecture import Attention
from weir.perf.blocks.attention import output_projection
from weir.perf.formats import bytes_of
from weir.perf.operators import Operator, Part, Work, mixing, projection, streaming
from weir.perf.parameters import attention_parameters


def recurrent(attention: Attention, work: Work, count: int) -> Iterator[Operator]:
    """`count` layers of linear attention or Mamba-2.

    The input projections are taken as one matrix that holds all parameters but those of the output
    projection.
    """
    tp = work.layout.tp
    is_linear = attention.kind == "linear"
    dim = attention.key_head_dim if is_linear else attention.head_dim
    mixed = attention.value_heads * (attention.value_head_dim or dim)
    inputs = attention_parameters(attention, work.hidden) / work.hidden - mixed
    yield projection(
        "input projections",
        work,
        work.attention_tokens,
        round(inputs / tp),
        work.hidden,
        part=Part.ATTENTION_PROJECTIONS,
        fmt=work.precision.weights,
        count=count,
    )
    if attention.conv_kernel:
        matrices = (
            attention.key_heads * attention.key_head_dim
            if is_linear
            else attention.groups * attention.state_size
        )
        yield from _convolution(work, (mixed + 2 * matrices) / tp, attention.conv_kernel, count)
    yield from _linear(attention, work, count) if is_linear else _mamba(attention, work, count)
    width = work.attention_tokens * mixed / tp * bytes_of(work.precision.base)
    yield streaming("output gate and normalisation", 2 * width, width, count)
    yield from output_projection(work, mixed, count)


def _convolution(work: Work, channels: float, width: int, count: int) -> Iterator[Operator]:
    shape = {"channels": channels, "width": width}
    if work.has_prefill:
        prompts = {"batch": work.prefill_sequences, "tokens": work.prefill_tokens}
        yield mixing("short convolution", "convolution_prefill", {**shape, **prompts}, count)
    if work.has_decode:
        rows = {"batch": work.decode_sequences * work.decode_tokens}
        yield mixing("short convolution", "convolution_decode", {**shape, **rows}, count)


def _linear(attention: Attention, work: Work, count: int) -> Iterator[Operator]:
    tp = work.layout.tp
    shape = {
        "key_heads": attention.key_heads / tp,
        "value_heads": attention.value_heads / tp,
        "key_dim": attention.key_head_dim,
        "value_dim": attention.value_head_dim or attention.key_head_dim,
        "variant": attention.variant,
    }
    yield from _scan_and_update("linear", shape, work, count)


def _mamba(attention: Attention, work: Work, count: int) -> Iterator[Operator]:
    tp = work.layout.tp
    shape = {
        "groups": attention.groups / tp,
        "heads": attention.value_heads / tp,
        "head_dim": attention.value_head_dim or attention.head_dim,
        "state_size": attention.state_size,
    }
    yield from _scan_and_update("mamba", shape, work, count)


def _scan_and_update(
    family: str, shape: Mapping[str, Any], work: Work, count: int
) -> Iterator[Operator]:
    if work.has_prefill:
        prompts = {"batch": work.prefill_sequences, "tokens": work.prefill_tokens}
        yield mixing("chunked scan", f"{family}_prefill", {**shape, **prompts}, count)
    if work.has_decode:
        rows = {"batch": work.decode_sequences, "tokens": work.decode_tokens}
        yield mixing("state update", f"{family}_decode", {**shape, **rows}, count)
