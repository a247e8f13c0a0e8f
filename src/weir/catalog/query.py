"""The catalogue: chips, systems, models, sources and offers by name, overlays over the stock."""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from weir.catalog.entities import Chip, Model, Offer, Problem, System
from weir.catalog.load import (
    STOCK,
    load_chip,
    load_model,
    load_offers,
    load_source,
    load_system,
    read_toml,
)
from weir.core.errors import RecordError, UnknownNameError
from weir.core.provenance import Source

OVERLAY_VARIABLE = "WEIR_DATA"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index knows of a record without reading all of it."""

    id: str
    path: Path
    names: tuple[str, ...]


@dataclass
class Shelf(Generic[T]):
    """All records of one kind, read when asked for.

    A later root wins over an earlier one where both hold the same id, so that an overlay can
    replace a stock record.
    """

    kind: str
    folder: str
    loader: Callable[[Path], T]
    roots: Sequence[Path]
    hint: str
    _loaded: dict[str, T] = field(default_factory=dict)

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """Every record by id, in order of id."""
        found: dict[str, Entry] = {}
        for root in self.roots:
            for path in sorted((root / self.folder).rglob("*.toml")):
                found[path.stem] = Entry(path.stem, path, _names(path))
        return dict(sorted(found.items()))

    @cached_property
    def _by_name(self) -> dict[str, str]:
        index: dict[str, str] = {}
        for entry in self.entries.values():
            for name in entry.names:
                index.setdefault(fold(name), entry.id)
        for entry in self.entries.values():
            index[fold(entry.id)] = entry.id
        return index

    def find(self, name: str) -> str:
        """The id that a name, alias or id stands for; case and punctuation do not matter.

        Raises:
            UnknownNameError: No such record; the message lists the nearest names.
        """
        found = self._by_name.get(fold(name))
        if found is None:
            known = [label for entry in self.entries.values() for label in entry.names]
            raise UnknownNameError(self.kind, name, known, self.hint)
        return found

    def get(self, name: str) -> T:
        """One record by name, alias or id.

        Raises:
            UnknownNameError: No such record.
            RecordError: The record is broken.
        """
        identifier = self.find(name)
        if identifier not in self._loaded:
            self._loaded[identifier] = self.loader(self.entries[identifier].path)
        return self._loaded[identifier]

    def all(self) -> list[T]:
        """Every record, in order of id.

        Raises:
            RecordError: The first broken record.
        """
        return [self.get(identifier) for identifier in self.entries]

    def audit(self) -> Iterator[tuple[T | None, tuple[Problem, ...]]]:
        """Every record that loads, and the problems of each that does not."""
        for identifier, entry in self.entries.items():
            try:
                yield self.get(identifier), ()
            except RecordError as error:
                yield None, tuple(Problem(str(entry.path), text) for text in error.problems)


def fold(name: str) -> str:
    """A name without case, spaces and punctuation, as names are compared."""
    return "".join(ch for ch in name.casefold() if ch.isalnum())


def _names(path: Path) -> tuple[str, ...]:
    """The names in the head of a record; the id alone where the head does not parse."""
    head: list[str] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("["):
                break
            head.append(line)
    try:
        table = tomllib.loads("".join(head))
    except tomllib.TOMLDecodeError:
        return (path.stem,)
    aliases = table.get("aliases", ())
    listed = [str(alias) for alias in aliases] if isinstance(aliases, list) else []
    return (str(table.get("name", path.stem)), *listed)


class Catalog:
    """The stock, and a user's own records over it.

    Args:
        overlays: Folders laid out like the stock (chips/, systems/, models/, sources/, prices/);
            records in a later folder replace earlier ones of the same id.

    Raises:
        RecordError: An overlay is not a folder.
    """

    def __init__(self, *overlays: Path) -> None:
        for overlay in overlays:
            if not overlay.is_dir():
                raise RecordError(
                    overlay, ["is not a folder; give a folder with chips/, models/ …"]
                )
        self.roots: tuple[Path, ...] = (STOCK, *overlays)
        self.chips = Shelf("chip", "chips", load_chip, self.roots, "See 'weir chip list'.")
        self.systems = Shelf("system", "systems", load_system, self.roots, "See 'weir chip list'.")
        self.models = Shelf("model", "models", load_model, self.roots, "See 'weir model list'.")
        self.sources: Shelf[Source] = Shelf(
            "source", "sources", load_source, self.roots, "See 'weir data check'."
        )

    @classmethod
    def from_environment(cls, *overlays: Path) -> "Catalog":
        """The stock, what `WEIR_DATA` names (paths joined as in PATH), then `overlays`."""
        named = [
            Path(part) for part in os.environ.get(OVERLAY_VARIABLE, "").split(os.pathsep) if part
        ]
        return cls(*named, *overlays)

    @cached_property
    def offers(self) -> tuple[Offer, ...]:
        """Every price offer, in file order."""
        found: list[Offer] = []
        for root in self.roots:
            for path in sorted((root / "prices").glob("*.csv")):
                found += load_offers(path)
        return tuple(found)

    def chip(self, name: str) -> Chip:
        """One chip by name, alias or id."""
        return self.chips.get(name)

    def model(self, name: str) -> Model:
        """One model by name, alias or id."""
        return self.models.get(name)

    def system_of(self, chip: Chip) -> System | None:
        """The reference node of a chip: the first system, by id, that is made of it."""
        for system in self.systems.all():
            if system.chip == chip.id:
                return system
        return None

    def source(self, citation: str) -> Source:
        """The document behind a "source-id#locator" citation."""
        return self.sources.get(citation.partition("#")[0])

    @cached_property
    def data_version(self) -> str:
        """The day the stock was last brought up to date, stamped into every answer."""
        return str(read_toml(STOCK / "about.toml")["data_version"])
