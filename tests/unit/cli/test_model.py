"""`weir model import`: a configuration becomes records that can be asked about."""

import json
import tomllib
from pathlib import Path

import pytest

LLAMA = "tests/data/configs/llama-3.1-8b.json"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


def test_import_prints_a_record_and_counts(weir, root: Path) -> None:
    done = weir("model", "import", root / LLAMA, "--name", "example/My-8B")
    assert done.status == 0
    assert tomllib.loads(done.out)["id"] == "my-8b"
    assert "8.030 billion parameters" in done.err
    assert "131.072 kB" in done.err


def test_import_into_a_folder_makes_a_model_that_passes(weir, root: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    arguments = ("model", "import", root / LLAMA, "--name", "example/My-8B", "--into", mine)
    assert weir(*arguments, "--on", "2026-11-20").status == 0
    assert weir("--data", mine, "model", "show", "My-8B").status == 0
    done = weir("--data", mine, "data", "check")
    assert done.status == 0, done.out
    before = {path: path.read_bytes() for path in mine.rglob("*.toml")}
    again = weir(*arguments)
    assert again.status == 2
    assert "already there" in again.err
    assert {path: path.read_bytes() for path in mine.rglob("*.toml")} == before


def test_import_writes_the_record_alone(weir, root: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    assert weir("model", "import", root / LLAMA, "-o", path).status == 0
    assert tomllib.loads(path.read_text(encoding="utf-8"))["shape"]["hidden"] == 4096


def test_import_says_what_it_did_not_understand(weir, root: Path, config: Path) -> None:
    raw = json.loads((root / LLAMA).read_text(encoding="utf-8"))
    config.write_text(json.dumps(raw | {"memory_layers": 4}))
    assert "memory_layers" in weir("model", "import", config).err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"{", "is not JSON"),
        (b"\xff\xfe{}", "is not UTF-8"),
        (b"[1]", "not a JSON object"),
        (b"{}", "model_type"),
        (b'{"model_type": "llama"}', "positive integer"),
        (b'{"model_type": "llama", "hidden_size": "wide"}', "hidden_size"),
        (b"[" * 100_000, "is not JSON"),
    ],
)
def test_import_refuses(
    weir, config: Path, tmp_path: Path, content: bytes | None, words: str
) -> None:
    if content is not None:
        config.write_bytes(content)
    done = weir("model", "import", config, "--into", tmp_path / "mine")
    assert done.status == 2
    assert words in done.err
    assert not (tmp_path / "mine").exists()


def test_a_configuration_that_is_none_is_told_with_its_file(refused, tmp_path):
    path = tmp_path / "other.json"
    path.write_text('{"a": 1}')
    assert f"{path}: 1 problem" in refused("model", "import", path)
