import datetime as dt
from dataclasses import replace

import pytest

from weir.catalog.files import STOCK
from weir.catalog.law import Amendment
from weir.catalog.law_load import load_law
from weir.core.errors import InputError
from weir.rules.consolidate import amendments, as_markdown, consolidated

LAW = load_law()
TEXTS = sorted((STOCK / "rules" / "us" / "texts").glob("3a090-*.md"))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_the_first_text_and_each_amendment_give_the_text_in_force(path):
    day = dt.date.fromisoformat(path.stem.removeprefix("3a090-"))
    assert as_markdown("3A090", consolidated(LAW, "3A090", day)) == path.read_text("utf-8")


def test_there_is_a_first_and_a_last_text():
    assert len(TEXTS) == 2


def test_nothing_stands_before_the_first_text():
    assert consolidated(LAW, "3A090", dt.date(2022, 10, 20)) == {}


def test_every_clause_of_the_entry_has_words_on_every_day_it_is_in_force():
    for item in LAW.provisions:
        if item.effect != "classify":
            continue
        paragraph = item.id.removeprefix("3A090.")
        for day in (item.effective, item.until or LAW.horizon):
            assert paragraph in consolidated(LAW, "3A090", day), (item.id, day)


def test_an_amendment_that_cannot_be_carried_out_is_refused():
    broken = replace(
        next(iter(LAW.instruments.values())),
        amendments=(Amendment("X", "a", "revise", dt.date(2024, 1, 1), "words", "primary"),),
    )
    law = replace(LAW, instruments={broken.id: broken})
    assert len(amendments(law, "X")) == 1
    with pytest.raises(InputError, match="cannot revise, it is not there"):
        consolidated(law, "X", dt.date(2025, 1, 1))
