import numpy as np
import pytest

from tests.unit.perf.kernels.machines import H100, L40S
from weir.catalog.calibration import load_efficiency
from weir.core.errors import InputError, UnknownNameError
from weir.perf.kernels.attention import attention_prefill, visible_pairs

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
    # A warp group takes sixty-four rows whatever is in them; only what is moved differs.
    one, all_rows = (
        attention_prefill(H100, EFFICIENCY, 512, q, 64.0, 32, 8, 128) for q in (1.0, 64.0)
    )
    assert one.time_s > 0.6 * all_rows.time_s


def test_a_window_costs_its_second_edge_where_all_keys_are_near():
    assert prefill(256.0, window=255).time_s > prefill(256.0).time_s
    assert prefill(256.0, window=256).time_s < prefill(256.0, window=255).time_s
