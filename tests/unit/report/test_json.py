import datetime as dt
import json
import math
from dataclasses import dataclass
from enum import Enum, StrEnum
from pathlib import Path

import numpy as np
import pytest

from weir.answers.datasheet import datasheet
from weir.report.json import plain, to_json


class Word(StrEnum):
    YES = "yes"


class Level(Enum):
    HIGH = 3


@dataclass(frozen=True)
class Shipment:
    origin: str
    share: float


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (math.inf, None),
        (-math.inf, None),
        (np.float64("nan"), None),
        (np.float64(1.5), 1.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([[1.0, math.nan], [2.0, 3.0]]), [[1.0, None], [2.0, 3.0]]),
        (np.asarray(4.0), 4.0),
        (Word.YES, "yes"),
        (Level.HIGH, 3),
        ({Word.YES: (1, 2)}, {"yes": [1, 2]}),
        (frozenset({"b", "a"}), ["a", "b"]),
        (dt.date(2025, 7, 15), "2025-07-15"),
        (Path("a/b"), "a/b"),
        (True, True),
        (None, None),
    ],
)
def test_every_kind_of_value_has_a_plain_form(value, expected):
    found = plain(value)
    assert found == expected
    assert type(found) is type(expected)


def test_the_country_of_origin_stays_and_the_path_of_a_record_does_not(catalog):
    assert plain(Shipment("TW", 0.5)) == {"origin": "TW", "share": 0.5}
    chip = catalog.chip("H20")
    assert Path(chip.origin).is_absolute()
    assert str(Path(chip.origin).parent) not in to_json(datasheet(chip, catalog))


def test_what_has_no_json_form_is_refused():
    with pytest.raises(TypeError, match="object has no JSON form"):
        plain(object())


def test_text_is_kept_readable_and_keys_keep_their_order():
    text = to_json({"z": "≥ 1", "a": 1})
    assert "≥" in text
    assert list(json.loads(text)) == ["z", "a"]
