"""Citations that stand in files which no record schema reads, or could not read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from weir.catalog.files import STOCK, read_toml
from weir.core.errors import RecordError

KEYS: Final = frozenset({"source", "sources"})


def citations_in(path: Path) -> tuple[str, ...]:
    """Every citation of a TOML file, at any depth; none where the file cannot be read."""
    try:
        return tuple(_walk(read_toml(path), is_citation=False))
    except RecordError:
        return ()


def calibration_files(root: Path = STOCK) -> tuple[Path, ...]:
    """The parameter files of the speed model."""
    return tuple(sorted((root / "calibration").glob("*.toml")))


def _walk(value: object, is_citation: bool) -> Iterator[str]:
    if isinstance(value, str):
        if is_citation:
            yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, key in KEYS)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, is_citation)
