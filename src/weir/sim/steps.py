"""How long a step takes: the plug-in that the simulator asks, and a fast table behind it."""

from bisect import bisect_right
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.core.errors import InputError

Array = NDArray[np.float64]


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

    def step_s(
        self,
        prefill_tokens: int,
        prefill_context: float,
        decode_sequences: int,
        decode_context: float,
    ) -> float:
        """See `StepTimes`."""
        if prefill_tokens:
            return self._mixed_s(
                (prefill_tokens, prefill_context, decode_sequences, decode_context)
            )
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

    def _mixed_s(self, point: tuple[float, float, float, float]) -> float:
        places = [_place(axis, value) for axis, value in zip(self._mixed_axes, point, strict=True)]
        _, contexts, sequences, lengths = (len(axis) for axis in self._mixed_axes)
        (i, ti), (j, tj), (k, tk), (m, tm) = places
        first = ((i * contexts + j) * sequences + k) * lengths + m
        strides = (contexts * sequences * lengths, sequences * lengths, lengths)
        cells = self._cells
        along_i = []
        for corner_i in (first, first + strides[0]):
            along_j = []
            for corner_j in (corner_i, corner_i + strides[1]):
                below = cells[corner_j] + tm * (cells[corner_j + 1] - cells[corner_j])
                other = corner_j + strides[2]
                above = cells[other] + tm * (cells[other + 1] - cells[other])
                along_j.append(below + tk * (above - below))
            along_i.append(along_j[0] + tj * (along_j[1] - along_j[0]))
        return along_i[0] + ti * (along_i[1] - along_i[0])


def _axes(**grids: ArrayLike) -> tuple[list[float], ...]:
    axes = []
    for name, grid in grids.items():
        axis = np.asarray(grid, dtype=np.float64)
        if axis.ndim != 1 or axis.size < 2 or not np.all(np.diff(axis) > 0):  # noqa: PLR2004
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
    cell = min(max(bisect_right(axis, value) - 1, 0), len(axis) - 2)
    return cell, (value - axis[cell]) / (axis[cell + 1] - axis[cell])
