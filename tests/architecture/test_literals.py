"""No number of the law, of a chip or of a measurement stands in the code of rules and perf."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.code import SOURCE, label, modules, tree

# How parameters are searched and judged is method; what is found goes to a data file.
METHOD = "perf/calibration/"
FORMULAS = [
    path
    for path in modules()
    if label(path).startswith(("rules/", "perf/")) and not label(path).startswith(METHOD)
]
ALLOWED = tomllib.loads(Path(__file__).with_name("literals.toml").read_text(encoding="utf-8"))
# What counts things or halves them: matrices of a block, ends of an interval, directions.
STRUCTURAL = {0, 1, 2, 3, 0.5}
# Calls whose numbers are no facts: where a search for a parameter may go, and sizes of memories.
CALLS = {"parameter", "lru_cache"}


def _name_of_call(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _literals(node: ast.AST, owner: str) -> Iterator[tuple[str, int, float]]:
    """(constant or function, line, number) of every number below a node that is not structural."""
    if isinstance(node, ast.Call) and _name_of_call(node) in CALLS:
        return
    if isinstance(node, ast.FunctionDef | ast.ClassDef) and not owner:
        owner = node.name
    if isinstance(node, ast.Assign | ast.AnnAssign) and not owner:
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        owner = ast.unparse(target)
    if isinstance(node, ast.Constant):
        number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
        if number and node.value not in STRUCTURAL:
            yield owner, node.lineno, node.value
    for child in ast.iter_child_nodes(node):
        yield from _literals(child, owner)


@pytest.mark.parametrize("path", FORMULAS, ids=label)
def test_a_number_in_a_formula_has_a_name_and_a_reason(path: Path) -> None:
    allowed = ALLOWED.get(label(path), {})
    found = [
        f"line {line}: {number} in {owner}"
        for owner, line, number in _literals(tree(path), "")
        if owner not in allowed
    ]
    assert not found, (
        f"{label(path)}: {'; '.join(found)}. Facts go to a data file; for a number of mathematics "
        "or of the method give a named constant and a reason in tests/architecture/literals.toml"
    )


@pytest.mark.parametrize("module", ALLOWED)
def test_no_reason_outlives_its_number(module: str) -> None:
    path = SOURCE / module
    assert path.exists(), f"literals.toml: there is no {module}"
    used = {owner for owner, _, _ in _literals(tree(path), "")}
    assert set(ALLOWED[module]) <= used
    assert all(reason.strip() for reason in ALLOWED[module].values())


def test_a_planted_number_is_found() -> None:
    planted = ast.parse("def f(x):\n    return x > 4800\n")
    assert list(_literals(planted, "")) == [("f", 2, 4800)]
