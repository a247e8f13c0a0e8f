"""Columns of a measured table, as numbers and in groups."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]

WINDOW: Final = "window_size"


def floats(columns: Columns, *names: str) -> Iterator[Array]:
    """Columns as numbers; tables of older frameworks have no windows, which is a window of 0."""
    for name in names:
        if name == WINDOW and name not in columns:
            yield np.zeros(len(columns["latency"]))
        else:
            yield np.asarray(columns[name], dtype=np.float64)


def rows_by(columns: Columns, *names: str) -> Iterator[tuple[tuple[Any, ...], Columns]]:
    """Rows grouped by the values of some columns, in order of value."""
    rows = [tuple(row) for row in zip(*(columns[name].tolist() for name in names), strict=True)]
    for key in sorted(set(rows)):
        keep = np.array([row == key for row in rows])
        yield key, {name: column[keep] for name, column in columns.items()}
