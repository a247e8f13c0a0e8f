from dataclasses import replace

import numpy as np
import pytest

from tests.unit.perf.kernels.machines import H100
from weir.catalog.calibration import load_efficiency
from weir.core.errors import InputError
from weir.perf.kernels.moe import moe_gemm

EFFICIENCY = load_efficiency()


def priced(tokens, **more):
    return moe_gemm(H100, EFFICIENCY, tokens, 4096, 1536, 32, 128, 8, dtype="bf16", **more)


def test_arithmetic_is_that_of_three_projections():
    found = priced(1024.0)
    assert found.flop == pytest.approx(2 * 1024 * 8 * (32 / 128) * 3 * 4096 * 1536)
    assert priced(1024.0, gated=0.0).flop == pytest.approx(found.flop * 2 / 3)


def test_more_tokens_never_read_fewer_weights():
    tokens = np.arange(1.0, 400.0)
    assert np.all(np.diff(priced(tokens).memory_bytes) >= 0.0)


def test_bad_sizes_are_refused():
    with pytest.raises(InputError, match="moe_gemm: tokens is 0"):
        priced(0.0)
    with pytest.raises(InputError, match="skew is -1"):
        priced(1.0, skew=-1.0)


def with_tiles(lowest):
    """Parameters of a library that takes the height of tiles from the mean, or does not."""
    table = EFFICIENCY.tables["moe_gemm"]
    shared = {**table.shared, "lowest_tile": lowest, "highest_tile": 256.0}
    return replace(
        EFFICIENCY, tables={**EFFICIENCY.tables, "moe_gemm": replace(table, shared=shared)}
    )


def test_a_library_that_looks_at_the_mean_pays_for_whole_tiles():
    # 32 of 128 experts are here, so the mean counts four times the tokens that each gets.
    def matrix_s(tokens, efficiency):
        found = moe_gemm(H100, efficiency, tokens, 4096, 1536, 32, 128, 8, dtype="bf16")
        return float(found.time_s)

    mean, best = with_tiles(8.0), with_tiles(0.0)
    assert matrix_s(1024.0, mean) > 1.2 * matrix_s(1024.0, best)
    # Between 512 and 1024 tokens the height doubles from 128; up to there it stays.
    steps = [matrix_s(tokens, mean) for tokens in (300.0, 500.0, 520.0)]
    assert steps[2] - steps[1] > 5 * (steps[1] - steps[0])


def test_experts_that_the_cache_holds_are_read_faster():
    # Memory far slower than the cache, as on chips with graphics memory.
    chip = replace(H100, memory_bandwidth_bytes_per_s=0.8e12)
    cold, warm = (
        moe_gemm(
            chip, EFFICIENCY, 8.0, 4096, 1536, 32, 128, 8, dtype="bf16", weight_pool_bytes=pool
        )
        for pool in (np.inf, 1e6)
    )
    assert warm.time_s < cold.time_s
    assert warm.memory_bytes == cold.memory_bytes


def test_sorting_costs_more_with_more_experts_in_the_layer():
    few = moe_gemm(H100, EFFICIENCY, 64.0, 4096, 1536, 8, 64, 4, dtype="bf16")
    many = moe_gemm(H100, EFFICIENCY, 64.0, 4096, 1536, 8, 512, 32, dtype="bf16")
    assert many.flop == few.flop
    assert many.time_s > few.time_s
