"""The catalogue: chips, systems, models, sources and offers by name, overlays over the stock."""

import importlib
import os
import pickle
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from weir.catalog.cache import Cache
from weir.catalog.entities import Chip, Model, Offer, Problem, System
from weir.catalog.files import STOCK, read_toml
from weir.catalog.offers import load_offers
from weir.core.errors import RecordError, UnknownNameError
from weir.core.provenance import Source

OVERLAY_VARIABLE = "WEIR_DATA"

T = TypeVar("T")


class Entry(NamedTuple):
    """What the index knows of a record without reading all of it.

    Attributes:
        id: The name of the file without its ending.
        path: The file.
        names: The name and aliases in its head.
        layer: 0 for the stock, then the overlays as they are given.
        record: The validated record as it was kept; empty where it has to be read.
        beneath: The record of the same id that this one replaces.
    """

    id: str
    path: Path
    names: tuple[str, ...]
    layer: int = 0
    record: bytes = b""
    beneath: "Entry | None" = None

    def chain(self) -> "Iterator[Entry]":
        """This one and all that it replaces, from the top."""
        entry: Entry | None = self
        while entry is not None:
            yield entry
            entry = entry.beneath


@dataclass
class Shelf(Generic[T]):
    """All records of one kind, read when asked for.

    A later root wins over an earlier one where both hold the same id, so that an overlay can
    replace a stock record. A broken record of an overlay is left out, the one beneath it stands,
    and `problems` tells.

    Attributes:
        kind: What messages call a record.
        folder: The folder of each root that holds the records.
        loader: The function of `weir.catalog.load` that reads one.
        roots: The stock, then the overlays.
        hint: Where to look for names.
    """

    kind: str
    folder: str
    loader: str
    roots: Sequence[Path]
    hint: str
    _duplicates: list[Problem] = field(default_factory=list)
    _resolved: dict[str, tuple[T | None, tuple[Problem, ...]]] = field(default_factory=dict)
    _left_out: dict[str, tuple[Problem, ...]] = field(default_factory=dict)

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """Every record by id, in order of id."""
        found: dict[str, Entry] = {}
        for layer, root in enumerate(self.roots):
            fresh = self._stock() if root == STOCK else self._scan(root)
            for key, entry in fresh.items():
                found[key] = entry._replace(layer=layer, beneath=found.get(key))
        return dict(sorted(found.items()))

    def _paths(self, root: Path) -> dict[str, Path]:
        """Every record of a root by id, in order of the files."""
        found: dict[str, Path] = {}
        for path in sorted((root / self.folder).rglob("*.toml")):
            other = found.setdefault(path.stem, path)
            if other != path:
                message = f"id: '{path.stem}' stands also in {other}; rename one of the two"
                self._duplicates.append(Problem(str(path), message))
        return found

    def _scan(self, root: Path) -> dict[str, Entry]:
        return {key: Entry(key, path, _names(path)) for key, path in self._paths(root).items()}

    def _stock(self) -> dict[str, Entry]:
        """The entries of the stock: kept ones, or read, validated and kept for the next time."""
        cache = Cache(STOCK / self.folder)
        kept = cache.recall()
        if kept is not None:
            return {item[0]: Entry(item[0], Path(item[1]), *item[2:]) for item in kept}
        if not cache.is_writable:
            return self._scan(STOCK)
        fingerprint = cache.fingerprint()
        found = {key: self._validated(key, path) for key, path in self._paths(STOCK).items()}
        if not self._duplicates:
            rows = [(e.id, str(e.path), e.names, e.layer, e.record) for e in found.values()]
            cache.remember(rows, fingerprint)
        return found

    def _validated(self, identifier: str, path: Path) -> Entry:
        entry = Entry(identifier, path, ())
        try:
            record = self._read(entry)
        except RecordError:  # read again, and complained about, when it is asked for
            return entry._replace(names=_names(path))
        names = (getattr(record, "name", identifier), *getattr(record, "aliases", ()))
        kept = pickle.dumps(record, protocol=pickle.HIGHEST_PROTOCOL)
        return entry._replace(names=names, record=kept)

    def _read(self, entry: Entry) -> T:
        if entry.record:
            kept: T = pickle.loads(entry.record)  # noqa: S301 - see `Cache.recall`
            return kept
        # The validator is slow to import, so only where something has to be validated.
        loaders = importlib.import_module("weir.catalog.load")
        loader: Callable[[Path], T] = getattr(loaders, self.loader)
        return loader(entry.path)

    def _resolve(self, identifier: str) -> tuple[T | None, tuple[Problem, ...]]:
        """The topmost record that can be read, and what is wrong with those above it."""
        if identifier not in self._resolved:
            found: T | None = None
            problems: list[Problem] = []
            for entry in self.entries[identifier].chain():
                try:
                    found = self._read(entry)
                    break
                except RecordError as error:
                    problems += (Problem(str(entry.path), text) for text in error.problems)
            self._resolved[identifier] = (found, tuple(problems))
        return self._resolved[identifier]

    @cached_property
    def _by_name(self) -> dict[str, str]:
        """Folded names to ids: an id beats a name, an overlay the stock, then the order of ids."""
        index = {fold(identifier): identifier for identifier in self.entries}
        layers = [entry for top in self.entries.values() for entry in top.chain()]
        for entry in sorted(layers, key=lambda item: -item.layer):
            for name in entry.names:
                index.setdefault(fold(name), entry.id)
        return index

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the records that answers so far had to do without."""
        return tuple(item for problems in self._left_out.values() for item in problems)

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
            RecordError: The record is broken, and so is each that it replaces.
        """
        identifier = self.find(name)
        found, problems = self._resolve(identifier)
        if found is None:
            path = str(self.entries[identifier].path)
            raise RecordError(path, [item.message for item in problems if item.path == path])
        self._leave_out(identifier, problems)
        return found

    def _leave_out(self, identifier: str, problems: tuple[Problem, ...]) -> None:
        if problems:
            self._left_out[identifier] = problems

    def all(self) -> list[T]:
        """Every record, in order of id, without those of an overlay that are broken.

        Raises:
            RecordError: The first broken record of the stock.
        """
        found: list[T] = []
        for identifier, entry in self.entries.items():
            record, problems = self._resolve(identifier)
            is_of_stock = min(item.layer for item in entry.chain()) == 0
            if record is not None or is_of_stock:
                found.append(self.get(identifier))
            self._leave_out(identifier, problems)
        return found

    def audit(self) -> Iterator[tuple[T | None, tuple[Problem, ...]]]:
        """Every record that loads, and the problems of each that does not."""
        for identifier in self.entries:
            yield self._resolve(identifier)
        for problem in self._duplicates:
            yield None, (problem,)


