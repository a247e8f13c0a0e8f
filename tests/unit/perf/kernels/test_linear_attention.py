import numpy as np
import pytest

from tests.unit.perf.kernels.machines import BARE, H100
from weir.catalog.calibration import load_efficiency
from weir.core.errors import InputError, UnknownNameError
from weir.perf.kernels import linear_decode, linear_prefill
from weir.perf.kernels.cost import BOUNDS

EFFICIENCY = load_efficiency()
# Key heads, value heads, sizes of a key and of a value.
SHAPE = (16, 32, 128, 128)


def prefill(batch, tokens, machine=H100, **words):
    return linear_prefill(machine, EFFICIENCY, batch, tokens, *SHAPE, **words)


def decode(batch, machine=H100, **words):
    return linear_decode(machine, EFFICIENCY, batch, *SHAPE, **words)


def test_the_gated_delta_rule_counts_what_it_multiplies_and_moves():
    found = prefill(2, 4096)
    # A token of a head: five products over 64 tokens of the chunk, three with a state of 128 x 128.
    token = 2 * (64 * 5 * 128 + 3 * 128 * 128)
    assert found.flop == 2 * 4096 * 32 * token
    # Queries and keys of 16 heads, values and results of 32, in 16 bits; a state in single
    # precision for each head of each sequence.
    moved = 2 * 4096 * (2 * 16 + 2 * 32) * 128 * 2 + 2 * 32 * 128 * 128 * 4
    assert found.memory_bytes == moved


def test_a_fixed_decay_needs_neither_keys_with_keys_nor_a_correction():
    found = prefill(1, 64, variant="lightning")
    # Sixteen key heads serve thirty-two heads of values, so scores cost half of a product each.
    assert found.flop == 64 * 32 * 2 * (64 * (64 + 128) + 2 * 128 * 128)


def test_decoding_reads_and_writes_every_state_once():
    found = decode(8)
    states = 8 * 32 * 128 * 128
    assert found.memory_bytes == states * 8 + 8 * (2 * 16 + 2 * 32) * 128 * 2
    assert found.flop == 2 * 3 * states
    assert BOUNDS[decode(1024).bound] == "memory"
    assert 0.6 < decode(1024).hardware_s / decode(1024).time_s < 1.0


def test_drafts_write_a_state_each_and_read_it_once():
    one, four = decode(256), decode(256, tokens=4)
    states = 256 * 32 * 128 * 128 * 4
    vectors = 256 * (2 * 16 + 2 * 32) * 128 * 2
    assert one.memory_bytes == 2 * states + vectors
    assert four.memory_bytes == 5 * states + 4 * vectors
    assert one.time_s < four.time_s < 4 * one.time_s


def test_states_that_stay_in_the_cache_are_updated_faster():
    assert decode(4, cache_pool_bytes=1.0).time_s < decode(4).time_s


@pytest.mark.parametrize("variant", ["gated_delta", "kimi_delta", "lightning"])
def test_more_tokens_never_take_less_time(variant):
    found = prefill(1, np.arange(1.0, 5000.0), variant=variant)
    assert np.all(np.diff(found.time_s) >= 0.0)
    assert np.all(found.time_s > 0.0)
    found = decode(np.arange(1.0, 500.0), variant=variant)
    assert np.all(np.diff(found.time_s) >= 0.0)


def test_a_lone_sequence_waits_for_its_own_chunks():
    # The same tokens in sixteen sequences: as much arithmetic, a sixteenth of the chain.
    few_heads = (1, 1, 128, 128)
    lone = linear_prefill(H100, EFFICIENCY, 1, 65536, *few_heads)
    many = linear_prefill(H100, EFFICIENCY, 16, 4096, *few_heads)
    assert lone.flop == many.flop
    assert lone.time_s > 2.0 * many.time_s


def test_a_chip_that_publishes_little_gets_a_wider_interval():
    assert prefill(1, 1024, BARE).high_s / prefill(1, 1024, BARE).time_s > (
        prefill(1, 1024).high_s / prefill(1, 1024).time_s
    )


@pytest.mark.parametrize("call", [prefill, lambda batch, tokens: decode(batch, tokens=tokens)])
def test_sizes_that_are_not_positive_are_refused(call):
    with pytest.raises(InputError, match="batch is 0; it must be more than zero"):
        call(0, 1)
    with pytest.raises(InputError, match="tokens is -3"):
        call(1, -3)


def test_an_unknown_kind_is_refused_with_those_there_are():
    with pytest.raises(UnknownNameError, match="unknown kind of linear attention 'retention'"):
        prefill(1, 1, variant="retention")
    with pytest.raises(UnknownNameError, match="retention"):
        decode(1, variant="retention")
