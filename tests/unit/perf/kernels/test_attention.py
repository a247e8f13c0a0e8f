import numpy as np
import pytest

from tests.unit.perf.kernels.machines import GEFORCE, H100, L40S
from weir.catalog.calibration import Table, load_efficiency
from weir.core.errors import InputError, UnknownNameError
from weir.perf.calibration.fit import replaced
from weir.perf.kernels.attention import (
    PrefillParameters,
    attention_prefill,
    tiling_of,
    visible_pairs,
)

EFFICIENCY = load_efficiency()


def counted(q, kv, window):
    """Pairs one by one: query i of q sees i + 1 + kv - q tokens, the window's worth at most."""
    views = [i + 1 + kv - q for i in range(q)]
    return sum(min(view, window) if window else view for view in views)


@pytest.mark.parametrize("q", [1, 3, 8, 40])
@pytest.mark.parametrize("cached", [0, 1, 7, 50])
@pytest.mark.parametrize("window", [0, 1, 5, 16, 1000])
def test_visible_pairs_are_those_counted_one_by_one(q, cached, window):
    found = visible_pairs(np.float64(q), np.float64(q + cached), np.float64(window))
    assert found == counted(q, q + cached, window)


def prefill(q=1024.0, kv=None, heads=32, kv_heads=8, **more):
    return attention_prefill(H100, EFFICIENCY, 2, q, kv or q, heads, kv_heads, 128, **more)


def test_prefill_counts_two_products_over_the_visible_pairs():
    found = prefill(4.0, 6.0)
    assert found.flop == 2 * 2 * 2 * 32 * counted(4, 6, 0) * 128
    queries, cache = 2 * 4 * 32 * 128 * 2, 2 * 2 * 6 * 8 * 128 * 2
    assert found.memory_bytes == 2 * queries + cache


def test_a_window_never_costs_more_than_none():
    assert prefill(8192.0, window=128).time_s < prefill(8192.0).time_s


def test_more_context_never_takes_less_time():
    kv = np.arange(1.0, 20000.0, 37.0)
    assert np.all(np.diff(prefill(kv).time_s) > -1e-12)


def test_bad_sizes_and_formats_are_refused():
    with pytest.raises(InputError, match="attention_prefill: window is -1"):
        prefill(window=-1)
    with pytest.raises(UnknownNameError, match="fp3"):
        prefill(dtype="fp3")


def test_few_queries_leave_matrix_instructions_of_a_small_granule_out():
    # Sixteen rows are one instruction of a warp there, sixty-four a whole tile.
    few, tile = (attention_prefill(L40S, EFFICIENCY, 512, q, q, 32, 8, 128) for q in (16.0, 64.0))
    assert few.time_s < 0.7 * tile.time_s
    # A warp group takes sixty-four rows whatever is in them; what is moved and rotated differs.
    one, all_rows = (
        attention_prefill(H100, EFFICIENCY, 512, q, 64.0, 32, 8, 128) for q in (1.0, 64.0)
    )
    assert one.time_s > 0.5 * all_rows.time_s


def test_a_window_costs_its_second_edge_where_all_keys_are_near():
    assert prefill(256.0, window=255).time_s > prefill(256.0).time_s
    assert prefill(256.0, window=256).time_s < prefill(256.0, window=255).time_s


def on(machine, q, dim, *, batch=512.0, efficiency=EFFICIENCY, **more):
    return attention_prefill(machine, efficiency, batch, q, q, 32, 32, dim, **more).time_s


def test_kernels_before_the_attention_add_their_passes():
    p = EFFICIENCY.of(PrefillParameters, "attention_prefill", "ada", "bf16-bf16")
    assert p.write_passes > 0.0
    table = EFFICIENCY.tables["attention_prefill"]
    generation = {**table.generation, "ada": {**table.generation["ada"], "write_passes": 0.0}}
    without = replaced(
        EFFICIENCY, "attention_prefill", Table(table.shared, generation, table.dtype, table.seen)
    )
    # Four thousand tokens of 32 heads, queries, keys and values: too much for the cache.
    passed = 3 * 512 * 4096 * 32 * 128 * 2
    extra = on(L40S, 4096.0, 128) - on(L40S, 4096.0, 128, efficiency=without)
    seconds = p.write_passes * passed / (864e9 * p.memory_efficiency)
    assert extra == pytest.approx(seconds, rel=0.01)


def test_heads_are_multiplied_in_powers_of_two_without_warp_groups():
    for generation, padded in (("ada", 256.0), ("hopper", 192.0)):
        p = EFFICIENCY.of(PrefillParameters, "attention_prefill", generation, "bf16-bf16")
        cut = tiling_of(p, np.array([128.0, 192.0]))
        assert list(cut.padding) == [1.0, padded / 192.0]
    found = attention_prefill(L40S, EFFICIENCY, 1, 2.0, 2.0, 1, 1, 192)
    assert found.flop == 2 * 2 * (1 + 2) * 192


def test_a_kernel_that_walks_step_by_step_works_on_whole_steps():
    one, all_rows, next_tile = (on(GEFORCE, q, 128, batch=8.0) for q in (1.0, 64.0, 65.0))
    assert one > 0.6 * all_rows
    assert next_tile > 1.15 * all_rows
    # Only heads of 128 and 256 have it, in 16 bits, and where no window cuts keys off.
    assert on(GEFORCE, 1.0, 64, batch=8.0) < 0.8 * one
    assert on(GEFORCE, 1.0, 192, batch=8.0) < 0.8 * one
    assert on(GEFORCE, 1.0, 128, batch=8.0, dtype="fp8", kv_dtype="fp8") < 0.8 * one
    same = on(GEFORCE, 1024.0, 128, window=1024.0)
    assert same == pytest.approx(on(GEFORCE, 1024.0, 128), rel=0.01)


def test_narrow_heads_fill_the_registers_in_eight_bits():
    eight = {"dtype": "fp8", "kv_dtype": "fp8"}
    assert on(L40S, 1.0, 64, **eight) > 1.5 * on(L40S, 1.0, 128, **eight)
    assert on(L40S, 1.0, 64) < on(L40S, 1.0, 128)
