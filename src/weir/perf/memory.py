"""Memory of one chip: weights, attention cache, activations, buffers, reserve; what fits."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.catalog.architecture import Attention
from weir.catalog.entities import Model
from weir.catalog.stack import Stack
from weir.perf.arch import operators
from weir.perf.blocks.attention import kv_heads_per_chip, value_width
from weir.perf.formats import Precision, bytes_of
from weir.perf.operators import Batch, Operator, Part
from weir.perf.parallel import Layout
from weir.perf.parameters import (
    BYTES_FP32,
    cached_elements_per_token,
    embedding_parameters,
    indexer_elements_per_token,
    state_elements,
    total_parameters,
)

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of the fullest chip of a replica, and what decides whether the work fits.

    Attributes:
        capacity_bytes: Memory of the chip.
        usable_bytes: What the framework uses of it.
        weights_bytes: Weights on the chip.
        experts_bytes: Routed experts among them.
        activations_bytes: Largest working set of a step.
        buffers_bytes: Buffers of the collectives.
        reserve_bytes: Driver context and libraries.
        cache_bytes_per_sequence: Cache and state of one sequence at the context asked for, on this
            chip, whole blocks.
        sequences_per_chip: Sequences of the batch whose cache this chip holds (a share of).
        max_sequences: Largest batch of the whole replica that fits; 0 where weights alone do not.
    """

    capacity_bytes: ArrayLike
    usable_bytes: Array
    weights_bytes: float
    experts_bytes: float
    activations_bytes: Array
    buffers_bytes: Array
    reserve_bytes: float
    cache_bytes_per_sequence: Array
    sequences_per_chip: Array
    max_sequences: Array

    @property
    def cache_bytes(self) -> Array:
        """Cache of the batch on this chip."""
        return self.cache_bytes_per_sequence * self.sequences_per_chip

    @property
    def fixed_bytes(self) -> Array:
        """Everything but the cache."""
        fixed = self.weights_bytes + self.reserve_bytes
        return fixed + self.activations_bytes + self.buffers_bytes

    @property
    def needed_bytes(self) -> Array:
        """Everything the batch needs."""
        return self.fixed_bytes + self.cache_bytes

    @property
    def fits(self) -> NDArray[np.bool_]:
        """Whether the batch fits."""
        return self.needed_bytes <= self.usable_bytes


def weights_per_chip(model: Model, layout: Layout, precision: Precision) -> tuple[float, float]:
    """Weights on the fullest chip of a replica, and the routed experts among them, in bytes.

    The weights that the operators of a decode step read are what is stored; what the operators do
    not read (norms, biases, what a record states as extra) is kept whole on every chip.

    Args:
        model: The model.
        layout: Parallel degrees.
        precision: Number formats.

    Raises:
        LayoutError: The layout does not divide the model.
    """
    return _weights_per_chip(_TheModel(model), layout, precision)


class _TheModel:
    """A model as a key: the same only if it is the very object, which nothing ever changes."""

    __slots__ = ("model",)

    def __init__(self, model: Model) -> None:
        self.model = model

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _TheModel) and other.model is self.model

    def __hash__(self) -> int:
        return id(self.model)


