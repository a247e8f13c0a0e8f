"""`weir data`: what it finds, what it writes, and what it refuses."""

import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from weir.catalog.json_schema import KINDS
from weir.catalog.query import OVERLAY_VARIABLE

GOOD = """
id = "paper-x1"
name = "Paper X1"
designer = "Example"
generation = "hopper"
aliases = ["PX1"]

[facts]
dense_bf16 = {value = 140, unit = "TFLOP/s", status = "recalled"}
memory_capacity = {value = 96, unit = "GiB", status = "recalled"}
memory_bandwidth = {value = 4, unit = "TB/s", status = "recalled"}
"""
BAD = """
id = "paper-x2"
name = "Paper X2"
designer = "Example"
generation = "hopper"
colour = "red"

[facts]
tdp = {value = 400, unit = "GB", status = "recalled"}
memory_bandwith = {value = 4, unit = "TB/s", status = "recalled"}
launched = {value = 2025-13-01, status = "recalled"}
"""
EACH_KEY = {
    "colour": "unknown key",
    "facts.tdp": "unit of bytes 'GB' where w is meant",
    "facts.memory_bandwith": "unknown fact; did you mean memory_bandwidth",
    "facts.launched": "is not a date",
    "facts.memory_capacity": "low 96 is above high 90",
    "facts.dense_bf16": "cannot be negative",
}


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    write(folder / "chips" / "paper-x1.toml", GOOD)
    return folder


def write(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# --- check ----------------------------------------------------------------------------------


def test_check_passes_the_stock_on_one_screen(weir) -> None:
    done = weir("data", "check")
    assert done.status == 0, done.out
    assert "Nothing is broken" in done.out
    assert len(done.out.splitlines()) < 40
    assert done.err == ""


def test_check_writes_json(weir, catalog) -> None:
    answer = json.loads(weir("data", "check", "--json").out)
    assert answer["problems"] == []
    chips = next(kind for kind in answer["kinds"] if kind["kind"] == "chips")
    assert chips["records"] == len(catalog.chips.entries)


def test_check_tells_a_sound_overlay_from_the_stock(weir, mine: Path) -> None:
    done = weir("--data", mine, "data", "check", "--json")
    assert done.status == 0
    kinds = {kind["kind"]: kind for kind in json.loads(done.out)["kinds"]}
    assert kinds["chips"]["own"] == 1


def test_check_lists_all_problems_of_a_file_with_its_keys(weir, mine: Path) -> None:
    facts = """
id = "paper-x2"
name = "Paper X2"
designer = "Example"
generation = "hopper"
colour = "red"

[facts]
tdp = {value = 400, unit = "GB", status = "recalled"}
memory_bandwith = {value = 4, unit = "TB/s", status = "recalled"}
launched = {value = "2025-13-01", status = "recalled"}
memory_capacity = {low = 96, high = 90, unit = "GiB", status = "recalled"}
dense_bf16 = {value = -1, unit = "TFLOP/s", status = "recalled"}
"""
    path = mine / "chips" / "paper-x2.toml"
    write(path, facts)
    done = weir("--data", mine, "data", "check", "--json")
    assert done.status == 2
    assert "6, in files: 1" in done.err
    found = json.loads(done.out)["problems"]
    assert {item["path"] for item in found} == {str(path)}
    told = {item["message"].partition(": ")[0]: item["message"] for item in found}
    assert told.keys() == EACH_KEY.keys()
    for key, words in EACH_KEY.items():
        assert words in told[key]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (BAD, "is not valid TOML"),  # a month 13 is no date of TOML
        (b"\xff\xfe", "is not UTF-8"),
        ('id = "paper-x2"\nid = "paper-x2"\n', "is not valid TOML"),
        (GOOD, "id: is 'paper-x1' but the file is named 'paper-x2'"),
    ],
    ids=["impossible date", "encoding", "duplicate key", "id"],
)
def test_check_tells_what_is_wrong_with_a_whole_file(
    weir, mine: Path, content: str | bytes, words: str
) -> None:
    write(mine / "chips" / "paper-x2.toml", content)
    done = weir("--data", mine, "data", "check")
    assert done.status == 2
    assert words in " ".join(done.out.split())
    assert "paper-x2.toml" in done.out.replace("\n", "")


def test_check_finds_the_same_id_twice(weir, mine: Path) -> None:
    write(mine / "chips" / "sub" / "paper-x1.toml", GOOD)
    done = weir("--data", mine, "data", "check")
    assert done.status == 2
    assert "'paper-x1' stands also in" in " ".join(done.out.split())


def test_check_refuses_a_folder_that_is_none(weir, tmp_path: Path) -> None:
    done = weir("--data", tmp_path / "nowhere", "data", "check")
    assert done.status == 2
    assert "is not a folder" in done.err


def test_check_measures_staleness_from_the_day_given(weir) -> None:
    assert weir("data", "check", "--on", "2036-01-01").status == 2
    done = weir("data", "check", "--on", "2036-02-30")
    assert done.status == 2
    assert "is not a date" in done.err


# --- a user's own records in other commands --------------------------------------------------


def test_a_paper_design_is_answered_for_like_any_chip(weir, mine: Path) -> None:
    assert weir("--data", mine, "chip", "show", "PX1").out.startswith("Paper X1")
    assert "paper-x1" in weir("--data", mine, "chip", "list").out
    done = weir("--data", mine, "check", "PX1", "--to", "CN", "--on", "2025-07-15")
    assert done.status == 0
    assert "2,240" in done.out  # 140 x 16


