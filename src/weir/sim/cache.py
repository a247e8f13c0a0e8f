"""The paged KV cache of one worker: blocks taken, blocks free, and what decoding will need.

Decoding sequences all grow by one token per decode step, so each needs a new block every
`block_tokens` steps, at a step that is known when it starts to decode. Counting sequences by that
phase gives the blocks of any run of steps without looking at a single sequence.
"""

from weir.core.errors import WeirError


class BlockCache:
    """Blocks of one worker.

    Args:
        blocks: Blocks the memory holds.
        block_tokens: Tokens of one block.
    """

    __slots__ = ("_phases", "block_tokens", "blocks", "free", "peak")

    def __init__(self, blocks: int, block_tokens: int) -> None:
        self.blocks = blocks
        self.block_tokens = block_tokens
        self.free = blocks
        self.peak = 0
        self._phases = [0] * block_tokens

    def blocks_of(self, tokens: int) -> int:
        """Blocks that hold so many tokens of one sequence."""
        return -(-tokens // self.block_tokens)

    def take(self, blocks: int) -> None:
        """Takes blocks.

        Raises:
            WeirError: There are not so many; the scheduler must never ask for them.
        """
        if blocks > self.free:
            raise WeirError(
                f"{blocks} cache blocks were asked for and {self.free} are free: a scheduling "
                "policy admitted a sequence without room; report this as a bug of the policy"
            )
        self.free -= blocks
        self.peak = max(self.peak, self.blocks - self.free)

    def give(self, blocks: int) -> None:
        """Gives blocks back."""
        self.free += blocks

    def join(self, tokens: int, tick: int) -> None:
        """A sequence with so many cached tokens decodes from decode step `tick` on."""
        self._phases[(tick - tokens) % self.block_tokens] += 1

    def leave(self, tokens: int, tick: int) -> None:
        """Takes back the `join` of the same arguments."""
        self._phases[(tick - tokens) % self.block_tokens] -= 1

    def blocks_at(self, tick: int) -> int:
        """New blocks that decode step `tick` needs."""
        return self._phases[tick % self.block_tokens]

    def blocks_of_run(self, tick: int, ticks: int) -> int:
        """New blocks that `ticks` decode steps from `tick` on need together."""
        if ticks == 1:
            return self._phases[tick % self.block_tokens]
        cycles, rest = divmod(ticks, self.block_tokens)
        total = cycles * sum(self._phases)
        return total + sum(self.blocks_at(tick + offset) for offset in range(rest))

    def ticks_that_fit(self, tick: int, most: int) -> int:
        """How many decode steps from `tick` on, at most `most`, the free blocks allow."""
        cycle = sum(self._phases)
        if not cycle:
            return most
        cycles, room = divmod(self.free, cycle)
        ticks = cycles * self.block_tokens
        while ticks < most:
            room -= self.blocks_at(tick + ticks)
            if room < 0:
                break
            ticks += 1
        return min(ticks, most)
