"""The template is a valid record that says nothing, and any of its lines can be made active."""

import tomllib
from pathlib import Path

import pytest

from weir.answers.template import BLANK, WIDTH, checked_identifier, chip_template
from weir.catalog.fields import CHIP_FIELDS
from weir.catalog.load import load_chip
from weir.core.errors import InputError, RecordError

TEMPLATE = chip_template("mine", ["hopper", "generic"])


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def line_of(key: str) -> str:
    return next(line for line in TEMPLATE.splitlines() if line.startswith(f"# {key} = "))


def filled(line: str) -> str:
    field = CHIP_FIELDS[line.removeprefix("# ").partition(" ")[0]]
    words = {"flag": "true", "date": "2026-11-24"}
    text = f'"{field.choices[0]}"' if field.choices else '"word"'
    active = line.removeprefix("# ").replace('value = ""', f"value = {text}")
    return active.replace(BLANK, words.get(field.dimension, "3"))


def test_as_it_stands_it_is_valid_and_knows_nothing(tmp_path: Path) -> None:
    chip = load_chip(written(tmp_path, TEMPLATE))
    assert chip.id == "mine"
    assert not chip.facts


def test_every_fact_is_offered_with_a_unit_that_fits(tmp_path: Path) -> None:
    lines = [
        filled(line) if line.startswith("# ") and "sources = [" in line else line
        for line in TEMPLATE.splitlines()
    ]
    chip = load_chip(written(tmp_path, "\n".join(lines)))
    assert list(chip.facts) == list(CHIP_FIELDS)


@pytest.mark.parametrize("key", CHIP_FIELDS)
def test_a_line_that_was_not_filled_in_is_refused(key: str, tmp_path: Path) -> None:
    text = TEMPLATE.replace(line_of(key), line_of(key).removeprefix("# "))
    with pytest.raises(RecordError):
        load_chip(written(tmp_path, text))


def test_lines_fit_a_screen_and_are_toml() -> None:
    comments = [line for line in TEMPLATE.splitlines() if line.startswith("##")]
    assert comments
    assert all(len(line) <= WIDTH for line in comments)
    assert tomllib.loads(TEMPLATE)["facts"] == {}


@pytest.mark.parametrize("name", ["Bad Name", "", "-x", "../x", "x/y", 'x"', "X1", "ü"])
def test_a_name_that_could_be_no_file_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot be the id"):
        checked_identifier(name)


def test_a_refusal_names_the_nearest_good_id() -> None:
    with pytest.raises(InputError, match="'paper-x-1'"):
        checked_identifier("Paper X/1".replace("/", " "))