def test_the_variable_names_folders_too(weir, mine: Path, monkeypatch) -> None:
    assert weir("chip", "show", "PX1").status == 2
    monkeypatch.setenv(OVERLAY_VARIABLE, f"{mine}{os.pathsep}")
    assert weir("chip", "show", "PX1").status == 0


def test_a_broken_record_stops_only_who_asks_for_it(weir, mine: Path) -> None:
    write(mine / "chips" / "paper-x2.toml", BAD)
    write(mine / "models" / "odd.toml", "nonsense")
    write(mine / "sources" / "odd.toml", "nonsense")
    write(mine / "prices" / "odd.csv", "nonsense")
    for command in (
        ("chip", "show", "H20"),
        ("chip", "show", "PX1"),
        ("chip", "list"),
        ("model", "show", "DeepSeek-V3"),
        ("check", "H20", "--to", "CN", "--on", "2025-07-15"),
    ):
        assert weir("--data", mine, *command).status == 0, command
    assert weir("--data", mine, "chip", "show", "paper-x2").status == 2


def test_a_broken_record_does_not_hide_the_stock_record_beneath(weir, mine: Path) -> None:
    write(mine / "chips" / "h20-96.toml", BAD)
    done = weir("--data", mine, "chip", "show", "H20")
    assert done.status == 0
    assert done.out.startswith("NVIDIA H20 96GB")


# --- coverage -------------------------------------------------------------------------------


def test_the_coverage_page_is_what_the_command_prints(weir, root: Path) -> None:
    page = (root / "docs/reference/coverage.md").read_text(encoding="utf-8")
    assert weir("data", "coverage", "--md").out == page, (
        "run: weir data coverage --md -o docs/reference/coverage.md"
    )


def test_coverage_by_chip_as_csv(weir, catalog) -> None:
    lines = weir("data", "coverage", "--by", "chip", "--csv").out.splitlines()
    assert lines[0].startswith("Id,Unknown")
    assert len(lines) == 1 + len(catalog.chips.entries)


def test_coverage_refuses_another_grouping(weir) -> None:
    done = weir("data", "coverage", "--by", "price")
    assert done.status == 2
    assert "fact" in done.err


# --- export ---------------------------------------------------------------------------------


def test_export_writes_every_format_and_the_licence(weir, tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="the extra `tables` is not installed")
    target = tmp_path / "out"
    done = weir("data", "export", target)
    assert done.status == 0, done.err
    names = set(tree(target))
    assert {"LICENSE", "metadata.json", "weir.sqlite"} <= names
    for name in ("chips", "facts", "sources", "models", "systems", "offers"):
        for kind in ("json", "csv", "parquet"):
            assert f"{kind}/{name}.{kind}" in names
    with closing(sqlite3.connect(target / "weir.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM chips").fetchone()[0] > 100
    (tmp_path / "usual").mkdir()
    assert target.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_two_exports_are_equal_to_the_byte(weir, tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="the extra `tables` is not installed")
    weir("data", "export", tmp_path / "one")
    weir("data", "export", tmp_path / "two")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_export_needs_duckdb_only_for_parquet(weir, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    done = weir("data", "export", tmp_path / "out")
    assert done.status == 2
    assert "chipweir[tables]" in done.err
    assert not (tmp_path / "out").exists()
    assert weir("data", "export", tmp_path / "out", "--no-parquet").status == 0
    assert not (tmp_path / "out" / "parquet").exists()


def test_export_replaces_only_what_an_export_wrote(weir, tmp_path: Path) -> None:
    target = tmp_path / "out"
    assert weir("data", "export", target, "--no-parquet").status == 0
    (target / "extra").write_text("from before")
    done = weir("data", "export", target, "--no-parquet")
    assert done.status == 2
    assert "is not empty" in done.err
    assert weir("data", "export", target, "--no-parquet", "--replace").status == 0
    assert not (target / "extra").exists()
    other = tmp_path / "other"
    write(other / "thesis.txt", "mine")
    done = weir("data", "export", other, "--no-parquet", "--replace")
    assert done.status == 2
    assert (other / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("target", ["nowhere/out", "file"])
def test_export_refuses_a_place_that_cannot_be(weir, tmp_path: Path, target: str) -> None:
    (tmp_path / "file").write_text("x")
    done = weir("data", "export", tmp_path / target, "--no-parquet")
    assert done.status == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_a_failed_export_leaves_nothing_and_breaks_nothing(
    weir, tmp_path: Path, monkeypatch
) -> None:
    target = tmp_path / "out"
    assert weir("data", "export", target, "--no-parquet").status == 0
    before = tree(target)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    done = weir("data", "export", target, "--no-parquet", "--replace")
    monkeypatch.undo()
    assert done.status == 2
    assert "No space left" in done.err
    assert tree(target) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


# --- schema ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_schema_is_json(weir, kind: str) -> None:
    assert json.loads(weir("data", "schema", kind).out)["title"] == f"Weir {kind} record"


def test_schema_refuses_an_unknown_kind_and_a_bad_path(weir, tmp_path: Path) -> None:
    assert weir("data", "schema", "planet").status == 2
    assert weir("data", "schema", "chip", "-o", tmp_path / "no" / "x.json").status == 2
