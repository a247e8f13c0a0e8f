"""What-if files: a title, settings, provisions to add and to leave out, each with its line."""

import re
from pathlib import Path

from weir.catalog.files import read_text, read_toml
from weir.catalog.law import Overlay, Patch, Provision
from weir.catalog.law_load import provision_from_table
from weir.core.errors import RecordError, nearest_names

KEYS = ("title", "set", "add", "remove")
_VALUE_KEYS = ("value", "unit")


def load_overlay(path: Path) -> Overlay:
    """Reads a what-if file.

    ::

        title = "Lower the line to 4,000"
        remove = ["3A090.note-2"]

        [set]
        "3A090.a.1.tpp" = 4000
        "letter-2025-04.intel.memory_bandwidth" = {value = 1.2, unit = "TB/s"}

        [[add]]
        id = "3A090.x"
        effect = "classify"
        …

    Raises:
        RecordError: Unknown keys or values that are not understood, each with its line and what
            is allowed.
    """
    raw = read_toml(path)
    lines = read_text(path).splitlines()
    problems: list[str] = []
    for key in raw:
        if key not in KEYS:
            near = nearest_names(key, KEYS)
            hint = f"; did you mean {near[0]}?" if near else ""
            allowed = ", ".join(KEYS)
            problems.append(f"line {_line(lines, key)}: unknown key '{key}'; {allowed}{hint}")
    patches = _patches(raw.get("set", {}), lines, path, problems)
    added = _added(raw.get("add", []), lines, problems)
    removed = raw.get("remove", [])
    if not isinstance(removed, list) or not all(isinstance(item, str) for item in removed):
        problems.append(f"line {_line(lines, 'remove')}: remove: write a list of provision ids")
        removed = []
    if problems:
        raise RecordError(path, problems)
    title = str(raw.get("title", path.stem))
    return Overlay(title, patches, added, tuple(removed), where=str(path))


def _patches(table: object, lines: list[str], path: Path, problems: list[str]) -> tuple[Patch, ...]:
    if not isinstance(table, dict):
        problems.append(f"line {_line(lines, 'set')}: set: write a table of PATH = VALUE")
        return ()
    found: list[Patch] = []
    for key, value in table.items():
        line = _line(lines, key)
        unit = ""
        if isinstance(value, dict):
            unknown = [name for name in value if name not in _VALUE_KEYS]
            if unknown or "value" not in value:
                problems.append(
                    f"line {line}: set.{key}: write {{value = …, unit = …}}, not {list(value)}"
                )
                continue
            unit = str(value.get("unit", ""))
        plain = value["value"] if isinstance(value, dict) else value
        found.append(Patch(key, _plain(plain), unit, f"{path}, line {line}"))
    return tuple(found)


def _plain(value: object) -> str | float | bool:
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    return value if isinstance(value, bool | int | float) else str(value)


def _added(tables: object, lines: list[str], problems: list[str]) -> tuple[Provision, ...]:
    if not isinstance(tables, list):
        problems.append(f"line {_line(lines, 'add')}: add: write [[add]] tables")
        return ()
    found: list[Provision] = []
    for table in tables:
        name = table.get("id", "?") if isinstance(table, dict) else "?"
        try:
            found.append(provision_from_table(table, "what-if"))
        except ValueError as error:
            problems.append(f"line {_line(lines, str(name))}: add ({name}): {error}")
    return tuple(found)


def _line(lines: list[str], key: str) -> int:
    """The line on which a key, or an id, first stands; 1 where it cannot be found."""
    name = re.escape(key)
    pattern = re.compile(rf"""(^\s*\[*["']?{name}["']?\s*(=|\]|$))|(["']{name}["'])""")
    return next((n for n, line in enumerate(lines, 1) if pattern.search(line)), 1)
