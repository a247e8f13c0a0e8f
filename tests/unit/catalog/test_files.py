from pathlib import Path

import pytest

from weir.catalog.files import read_table, read_toml
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


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "cannot be read"),
        ("a,c\n1,2\n", "columns must be a, b"),
        ("a,b\n1,2\n3\n", "line 3: has not 2 cells"),
        ("a,b\n1,2,3\n", "line 2: has not 2 cells"),
        ('a,b\n1,"two\nlines"\nx,4\n', "line 4: invalid literal"),
        (f"a,b\n1,2\n3,{'x' * 200_000}\n", "line 3: field larger than field limit"),
    ],
)
def test_a_table_that_cannot_be_read_says_where(
    tmp_path: Path, text: str | None, told: str
) -> None:
    path = tmp_path / "table.csv"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(RecordError, match=told):
        read_table(path, ("a", "b"), lambda row: int(row["a"]))


def test_a_table_is_read_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b\n2,x\n1,y\n", encoding="utf-8")
    assert read_table(path, ("a", "b"), lambda row: int(row["a"])) == (2, 1)
