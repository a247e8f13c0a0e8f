from dataclasses import replace

import numpy as np
import pytest

from tests.unit.perf.kernels.machines import GEFORCE, H100, L40S
from weir.catalog.calibration import Table, load_efficiency
from weir.core.errors import InputError, UnknownNameError
from weir.perf.calibration.fit import replaced
from weir.perf.kernels.decode import DecodeParameters, Streams, attention_decode, pieces

EFFICIENCY = load_efficiency()


def decode(kv=1024.0, batch=16, heads=32, kv_heads=8, dim=128, machine=H100, **more):
    return attention_decode(machine, EFFICIENCY, batch, kv, heads, kv_heads, dim, **more)


def parameters(generation, dtype="bf16", efficiency=EFFICIENCY):
    return efficiency.of(DecodeParameters, "attention_decode", generation, dtype)


def test_decode_streams_each_key_head_once():
    found = decode(1000.0)
    assert found.flop == 2 * 2 * 16 * 32 * 1000 * 128
    assert found.memory_bytes == 2 * 16 * 1000 * 8 * 128 * 2 + 2 * 16 * 32 * 128 * 2
    assert decode(1000.0, kv_dtype="fp8").memory_bytes < found.memory_bytes


def test_a_window_never_costs_more_than_none():
    assert decode(8192.0, window=128).time_s < decode(8192.0).time_s


def test_pieces_before_a_window_are_found_and_left_out():
    short, near, far = (decode(kv, window=128).time_s for kv in (256.0, 4096.0, 131072.0))
    assert short < near <= far < 2.0 * near


def test_long_contexts_approach_the_memory_bandwidth():
    found = decode(65536.0, batch=64)
    assert 0.6 < found.hardware_s / found.time_s <= 1.0


def test_more_context_never_takes_less_time():
    kv = np.arange(1.0, 20000.0, 37.0)
    assert np.all(np.diff(decode(kv, batch=64).time_s) > -1e-12)


def test_a_context_read_again_at_once_may_come_from_the_cache():
    # So many blocks that the cores are not what is waited for.
    many = {"batch": 256, "heads": 8, "kv_heads": 8}
    assert decode(512.0, cache_pool_bytes=1.0, **many).time_s <= decode(512.0, **many).time_s
    few = {"batch": 64, "heads": 8, "kv_heads": 8}
    assert decode(512.0, cache_pool_bytes=1.0, **few).time_s < decode(512.0, **few).time_s


def test_one_block_of_an_eight_bit_cache_is_not_split_on_ada():
    short, long = (
        decode(kv, batch=1, heads=8, kv_heads=1, machine=L40S, kv_dtype="fp8").time_s
        for kv in (32768.0, 131072.0)
    )
    assert long == pytest.approx(4.0 * short, rel=0.1)
    split = decode(131072.0, batch=1, heads=8, kv_heads=1, machine=L40S).time_s
    assert split < 0.5 * long


def test_heads_are_held_in_powers_of_two():
    times = [
        decode(65536.0, batch=1, heads=8, kv_heads=1, dim=dim, machine=L40S, kv_dtype="fp8").time_s
        for dim in (192, 256)
    ]
    assert times[0] == pytest.approx(times[1], rel=0.05)


def test_a_group_beyond_the_kernel_of_a_format_pays_what_the_general_kernel_does():
    limit = parameters("hopper", "fp8").special_values
    per_head = limit / 128
    times = [
        decode(64.0, batch=2048, heads=heads, kv_heads=1, kv_dtype="fp8").time_s
        for heads in (per_head, per_head + 1)
    ]
    extra_s = parameters("hopper").block_s - parameters("hopper", "fp8").block_s
    waves = 2048 / H100.cores
    assert times[1] - times[0] > 0.5 * extra_s * waves > 0.0


def test_conversions_belong_to_the_instructions_and_everything_else_to_the_cores():
    ada, geforce = parameters("ada", "fp8"), parameters("blackwell-geforce", "fp8")
    newer = parameters("hopper", "fp8").single_bytes_per_clock
    assert geforce == replace(ada, single_bytes_per_clock=newer)
    assert parameters("blackwell-geforce") == parameters("ada")
    one_head = {"batch": 64, "heads": 8, "kv_heads": 8, "kv_dtype": "fp8"}
    assert (
        decode(4096.0, machine=GEFORCE, **one_head).time_s
        < decode(4096.0, machine=L40S, **one_head).time_s
    )


def test_a_conversion_of_a_generation_that_was_measured_is_its_own():
    table = EFFICIENCY.tables["attention_decode"]
    own = {**table.generation, "blackwell-geforce": table.generation["ada"]}
    dtype = {**table.dtype, "fp8/blackwell-geforce": table.dtype["fp8/ada"]}
    measured = replaced(EFFICIENCY, "attention_decode", Table(table.shared, own, dtype, table.seen))
    assert parameters("blackwell-geforce", "fp8", measured) == parameters("ada", "fp8")


@pytest.mark.parametrize(
    ("blocks", "tokens", "expected"),
    # One piece each 128 tokens; the root of eight times as many; eight blocks a core at most.
    [(8, 127, 1), (8, 1024, 8), (8, 16384, 32), (512, 256, 2), (1024, 256, 1), (264, 16384, 4)],
)
def test_contexts_are_split_as_the_kernel_for_groups_counts(blocks, tokens, expected):
    one = np.ones(())
    streams = Streams(
        blocks=np.float64(blocks), tokens=np.float64(tokens), token_bytes=one, token_flop=one,
        cached_bytes=one, pool_bytes=one, other_bytes=one, flop=one, row_bytes=one,
    )  # fmt: skip
    p = replace(parameters("hopper"), wave_target=8.0)
    assert pieces(p, np.float64(132.0), streams) == expected


def test_too_little_work_is_left_to_the_kernel_for_one_head():
    p = parameters("hopper")
    assert p.wave_target > 0.0
    fills = int(np.ceil(H100.cores / p.fill_factor))
    below, above = (decode(64.0, batch=batch, heads=32, kv_heads=1) for batch in (fills - 1, fills))
    # One block for each query head below, one for each key head above.
    assert below.time_s > 1.5 * above.time_s


def test_bad_sizes_and_formats_are_refused():
    with pytest.raises(InputError, match="attention_decode: kv_tokens is 0"):
        decode(0.0)
    with pytest.raises(UnknownNameError, match="fp3"):
        decode(kv_dtype="fp3")
