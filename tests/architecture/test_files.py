"""Only the catalogue, and the templates of reports, read files; only the command line writes."""

import ast
from pathlib import Path

import pytest

from tests.architecture.code import label, modules, tree

PURE = ("core/", "rules/", "perf/", "sim/", "answers/")
FILE_CALLS = {"open", "read_text", "read_bytes", "write_text", "write_bytes", "mkstemp"}


@pytest.mark.parametrize(
    "path", [path for path in modules() if label(path).startswith(PURE)], ids=label
)
def test_formulas_and_answers_touch_no_files(path: Path) -> None:
    calls = {
        f"line {node.lineno}: {ast.unparse(node.func)}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and (getattr(node.func, "attr", None) or getattr(node.func, "id", None)) in FILE_CALLS
    }
    assert not calls, f"{label(path)}: {calls}; what is read belongs in weir.catalog"
