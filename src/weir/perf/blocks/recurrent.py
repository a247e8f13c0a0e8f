"""Mixers with a state instead of a cache: gated linear attention and Mamba-2."""

from collections.abc import Iterator
from typing import Final

from weir.catalog.architecture import Attention
from weir.perf.blocks.attention import output_projection, value_width
from weir.perf.formats import bytes_of
from weir.perf.operators import Operator, Part, Work, projection, streaming
from weir.perf.parameters import BYTES_FP32, attention_parameters, state_elements

# Chunk of the chunked scan that serving kernels use for prompts (arXiv:2412.06464, section 3.3).
SCAN_CHUNK: Final = 64


def recurrent(attention: Attention, work: Work, count: int) -> Iterator[Operator]:
    """`count` layers of linear attention or Mamba-2.

    The input projections are taken as one matrix that holds all parameters but those of the output
    projection. The state is read and written once a decode token, and once a chunk in prefill.
    """
    tp = work.layout.tp
    dim = attention.key_head_dim if attention.kind == "linear" else attention.head_dim
    value_dim = attention.value_head_dim or dim
    mixed = attention.value_heads * value_dim
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
    recurrence, convolution = (elements / tp for elements in state_elements(attention))
    state = recurrence * BYTES_FP32 + convolution * bytes_of(work.precision.base)
    if work.has_decode:
        passes = work.decode_sequences * work.decode_tokens
        yield _state_update("state update", passes * state, count)
    if work.has_prefill:
        tokens = work.prefill_sequences * work.prefill_tokens
        yield _state_update("state scan", tokens / SCAN_CHUNK * state, count)
        yield Operator(
            name="chunked scan",
            part=Part.ATTENTION,
            kernel="gemm",
            arguments={
                "m": tokens,
                # Inside a chunk every token meets every other, then the state.
                "n": round(mixed / tp) + SCAN_CHUNK,
                "k": 2 * (attention.key_head_dim or attention.state_size),
                "dtype": work.precision.base,
            },
            count=count,
        )
    yield from output_projection(work, mixed, count)


def _state_update(name: str, moved: object, count: int) -> Operator:
    operator = streaming(name, moved, moved, count)  # type: ignore[arg-type]
    return Operator(name, Part.ATTENTION, operator.kernel, operator.arguments, count)


__all__ = ["recurrent", "value_width"]
