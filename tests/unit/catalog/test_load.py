import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from weir.catalog.load import load_chip, load_model, load_source, load_system
from weir.core.errors import RecordError
from weir.core.provenance import Status

BROKEN = Path(__file__).parents[2] / "data" / "broken"
LOADERS: dict[str, Callable[[Path], Any]] = {
    "chips": load_chip,
    "systems": load_system,
    "models": load_model,
    "sources": load_source,
}
# One file per message. Its first lines say, after "# expect: ", all that must be complained about;
# "…" at the end leaves further suggestions open.
FILES = sorted(path for kind in LOADERS for path in (BROKEN / kind).glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_broken_record_is_told_all_that_is_wrong_with_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8", errors="replace")
    expected = re.findall(r"^# expect: (.*)$", text, flags=re.MULTILINE)
    assert expected, "a broken record says what it expects"
    with pytest.raises(RecordError) as caught:
        LOADERS[path.parent.name](path)
    problems = sorted(caught.value.problems)
    assert len(problems) == len(expected)
    for problem, line in zip(problems, sorted(expected), strict=True):
        assert problem == line or (line.endswith(" …") and problem.startswith(line[:-2]))
    assert str(caught.value).startswith(f"{path}: {len(expected)} problem")


def test_a_missing_file_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be read: No such file"):
        load_chip(tmp_path / "x1.toml")


CHIP = """
id = "x1"
name = "Example X1"
designer = "Example"
generation = "generic"
aliases = ["X1", "样例 X1"]

[facts]
tdp = {low = 650, high = 700, unit = "W", sources = ["a#page 2"]}
die_area_applicable = {low = 600, unit = "mm2", status = "estimated", how = "from a photograph"}
memory_bandwidth = {value = 4, unit = "TB/s", sources = ["a#page 1", "b"]}
memory_capacity = {value = 80, unit = "GiB", status = "recalled"}
is_hbm = {value = false, sources = ["a"]}
launched = {value = 2024-03-01, sources = ["a"]}
scale_up_domain = {value = 8, sources = ["a"]}
dense_bf16 = {value = 0.148, unit = "PFLOP/s", status = "disputed", how = "a", alternatives = [
  {value = 147, unit = "TFLOP/s", sources = ["c"], note = "a reseller"},
]}
"""


@pytest.fixture
def chip_file(tmp_path: Path) -> Path:
    path = tmp_path / "x1.toml"
    path.write_text(CHIP, encoding="utf-8")
    return path


def test_numbers_become_si_and_keep_what_was_printed(chip_file: Path) -> None:
    chip = load_chip(chip_file)
    bandwidth = chip.facts["memory_bandwidth"]
    assert bandwidth.value == 4e12
    assert bandwidth.printed == "4 TB/s"
    assert bandwidth.sources == ("a#page 1", "b")
    assert (bandwidth.low, bandwidth.high) == (4e12, 4e12)
    assert chip.number("memory_capacity") == 80 * 2**30
    assert chip.facts["memory_capacity"].status is Status.RECALLED
    assert chip.number("scale_up_domain") == 8
    assert chip.dense_flop_per_s == {"bf16": 0.148e15}


def test_a_range_has_bounds_and_no_value(chip_file: Path) -> None:
    chip = load_chip(chip_file)
    assert math.isnan(chip.number("tdp"))
    assert chip.bounds("tdp") == (650, 700)
    assert chip.facts["tdp"].printed == "650 to 700 W"


def test_a_bound_on_one_side_leaves_the_other_open(chip_file: Path) -> None:
    chip = load_chip(chip_file)
    low, high = chip.bounds("die_area_applicable")
    assert low == 600
    assert math.isnan(high)
    assert chip.facts["die_area_applicable"].printed == "at least 600 mm2"


def test_a_fact_that_is_not_there_is_unknown_and_not_zero(chip_file: Path) -> None:
    chip = load_chip(chip_file)
    assert math.isnan(chip.number("dense_fp8"))
    assert all(math.isnan(bound) for bound in chip.bounds("dense_fp8"))
    assert "dense_fp8" in chip.unknown_keys
    assert "tdp" not in chip.unknown_keys


def test_a_false_flag_is_known(chip_file: Path) -> None:
    fact = load_chip(chip_file).facts["is_hbm"]
    assert fact.value is False
    assert fact.printed == "no"
    assert math.isnan(fact.number)


def test_alternatives_are_converted_with_their_own_unit(chip_file: Path) -> None:
    (other,) = load_chip(chip_file).facts["dense_bf16"].alternatives
    assert other.value == pytest.approx(147e12)
    assert other.printed == "147 TFLOP/s"
    assert other.sources == ("c",)


def test_facts_come_in_the_order_of_the_datasheet(chip_file: Path) -> None:
    keys = list(load_chip(chip_file).facts)
    assert keys.index("launched") < keys.index("memory_capacity") < keys.index("tdp")


def test_a_byte_order_mark_does_not_matter(chip_file: Path) -> None:
    chip_file.write_text(CHIP, encoding="utf-8-sig")
    assert load_chip(chip_file).aliases == ("X1", "样例 X1")
