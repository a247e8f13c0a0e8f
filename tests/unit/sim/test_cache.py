import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir.core.errors import WeirError
from weir.sim.cache import BlockCache


def test_blocks_are_counted_in_and_out():
    cache = BlockCache(blocks=10, block_tokens=16)
    assert [cache.blocks_of(tokens) for tokens in (0, 1, 16, 17)] == [0, 1, 1, 2]
    cache.take(7)
    cache.give(3)
    assert (cache.free, cache.peak) == (6, 7)


def test_more_than_there_is_is_refused():
    cache = BlockCache(blocks=2, block_tokens=16)
    with pytest.raises(WeirError, match="3 cache blocks were asked for and 2 are free"):
        cache.take(3)


def test_a_sequence_takes_a_block_when_its_last_is_full():
    cache = BlockCache(blocks=10, block_tokens=4)
    # 6 cached tokens fill one block and a half: the third next token starts a block.
    cache.join(6, tick=100)
    assert [cache.blocks_at(tick) for tick in range(100, 107)] == [0, 0, 1, 0, 0, 0, 1]
    cache.leave(6, tick=100)
    assert cache.blocks_of_run(100, 50) == 0


@given(
    st.integers(1, 7),
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 20)), max_size=6),
    st.integers(20, 40),
    st.integers(0, 30),
    st.integers(1, 40),
)
def test_runs_are_the_sum_of_their_steps(block_tokens, sequences, tick, free, most):
    cache = BlockCache(free, block_tokens)
    for tokens, joined in sequences:
        cache.join(tokens, joined)

    def held(at):
        return sum(cache.blocks_of(tokens + at - joined) for tokens, joined in sequences)

    for ticks in range(1, most + 1):
        assert cache.blocks_of_run(tick, ticks) == held(tick + ticks) - held(tick)
    fitting = [k for k in range(most + 1) if held(tick + k) - held(tick) <= free]
    assert cache.ticks_that_fit(tick, most) == max(fitting)
