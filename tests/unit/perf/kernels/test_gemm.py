from dataclasses import replace

import numpy as np
import pytest

from tests.unit.perf.kernels.machines import BARE, H20, H100
from weir.catalog.calibration import Table, load_efficiency
from weir.core.errors import InputError, MissingRateError, UnknownNameError
from weir.perf.kernels.cost import BOUNDS
from weir.perf.kernels.efficiency import throttled
from weir.perf.kernels.gemm import CHUNK, gemm

EFFICIENCY = load_efficiency()


def priced(m, n=4096, k=4096, machine=H100, dtype="bf16", **more):
    return gemm(machine, EFFICIENCY, m, n, k, dtype=dtype, **more)


def test_arithmetic_and_traffic_are_counted():
    found = priced(2.0, 3.0, 5.0)
    assert found.flop == 2 * 2 * 3 * 5
    assert found.memory_bytes == 2 * (2 * 5 + 3 * 5 + 2 * 3)
    assert priced(2.0, 3.0, 5.0, dtype="fp8").memory_bytes == 2 * 5 + 3 * 5 + 2 * (2 * 3)


def test_the_roofline_is_the_larger_of_arithmetic_and_traffic():
    small, large = priced(1.0), priced(8192.0, 8192.0, 8192.0)
    assert small.hardware_s == pytest.approx(small.memory_bytes / 3.35e12)
    assert large.hardware_s == pytest.approx(2 * 8192.0**3 / 989e12)


def test_few_rows_are_bound_by_memory_and_tiny_products_by_the_launch():
    assert BOUNDS[int(priced(1.0, 16384, 16384).bound)] == "memory"
    assert BOUNDS[int(priced(1.0, 64, 64).bound)] == "launch"


def test_large_products_of_a_full_rate_chip_meet_its_power_limit():
    assert BOUNDS[int(priced(8192.0, 8192, 8192).bound)] == "power"
    unlimited = priced(8192.0, 8192, 8192, machine=replace(H100, tdp_w=float("nan")))
    assert unlimited.time_s < priced(8192.0, 8192, 8192).time_s
    assert BOUNDS[int(unlimited.bound)] == "compute"


def test_a_chip_whose_rate_was_cut_runs_nearer_to_its_peak():
    full, cut = priced(8192.0, 8192, 8192), priced(8192.0, 8192, 8192, machine=H20)
    assert BOUNDS[int(cut.bound)] == "compute"
    assert cut.hardware_s / cut.time_s > full.hardware_s / full.time_s


def test_an_array_is_priced_as_its_elements_across_chunks():
    m = np.arange(1.0, CHUNK + 300.0)
    many = priced(m, 512, 768)
    for index in (0, 17, CHUNK - 1, CHUNK, CHUNK + 250):
        assert many.time_s[index] == pytest.approx(float(priced(m[index], 512, 768).time_s))


def test_chips_may_be_arrays():
    bandwidths = np.array([1e12, 2e12, 4e12])
    fleet = replace(H100, memory_bandwidth_bytes_per_s=bandwidths)
    found = priced(np.array([[1.0], [64.0]]), 8192, 8192, machine=fleet)
    assert found.time_s.shape == (2, 3)
    one = replace(H100, memory_bandwidth_bytes_per_s=2e12)
    assert found.time_s[1, 1] == pytest.approx(float(priced(64.0, 8192, 8192, machine=one).time_s))


def test_weights_that_stay_in_the_cache_are_not_read_again():
    ada = replace(H100, generation="ada", last_level_cache_bytes=96 * 2**20)
    cold = priced(16.0, 4096, 4096, machine=ada)
    hot = priced(16.0, 4096, 4096, machine=ada, weight_pool_bytes=1.0)
    assert hot.time_s < cold.time_s


def test_independent_products_share_the_chip():
    one, many = priced(16.0, 512, 512), priced(16.0, 512, 512, batch=8.0)
    assert many.flop == 8 * one.flop
    assert one.time_s < many.time_s < 8 * one.time_s


def test_a_foreign_chip_with_unknown_facts_has_a_wider_interval():
    familiar, foreign = priced(64.0), priced(64.0, machine=BARE)
    assert foreign.high_s / foreign.time_s > familiar.high_s / familiar.time_s
    assert np.isfinite(foreign.time_s)


def test_what_cannot_be_priced_is_refused():
    with pytest.raises(MissingRateError):
        priced(1.0, machine=BARE, dtype="fp8")
    with pytest.raises(UnknownNameError, match="number format 'fp3'"):
        priced(1.0, dtype="fp3")
    with pytest.raises(InputError, match="m is 0"):
        priced(0.0)
    with pytest.raises(InputError, match="memory bandwidth is unknown"):
        priced(1.0, machine=replace(H100, memory_bandwidth_bytes_per_s=float("nan")))