# A search asks for the same weights for every chip and batch it tries.
@lru_cache(maxsize=4096)
def _weights_per_chip(key: _TheModel, layout: Layout, precision: Precision) -> tuple[float, float]:
    model = key.model
    stage = -(-model.layer_count // layout.pp) / model.layer_count
    base = bytes_of(precision.base)
    dense = experts = head = 0.0
    for operator in _stored(model, layout, precision):
        if operator.name == "routed experts":
            experts += operator.weight_bytes
        elif operator.part is Part.HEAD:
            head += operator.weight_bytes
        else:
            dense += operator.weight_bytes
    embedding = embedding_parameters(model.shape) * base / layout.dense_tp
    one_matrix = model.shape.tied_embeddings or layout.pp > 1
    ends = max(embedding, head) if one_matrix else embedding + head
    rest = _uncounted_parameters(key) * base
    return (dense + experts + rest) * stage + ends, experts * stage


def _stored(model: Model, layout: Layout, precision: Precision) -> tuple[Operator, ...]:
    step = Batch(decode_sequences=1, decode_context=1)
    return operators(model, layout, precision, step)


@lru_cache(maxsize=256)
def _uncounted_parameters(key: _TheModel) -> float:
    """Parameters that no operator reads as a matrix: norms, biases and stated extras."""
    model, whole = key.model, Layout()
    counted = sum(
        operator.count * operator.weight_elements
        for operator in _stored(model, whole, Precision("bf16", "bf16", "bf16"))
    )
    # The head operator reads the token embedding where both are one matrix; positions are apart.
    shape = model.shape
    positions = shape.positions * shape.hidden
    embedding = positions if shape.tied_embeddings else embedding_parameters(shape)
    return max(total_parameters(model) - counted - embedding, 0.0)


def cache_per_sequence(
    model: Model,
    layout: Layout,
    precision: Precision,
    context_tokens: ArrayLike,
    *,
    block_tokens: int = 1,
) -> Array:
    """Cache and state of one sequence on the chip that holds most of it, in bytes.

    Latents have no heads to split, so every tensor-parallel rank keeps all of them; key-value
    heads are split as far as there are any. A windowed layer keeps its window.

    Args:
        model: The model.
        layout: Parallel degrees.
        precision: Number formats.
        context_tokens: Tokens of the sequence, any shape.
        block_tokens: Tokens of a cache block; the last one is held whole.
    """
    stage = -(-model.layer_count // layout.pp) / model.layer_count
    tokens = np.ceil(np.asarray(context_tokens, dtype=np.float64) / layout.cp)
    tokens = np.ceil(tokens / block_tokens) * block_tokens
    width = bytes_of(precision.kv_cache)
    size = np.zeros(tokens.shape)
    for layer in model.layers:
        kind = model.attentions[layer.attention]
        kept = np.minimum(tokens, kind.window) if kind.window else tokens
        size = size + layer.count * kept * _cached(kind, layout) * width
        recurrence, convolution = state_elements(kind)
        state = recurrence * BYTES_FP32 + convolution * bytes_of(precision.base)
        size = size + layer.count * state / layout.tp
    return size * stage


def _cached(kind: Attention, layout: Layout) -> float:
    index = indexer_elements_per_token(kind)
    if kind.kind == "gqa" and not kind.shares_cache:
        heads = kv_heads_per_chip(kind, layout.tp)
        return heads * (kind.head_dim + value_width(kind)) + index
    return cached_elements_per_token(kind) + index


def activations_bytes(
    model: Model, layout: Layout, precision: Precision, step_tokens: ArrayLike
) -> Array:
    """Largest working set of a step: residual stream twice, and one operator's input and output.

    Args:
        model: The model.
        layout: Parallel degrees.
        precision: Number formats.
        step_tokens: Tokens of one data-parallel group in the largest step.
    """
    tokens = np.asarray(step_tokens, dtype=np.float64)
    if not tokens.ndim:
        return _one_step(_TheModel(model), layout, precision, float(tokens))
    return _working_sets(model, layout, precision, tokens)


# A search asks for the same step of every layout for each chip, length and batch.
@lru_cache(maxsize=4096)
def _one_step(key: _TheModel, layout: Layout, precision: Precision, tokens: float) -> Array:
    return _working_sets(key.model, layout, precision, np.asarray(tokens))


def _working_sets(model: Model, layout: Layout, precision: Precision, tokens: Array) -> Array:
    step = Batch(prefill_sequences=layout.dp, prefill_tokens=tokens, prefill_context=tokens)
    base = bytes_of(precision.base)
    largest = np.zeros(tokens.shape)
    for operator in operators(model, layout, precision, step):
        largest = np.maximum(largest, _working_set(operator) * base)
    return 2 * tokens * model.shape.hidden * base + largest


def _working_set(operator: Operator) -> Array:
    shape = operator.arguments
    if operator.kernel == "gemm":
        return np.asarray(shape["m"] * (shape["n"] + shape["k"]), dtype=np.float64)
    if operator.kernel == "moe_gemm":
        # Up and gate projections and their product, for the pairs that land on this chip.
        share = shape["experts_local"] / shape["experts"]
        pairs = shape["tokens"] * shape["top_k"] * share
        return np.asarray(pairs * (2 * shape["hidden"] + 3 * shape["intermediate"]))
    return np.zeros(())


def memory(
    model: Model,
    layout: Layout,
    precision: Precision,
    stack: Stack,
    capacity_bytes: ArrayLike,
    *,
    sequences: ArrayLike,
    context_tokens: ArrayLike,
) -> Memory:
    """Memory of the fullest chip for a batch.

    Args:
        model: The model.
        layout: Parallel degrees.
        precision: Number formats.
        stack: The framework, for its share of memory, reserve, block and chunk.
        capacity_bytes: Memory of the chip; NaN where unknown.
        sequences: Sequences held by the whole replica.
        context_tokens: Tokens of each.

    Raises:
        LayoutError: The layout does not divide the model.
    """
    weights, experts = weights_per_chip(model, layout, precision)
    step_tokens = np.asarray(stack.chunk_tokens, dtype=np.float64)
    working = activations_bytes(model, layout, precision, step_tokens)
    buffers = _buffers(model, layout, precision, step_tokens)
    per_sequence = cache_per_sequence(
        model, layout, precision, context_tokens, block_tokens=stack.cache_block_tokens
    )
    fixed = weights + working + buffers + stack.reserve_bytes
    usable = usable_bytes(stack, capacity_bytes, fixed)
    free = usable - fixed
    with np.errstate(divide="ignore", invalid="ignore"):
        held = np.floor(np.maximum(free, 0.0) / per_sequence)
    return Memory(
        capacity_bytes=capacity_bytes,
        usable_bytes=usable,
        weights_bytes=weights,
        experts_bytes=experts,
        activations_bytes=working,
        buffers_bytes=buffers,
        reserve_bytes=stack.reserve_bytes,
        cache_bytes_per_sequence=per_sequence,
        sequences_per_chip=np.ceil(np.asarray(sequences, dtype=np.float64) / layout.dp),
        max_sequences=held * layout.dp,
    )


def usable_bytes(stack: Stack, capacity_bytes: ArrayLike, fixed_bytes: ArrayLike = 0.0) -> Array:
    """What a framework uses of a chip's memory.

    Args:
        stack: The framework.
        capacity_bytes: Memory of the chip.
        fixed_bytes: What it holds beside the cache.
    """
    capacity = np.asarray(capacity_bytes, dtype=np.float64)
    if not stack.is_of_free:
        return capacity * stack.memory_fraction
    left = capacity - np.asarray(fixed_bytes, dtype=np.float64)
    # What does not fit leaves nothing free, and no share of it is held back.
    return np.asarray(capacity - np.maximum(left, 0.0) * (1.0 - stack.memory_fraction))


def _buffers(model: Model, layout: Layout, precision: Precision, step_tokens: Array) -> Array:
    """One message in and one out for the collectives of the residual stream."""
    if layout.chips == 1:
        return np.zeros(step_tokens.shape)
    return 2 * step_tokens * model.shape.hidden * bytes_of(precision.collectives)
