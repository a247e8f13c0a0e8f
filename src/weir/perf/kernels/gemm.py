"""Matrix products: tiles in waves over the cores, split along k, against memory, cache and power.

The product of an m x k by a k x n matrix is cut into tiles of the output. Every core works on one
tile at a time; the last wave leaves cores idle. A product with few tiles is split along k so that
all cores have work, at the price of adding partial sums. The library picks the best tile and
split; so does the model, from a short list of both. A tile takes k steps, each bounded by the
matrix unit, by the operands it draws from the cache, or by the latency of one step of the
pipeline. Weights come from memory unless the pool of weights that is read in turn fits into the
last-level cache. Matrix and memory time overlap but for a share. Work that would draw more than the
power limit runs at a lower clock. Launches and pipelines are counted in clocks. Formats of narrow
activations convert these first, in a kernel of its own: cores take rows, or a few warps take chains
of them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.perf.kernels.cost import COMPUTE, FLOP_PER_MAC, LAUNCH, MEMORY, POWER, Cost, cost, sizes
from weir.perf.kernels.efficiency import (
    PRODUCTS,
    Efficiency,
    Silicon,
    overlapped,
    parameter,
    power_roof_s,
    silicon,
    throttled,
    widening,
)
from weir.perf.kernels.formats import BF16_BYTES, KernelFormat, kernel_format
from weir.perf.kernels.streams import cache_bytes_per_s, missed_share
from weir.perf.machine import Machine, rate

Array = NDArray[np.float64]

KERNEL: Final = PRODUCTS
# Output tiles (rows, columns) that libraries build products from.
TILES: Final = np.array(
    [
        (256, 128), (128, 256), (128, 128), (64, 256), (256, 64),
        (128, 64), (64, 128), (64, 64), (64, 32), (32, 64),
    ],
    dtype=np.float64,
)  # fmt: skip
# A split of k writes and reads its partial sums in single precision.
PARTIAL_SUM_BYTES: Final = 8.0
# Most pieces of a split.
SPLIT_MAX: Final = 32.0
# Shapes priced at once, so that the candidates of a chunk stay in the processor's cache.
CHUNK: Final = 2048


@dataclass(frozen=True)
class GemmParameters:
    """What is learned about matrix products.

    Attributes:
        launch_s: From one kernel to the next on an otherwise idle chip, at the clock that stands in
            for unknown ones; as are the fixed cost of a tile and the latency of a step.
        matrix_efficiency: Share of the dense rate that a full tile reaches at full power.
        memory_efficiency: Share of the memory bandwidth that streaming reaches.
        core_cache_bytes_per_clock: Operands that a core draws from the cache.
        cache_bytes_per_clock: What each core gets of the last-level cache when all read; together
            they get the memory bandwidth at least.
        cache_share: Share of the last-level cache that can hold a pool of weights.
        cache_sharpness: How sharply residency ends when the pool outgrows the cache.
        activation_cache_share: Share of the cache in which activations are found again.
        wave_quantisation: 1 if a wave that is not full takes as long as a full one, 0 if work is
            balanced perfectly.
        occupancy_half: Below this share of busy cores half the memory bandwidth is out of reach.
        split_s: Fixed cost of adding the partial sums of a split.
        serial_share: Share of the shorter of matrix and memory time that does not overlap.
        idle_power_share: Share of the power limit spent without matrix work.
        sustained_share: Share of the dense rate that known chips sustain under their power limits.
        tile_s: Fixed cost of a tile: prologue and epilogue.
        energy_j_s2_per_flop: Energy of one operation over the square of the clock.
        step_s: Latency of one element of k in a tile's pipeline.
        split_min_k: Shortest piece of k that a split makes.
        vector_step_share: The latency of matrix-vector products over that of tiles.
        least_tile: Outputs of the smallest tile that the library has for a format.
        only_rows: Rows of the one tile that the library has for a format; 0 where it has several.
        only_columns: Columns of that tile.
        step_granule: Elements of k that a pipeline takes at a time; k is padded to their multiple.
        quantise_row_s: Time of a core on one row of activations that it converts, beside its bytes.
        quantise_chains: Chains of rows that a conversion by single warps takes one after the other;
            0 where all cores convert.
        chain_row_s: Time of one row in such a chain.
        interval_log: Half width of the 80 % interval of the logarithm of the time.
    """

    launch_s: float = parameter("s", 0.0, 1e-4, per="generation format once")
    matrix_efficiency: float = parameter("1", 0.2, 1.1, per="format")
    memory_efficiency: float = parameter("1", 0.2, 1.0, per="format")
    core_cache_bytes_per_clock: float = parameter("bytes/clock", 4.0, 1e9, per="generation format")
    cache_bytes_per_clock: float = parameter("bytes/clock", 4.0, 64.0, per="generation")
    cache_share: float = parameter("1", 0.1, 1.5)
    cache_sharpness: float = parameter("1", 1.0, 60.0)
    activation_cache_share: float = parameter("1", 0.01, 3.0)
    wave_quantisation: float = parameter("1", 0.0, 1.0)
    occupancy_half: float = parameter("1", 0.0, 20.0)
    split_s: float = parameter("s", 0.0, 1e-5)
    serial_share: float = parameter("1", 0.0, 1.0)
    idle_power_share: float = parameter("1", 0.0, 0.5, per="fixed")
    sustained_share: float = parameter("1", 0.1, 1.0, per="fixed")
    tile_s: float = parameter("s", 0.0, 2e-5, per="generation format once")
    energy_j_s2_per_flop: float = parameter("J s2/FLOP", 1e-33, 1e-29, per="generation format")
    step_s: float = parameter("s", 0.0, 2e-8, per="generation format")
    split_min_k: float = parameter("1", 16.0, 1e6, per="generation format")
    vector_step_share: float = parameter("1", 0.0, 2.0, per="generation")
    least_tile: float = parameter("1", 1.0, 65536.0, per="fixed format")
    only_rows: float = parameter("1", 0.0, 1024.0, per="fixed format")
    only_columns: float = parameter("1", 0.0, 1024.0, per="fixed format")
    step_granule: float = parameter("1", 1.0, 4096.0, per="fixed format")
    quantise_row_s: float = parameter("s", 0.0, 1e-5, per="format")
    quantise_chains: float = parameter("1", 0.0, 1e4, per="fixed format")
    chain_row_s: float = parameter("s", 0.0, 1e-4, per="fixed format")
    interval_log: float = parameter("1", 0.0, 3.0, per="fixed format")


@dataclass(frozen=True)
class _Chip:
    """Rates of one chip (or of one chip per shape) in one format, as the tiles see them."""

    cores: Array
    pace: Array
    core_flop_per_s: Array
    core_cache_bytes_per_s: Array
    cache_bytes_per_s: Array
    memory_bytes_per_s: Array


def gemm(
    machine: Machine,
    eff: Efficiency,
    m: ArrayLike,
    n: ArrayLike,
    k: ArrayLike,
    *,
    dtype: str,
    weight_pool_bytes: ArrayLike = np.inf,
    batch: ArrayLike = 1.0,
) -> Cost:
    """Product of activations (m x k) with weights (k x n).

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        m: Rows: tokens.
        n: Columns: outputs.
        k: Inner size: inputs.
        dtype: Kernel format, a key of `weir.perf.kernels.formats.KERNEL_FORMATS`.
        weight_pool_bytes: Weights that are read in turn before these come again. In a model that
            is all other layers, so the default is infinite and weights come from memory.
        batch: Independent products of this shape in one call.

    Raises:
        InputError: A size is not positive.
        MissingRateError: The chip has no rate for the format.
        UnknownNameError: No such format.
    """
    m, n, k, batch, pool = sizes(
        "gemm", m=m, n=n, k=k, batch=batch, weight_pool_bytes=weight_pool_bytes
    )
    p = eff.of(GemmParameters, KERNEL, machine.generation, dtype)
    work = _product(machine, eff, p, kernel_format(dtype), m, n, k, batch, pool)
    launch = p.launch_s * np.asarray(silicon(machine, eff).pace)
    return cost(
        {
            COMPUTE: work.matrix_s,
            MEMORY: work.memory_s,
            LAUNCH: launch + work.quantise_s,
            POWER: work.power_s,
        },
        launch + work.quantise_s + work.busy_s,
        p.interval_log + widening(eff, KERNEL, machine, dtype, m=m, n=n, k=k),
        hardware_s=work.hardware_s,
        flop=work.flop,
        memory_bytes=work.memory_bytes,
    )


@dataclass(frozen=True)
class _Product:
    """Times and amounts of equal independent products in one kernel, without its launch."""

    matrix_s: Array
    memory_s: Array
    power_s: Array
    quantise_s: Array
    busy_s: Array
    hardware_s: Array
    flop: Array
    memory_bytes: Array


def _product(
    machine: Machine,
    eff: Efficiency,
    p: GemmParameters,
    form: KernelFormat,
    m: Array,
    n: Array,
    k: Array,
    batch: Array,
    pool: Array,
) -> _Product:
    """Prices `batch` products of m x k by k x n that share the chip."""
    chip = silicon(machine, eff)
    dense = rate(machine, form.rate)
    flop = FLOP_PER_MAC * batch * m * n * k
    weights, inputs, outputs = _traffic(form, batch, m, n, k)
    moved = weights + inputs + outputs
    streamed = weights * missed_share(p, chip, np.maximum(pool, weights)) + _cold(
        p, chip, inputs + outputs
    )
    rates = _rates(p, chip, dense)
    matrix, memory = _best_tile(p, rates, form, m, n, k, batch, streamed, moved)
    power = power_roof_s(
        eff, KERNEL, machine, chip, flop, energy=p.energy_j_s2_per_flop,
        idle_share=p.idle_power_share, peak_s=flop / dense,
    )  # fmt: skip
    return _Product(
        matrix_s=matrix,
        memory_s=memory,
        power_s=power,
        quantise_s=_quantise(p, form, chip, rates, m * batch, k),
        busy_s=throttled(overlapped(matrix, memory, p.serial_share), power),
        hardware_s=np.maximum(flop / dense, moved / chip.bandwidth),
        flop=flop,
        memory_bytes=moved,
    )


def _traffic(
    form: KernelFormat, batch: Array, m: Array, n: Array, k: Array
) -> tuple[Array, Array, Array]:
    """Bytes of weights, inputs and outputs, each moved once."""
    return (
        form.weight_bytes * batch * n * k,
        form.activation_bytes * batch * m * k,
        BF16_BYTES * batch * m * n,
    )


def _cold(p: GemmParameters, chip: Silicon, activations: Array) -> Array:
    """Bytes of activations that pass between memory and the last-level cache."""
    room = p.activation_cache_share * (p.cache_share * chip.cache_bytes)
    return activations * (activations / (activations + room))


def _rates(p: GemmParameters, chip: Silicon, dense: ArrayLike) -> _Chip:
    cores, clock = np.asarray(chip.cores), np.asarray(chip.clock_hz)
    return _Chip(
        cores=cores,
        pace=np.asarray(chip.pace),
        core_flop_per_s=np.asarray(dense) * p.matrix_efficiency / cores,
        core_cache_bytes_per_s=p.core_cache_bytes_per_clock * clock,
        cache_bytes_per_s=cache_bytes_per_s(chip, p.cache_bytes_per_clock),
        memory_bytes_per_s=np.asarray(chip.bandwidth) * p.memory_efficiency,
    )


def _quantise(
    p: GemmParameters, form: KernelFormat, silicon: Silicon, chip: _Chip, rows: Array, k: Array
) -> Array:
    """The kernel before the product that reads 16-bit activations and writes narrow ones."""
    if not form.quantises:
        return np.zeros(())
    moved = rows * k * (BF16_BYTES + form.activation_bytes)
    stream = np.maximum(
        _cold(p, silicon, moved) / chip.memory_bytes_per_s, moved / chip.cache_bytes_per_s
    )
    if p.quantise_chains > 0.0:
        chained = np.ceil(rows / p.quantise_chains) * chip.pace * p.chain_row_s
        longest: Array = np.maximum(stream, chained)
        return longest
    shared: Array = stream + rows / chip.cores * chip.pace * p.quantise_row_s
    return shared


def _best_tile(
    p: GemmParameters,
    chip: _Chip,
    form: KernelFormat,
    m: Array,
    n: Array,
    k: Array,
    batch: Array,
    streamed: Array,
    moved: Array,
) -> tuple[Array, Array]:
    """Matrix and memory seconds under the best tile and split, chunk by chunk."""
    columns = (
        m, n, k, batch, streamed, moved,
        chip.cores, chip.pace, chip.core_flop_per_s, chip.core_cache_bytes_per_s,
        chip.cache_bytes_per_s, chip.memory_bytes_per_s,
    )  # fmt: skip
    shape = np.broadcast_shapes(*(column.shape for column in columns))
    flat = [
        np.broadcast_to(column, shape).reshape(-1) if column.size > 1 else column.reshape(-1)
        for column in columns
    ]
    count = int(np.prod(shape))
    matrix, memory = np.empty(count), np.empty(count)
    for start in range(0, count, CHUNK):
        part = slice(start, start + CHUNK)
        piece = [column[part] if column.size > 1 else column for column in flat]
        found = _chunk(p, form, _Chip(*piece[6:]), *piece[:6])
        matrix[part], memory[part] = found
    return matrix.reshape(shape), memory.reshape(shape)


def _chunk(
    p: GemmParameters,
    form: KernelFormat,
    chip: _Chip,
    m: Array,
    n: Array,
    k: Array,
    batch: Array,
    streamed: Array,
    moved: Array,
) -> tuple[Array, Array]:
    """Best of all tiles, each unsplit and split so that all cores have work."""
    rows, columns = _tiles(p)
    tiles = np.ceil(m / rows) * np.ceil(n / columns) * batch
    step_s = np.maximum(
        np.maximum(
            FLOP_PER_MAC * np.maximum(rows * columns, p.least_tile) / chip.core_flop_per_s,
            (rows + columns) * form.weight_bytes / chip.core_cache_bytes_per_s,
        ),
        chip.pace * p.step_s * np.where(np.minimum(m, n) > 1.0, 1.0, p.vector_step_share),
    )
    stream = np.maximum(streamed / chip.memory_bytes_per_s, moved / chip.cache_bytes_per_s)
    most = np.maximum(1.0, k / p.split_min_k)
    split = np.clip(np.floor(chip.cores / tiles), 1.0, np.minimum(most, SPLIT_MAX))
    k = np.ceil(k / p.step_granule) * p.step_granule
    best_matrix, best_memory = _candidate(p, chip, tiles, k, step_s, stream)
    sums = np.where(
        split > 1.0,
        PARTIAL_SUM_BYTES * batch * m * n * split / chip.cache_bytes_per_s + p.split_s,
        0.0,
    )
    matrix, memory = _candidate(p, chip, tiles * split, k / split, step_s, stream)
    memory = memory + sums
    matrices = np.concatenate([best_matrix, matrix])
    memories = np.concatenate([best_memory, memory])
    pick = np.argmin(overlapped(matrices, memories, p.serial_share), axis=0)[None, :]
    return (
        np.take_along_axis(matrices, pick, axis=0)[0],
        np.take_along_axis(memories, pick, axis=0)[0],
    )


def _tiles(p: GemmParameters) -> tuple[Array, Array]:
    """Rows and columns of the tiles that the library chooses among."""
    if p.only_rows > 0.0:
        return np.array([[p.only_rows]]), np.array([[p.only_columns]])
    return TILES[:, :1], TILES[:, 1:]


def _candidate(
    p: GemmParameters, chip: _Chip, tiles: Array, k: Array, step_s: Array, stream: Array
) -> tuple[Array, Array]:
    """Matrix and memory seconds of one way to cut the product."""
    load = tiles / chip.cores
    waves = np.maximum(
        1.0, p.wave_quantisation * np.ceil(load) + (1.0 - p.wave_quantisation) * load
    )
    busy = np.minimum(1.0, load)
    reach = busy / (busy + p.occupancy_half * (1.0 - busy))
    return waves * (k * step_s + chip.pace * p.tile_s), stream / reach
