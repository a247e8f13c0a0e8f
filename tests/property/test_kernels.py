"""What must hold of the kernel model on any chip and any shape."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weir.catalog.calibration import load_efficiency
from weir.perf import kernels
from weir.perf.machine import Machine

EFFICIENCY = load_efficiency()
GENERATIONS = ("ampere", "ada", "hopper", "blackwell", "blackwell-geforce", "cdna3", "tpu-v6e", "x")
SIZE = st.integers(1, 20000).map(float)

MACHINES = st.builds(
    Machine,
    name=st.just("chip"),
    generation=st.sampled_from(GENERATIONS),
    dense_flop_per_s=st.floats(2e13, 5e15).map(lambda rate: {"bf16": rate}),
    memory_capacity_bytes=st.just(8e10),
    memory_bandwidth_bytes_per_s=st.floats(2e11, 2e13),
    cores=st.one_of(st.just(float("nan")), st.integers(1, 400).map(float)),
    boost_clock_hz=st.one_of(st.just(float("nan")), st.floats(8e8, 3e9)),
    last_level_cache_bytes=st.one_of(st.just(float("nan")), st.floats(1e6, 4e8)),
    tdp_w=st.one_of(st.just(float("nan")), st.floats(50.0, 3000.0)),
)
FEW = settings(max_examples=60, deadline=None)


def kernels_of(machine, a, b, c):
    """One call of every kernel that needs no links, from three sizes."""
    heads = 1.0 + b % 64.0
    return {
        "gemm": kernels.gemm(machine, EFFICIENCY, a, b, c, dtype="bf16"),
        "prefill": kernels.attention_prefill(
            machine, EFFICIENCY, 1.0 + c % 16.0, a, a, heads, heads, 128.0
        ),
        "decode": kernels.attention_decode(machine, EFFICIENCY, 1.0 + c % 256.0, a, heads, 1, 128),
        "mla_decode": kernels.mla_decode(
            machine, EFFICIENCY, 1.0 + c % 256.0, a, heads, kv_lora_rank=512, rope_dim=64
        ),
        "moe": kernels.moe_gemm(
            machine, EFFICIENCY, a, b, c, 16, 128, 8, dtype="bf16", skew=float(c % 2)
        ),
        "elementwise": kernels.elementwise(machine, EFFICIENCY, a * b, c),
        "convolution_prefill": kernels.convolution_prefill(
            machine, EFFICIENCY, 1.0 + c % 16.0, a, b, 4
        ),
        "convolution_decode": kernels.convolution_decode(machine, EFFICIENCY, a, b, 4),
        "linear_prefill": kernels.linear_prefill(
            machine, EFFICIENCY, 1.0 + c % 16.0, a, heads, heads, 128.0, 128.0
        ),
        "linear_decode": kernels.linear_decode(machine, EFFICIENCY, a, heads, heads, 128.0, 128.0),
        "mamba_prefill": kernels.mamba_prefill(
            machine, EFFICIENCY, 1.0 + c % 16.0, a, 8.0, heads, 64.0, 128.0
        ),
        "mamba_decode": kernels.mamba_decode(machine, EFFICIENCY, a, 8.0, heads, 64.0, 128.0),
        "indexer_prefill": kernels.indexer_prefill(
            machine, EFFICIENCY, 1.0 + c % 16.0, a, a + b, heads, 128.0, dtype="bf16"
        ),
        "indexer_decode": kernels.indexer_decode(
            machine, EFFICIENCY, 1.0 + c % 256.0, a, heads, 128.0, dtype="bf16"
        ),
        "key_selection": kernels.key_selection(machine, EFFICIENCY, 1.0 + c % 16.0, a, a + b, 2048),
        "sparse_mla": kernels.sparse_mla(
            machine,
            EFFICIENCY,
            1.0 + c % 16.0,
            a,
            a + b,
            heads,
            2048,
            kv_lora_rank=512,
            rope_dim=64,
        ),
    }


@FEW
@given(MACHINES, SIZE, SIZE, SIZE)
def test_every_time_is_positive_and_finite_and_lies_in_its_interval(machine, a, b, c):
    for name, found in kernels_of(machine, a, b, c).items():
        assert np.isfinite(found.time_s), name
        assert 0.0 < found.low_s < found.time_s < found.high_s, name
        assert found.flop >= 0.0
        assert found.memory_bytes > 0.0


@FEW
@given(MACHINES, SIZE, SIZE, SIZE, st.floats(1.01, 4.0))
def test_more_bandwidth_never_slows_a_kernel(machine, a, b, c, factor):
    faster = replace(
        machine, memory_bandwidth_bytes_per_s=machine.memory_bandwidth_bytes_per_s * factor
    )
    before, after = kernels_of(machine, a, b, c), kernels_of(faster, a, b, c)
    for name, found in before.items():
        assert after[name].time_s <= found.time_s * (1 + 1e-9), name


@FEW
@given(MACHINES, SIZE, SIZE, SIZE, st.floats(1.01, 4.0))
def test_a_higher_rate_never_slows_a_kernel(machine, a, b, c, factor):
    rates = {name: rate * factor for name, rate in machine.dense_flop_per_s.items()}
    faster = replace(machine, dense_flop_per_s=rates)
    before, after = kernels_of(machine, a, b, c), kernels_of(faster, a, b, c)
    for name, found in before.items():
        assert after[name].time_s <= found.time_s * (1 + 1e-9), name


@FEW
@given(MACHINES, st.lists(SIZE, min_size=2, max_size=6), SIZE, SIZE)
def test_an_array_is_priced_as_its_elements(machine, many, b, c):
    together = kernels_of(machine, np.array(many), b, c)
    for index, one in enumerate(many):
        for name, found in kernels_of(machine, one, b, c).items():
            assert together[name].time_s[index] == pytest.approx(float(found.time_s), rel=1e-9)


@FEW
@given(MACHINES, SIZE, SIZE, SIZE, st.integers(2, 8))
def test_splitting_columns_over_chips_conserves_arithmetic(machine, m, n, k, parts):
    whole = kernels.gemm(machine, EFFICIENCY, m, n * parts, k, dtype="bf16")
    part = kernels.gemm(machine, EFFICIENCY, m, n, k, dtype="bf16")
    assert part.flop * parts == pytest.approx(float(whole.flop))
    # Fewer tiles keep fewer cores reading the rows that both share, which may cost a trace.
    assert part.time_s <= whole.time_s * (1 + 1e-3)
