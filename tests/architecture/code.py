"""Reading our own source, for the tests of its shape."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "weir"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def modules() -> tuple[Path, ...]:
    """Every module of the package, in order."""
    return tuple(sorted(SOURCE.rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    """The parsed module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def label(path: Path) -> str:
    """A module as messages name it."""
    return path.relative_to(SOURCE).as_posix()


def docstring_lines(node: ast.AST) -> set[int]:
    """The lines of the docstring of a module, class or function, and of all inside it."""
    lines: set[int] = set()
    for item in ast.walk(node):
        if not isinstance(item, ast.Module | ast.ClassDef | Function) or not item.body:
            continue
        first = item.body[0]
        if (
            isinstance(first, ast.Expr)
            and isinstance(first.value, ast.Constant)
            and isinstance(first.value.value, str)
        ):
            lines.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines


def code_lines(text: str, node: ast.AST) -> int:
    """Lines that hold code: no blank lines, no comments, no docstrings."""
    first = getattr(node, "lineno", 1)
    last = getattr(node, "end_lineno", None) or len(text.splitlines())
    prose = docstring_lines(node)
    return sum(
        1
        for number, line in enumerate(text.splitlines(), 1)
        if first <= number <= last
        and number not in prose
        and line.strip()
        and not line.lstrip().startswith("#")
    )


def functions(path: Path) -> Iterator[Function]:
    """Every function and method of a module."""
    for node in ast.walk(tree(path)):
        if isinstance(node, Function):
            yield node
