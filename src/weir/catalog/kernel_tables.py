"""Measured kernel tables of an optional package, as columns.

The tables are read where the package is installed; none of their rows is part of Weir.
"""

import hashlib
import importlib.metadata
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weir.catalog.files import STOCK, read_toml
from weir.core.errors import InputError

TABLES: Final = STOCK / "calibration" / "tables.toml"
LATENCY: Final = "latency"
# The tables print milliseconds.
SECONDS_PER_MILLISECOND: Final = 1e-3

Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class TableChip:
    """A chip of the tables.

    Attributes:
        name: Its folder in the package.
        record: Its record in the catalogue.
        calibrates: Parameters may be fitted on it; otherwise it only tests.
    """

    name: str
    record: str
    calibrates: bool


@dataclass(frozen=True, slots=True)
class KernelTables:
    """The installed tables.

    Attributes:
        root: Folder with one folder per chip.
        version: Version of the package.
        chips: The chips in them, calibration chips first.
        reference: Framework whose kernels the parameters describe.
    """

    root: Path
    version: str
    chips: tuple[TableChip, ...]
    reference: str
    plan: Mapping[str, Any]

    def read(self, table: str, chip: str, framework: str, *, fit: bool = False) -> Columns | None:
        """Good rows of one table, with `latency` in seconds; None if the chip has no such table.

        Args:
            table: Key of the plan's tables.
            chip: Folder of the chip.
            framework: Framework whose kernels were measured.
            fit: Leave out rows that are reported but that no fit may use.

        Raises:
            InputError: The file is not a Parquet table.
        """
        path = self._path(table, chip, framework)
        if path is None:
            return None
        columns = _read_parquet(path)
        keep = np.isfinite(columns[LATENCY]) & (columns[LATENCY] > 0.0)
        for rule in (*self.plan["excluded"], *(self.plan["not_fitted"] if fit else ())):
            keep &= ~_matches(rule, columns, table=table, chip=chip, framework=framework)
        kept = {name: column[keep] for name, column in columns.items()}
        kept[LATENCY] = kept[LATENCY] * SECONDS_PER_MILLISECOND
        return kept

    def source(self, table: str, chip: str, framework: str) -> str | None:
        """Framework whose rows of a table stand for those of `framework` on a chip.

        The reference framework's parameters also describe tables that only another source has, and
        chips on which only another was measured; both are named in the plan. None for another
        framework whose rows belong to the reference framework so.

        Args:
            table: Key of the plan's tables.
            chip: Folder of the chip.
            framework: Framework whose kernels are wanted.
        """
        place = self.plan["tables"][table]
        instead: Mapping[str, str] = place.get("instead", {})
        only: str | None = place.get("framework", instead.get(chip))
        if framework != self.reference:
            return None if only and (framework == only or "framework" in place) else framework
        return only or framework

    def files(self) -> Iterator[Path]:
        """Every file that the plan may read, in order."""
        for chip in self.chips:
            for table in self.plan["tables"]:
                for framework in self.plan["versions"]:
                    path = self._path(table, chip.name, framework)
                    if path is not None:
                        yield path

    def sha256(self) -> str:
        """One hash over all files that the plan reads, in order."""
        total = hashlib.sha256()
        for path in self.files():
            total.update(hashlib.sha256(path.read_bytes()).digest())
        return total.hexdigest()

    def _path(self, table: str, chip: str, framework: str) -> Path | None:
        place = self.plan["tables"][table]
        for version in self.plan["versions"][framework]:
            path: Path = self.root / chip / place["folder"] / framework / version / place["file"]
            if path.is_file():
                return path
        return None


def _matches(rule: Mapping[str, Any], columns: Columns, **where: str) -> NDArray[np.bool_]:
    rows = len(columns[LATENCY])
    if any(key in rule and rule[key] != value for key, value in where.items()):
        return np.zeros(rows, dtype=bool)
    if "filed_under" in rule:
        spared = [columns[name] == value for name, value in rule.get("unless", {}).items()]
        return np.asarray(_filed_together(rule, columns) & ~np.any(spared, axis=0), dtype=bool)
    column = columns[rule["column"]]
    if "below_column" in rule:
        return np.asarray(column < columns[rule["below_column"]], dtype=bool)
    matched = column == rule["equals"] if "equals" in rule else column > rule["above"]
    for name, value in rule.get("where", {}).items():
        matched = matched & (columns[name] == value)
    return np.asarray(matched, dtype=bool)


def _filed_together(rule: Mapping[str, Any], columns: Columns) -> NDArray[np.bool_]:
    """Rows whose collector may have taken the file of another layer for theirs.

    It names a file after some columns and takes the first whose name starts with that, so a layer
    may find the file of one that differs from it in other columns, or whose name is longer.
    """
    parts = [_quotient(text, columns).astype(str) for text in rule["filed_under"]]
    names = np.array(["_".join(row) for row in zip(*parts, strict=True)])
    unique, place = np.unique(names, return_inverse=True)
    # In this order the names that start with a name follow it.
    begins = [later.startswith(name) for name, later in zip(unique, [*unique[1:], ""], strict=True)]
    layers = np.unique([place, *(columns[name] for name in rule["differs_in"])], axis=1)
    several = np.bincount(layers[0], minlength=len(unique)) > 1
    together: NDArray[np.bool_] = (np.array(begins, dtype=bool) | several)[place]
    return together


def _quotient(text: str, columns: Columns) -> NDArray[Any]:
    """A column, or the whole quotient of two."""
    name, _, divisor = text.partition(" / ")
    return columns[name] // columns[divisor] if divisor else columns[name]


def _read_parquet(path: Path) -> dict[str, NDArray[Any]]:
    try:
        from pyarrow import ArrowInvalid, parquet
    except ImportError:
        raise InputError(_install("pyarrow is not installed")) from None
    try:
        table = parquet.read_table(path)
    except ArrowInvalid as error:
        raise InputError(f"{path}: not a Parquet table ({error}); reinstall the package.") from None
    return {name: np.asarray(table[name].to_numpy()) for name in table.column_names}


def _install(problem: str) -> str:
    return (
        f"{problem}, so there are no measured kernel tables to read. "
        "Install them with: pip install 'chipweir[validate]'"
    )


@cache
def plan_of_tables() -> Mapping[str, Any]:
    """What is read from the package and how."""
    return read_toml(TABLES)


@cache
def chips_of_tables() -> tuple[TableChip, ...]:
    """The chips in the tables, calibration chips first."""
    return tuple(
        TableChip(name, entry["record"], entry["role"] == "calibration")
        for name, entry in plan_of_tables()["chips"].items()
    )


def installed_tables() -> KernelTables:
    """The tables of the installed package.

    Raises:
        InputError: The package is missing or of another version than the one that was studied.
    """
    plan = plan_of_tables()
    package, expected = plan["package"], plan["version"]
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise InputError(_install(f"{package} is not installed")) from None
    if version != expected:
        raise InputError(
            f"{package} {version} is installed, but the tables were studied, and rows excluded, "
            f"in {expected}. Install that one: pip install '{package}=={expected}'"
        )
    spec = importlib.util.find_spec(plan["module"])
    if spec is None or not spec.submodule_search_locations:
        raise InputError(_install(f"{plan['module']} cannot be found"))
    root = Path(next(iter(spec.submodule_search_locations))) / plan["folder"]
    return KernelTables(root, version, chips_of_tables(), plan["reference_framework"], plan)
