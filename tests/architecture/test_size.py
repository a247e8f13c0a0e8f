from pathlib import Path

import pytest

from tests.architecture.code import code_lines, functions, label, modules, tree

MOST_LINES_OF_A_MODULE = 500
MOST_LINES_OF_A_FUNCTION = 60


@pytest.mark.parametrize("path", modules(), ids=label)
def test_a_module_has_one_purpose_and_fits_on_a_few_screens(path: Path) -> None:
    lines = code_lines(path.read_text(encoding="utf-8"), tree(path))
    assert lines <= MOST_LINES_OF_A_MODULE, (
        f"{label(path)} has {lines} lines of code; make it a package of the same name"
    )


@pytest.mark.parametrize("path", modules(), ids=label)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    long = {
        f"{node.name} (line {node.lineno}, {lines} lines)"
        for node in functions(path)
        if (lines := code_lines(text, node)) > MOST_LINES_OF_A_FUNCTION
    }
    assert not long, f"{label(path)}: split {', '.join(sorted(long))}"
