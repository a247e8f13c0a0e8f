"""What a worker does next: admission and batching policies behind one signature.

A policy looks at a worker and says which sequences are admitted, how many prompt tokens each of
them gets in the next step, and whether the decoding sequences get a token too. It changes nothing;
the worker carries the plan out. All policies here admit in order of arrival.

A policy may depend only on what a `View` shows. Where it plans a pure decode step, the worker
repeats that step until a sequence finishes, something is delivered, or cache blocks run out; a
policy must not want anything else before that.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from weir.core.errors import InputError, UnknownNameError


class Role(StrEnum):
    """What a worker is for."""

    BOTH = "both"
    PREFILL = "prefill"
    DECODE = "decode"


@dataclass(slots=True, eq=False)
class Sequence:
    """A request inside a worker.

    Attributes:
        request: Its row in the request table.
        target: Tokens in the cache when its prefill is done: the prompt, and after a preemption
            the tokens generated so far.
        done: Tokens already in the cache.
        cached: Those of them that a prefix cache holds, and gives again after a preemption.
        decodes: Output tokens still to come from decode steps once the prefill is done.
        last_token_s: When its last token came out; NaN before the first.
        start_tick: Decode step of the worker at which it started to decode.
        finish_tick: Decode step of the worker before which it is finished; -1 while it does not
            decode.
    """

    request: int
    target: int
    done: int
    cached: int
    decodes: int
    last_token_s: float
    start_tick: int = -1
    finish_tick: int = -1

    @property
    def to_prefill(self) -> int:
        """Prompt tokens still to be computed."""
        return self.target - self.done


@dataclass(frozen=True, slots=True)
class Limits:
    """What one worker can hold and do in a step.

    Attributes:
        max_sequences: Sequences admitted at once.
        token_budget: Tokens of one step, prompt and decode together.
        cache_blocks: Blocks of the KV cache.
        block_tokens: Tokens of one block.
    """

    max_sequences: int
    token_budget: int
    cache_blocks: int
    block_tokens: int

    def __post_init__(self) -> None:
        for name in ("max_sequences", "token_budget", "cache_blocks", "block_tokens"):
            value = getattr(self, name)
            if value < 1:
                raise InputError(f"limits: {name} must be at least 1 (got {value})")


class View(Protocol):
    """What a policy sees of a worker."""

    @property
    def role(self) -> Role:
        """What the worker is for."""

    @property
    def waiting(self) -> deque[Sequence]:
        """Not admitted yet, first come first."""

    @property
    def prefilling(self) -> Mapping[int, Sequence]:
        """Admitted, prompt not finished, in order of admission."""

    @property
    def admitted(self) -> int:
        """Sequences that hold cache blocks and a place in the batch."""

    @property
    def decoding(self) -> int:
        """Sequences that decode."""

    @property
    def room_blocks(self) -> int:
        """Blocks for newcomers: free ones without those the next decode step needs."""

    def blocks_to_admit(self, sequence: Sequence) -> int:
        """Blocks a sequence needs to be admitted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One step.

    Attributes:
        admit: How many sequences leave the head of the waiting line.
        chunks: Prompt tokens by sequence; those being prefilled and those just admitted.
        decode: Whether the decoding sequences get a token.
    """

    admit: int
    chunks: tuple[tuple[Sequence, int], ...]
    decode: bool


Policy = Callable[[View, Limits], Plan]

POLICIES: Final[dict[str, Policy]] = {}


def policy(name: str) -> Callable[[Policy], Policy]:
    """Enters a policy in the registry."""

    def enter(function: Policy) -> Policy:
        POLICIES[name] = function
        return function

    return enter


def policy_named(name: str) -> Policy:
    """A policy of the registry.

    Raises:
        UnknownNameError: No such policy.
    """
    if name not in POLICIES:
        raise UnknownNameError("policy", name, POLICIES, f"Known: {', '.join(POLICIES)}.")
    return POLICIES[name]


def _admit(view: View, limits: Limits, budget: int, *, whole: bool) -> list[tuple[Sequence, int]]:
    """Newcomers in order of arrival until places, blocks or tokens run out.

    Args:
        view: The worker.
        limits: Its limits.
        budget: Prompt tokens left in this step.
        whole: Prompts are not cut; one that is longer than the budget goes in a step of its own.

    Returns:
        Each admitted sequence with its prompt tokens in this step; 0 where its cache came over
        the link.
    """
    chunks: list[tuple[Sequence, int]] = []
    room, places, left = view.room_blocks, limits.max_sequences - view.admitted, max(budget, 0)
    for sequence in view.waiting:
        blocks = view.blocks_to_admit(sequence)
        if len(chunks) >= places or blocks > room:
            break
        tokens = sequence.to_prefill
        if tokens > left:
            if whole and chunks:
                break
            tokens = tokens if whole else left
        if tokens <= 0 < sequence.to_prefill:
            break
        chunks.append((sequence, tokens))
        room -= blocks
        left -= tokens
    return chunks


def _continue(view: View, budget: int) -> list[tuple[Sequence, int]]:
    """Chunks of prompts that an earlier step began, first admitted first."""
    chunks: list[tuple[Sequence, int]] = []
    left = budget
    for sequence in view.prefilling.values():
        if left <= 0:
            break
        tokens = min(sequence.to_prefill, left)
        chunks.append((sequence, tokens))
        left -= tokens
    return chunks


@policy("continuous")
def continuous(view: View, limits: Limits) -> Plan:
    """Continuous batching: whole prompts join the step of the sequences that decode.

    Iteration-level scheduling with first-come admission (Orca, OSDI 2022, section 3.1). A prompt
    that does not fit in what the decoding sequences leave of the budget waits for a step whose
    first newcomer it is, and then goes whole.
    """
    new = _admit(view, limits, limits.token_budget - view.decoding, whole=True)
    return Plan(len(new), tuple(new), decode=True)


@policy("chunked-prefill")
def chunked_prefill(view: View, limits: Limits) -> Plan:
    """Chunked prefill: decoding sequences first, prompts fill the rest of the token budget.

    Stall-free batching (Sarathi-Serve, OSDI 2024, section 4.2): prompts already begun go on before
    newcomers are admitted, so that no step is longer than the budget allows.
    """
    budget = limits.token_budget - view.decoding
    old = _continue(view, budget)
    new = _admit(view, limits, budget - sum(tokens for _, tokens in old), whole=False)
    return Plan(len(new), (*old, *new), decode=True)


@policy("prefill-first")
def prefill_first(view: View, limits: Limits) -> Plan:
    """Prompts in steps of their own, as soon as there is room; decoding stands still meanwhile.

    A step takes prompt tokens up to the budget, and the last prompt is cut there.
    """
    old = _continue(view, limits.token_budget)
    left = limits.token_budget - sum(tokens for _, tokens in old)
    new = _admit(view, limits, left, whole=False)
    return Plan(len(new), (*old, *new), decode=not old and not new)


@policy("disaggregated")
def disaggregated(view: View, limits: Limits) -> Plan:
    """Prefill and decode on workers of their own.

    A prefill worker takes whole prompts in batches and never decodes. A decode worker takes
    sequences whose cache has arrived, and recomputes in chunks those it had to preempt.
    """
    if view.role is Role.DECODE:
        return chunked_prefill(view, limits)
    new = _admit(view, limits, limits.token_budget, whole=True)
    return Plan(len(new), tuple(new), decode=view.role is Role.BOTH and not new)
