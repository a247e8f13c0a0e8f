import numpy as np
import pytest

from tests.unit.perf.kernels.machines import H100
from weir.catalog.calibration import load_efficiency
from weir.core.errors import InputError
from weir.perf.kernels.moe import busiest_chip, moe_gemm

EFFICIENCY = load_efficiency()


def load(tokens, local=32.0, experts=256.0, top_k=8.0, skew=0.0, popular=1.0):
    numbers = (tokens, local, experts, top_k, skew)
    return busiest_chip(*(np.float64(number) for number in numbers), popular)


def test_a_balanced_router_spreads_evenly():
    found = load(1024.0)
    assert found.rows == 1024 * 8 * 32 / 256
    assert found.active == 32


def test_few_tokens_touch_few_experts():
    assert load(2.0).active == load(2.0).rows == 2.0


def test_rows_are_conserved_over_equal_chips():
    assert load(512.0).rows * 8 == 512 * 8


def test_a_skewed_router_loads_the_busiest_chip_more_and_touches_fewer_experts():
    even, skewed = load(4096.0), load(4096.0, skew=1.2)
    assert skewed.rows > even.rows
    assert load(64.0, skew=1.2).active < load(64.0).active
    assert load(4096.0, local=256.0, skew=1.2).rows == pytest.approx(4096 * 8, rel=1e-6)


def test_the_exponent_one_is_no_singularity():
    at, beside = load(4096.0, skew=1.0), load(4096.0, skew=1.002)
    assert at.rows == pytest.approx(beside.rows, rel=0.01)


def test_one_expert_gets_no_more_than_every_token():
    assert load(4096.0, local=1.0, top_k=1.0, skew=1.2).rows <= 4096


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
