"""Citations that stand in files which no record schema reads, or could not read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from weir.catalog.claims import PATH, load_claims
from weir.catalog.files import STOCK, read_toml
from weir.catalog.published import PATH as SPEEDS
from weir.catalog.published import load_published
from weir.core.errors import RecordError

KEYS: Final = frozenset({"source", "sources"})


def citations_in(path: Path) -> tuple[tuple[str, str], ...]:
    """Every (key, citation) of a TOML file, at any depth; none where the file cannot be read."""
    try:
        return tuple(_walk(read_toml(path), ()))
    except RecordError:
        return ()


def calibration_files(root: Path = STOCK) -> tuple[Path, ...]:
    """The parameter files of the speed model."""
    return tuple(sorted((root / "calibration").glob("*.toml")))


def claim_citations(path: Path = PATH) -> tuple[tuple[str, str], ...]:
    """Every (claim, citation) of the published claims; none where the file cannot be read."""
    try:
        return tuple((claim.id, claim.source) for claim in load_claims(path))
    except RecordError:
        return ()


def published_citations(path: Path = SPEEDS) -> tuple[tuple[str, str], ...]:
    """Every (row, citation) of the published speeds; none where the file cannot be read."""
    try:
        return tuple((speed.id, speed.source) for speed in load_published(path))
    except RecordError:
        return ()


def _walk(value: object, keys: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if keys and keys[-1] in KEYS:
            yield ".".join(keys[:-1]) or keys[-1], value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, (*keys, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, keys)
