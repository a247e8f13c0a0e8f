from dataclasses import replace

import numpy as np

from tests.unit.perf.kernels.machines import H100
from weir.catalog.calibration import load_efficiency
from weir.perf.kernels.mla import mla_decode, mla_prefill

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
