import json

import pytest

ON = ("--on", "2026-09-01")


def test_the_list_keeps_bills_apart(weir):
    found = weir("law", "list", *ON)
    assert found.status == 0
    own, other = found.out.split("Bills and foreign measures\n-", 1)
    assert "2026-01-15-review-policy" in own
    assert "safe-chips-act" not in own
    assert "safe-chips-act" in other
    assert "no verdict rests on them" in other


def test_one_kind_alone(weir):
    found = json.loads(weir("law", "list", *ON, "--kind", "letter", "--json").out)
    assert {entry["instrument"]["kind"] for entry in found["entries"]} == {"letter"}


@pytest.mark.parametrize("name", ["2026-01-15-review-policy", "742.6(b)(10)(iii)(A)(1)"])
def test_an_instrument_is_shown_with_words_tests_and_cases(weir, name):
    text = " ".join(weir("law", "show", name, *ON).out.split())
    for words in (
        "a TPP less than 21,000",
        "TPP < 21,000",
        "memory bandwidth < 6,500 GB/s",
        "Golden cases",
        "docs/explanation/readings.md#total-dram-bandwidth",
        "A what-if may set: 742.6(b)(10)(iii)(A)(1).tpp",
        "us-91-fr-1684",
    ):
        assert words in text


def test_every_instrument_can_be_shown(weir):
    listed = json.loads(weir("law", "list", *ON, "--json").out)["entries"]
    for entry in listed:
        found = weir("law", "show", entry["instrument"]["id"], *ON)
        assert found.status == 0
        assert entry["instrument"]["title"].split()[0] in found.out
        assert "cleared" not in found.out.lower()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show", "nothing-like-this"), "See 'weir law list'"),
        (("show", "2025-04-09-leters"), "Nearest: 2025-04-09-letters"),
        (("show", "3A090.a.1"), "versions in several instruments"),
        (("list", "--kind", "leter"), "Nearest: letter"),
    ],
)
def test_what_cannot_be_is_refused(refused, words, told):
    assert told in refused("law", *words)