def fold(name: str) -> str:
    """A name without case, spaces and punctuation, as names are compared."""
    return "".join(ch for ch in name.casefold() if ch.isalnum())


def _names(path: Path) -> tuple[str, ...]:
    """The names in the head of a record; the id alone where the head does not parse."""
    head: list[str] = []
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for line in file:
                if line.startswith("["):
                    break
                head.append(line)
        table = tomllib.loads("".join(head))
    except (OSError, tomllib.TOMLDecodeError):
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
        self.chips: Shelf[Chip] = Shelf(
            "chip", "chips", "load_chip", self.roots, "See 'weir chip list'."
        )
        self.systems: Shelf[System] = Shelf(
            "system", "systems", "load_system", self.roots, "See 'weir system list'."
        )
        self.models: Shelf[Model] = Shelf(
            "model", "models", "load_model", self.roots, "See 'weir model list'."
        )
        self.sources: Shelf[Source] = Shelf(
            "source", "sources", "load_source", self.roots, "See 'weir data check'."
        )
        self._offer_problems: list[Problem] = []

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the records that answers so far had to do without.

        Presentation shows it beside an answer.
        """
        shelves = (self.chips, self.systems, self.models, self.sources)
        return (*(item for shelf in shelves for item in shelf.problems), *self._offer_problems)

    @classmethod
    def from_environment(cls, *overlays: Path) -> "Catalog":
        """The stock, what `WEIR_DATA` names (paths joined as in PATH), then `overlays`."""
        named = [
            Path(part) for part in os.environ.get(OVERLAY_VARIABLE, "").split(os.pathsep) if part
        ]
        return cls(*named, *overlays)

    @cached_property
    def offers(self) -> tuple[Offer, ...]:
        """Every price offer, in file order, without the broken files of an overlay.

        Raises:
            RecordError: A broken file of the stock.
        """
        found: list[Offer] = []
        for root in self.roots:
            for path in sorted((root / "prices").glob("*.csv")):
                try:
                    found += load_offers(path)
                except RecordError as error:
                    if root == STOCK:
                        raise
                    self._offer_problems += (Problem(str(path), text) for text in error.problems)
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
