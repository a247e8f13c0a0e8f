import datetime as dt
from pathlib import Path

import pytest

from weir.catalog.law import Patch
from weir.catalog.law_load import load_law
from weir.catalog.overlay_load import load_overlay
from weir.core.errors import RecordError
from weir.rules.parameters import apply_overlay

GOOD = """title = "Two lines"
remove = ["3A090.note-2"]

[set]
"3A090.a.1.tpp" = 4000
"zone.china.countries" = ["CN", "MO"]
"letter-2025-04.intel.memory_bandwidth" = {value = 1.2, unit = "TB/s"}

[[add]]
id = "safe-chips"
effect = "require"
title = "SAFE Chips Act"
citation = "S. 3374"
effective = 2026-01-01
when = {metric = "memory_bandwidth", ge = 4100, unit = "GB/s"}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "what-if.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_what_if_file(tmp_path):
    path = write(tmp_path, GOOD)
    overlay = load_overlay(path)
    assert overlay.title == "Two lines"
    assert overlay.patches[0] == Patch("3A090.a.1.tpp", 4000, "", f"{path}, line 5")
    assert overlay.patches[1].value == "CN MO"
    assert (overlay.patches[2].value, overlay.patches[2].unit) == (1.2, "TB/s")
    assert overlay.removed == ("3A090.note-2",)
    assert overlay.added[0].effective == dt.date(2026, 1, 1)
    law = apply_overlay(load_law(), overlay)
    assert "safe-chips" in {item.id for item in law.provisions}
    assert "3A090.note-2" not in {item.id for item in law.provisions}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[set]", "[sett]", "line 4: unknown key 'sett'"),
        ('{value = 1.2, unit = "TB/s"}', "{vale = 1.2}", "line 7: set.letter"),
        ('["3A090.note-2"]', "3", "line 2: remove: write a list"),
        ('effect = "require"', 'effect = "x"', "line 10: add (safe-chips): effect"),
        ('unit = "GB/s"', 'unit = "W"', "line 10: add (safe-chips): unit 'W' does not measure"),
        ("effective = 2026-01-01\n", "", "line 10: add (safe-chips): effective: is required"),
    ],
)
def test_a_broken_what_if_names_file_line_and_key(tmp_path, old, new, message):
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(RecordError) as caught:
        load_overlay(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_path_that_does_not_fit_the_law_names_its_line(tmp_path):
    path = write(tmp_path, '[set]\n"3A090.a.1.tp" = 4000\n')
    with pytest.raises(Exception, match=r"what-if.toml, line 2: '3A090.a.1.tp'"):
        apply_overlay(load_law(), load_overlay(path))
