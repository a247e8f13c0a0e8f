from dataclasses import replace

import numpy as np
import pytest

from tests.unit.perf.kernels.machines import GEFORCE, H100
from weir.catalog.calibration import load_efficiency
from weir.core.errors import InputError
from weir.perf.kernels.elementwise import ElementwiseParameters
from weir.perf.kernels.moe import MoeParameters, moe_gemm

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


def changed(kernel="moe_gemm", **values):
    """Parameters with other shared values of a kernel."""
    table = EFFICIENCY.tables[kernel]
    tables = {**EFFICIENCY.tables, kernel: replace(table, shared={**table.shared, **values})}
    return replace(EFFICIENCY, tables=tables)


def with_tiles(lowest):
    """Parameters of a library that takes the height of tiles from the mean, or does not."""
    return changed(lowest_tile=lowest, highest_tile=256.0)


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


def test_a_library_pays_for_the_lowest_tile_that_it_was_built_with():
    def seconds(tokens, least):
        efficiency = changed(least_tile=least)
        found = moe_gemm(
            H100, efficiency, tokens, 4096, 1536, 128, 128, 8, dtype="bf16", weight_pool_bytes=1.0
        )
        return float(found.time_s)

    # 16 tokens an expert fill a tile of 16 and an eighth of one of 128.
    assert seconds(256.0, 128.0) > 1.1 * seconds(256.0, 16.0)
    # Full tiles of 128 are as good with either choice.
    assert seconds(2048.0, 128.0) == seconds(2048.0, 16.0)


def blocks(tokens, local):
    """FP8 in blocks on a chip where it runs on kernels of its own."""
    return moe_gemm(GEFORCE, EFFICIENCY, tokens, 4096, 1536, local, 128, 8, dtype="fp8_block")


def test_a_kernel_that_computes_every_pair_gains_nothing_from_more_chips():
    one, many = blocks(8192.0, 128), blocks(8192.0, 2)
    assert many.flop == pytest.approx(one.flop / 64)
    assert many.time_s > 0.8 * one.time_s
    assert many.hardware_s < 0.1 * one.hardware_s


def test_widening_weights_costs_the_same_however_few_rows_a_tile_has():
    # Up to 16 tokens of one expert are one tile, and every tile widens its weights anew.
    few, tile, two = (float(blocks(tokens, 1).time_s) for tokens in (1.0, 2.0, 4.0))
    assert tile == pytest.approx(few, rel=0.01)
    assert two > tile


def test_kernels_launched_one_by_one_cost_a_launch_each():
    own = EFFICIENCY.of(MoeParameters, "moe_gemm", "blackwell-geforce", "fp8_block")
    each = EFFICIENCY.of(ElementwiseParameters, "elementwise", "blackwell-geforce").launch_s
    found = blocks(1.0, 8)
    assert own.launches > 10
    assert found.launch_s > own.launches * each
    assert found.launch_s < (own.launches + 1) * each


def test_a_format_is_served_by_the_kernels_of_another_where_its_own_do_not_run():
    def of(generation, dtype):
        return EFFICIENCY.of(MoeParameters, "moe_gemm", generation, dtype)

    here, kin = of("blackwell-geforce", "mxfp4"), of("blackwell-geforce", "nvfp4")
    assert here.permute_passes == kin.permute_passes
    assert here.tile_columns == kin.tile_columns
    assert here.least_tile == kin.least_tile > of("blackwell", "nvfp4").least_tile
    assert of("blackwell", "mxfp4").permute_passes != kin.permute_passes


def test_activations_move_no_faster_than_cores_move_them():
    # Many tokens of narrow experts on a chip whose memory is faster than its cores.
    chip = replace(H100, memory_bandwidth_bytes_per_s=20e12)
    slow, fast = (
        moe_gemm(chip, changed("elementwise", core_bytes_per_clock=rate), 65536.0, 4096, 64, 8, 64,
                 8, dtype="bf16")
        for rate in (10.0, 40.0)
    )  # fmt: skip
    assert slow.time_s > 1.5 * fast.time_s
