from dataclasses import replace

import numpy as np
import pytest

from tests.unit.perf.kernels.machines import B200, GEFORCE, H100, L40S
from weir.catalog.calibration import Table, load_efficiency
from weir.perf.calibration.fit import replaced
from weir.perf.kernels.mla import LatentParameters, mla_decode, mla_prefill

EFFICIENCY = load_efficiency()
SIZES = {"kv_lora_rank": 512, "rope_dim": 64}


def test_decode_reads_the_latent_once_for_all_heads():
    found = mla_decode(H100, EFFICIENCY, 4, 100, 128, **SIZES)
    # Scores over 576, values over 512 of each latent.
    assert found.flop == 2 * 4 * 128 * 100 * (576 + 512)
    assert found.memory_bytes == 4 * 100 * 576 * 2 + 4 * 128 * (576 + 512) * 2


def test_prefill_works_on_heads_of_a_quarter_of_the_rank():
    found = mla_prefill(H100, EFFICIENCY, 1, 3, 3, 16, **SIZES)
    assert found.flop == 2 * 16 * (1 + 2 + 3) * (128 + 64 + 128)
    given = mla_prefill(H100, EFFICIENCY, 1, 3, 3, 16, head_dim=128, **SIZES)
    assert given.time_s == found.time_s


def test_prompts_are_multiplied_in_the_format_of_the_cache():
    sizes = (1, 32768, 32768, 128)
    half, eight = (
        mla_prefill(B200, EFFICIENCY, *sizes, kv_dtype=dtype, **SIZES) for dtype in ("bf16", "fp8")
    )
    assert eight.hardware_s == pytest.approx(half.hardware_s / 2, rel=0.01)
    assert eight.time_s < 0.9 * half.time_s


def test_more_heads_share_a_latent_until_arithmetic_counts():
    few, many = (mla_decode(H100, EFFICIENCY, 64, 16384, heads, **SIZES) for heads in (16, 512))
    assert few.hardware_s == few.memory_bytes / 3.35e12
    assert many.hardware_s == many.flop / 989e12
    assert few.time_s < many.time_s


def test_more_context_never_takes_less_time():
    kv = np.arange(1.0, 30000.0, 91.0)
    assert np.all(np.diff(mla_decode(H100, EFFICIENCY, 8, kv, 128, **SIZES).time_s) > -1e-12)


def test_eight_bit_latents_are_multiplied_in_eight_bits_where_the_chip_does():
    kv = {"kv_dtype": "fp8", **SIZES}
    whole = mla_decode(H100, EFFICIENCY, 64, 16384, 512, **kv)
    assert whole.hardware_s == whole.flop / 1979e12
    for rates in ({"bf16": 989e12}, {"bf16": 989e12, "fp8": float("nan")}):
        without = mla_decode(
            replace(H100, dense_flop_per_s=rates), EFFICIENCY, 64, 16384, 512, **kv
        )
        assert without.hardware_s == without.flop / 989e12


def parameters(generation, dtype="bf16"):
    return EFFICIENCY.of(LatentParameters, "mla_decode", generation, dtype)


def decode_s(machine, batch, kv, heads, **more):
    return mla_decode(machine, EFFICIENCY, batch, kv, heads, **SIZES, **more).time_s


def test_blocks_that_walk_whole_contexts_wait_for_a_core():
    # Two blocks hold half of the values each, so 71 sequences fill 142 cores.
    at_once = {"cache_pool_bytes": 1.0}
    one, two, three, four = (
        decode_s(L40S, batch, 128, 16, **at_once) for batch in (71, 142, 143, 284)
    )
    p = parameters("ada")
    assert (two - p.launch_s) / (one - p.launch_s) == pytest.approx(p.crowded, rel=0.1)
    assert three - two == pytest.approx(one - p.launch_s, rel=0.25)
    assert four - two == pytest.approx(two - p.launch_s, rel=0.25)


def test_eight_bits_shorten_products_and_no_waits():
    whole, half = (decode_s(GEFORCE, 1, 65536, 16, kv_dtype=dtype) for dtype in ("bf16", "fp8"))
    assert 0.5 * whole < half < 0.9 * whole


def test_a_cluster_of_cores_serves_one_number_of_heads():
    eight = {"kv_dtype": "fp8"}
    assert decode_s(GEFORCE, 1, 65536, 128, **eight) < 0.5 * decode_s(
        GEFORCE, 1, 65536, 64, **eight
    )
    fits, waits = (
        decode_s(GEFORCE, batch, 2048, 128, cache_pool_bytes=1.0, **eight) for batch in (35, 36)
    )
    assert waits > 1.7 * fits
    many = decode_s(GEFORCE, 4, 4096, np.array([64.0, 128.0]), **eight)
    assert list(many) == [decode_s(GEFORCE, 4, 4096, heads, **eight) for heads in (64, 128)]
    # In 16 bits there is no such kernel.
    assert decode_s(GEFORCE, 1, 65536, 128) >= decode_s(GEFORCE, 1, 65536, 64)


def test_a_tile_of_few_heads_streams_the_latent_again_for_more_of_them():
    few, twice, whole = (decode_s(B200, 64, 32768, heads) for heads in (16, 32, 64))
    assert twice > 1.2 * few
    assert twice > 1.2 * whole


def test_a_pair_of_cores_shares_one_stream():
    one, pair = (decode_s(B200, 64, 32768, heads) for heads in (64, 128))
    assert pair < 1.2 * one


def test_short_pieces_take_the_tile_of_few_heads():
    p = parameters("blackwell")
    # 148 cores hold four blocks of 16 heads of each of 37 sequences, none of a 38th.
    below, above = (decode_s(B200, batch, 1024, 64) for batch in (37, 38))
    assert p.few_tokens == 1024
    assert below != pytest.approx(above, rel=0.02)


def test_every_piece_of_a_split_is_combined():
    p, half = parameters("blackwell"), replace(B200, cores=74.0)
    longer = decode_s(B200, 1, 1e6, 16) - decode_s(half, 1, 1e6, 16)
    free = replaced_piece(0.0)
    without = [mla_decode(chip, free, 1, 1e6, 16, **SIZES).time_s for chip in (B200, half)]
    assert longer - (without[0] - without[1]) == pytest.approx(74 * p.piece_s)


def replaced_piece(piece_s):
    table = EFFICIENCY.tables["mla_decode"]
    generation = {**table.generation}
    generation["blackwell"] = {**generation["blackwell"], "piece_s": piece_s}
    return replaced(
        EFFICIENCY, "mla_decode", Table(table.shared, generation, table.dtype, table.seen)
    )
