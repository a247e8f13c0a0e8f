from pathlib import Path

import pytest

from weir.catalog.files import read_toml
from weir.core.errors import RecordError


def problem(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecordError) as caught:
        read_toml(path)
    (found,) = caught.value.problems
    return found


def test_a_key_that_stands_twice_is_shown(tmp_path: Path) -> None:
    found = problem(tmp_path / "x.toml", 'id = "x"\nname = "X"\nid = "y"\n')
    assert found.startswith("is not valid TOML")
    assert "line 3" in found
    assert found.endswith(': id = "y"')


def test_a_long_line_is_cut_and_an_end_has_none(tmp_path: Path) -> None:
    found = problem(tmp_path / "x.toml", f"tdp = {{value = , note = '{'long ' * 40}'}}\n")
    assert found.endswith("[...]")
    assert "end of document" in problem(tmp_path / "y.toml", "tdp = [1,\n")
