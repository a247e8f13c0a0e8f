"""Linear attention with a matrix state: gated delta rule and its kin, in prefill and decode.

A prompt is worked on in chunks. Inside a chunk every token meets every other, which all chunks do
at once; the state then passes from chunk to chunk, which they do one after the other (Gated
DeltaNet, arXiv:2412.06464, section 3.3; the transform of the delta rule into matrix products is
that of arXiv:2406.06484). Each stage is a kernel of its own, so what one hands to the
next goes through the memory. Decoding reads and writes the state of every head once.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.core.errors import UnknownNameError
from weir.perf.kernels.cost import COMPUTE, FLOP_PER_MAC, LAUNCH, MEMORY, Cost, cost, sizes
from weir.perf.kernels.efficiency import Efficiency, overlapped, parameter, silicon, widening
from weir.perf.kernels.formats import BF16_BYTES
from weir.perf.kernels.streams import StreamParameters, stream_s
from weir.perf.machine import Machine, rate

Array = NDArray[np.float64]

PREFILL: Final = "linear_prefill"
DECODE: Final = "linear_decode"
FP32_BYTES: Final = 4.0
# Tokens of a chunk in the kernels that serve the gated delta rule.
CHUNK: Final = 64.0


@dataclass(frozen=True)
class ScanParameters(StreamParameters):
    """What is learned about chunked scans.

    Attributes:
        core_flop_per_clock: Arithmetic on small tiles that a core reaches in a clock.
        chunk_s: Least time of one step of the state from a chunk to the next.
        value_blocks: Blocks that the values are cut into on the way from chunk to chunk; each reads
            the keys for itself.
        padding_share: Share of its arithmetic that an empty place of a chunk costs.
    """

    core_flop_per_clock: float = parameter("FLOP/clock", 16.0, 1e9, per="generation format")
    chunk_s: float = parameter("s", 0.0, 1e-4, per="generation format")
    value_blocks: float = parameter("1", 1.0, 8.0)
    padding_share: float = parameter("1", 0.0, 1.0, per="format")


@dataclass(frozen=True)
class UpdateParameters(StreamParameters):
    """What is learned about the update of states by single tokens: nothing but streaming."""


@dataclass(frozen=True)
class Rule:
    """What one token of one value head costs in a chunked scan, in multiples of its dimensions.

    Operands are counted as often as a kernel reads or writes them; "inside" chunks, which all
    chunks do at once, or "along" the way from chunk to chunk.

    Attributes:
        key_passes: Products over the chunk that are as wide as the key.
        value_passes: Products over the chunk that are as wide as the value.
        inside_products: Products with a whole state.
        along_products: Likewise.
        inside_keys: Vectors as wide as the key.
        along_keys: Likewise.
        inside_values: Vectors as wide as the value.
        along_values: Likewise.
        inside_chunks: Rows of the matrix of a chunk with itself, in 16-bit numbers.
        inside_states: States at chunk borders.
        along_states: Likewise.
        shares_keys: Heads of values that share a key head also share the products and reads that
            are as wide as the key, because no decay or step of their own enters these.
    """

    key_passes: float
    value_passes: float
    inside_products: float
    along_products: float
    inside_keys: float
    along_keys: float
    inside_values: float
    along_values: float
    inside_chunks: float
    inside_states: float
    along_states: float
    shares_keys: bool = False


# The delta rule: keys with keys, keys and values through the inverse of that matrix, queries with
# keys, scores with values; then the state corrects the values, takes the keys in, and answers the
# queries. The matrix of a chunk is written and read in single precision, its inverse in 16 bits.
_DELTA: Final = Rule(
    key_passes=3.0, value_passes=2.0, inside_products=1.0, along_products=2.0,
    inside_keys=5.0, along_keys=2.0, inside_values=4.0, along_values=2.0,
    inside_chunks=6.0, inside_states=1.0, along_states=1.0,
)  # fmt: skip
# A decay of every key channel comes in single precision: its sums are written once and read by four
# kernels, and keys and queries are written and read scaled by it.
_KIMI: Final = replace(_DELTA, inside_keys=18.0, along_keys=4.0)
# Without the correction of the delta rule every chunk makes its part of the state at once, and
# only the sum of the parts runs along: queries with keys, scores with values, keys with values, and
# queries with the state.
PLAIN: Final = Rule(
    key_passes=1.0, value_passes=1.0, inside_products=2.0, along_products=0.0,
    inside_keys=3.0, along_keys=0.0, inside_values=3.0, along_values=0.0,
    inside_chunks=0.0, inside_states=2.0, along_states=2.0, shares_keys=True,
)  # fmt: skip
RULES: Final = {"gated_delta": _DELTA, "kimi_delta": _KIMI, "lightning": PLAIN}


@dataclass(frozen=True)
class Scan:
    """A chunked scan as the chip sees it.

    Attributes:
        heads: Sequences times heads of values.
        tokens: Tokens of each.
        chunk: Tokens of a chunk.
        inside_flop: Arithmetic of one token inside chunks.
        along_flop: Arithmetic of one token on the way from chunk to chunk.
        inside_bytes: Bytes that one token hands between kernels inside chunks.
        along_bytes: The same on the way from chunk to chunk, without keys.
        key_bytes: Keys on that way, read once.
        operand_bytes: Operands and results of the call, each moved once.
    """

    heads: Array
    tokens: Array
    chunk: float
    inside_flop: Array
    along_flop: Array
    inside_bytes: Array
    along_bytes: Array
    key_bytes: Array
    operand_bytes: Array


def _rule(variant: str) -> Rule:
    found = RULES.get(variant)
    if found is None:
        raise UnknownNameError("kind of linear attention", variant, RULES)
    return found


def linear_prefill(
    machine: Machine,
    eff: Efficiency,
    batch: ArrayLike,
    tokens: ArrayLike,
    key_heads: ArrayLike,
    value_heads: ArrayLike,
    key_dim: ArrayLike,
    value_dim: ArrayLike,
    *,
    variant: str = "gated_delta",
) -> Cost:
    """Chunked scan of new tokens; projections and the short convolution are calls of their own.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        batch: Sequences.
        tokens: New tokens of each.
        key_heads: Heads of queries and keys on this chip.
        value_heads: Heads of values, each with a state.
        key_dim: Size of a key.
        value_dim: Size of a value.
        variant: "gated_delta", "kimi_delta" or "lightning".

    Raises:
        InputError: A size is not positive.
        UnknownNameError: No such variant.
    """
    batch, tokens, key_heads, heads, key, value = sizes(
        PREFILL, batch=batch, tokens=tokens, key_heads=key_heads, value_heads=value_heads,
        key_dim=key_dim, value_dim=value_dim,
    )  # fmt: skip
    scan = chunked_scan(_rule(variant), CHUNK, batch, tokens, key_heads, heads, key, value)
    shapes = {"batch": batch, "tokens": tokens, "value_heads": heads, "key_dim": key}
    p = eff.of(ScanParameters, PREFILL, machine.generation, variant)
    return scan_cost(machine, eff, p, scan, shapes)


def chunked_scan(
    rule: Rule,
    chunk: float,
    batch: Array,
    tokens: Array,
    key_heads: Array,
    heads: Array,
    key: Array,
    value: Array,
) -> Scan:
    """Counts the arithmetic and the bytes of a chunked scan.

    Args:
        rule: What it does in a chunk.
        chunk: Tokens of a chunk.
        batch: Sequences.
        tokens: Tokens of each.
        key_heads: Heads of queries and keys.
        heads: Heads of values.
        key: Size of a key.
        value: Size of a value.
    """
    state = key * value
    # Width of the keys that one head of values pays for.
    own = key * key_heads / heads if rule.shares_keys else key
    passes = chunk * (rule.key_passes * own + rule.value_passes * value)
    inside = rule.inside_keys * own + rule.inside_values * value + rule.inside_chunks * chunk
    # Queries and keys are read; values are read and results written.
    vectors = 2.0 * tokens * (key_heads * key + heads * value)
    return Scan(
        heads=batch * heads,
        tokens=tokens,
        chunk=chunk,
        inside_flop=FLOP_PER_MAC * (passes + rule.inside_products * state),
        along_flop=FLOP_PER_MAC * rule.along_products * state,
        inside_bytes=BF16_BYTES * (inside + rule.inside_states * state / chunk),
        along_bytes=BF16_BYTES * (rule.along_values * value + rule.along_states * state / chunk),
        key_bytes=BF16_BYTES * rule.along_keys * own,
        operand_bytes=batch * (vectors * BF16_BYTES + heads * state * FP32_BYTES),
    )


def scan_cost(
    machine: Machine, eff: Efficiency, p: ScanParameters, scan: Scan, shapes: dict[str, Array]
) -> Cost:
    """Prices a chunked scan.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        p: Parameters of the kernel.
        scan: The work.
        shapes: Arguments of the kernel, to widen the interval beyond what was fitted.
    """
    chip = silicon(machine, eff)
    dense: Array = np.asarray(rate(machine, "bf16"))
    # No core does more than its share of the dense rate.
    core = np.minimum(p.core_flop_per_clock * np.asarray(chip.clock_hz), dense / chip.cores)
    chunks = np.ceil(scan.tokens / scan.chunk)
    rows = scan.heads * scan.tokens
    padded = rows + p.padding_share * (scan.heads * chunks * scan.chunk - rows)
    along_bytes = scan.along_bytes + p.value_blocks * scan.key_bytes
    # What is handed on is written and read.
    handed = rows * (scan.inside_bytes + scan.along_bytes + scan.key_bytes) / 2.0
    inside = padded * scan.inside_flop / (core * chip.cores)
    along = padded * scan.along_flop / (core * chip.cores)
    inside_memory = stream_s(p, chip, rows * scan.inside_bytes, handed)
    along_memory = stream_s(p, chip, rows * along_bytes, handed)
    chain = np.maximum(overlapped(along, along_memory, p.serial_share), (chunks - 1.0) * p.chunk_s)
    flop = rows * (scan.inside_flop + scan.along_flop)
    return cost(
        {COMPUTE: inside + along, MEMORY: inside_memory + along_memory, LAUNCH: p.launch_s},
        p.launch_s + overlapped(inside, inside_memory, p.serial_share) + chain,
        p.interval_log + widening(eff, PREFILL, machine, **shapes),
        hardware_s=np.maximum(flop / dense, scan.operand_bytes / chip.bandwidth),
        flop=flop,
        memory_bytes=scan.operand_bytes,
    )


def linear_decode(
    machine: Machine,
    eff: Efficiency,
    batch: ArrayLike,
    key_heads: ArrayLike,
    value_heads: ArrayLike,
    key_dim: ArrayLike,
    value_dim: ArrayLike,
    *,
    variant: str = "gated_delta",
    tokens: ArrayLike = 1.0,
    read_bytes: ArrayLike = FP32_BYTES,
    written_bytes: ArrayLike = FP32_BYTES,
    cache_pool_bytes: ArrayLike = np.inf,
) -> Cost:
    """Update of the state of every sequence by its new tokens.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        batch: Sequences.
        key_heads: Heads of queries and keys on this chip.
        value_heads: Heads of values, each with a state.
        key_dim: Size of a key.
        value_dim: Size of a value.
        variant: "gated_delta", "kimi_delta" or "lightning".
        tokens: Tokens of each sequence. The state after each of several is written, so that
            rejected drafts can be taken back.
        read_bytes: Bytes of one number of the state as it is read.
        written_bytes: The same as it is written.
        cache_pool_bytes: Bytes touched before the same states are; infinite in a model.

    Raises:
        InputError: A size is not positive.
        UnknownNameError: No such variant.
    """
    batch, key_heads, heads, key, value, tokens, read, written, pool = sizes(
        DECODE, batch=batch, key_heads=key_heads, value_heads=value_heads, key_dim=key_dim,
        value_dim=value_dim, tokens=tokens, read_bytes=read_bytes, written_bytes=written_bytes,
        cache_pool_bytes=cache_pool_bytes,
    )  # fmt: skip
    rule = _rule(variant)
    products = rule.inside_products + rule.along_products
    vectors = 2.0 * key_heads * key + 2.0 * heads * value
    update = Update(
        moved=batch * (heads * key * value * (read + tokens * written)
                       + tokens * vectors * BF16_BYTES),
        flop=FLOP_PER_MAC * products * batch * tokens * heads * key * value,
        pool=pool,
    )  # fmt: skip
    shapes = {"batch": batch, "value_heads": heads, "key_dim": key, "tokens": tokens}
    p = eff.of(UpdateParameters, DECODE, machine.generation, variant)
    return update_cost(machine, eff, p, update, shapes)


@dataclass(frozen=True)
class Update:
    """An update of states: bytes moved, arithmetic, and bytes until the same states come again."""

    moved: Array
    flop: Array
    pool: Array


def update_cost(
    machine: Machine, eff: Efficiency, p: UpdateParameters, update: Update, shapes: dict[str, Array]
) -> Cost:
    """Prices an update of states, which the memory alone bounds.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        p: Parameters of the kernel.
        update: The work.
        shapes: Arguments of the kernel, to widen the interval beyond what was fitted.
    """
    chip = silicon(machine, eff)
    dense: Array = np.asarray(rate(machine, "bf16"))
    memory = stream_s(p, chip, update.moved, np.maximum(update.pool, update.moved))
    return cost(
        {MEMORY: memory, LAUNCH: p.launch_s},
        p.launch_s + memory,
        p.interval_log + widening(eff, DECODE, machine, **shapes),
        hardware_s=np.maximum(update.flop / dense, update.moved / chip.bandwidth),
        flop=update.flop,
        memory_bytes=update.moved,
    )
