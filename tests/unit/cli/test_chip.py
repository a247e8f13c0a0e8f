"""`weir chip new`: a template where it is wanted, and never over something that is there."""

import tomllib
from pathlib import Path

import pytest


def test_new_prints_a_record(weir) -> None:
    done = weir("chip", "new", "paper-x1")
    assert done.status == 0
    assert tomllib.loads(done.out)["id"] == "paper-x1"


def test_new_writes_a_record_that_is_found_at_once(weir, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    assert weir("chip", "new", "paper-x1", "--into", mine).status == 0
    assert weir("--data", mine, "chip", "show", "paper-x1").status == 0
    assert weir("--data", mine, "data", "check").status == 0


def test_new_does_not_overwrite(weir, tmp_path: Path) -> None:
    path = tmp_path / "paper-x1.toml"
    path.write_text("my work")
    for done in (
        weir("chip", "new", "paper-x1", "--output", path),
        weir("chip", "new", "paper-x1", "--into", tmp_path, "--output", path),
    ):
        assert done.status == 2
        assert path.read_text() == "my work"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Paper X1"], "'paper-x1'"),
        (["paper-x1", "-o", "other.toml"], "paper-x1.toml"),
        (["paper-x1", "-o", "nowhere/paper-x1.toml"], "cannot write nowhere"),
        (["paper-x1", "--into", "file"], "Invalid value"),
        (["paper-x1", "--into", "file/mine"], "cannot make the folder"),
        ([], "Missing argument"),
    ],
)
def test_new_refuses(weir, tmp_path: Path, monkeypatch, arguments: list[str], words: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("x")
    done = weir("chip", "new", *arguments)
    assert done.status == 2
    assert words in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
