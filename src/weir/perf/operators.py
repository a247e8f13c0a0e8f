"""What one engine step does, as data: operators with their shapes on one chip.

An operator names a kernel of `weir.perf.kernels`, the arguments it is called with, how often it
runs, and the weights it reads. Arguments may be arrays; all of them broadcast together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.perf.formats import Precision, bytes_of
from weir.perf.parallel import Layout

Array = NDArray[np.float64]


class Part(StrEnum):
    """The part of a model an operator belongs to; the rows of a breakdown."""

    ATTENTION_PROJECTIONS = "attention projections"
    ATTENTION = "attention"
    FEED_FORWARD = "feed-forward"
    EXPERTS = "experts"
    ELEMENT_WISE = "norms and element-wise"
    COMMUNICATION = "communication"
    HEAD = "output head"


@dataclass(frozen=True, slots=True)
class Operator:
    """One kernel call of a step, on the chip that is busiest with it.

    Attributes:
        name: What it computes, for people: "query-key-value projection".
        part: The row of the breakdown it belongs to.
        kernel: Name of a function of `weir.perf.kernels`.
        arguments: Its arguments after machine and efficiency, by name.
        count: Calls in one pass through all layers.
        weight_elements: Weights one call reads on this chip; 0 where it reads none.
        weight_format: Their number format.
        span: Chips that a collective reaches across, counted along the replica; 0 for others.
    """

    name: str
    part: Part
    kernel: str
    arguments: Mapping[str, Any]
    count: float = 1.0
    weight_elements: float = 0.0
    weight_format: str = "bf16"
    span: int = 0

    @property
    def weight_bytes(self) -> float:
        """Weights of all calls together, on one chip, were every layer on it."""
        return self.count * self.weight_elements * bytes_of(self.weight_format)


@dataclass(frozen=True, slots=True)
class Routing:
    """How tokens are spread over experts, and experts over chips.

    Attributes:
        skew: Exponent of the power law of expert loads; 0 for a router that draws evenly.
        is_placed: Experts are placed, and copied, so that chips have the same load; otherwise the
            chip that happens to hold the most is waited for.
    """

    skew: float = 0.0
    is_placed: bool = False


EVEN: Final = Routing()


@dataclass(frozen=True, slots=True)
class Batch:
    """What the sequences of one engine step look like, over all chips of the replica.

    Either part may be absent. Every field is a number or an array; they broadcast.

    Attributes:
        prefill_sequences: Prompts worked on; None for a decode step.
        prefill_tokens: New tokens of each of them.
        prefill_context: Tokens of each at the end of the step, cached ones included.
        decode_sequences: Sequences that each get new tokens; None for a prefill step.
        decode_context: Tokens in the cache of each.
        decode_tokens: Tokens that each takes through the model: 1, or more where drafts are
            verified.
        routing: How tokens are spread over experts.
    """

    prefill_sequences: ArrayLike | None = None
    prefill_tokens: ArrayLike = 0.0
    prefill_context: ArrayLike = 0.0
    decode_sequences: ArrayLike | None = None
    decode_context: ArrayLike = 0.0
    decode_tokens: ArrayLike = 1.0
    routing: Routing = EVEN


@dataclass(frozen=True, slots=True)
class Work:
    """A batch as one data-parallel attention group sees it, with what the layout decides.

    Attributes:
        layout: Parallel degrees.
        precision: Number formats.
        hidden: Width of the residual stream.
        has_prefill: A prompt part is present.
        has_decode: A decode part is present.
        prefill_sequences: Prompts of this group.
        prefill_tokens: New tokens of each, on one context-parallel rank.
        prefill_context: Tokens each attends to at the end, such that causal attention costs what
            the rank's share costs.
        prefill_cached: Tokens of each prompt already in the cache.
        decode_sequences: Decoding sequences of this group.
        decode_context: Context of each on one context-parallel rank.
        decode_tokens: Tokens of each in this step.
        attention_tokens: Tokens that one attention rank projects.
        tokens: Tokens of this group.
        stage_tokens: Tokens of all groups together, which the routed experts see.
        outputs: Tokens of this group that need logits.
        routing: How tokens are spread over experts.
    """

    layout: Layout
    precision: Precision
    hidden: int
    has_prefill: bool
    has_decode: bool
    prefill_sequences: Array
    prefill_tokens: Array
    prefill_context: Array
    prefill_cached: Array
    decode_sequences: Array
    decode_context: Array
    decode_tokens: Array
    attention_tokens: Array
    tokens: Array
    stage_tokens: Array
    outputs: Array
    routing: Routing


def _array(value: ArrayLike | None) -> Array:
    return np.asarray(0.0 if value is None else value, dtype=np.float64)


def _busiest(sequences: Array, groups: int) -> Array:
    """Sequences of the busiest of some equal groups: never less than one while there is one.

    Fractions stand for averages over time, so they are kept.
    """
    return np.maximum(sequences / groups, np.minimum(sequences, 1.0))


def share_work(batch: Batch, layout: Layout, precision: Precision, hidden: int) -> Work:
    """Splits a batch over data-parallel groups and pipeline stages.

    A pipeline works on `pp` equal micro-batches in turn; the largest of them is returned. Causal
    attention over `cp` ranks is balanced by giving each rank an early and a late slice.
    """
    dp, cp, pp = layout.dp, layout.cp, layout.pp
    prompts, decoding = _array(batch.prefill_sequences), _array(batch.decode_sequences)
    new, context = _array(batch.prefill_tokens), _array(batch.prefill_context)
    width = _array(batch.decode_tokens)
    prompts_here = _busiest(prompts, dp)
    micro = _busiest(decoding, pp)
    decoding_here = _busiest(micro, dp)
    tokens = prompts_here * new + decoding_here * width
    new_here = np.ceil(new / cp)
    return Work(
        layout=layout,
        precision=precision,
        hidden=hidden,
        has_prefill=batch.prefill_sequences is not None,
        has_decode=batch.decode_sequences is not None,
        prefill_sequences=prompts_here,
        prefill_tokens=new_here,
        prefill_context=context - (new - new_here) / 2,
        prefill_cached=context - new,
        decode_sequences=decoding_here,
        decode_context=np.ceil(_array(batch.decode_context) / cp),
        decode_tokens=width,
        attention_tokens=prompts_here * new_here + decoding_here * width,
        tokens=tokens,
        stage_tokens=np.maximum(prompts * new + micro * width, tokens),
        outputs=prompts_here + decoding_here * width,
        routing=batch.routing,
    )


def projection(
    name: str, work: Work, m: ArrayLike, n: int, k: int, *, part: Part, fmt: str, count: int
) -> Operator:
    """A matrix product with weights: `m` tokens, `k` inputs, `n` outputs on this chip."""
    return Operator(
        name=name,
        part=part,
        kernel="gemm",
        arguments={"m": m, "n": n, "k": k, "dtype": fmt},
        count=count,
        weight_elements=float(n) * k,
        weight_format=fmt,
    )


def mixing(name: str, kernel: str, arguments: Mapping[str, Any], count: int) -> Operator:
    """A kernel that mixes tokens with each other: attention, or the state in its place."""
    return Operator(name, Part.ATTENTION, kernel, arguments, count)


def streaming(name: str, read: ArrayLike, written: ArrayLike, count: int) -> Operator:
    """An element-wise kernel that moves so many bytes."""
    return Operator(
        name=name,
        part=Part.ELEMENT_WISE,
        kernel="elementwise",
        arguments={"bytes_read": read, "bytes_written": written},
        count=count,
    )


def collective(
    name: str, kernel: str, message: ArrayLike, ranks: int, count: float, *, span: int = 0
) -> Operator:
    """A collective over `ranks` chips; `message` is the bytes of one rank's buffer."""
    return Operator(
        name=name,
        part=Part.COMMUNICATION,
        kernel=kernel,
        arguments={"message_bytes": message, "ranks": ranks},
        count=count,
        span=span or ranks,
    )
