"""The step model on a grid: what the simulator asks a million times, computed once."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.answers.placement import Placement
from weir.perf.operators import Batch
from weir.perf.serving import Workload
from weir.perf.step import Engine, StepTime
from weir.sim.scheduler import Limits
from weir.sim.steps import StepTable

Array = NDArray[np.float64]

# Ratios of neighbouring points of a table axis. Kernels take whole tiles, so step times are stairs
# over batch and tokens, which a close grid follows; over contexts they are nearly straight lines.
_CLOSE: Final = 2.0**0.25
_MEDIUM: Final = 2.0**0.5
_OCTAVE: Final = 2.0


def limits_of(placed: Placement, work: Workload, max_sequences: int | None = None) -> Limits:
    """What one worker of a placement holds; a replica has one for each pipeline stage.

    A pipeline with `pp` stages has as many batches under way, each with its share of the cache.

    Args:
        placed: The layout with its memory.
        work: Mean lengths, at which the cache of a sequence is measured.
        max_sequences: Sequences of the replica at once; those that fit if left out.
    """
    stack, layout = placed.engine.stack, placed.engine.layout
    free = float(placed.memory.usable_bytes - placed.memory.fixed_bytes)
    tokens = free / cache_bytes_per_token(placed, work) * layout.dp / layout.pp
    return Limits(
        max_sequences=max(int((max_sequences or placed.max_users) / layout.pp), 1),
        token_budget=stack.chunk_tokens * layout.dp,
        cache_blocks=max(int(tokens / stack.cache_block_tokens), 1),
        block_tokens=stack.cache_block_tokens,
    )


def cache_bytes_per_token(placed: Placement, work: Workload) -> float:
    """Cache of a token on the chip that holds most of it, at the mean length of a request.

    State that does not grow, and windows that are full, are spread over the tokens.
    """
    block = placed.engine.stack.cache_block_tokens
    held = math.ceil(work.longest_tokens / block) * block
    return float(np.max(placed.memory.cache_bytes_per_sequence)) / held


def step_tables(
    engine: Engine, limits: Limits, longest_tokens: int
) -> tuple[StepTable, StepTable, StepTable]:
    """The step model on a grid, at the estimate and at both ends of its interval.

    Args:
        engine: The replica.
        limits: How far batch and token budget reach.
        longest_tokens: Longest context.

    Returns:
        Tables of the estimate, its lower end and its upper end.
    """
    most = min(limits.max_sequences, limits.cache_blocks * limits.block_tokens)
    sequences = _grid(most, _CLOSE)
    contexts = _grid(longest_tokens, _MEDIUM)
    decode = engine.step(_batch(engine, sequences[:, None], contexts[None, :]))
    tokens = _grid(max(limits.token_budget, longest_tokens), _MEDIUM)
    coarse = _grid(longest_tokens, _OCTAVE)
    beside = _grid(most, _OCTAVE)
    p, pc = tokens[:, None, None, None], coarse[None, :, None, None]
    alone = engine.step(_batch(engine, None, None, p, pc))
    mixed = engine.step(
        _batch(engine, beside[None, None, :, None], coarse[None, None, None, :], p, pc)
    )
    shape = (tokens.size, coarse.size, beside.size, coarse.size)
    grids = (tokens, coarse, np.append(0.0, beside), coarse)

    def table(end: str) -> StepTable:
        first = np.broadcast_to(getattr(alone, end), (*shape[:2], 1, shape[3]))
        rest = np.broadcast_to(getattr(mixed, end), shape)
        steps = np.broadcast_to(getattr(decode, end), (sequences.size, contexts.size))
        return StepTable(sequences, contexts, steps, *grids, np.concatenate([first, rest], axis=2))

    return table("time_s"), table("low_s"), table("high_s")


def exact_step(
    engine: Engine,
    prefill_tokens: float,
    prefill_context: float,
    decode_sequences: float,
    decode_context: float,
) -> StepTime:
    """The step that a table interpolates, from the step model itself."""
    prompts = (np.asarray(prefill_tokens), np.asarray(prefill_context)) if prefill_tokens else ()
    decoding = (
        (np.asarray(decode_sequences), np.asarray(decode_context))
        if decode_sequences
        else (None, None)
    )
    return engine.step(_batch(engine, *decoding, *prompts))


def _batch(
    engine: Engine,
    sequences: Array | None,
    context: Array | None,
    tokens: Array | None = None,
    attended: Array | None = None,
) -> Batch:
    """A step as the step model takes it.

    Prompt tokens with the mean of what they attend to become equal chunks, as few as that mean, a
    chunk's size and the data-parallel groups allow.
    """
    # The model divides sequences by the stages; a worker's batch is one stage's.
    decoding = None if sequences is None else sequences * engine.layout.pp
    cached = 0.0 if context is None else context
    if tokens is None or attended is None:
        return Batch(decode_sequences=decoding, decode_context=cached)
    largest = np.minimum(engine.stack.chunk_tokens, np.maximum(2.0 * attended - 1.0, 1.0))
    chunk = np.minimum(tokens, largest)
    return Batch(
        prefill_sequences=tokens / chunk,
        prefill_tokens=chunk,
        prefill_context=attended + (chunk - 1.0) / 2.0,
        decode_sequences=decoding,
        decode_context=cached,
    )


def _grid(most: float, ratio: float) -> Array:
    """Whole numbers from 1 to `most` or beyond, each about `ratio` times the one before."""
    points = max(math.ceil(math.log(max(most, 2.0)) / math.log(ratio)), 1)
    return np.unique(np.ceil(ratio ** np.arange(points + 1, dtype=np.float64)))
