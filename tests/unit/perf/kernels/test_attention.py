import numpy as np
import pytest

from tests.unit.perf.kernels.machines import H100
from weir.catalog.calibration import load_efficiency
from weir.core.errors import InputError, UnknownNameError
from weir.perf.kernels.attention import attention_decode, attention_prefill, visible_pairs

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


def decode(kv=1024.0, batch=16, heads=32, kv_heads=8, **more):
    return attention_decode(H100, EFFICIENCY, batch, kv, heads, kv_heads, 128, **more)


def test_prefill_counts_two_products_over_the_visible_pairs():
    found = prefill(4.0, 6.0)
    assert found.flop == 2 * 2 * 2 * 32 * counted(4, 6, 0) * 128
    queries, cache = 2 * 4 * 32 * 128 * 2, 2 * 2 * 6 * 8 * 128 * 2
    assert found.memory_bytes == 2 * queries + cache


def test_a_window_never_costs_more_than_none():
    assert prefill(8192.0, window=128).time_s < prefill(8192.0).time_s
    assert decode(8192.0, window=128).time_s < decode(8192.0).time_s


def test_decode_streams_each_key_head_once():
    found = decode(1000.0)
    assert found.flop == 2 * 2 * 16 * 32 * 1000 * 128
    assert found.memory_bytes == 2 * 16 * 1000 * 8 * 128 * 2 + 2 * 16 * 32 * 128 * 2
    assert decode(1000.0, kv_dtype="fp8").memory_bytes < found.memory_bytes


def test_long_contexts_of_decode_approach_the_memory_bandwidth():
    found = decode(65536.0, batch=64)
    assert 0.6 < found.hardware_s / found.time_s <= 1.0


def test_more_context_never_takes_less_time():
    kv = np.arange(1.0, 20000.0, 37.0)
    assert np.all(np.diff(decode(kv).time_s) > -1e-12)
    assert np.all(np.diff(prefill(kv).time_s) > -1e-12)


def test_a_context_read_again_at_once_may_come_from_the_cache():
    assert decode(256.0, cache_pool_bytes=1.0).time_s < decode(256.0).time_s


def test_bad_sizes_and_formats_are_refused():
    with pytest.raises(InputError, match="attention_decode: kv_tokens is 0"):
        decode(0.0)
    with pytest.raises(InputError, match="attention_prefill: window is -1"):
        prefill(window=-1)
    with pytest.raises(UnknownNameError, match="fp3"):
        decode(kv_dtype="fp3")
