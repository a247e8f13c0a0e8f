"""The explanation an evaluation leaves behind: what was tested, on what, with what result."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an explanation, with the lines beneath it.

    Attributes:
        name: What was tested or computed, for example "3A090.a.1" or "TPP".
        outcome: "true", "false", "unknown", or the computed value for a person.
        text: The test or the formula with its numbers, for a person.
        citation: The paragraph or document it rests on.
        children: The steps it was made of.
    """

    name: str
    outcome: str
    text: str = ""
    citation: str = ""
    children: tuple["Step", ...] = ()

    def walk(self, depth: int = 0) -> Iterator[tuple[int, "Step"]]:
        """This step and all beneath it, each with its depth, in reading order."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)
