"""Only the catalogue, and the templates of reports, read files; only the command line writes."""

import ast
from pathlib import Path

import pytest

from tests.architecture.code import label, modules, tree

PURE = ("core/", "rules/", "perf/", "sim/", "answers/")
METHODS = {"open", "read_text", "read_bytes", "write_text", "write_bytes", "mkstemp"}


def _touches_a_file(node: ast.AST) -> bool:
    """A call of `open` or of a method of paths; functions of the catalogue are the right way."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id == "open"
    return isinstance(node.func, ast.Attribute) and node.func.attr in METHODS


@pytest.mark.parametrize(
    "path", [path for path in modules() if label(path).startswith(PURE)], ids=label
)
def test_formulas_and_answers_touch_no_files(path: Path) -> None:
    calls = {
        f"line {node.lineno}: {ast.unparse(node.func)}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and _touches_a_file(node)
    }
    assert not calls, f"{label(path)}: {calls}; what is read belongs in weir.catalog"
