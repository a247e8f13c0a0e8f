import numpy as np
import pytest

from tests.unit.perf.kernels.machines import H100
from weir.catalog.calibration import load_efficiency
from weir.core.errors import InputError
from weir.perf.kernels import convolution_decode, convolution_prefill

EFFICIENCY = load_efficiency()


def test_a_prompt_is_read_and_written_once():
    found = convolution_prefill(H100, EFFICIENCY, 2, 1000, 4096, 4)
    assert found.memory_bytes == 2 * 4096 * (2 * 1000 + 3) * 2
    assert found.flop == 2 * 2 * 1000 * 4096 * 4


def test_a_new_token_moves_the_inputs_before_it():
    found = convolution_decode(H100, EFFICIENCY, 64, 4096, 4)
    assert found.memory_bytes == 2 * 64 * 4096 * 4 * 2


def test_short_prompts_of_many_sequences_cost_blocks_not_bytes():
    one = convolution_prefill(H100, EFFICIENCY, 1, 64, 8192, 4)
    many = convolution_prefill(H100, EFFICIENCY, 64, 1, 8192, 4)
    assert many.memory_bytes < 1.3 * one.memory_bytes + 64 * 8192 * 8
    assert many.time_s > 3 * one.time_s


def test_more_work_never_takes_less_time():
    tokens = convolution_prefill(H100, EFFICIENCY, 4, np.arange(1.0, 3000.0), 8192, 4)
    batch = convolution_decode(H100, EFFICIENCY, np.arange(1.0, 1000.0), 8192, 4)
    for found in (tokens, batch):
        assert np.all(found.time_s > 0.0)
        assert np.all(np.diff(found.time_s) >= 0.0)


def test_sizes_that_are_not_positive_are_refused():
    with pytest.raises(InputError, match="convolution_prefill: channels is 0"):
        convolution_prefill(H100, EFFICIENCY, 1, 1, 0, 4)
    with pytest.raises(InputError, match="convolution_decode: batch is -2"):
        convolution_decode(H100, EFFICIENCY, -2, 1, 4)