def test_a_shape_beyond_what_was_fitted_has_a_wider_interval():
    low, high = EFFICIENCY.tables["gemm"].seen["m"]
    assert low >= 1.0
    inside, beyond = priced(high), priced(8.0 * high)
    assert beyond.high_s / beyond.time_s > inside.high_s / inside.time_s


def test_latencies_are_counted_in_clocks():
    slow = replace(H100, boost_clock_hz=H100.boost_clock_hz / 2.0)
    assert priced(1.0, 64, 64, machine=slow).time_s > 1.5 * priced(1.0, 64, 64).time_s


def test_work_over_the_power_limit_slows_by_the_cube_root():
    busy = np.array([1.0, 1.0, 2.0])
    assert throttled(busy, np.array([0.5, 8.0, 2.0])).tolist() == [1.0, 2.0, 2.0]


def test_a_format_without_small_tiles_pays_for_a_whole_one():
    table = EFFICIENCY.tables["gemm"]
    whole = Table(
        table.shared, table.generation, {**table.dtype, "bf16": {"least_tile": 32768.0}}, table.seen
    )
    without = replace(EFFICIENCY, tables={**EFFICIENCY.tables, "gemm": whole})
    few = gemm(H100, without, 16.0, 128, 65536, dtype="bf16").time_s
    assert few > 1.2 * gemm(H100, EFFICIENCY, 16.0, 128, 65536, dtype="bf16").time_s


def with_format(dtype, **values):
    """The learned parameters, but for some of a format."""
    table = EFFICIENCY.tables["gemm"]
    told = {**table.dtype.get(dtype, {}), **values}
    # Values of one generation stand above those of the format.
    formats = {key: part for key, part in table.dtype.items() if key != f"{dtype}/hopper"}
    own = {**table.dtype.get(f"{dtype}/hopper", {}), **values}
    changed = Table(
        table.shared, table.generation, {**formats, dtype: told, f"{dtype}/hopper": own}, table.seen
    )
    return replace(EFFICIENCY, tables={**EFFICIENCY.tables, "gemm": changed})


# So fast a memory and so large a budget that the cores alone bound.
CORES_ALONE = replace(H100, memory_bandwidth_bytes_per_s=1e17, tdp_w=float("nan"))


def test_a_library_with_one_tile_fills_it_whatever_the_rows():
    one = with_format("fp8_block", only_rows=32.0, only_columns=128.0, quantise_row_s=0.0)
    rows = np.array([2.0, 32.0, 33.0])
    times = gemm(CORES_ALONE, one, rows, 128 * 132, 8192, dtype="fp8_block").time_s
    assert times[0] == pytest.approx(times[1], rel=1e-4)
    assert times[2] > 1.3 * times[1]


def test_a_pipeline_takes_whole_granules_of_the_inner_size():
    coarse = with_format("fp8_block", step_granule=768.0)
    times = gemm(
        CORES_ALONE, coarse, 4096.0, 4096, np.array([1.0, 768.0, 769.0]), dtype="fp8_block"
    ).time_s
    assert times[0] == pytest.approx(times[1], rel=1e-4)
    assert times[2] > times[1]


def test_chains_of_single_warps_convert_their_rows_one_after_the_other():
    rows = np.array([1.0, 64.0, 65.0, 640.0])
    free, bound = (
        gemm(
            CORES_ALONE,
            with_format("fp8_block", quantise_chains=64.0, chain_row_s=seconds),
            rows, 128, 512, dtype="fp8_block",
        ).time_s
        for seconds in (0.0, 1e-6)
    )  # fmt: skip
    pace = EFFICIENCY.assumed.boost_clock_hz / H100.boost_clock_hz
    assert bound - free == pytest.approx(pace * 1e-6 * np.array([1.0, 1.0, 2.0, 10.0]), rel=1e-3)


def test_a_conversion_by_all_cores_takes_time_for_every_row():
    rows = np.array([132.0, 1320.0])
    free, bound = (
        gemm(
            CORES_ALONE,
            with_format("fp8_block", quantise_row_s=seconds),
            rows, 128, 512, dtype="fp8_block",
        ).time_s
        for seconds in (0.0, 1e-6)
    )  # fmt: skip
    pace = EFFICIENCY.assumed.boost_clock_hz / H100.boost_clock_hz
    assert bound - free == pytest.approx(pace * 1e-6 * rows / H100.cores)
