"""Answers as JSON: the same facts as on the page, with unrounded SI values."""

import dataclasses
import datetime as dt
import json
import math
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

import numpy as np

from weir.catalog.entities import Entity, Model
from weir.catalog.traces import Trace

# Their `origin` is a path of this machine, for messages; that of a transaction is a country.
_FROM_FILES = (Entity, Model, Trace)


def to_json(answer: object) -> str:
    """Writes any answer as JSON with keys in definition order; NaN and infinity become null."""
    return json.dumps(plain(answer), ensure_ascii=False, indent=2, allow_nan=False)


def plain(value: object) -> object:
    """Turns dataclasses, arrays, dates and enumerations into what JSON can hold."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.integer | np.bool_):
        return value.item()
    if isinstance(value, np.ndarray):
        return plain(value.tolist())  # a list, or one number where it has no axes
    if isinstance(value, dt.date):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        hidden = {"origin"} if isinstance(value, _FROM_FILES) else set()
        names = [f.name for f in dataclasses.fields(value) if f.name not in hidden]
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset):
        return [plain(item) for item in sorted(value)]
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")
