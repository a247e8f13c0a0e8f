"""How long a step takes: the plug-in that the simulator asks, and a fast table behind it."""

from bisect import bisect_right
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.core.errors import InputError

Array = NDArray[np.float64]

# Points of a grid that make a cell.
_FEWEST: Final = 2


class StepTimes(Protocol):
    """Times of single steps."""

    def step_s(
        self,
        prefill_tokens: int,
        prefill_context: float,
        decode_sequences: int,
        decode_context: float,
    ) -> float:
        """Time of one step, s.

        Args:
            prefill_tokens: Prompt tokens of the step, over all prompts in it.
            prefill_context: Tokens that one of them attends to, itself included, on average over
                the prompt tokens; 0 without any.
            decode_sequences: Sequences that get an output token.
            decode_context: Tokens that the newest token of each attends to, itself included, on
                average over the sequences; 0 without any.
        """


@runtime_checkable
class DecodeRuns(Protocol):
    """Times of many pure decode steps at once; a `StepTimes` may have them too.

    With them the simulator takes runs of decode steps in one jump. They must be the very numbers
    that `step_s` returns for one step after the other, and calling twice must give them twice:
    a run is cut short, and asked for again, when a request arrives in the middle.
    """

    def decode_steps_s(self, decode_sequences: int, decode_context: Array) -> Array:
        """Time of each step, s, for the mean context of each."""


class StepTable:
    """Step times interpolated in tables: linear in each argument between the grid's points.

    Beyond the grid the outermost cell goes on, so a table should reach as far as the deployment's
    limits do.

    Args:
        decode_sequences: Grid, rising, at least two points.
        decode_context: Grid, likewise.
        decode_s: Time of pure decode steps, shape (sequences, context).
        prefill_tokens: Grid of steps with prompt tokens.
        prefill_context: Grid of them.
        mixed_sequences: Grid of them; starts at 0 for steps without decoding sequences.
        mixed_context: Grid of them.
        mixed_s: Time of steps with prompt tokens, shape (tokens, context, sequences, context).

    Raises:
        InputError: A grid is not rising, or a table has not its grids' shape.
    """

    def __init__(
        self,
        decode_sequences: ArrayLike,
        decode_context: ArrayLike,
        decode_s: ArrayLike,
        prefill_tokens: ArrayLike,
        prefill_context: ArrayLike,
        mixed_sequences: ArrayLike,
        mixed_context: ArrayLike,
        mixed_s: ArrayLike,
    ) -> None:
        self._decode_axes = _axes(decode_sequences=decode_sequences, decode_context=decode_context)
        self._mixed_axes = _axes(
            prefill_tokens=prefill_tokens,
            prefill_context=prefill_context,
            mixed_sequences=mixed_sequences,
            mixed_context=mixed_context,
        )
        self._decode = _table("decode_s", decode_s, self._decode_axes)
        self._mixed = _table("mixed_s", mixed_s, self._mixed_axes)
        self._context_grid = np.asarray(self._decode_axes[1])
        self._rows: list[list[float]] = self._decode.tolist()
        self._cells: list[float] = self._mixed.ravel().tolist()
        _, contexts, sequences, lengths = self._mixed.shape
        self._strides: tuple[int, int, int] = (
            contexts * sequences * lengths,
            sequences * lengths,
            lengths,
        )

    def step_s(
        self,
        prefill_tokens: int,
        prefill_context: float,
        decode_sequences: int,
        decode_context: float,
    ) -> float:
        """See `StepTimes`."""
        if prefill_tokens:
            return self._mixed_s(prefill_tokens, prefill_context, decode_sequences, decode_context)
        row, u = _place(self._decode_axes[0], decode_sequences)
        column, v = _place(self._decode_axes[1], decode_context)
        low, high = self._rows[row], self._rows[row + 1]
        near = low[column] + u * (high[column] - low[column])
        far = low[column + 1] + u * (high[column + 1] - low[column + 1])
        return near + v * (far - near)

    def decode_steps_s(self, decode_sequences: int, decode_context: Array) -> Array:
        """See `DecodeRuns`."""
        row, u = _place(self._decode_axes[0], decode_sequences)
        line = self._decode[row] + u * (self._decode[row + 1] - self._decode[row])
        grid = self._context_grid
        column = np.clip(np.searchsorted(grid, decode_context, "right") - 1, 0, grid.size - 2)
        v = (decode_context - grid[column]) / (grid[column + 1] - grid[column])
        near, far = line[column], line[column + 1]
        return np.asarray(near + v * (far - near))

    def _mixed_s(self, p: float, pc: float, n: float, c: float) -> float:
        axes, (far, mid, near) = self._mixed_axes, self._strides
        i, ti = _place(axes[0], p)
        j, tj = _place(axes[1], pc)
        k, tk = _place(axes[2], n)
        m, tm = _place(axes[3], c)
        first = i * far + j * mid + k * near + m
        cells = self._cells
        # Along the last axis at each corner of the other three, then one axis after the other.
        line = [
            cells[at] + tm * (cells[at + 1] - cells[at])
            for at in (first, first + near, first + mid, first + mid + near)
        ]
        first += far
        line += [
            cells[at] + tm * (cells[at + 1] - cells[at])
            for at in (first, first + near, first + mid, first + mid + near)
        ]
        a, b, c, d, e, f, g, h = line
        a, c, e, g = a + tk * (b - a), c + tk * (d - c), e + tk * (f - e), g + tk * (h - g)
        a, e = a + tj * (c - a), e + tj * (g - e)
        return a + ti * (e - a)


def _axes(**grids: ArrayLike) -> tuple[list[float], ...]:
    axes = []
    for name, grid in grids.items():
        axis = np.asarray(grid, dtype=np.float64)
        if axis.ndim != 1 or axis.size < _FEWEST or not np.all(np.diff(axis) > 0):
            raise InputError(f"step table: {name} must be a rising grid of at least two points")
        axes.append(axis.tolist())
    return tuple(axes)


def _table(name: str, values: ArrayLike, axes: tuple[list[float], ...]) -> Array:
    table = np.asarray(values, dtype=np.float64)
    shape = tuple(len(axis) for axis in axes)
    if table.shape != shape:
        raise InputError(f"step table: {name} must have shape {shape} (got {table.shape})")
    if not np.all(np.isfinite(table)) or np.any(table < 0):
        raise InputError(f"step table: {name} must hold finite times of at least 0")
    return table


def _place(axis: list[float], value: float) -> tuple[int, float]:
    """The cell a value lies in, and how far along."""
    cell = bisect_right(axis, value, 1, len(axis) - 1) - 1
    low = axis[cell]
    return cell, (value - low) / (axis[cell + 1] - low)
