import numpy as np
import pytest

from tests.unit.perf.kernels.machines import H100
from weir.catalog.calibration import load_efficiency
from weir.core.errors import InputError
from weir.perf.kernels import linear_prefill, mamba_decode, mamba_prefill

EFFICIENCY = load_efficiency()
# Groups, heads, channels of a head, state of a channel.
SHAPE = (8, 128, 64, 128)


def test_the_scan_counts_what_it_multiplies_and_moves():
    found = mamba_prefill(H100, EFFICIENCY, 2, 2048, *SHAPE)
    # A token of a head: over a chunk of 256 its share of the group's scores, the scores with its
    # 64 channels; then into and out of a state of 64 x 128.
    token = 2 * (256 * (128 * 8 / 128 + 64) + 2 * 64 * 128)
    assert found.flop == 2 * 2048 * 128 * token
    moved = 2 * 2048 * 2 * (8 * 128 + 128 * 64) * 2 + 2 * 128 * 64 * 128 * 4
    assert found.memory_bytes == moved


def test_decoding_reads_and_writes_every_state_once():
    found = mamba_decode(H100, EFFICIENCY, 16, *SHAPE)
    states = 16 * 128 * 64 * 128
    assert found.memory_bytes == states * 8 + 16 * 2 * (8 * 128 + 128 * 64) * 2
    assert found.flop == 4 * states


def test_more_work_never_takes_less_time():
    tokens = mamba_prefill(H100, EFFICIENCY, 1, np.arange(1.0, 5000.0), *SHAPE)
    batch = mamba_decode(H100, EFFICIENCY, np.arange(1.0, 500.0), *SHAPE)
    for found in (tokens, batch):
        assert np.all(found.time_s > 0.0)
        assert np.all(np.diff(found.time_s) >= 0.0)


def test_what_was_never_measured_is_less_certain():
    scan = mamba_prefill(H100, EFFICIENCY, 1, 4096, *SHAPE)
    measured = linear_prefill(H100, EFFICIENCY, 1, 4096, 16, 32, 128, 128)
    assert scan.high_s / scan.time_s > measured.high_s / measured.time_s


def test_sizes_that_are_not_positive_are_refused():
    with pytest.raises(InputError, match="tokens is 0; it must be more than zero"):
        mamba_prefill(H100, EFFICIENCY, 1, 0, *SHAPE)
    with pytest.raises(InputError, match="mamba_decode: groups is -1"):
        mamba_decode(H100, EFFICIENCY, 1, -1, 128, 64, 128)
