"""Where the installed measurement package keeps its serving runs, and their rows as text."""

import csv
import importlib.util
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Final

from weir.catalog.files import read_text
from weir.core.errors import InputError, RecordError

PACKAGE: Final = "aiconfigurator_core"
_NEEDED: Final = ("id", "system", "model_path", "silicon_ttft_ms", "silicon_tpot_ms")


def serving_runs_path() -> Path:
    """The sample of serving runs in the installed package.

    Raises:
        InputError: The package is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise InputError(
            "the measured serving runs are in the package aiconfigurator-core, which is not"
            " installed; run: pip install 'chipweir[validate]'"
        )
    return Path(next(iter(found.submodule_search_locations))) / "systems" / "silicon_sample.csv"


def read_serving_runs(path: Path | None = None) -> list[Mapping[str, str]]:
    """Every row of the sample by column.

    Args:
        path: The CSV file; that of the installed package if left out.

    Raises:
        InputError: The file is missing or is not the sample.
    """
    path = serving_runs_path() if path is None else path
    reader = csv.DictReader(StringIO(read_text(path), newline=""))
    try:
        rows: list[Mapping[str, str]] = list(reader)
    except csv.Error as error:
        raise RecordError(path, [f"line {reader.reader.line_num}: {error}"]) from None
    missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise InputError(
            f"{path}: has no column {', '.join(missing)}; the sample of aiconfigurator-core 0.12"
            " was expected"
        )
    return rows
