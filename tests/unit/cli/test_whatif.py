import json

import pytest

TO_CHINA = ("--to", "CN", "--on", "2026-09-01")
LOWER = ("--set", "3A090.a.1.tpp=2400", "--set", "3A090.note-2.tpp=2400")
FILE = """title = "One line"
remove = ["3A090.note-2"]

[set]
"3A090.a.1.tpp" = 4000
"""


def test_captured_chips_and_collateral_are_told(weir):
    found = weir("whatif", *LOWER, *TO_CHINA)
    assert found.status == 0
    assert "NVIDIA GeForce RTX 4090 D" in found.out
    assert "not marketed for data centres" in found.out
    assert "A hypothetical, not the law." in found.out
    told = json.loads(weir("whatif", *LOWER, *TO_CHINA, "--json").out)
    assert {flip["chip_id"] for flip in told["collateral"]} <= {
        flip["chip_id"] for flip in told["captured"]
    }
    assert {item["what"] for item in told["moved"]} == {"3A090.a.1", "3A090.note-2"}


def test_chips_that_are_named_are_asked_about_alone(weir):
    told = json.loads(weir("whatif", "H20", "L4", *LOWER, *TO_CHINA, "--json").out)
    flips = len(told["captured"]) + len(told["released"]) + len(told["shifted"])
    assert flips + told["unchanged"] == 2


def test_a_page_has_the_maps_before_and_after(weir, tmp_path):
    page = tmp_path / "w.html"
    assert weir("whatif", *LOWER, *TO_CHINA, "--html", page).status == 0
    text = page.read_text()
    assert text.count("<svg") == 4
    assert "Under the change" in text
    assert "The law as it is" in text


def test_a_file_and_single_changes_compose_in_any_spelling(weir, tmp_path):
    path = tmp_path / "one.toml"
    path.write_text(FILE)
    by_file = json.loads(weir("whatif", "--rules", path, *TO_CHINA, "--json").out)
    both = ("--rules", path, "--set", "3A090.a.1.tpp=4800")
    back = json.loads(weir("whatif", *both, *TO_CHINA, "--json").out)
    assert {item["what"] for item in by_file["moved"]} == {"3A090.a.1", "3A090.note-2"}
    assert {item["what"] for item in back["moved"]} == {"3A090.note-2"}


def test_a_file_without_changes_is_the_identity(weir, tmp_path):
    path = tmp_path / "nothing.toml"
    path.write_text('title = "nothing"\n')
    found = json.loads(weir("whatif", "--rules", path, *TO_CHINA, "--json").out)
    assert (found["captured"], found["released"], found["shifted"], found["moved"]) == ([],) * 4


def test_check_answers_for_a_what_if_and_says_so(weir):
    plain = json.loads(weir("check", "H20", *TO_CHINA, "--json").out)
    changed = weir("check", "H20", *TO_CHINA, "--set", "3A090.a.1.tpp=2000", "--json")
    found = json.loads(changed.out)
    assert (plain["eccn"], plain["overlay"]) == ("none", [])
    assert (found["eccn"], found["overlay"]) == ("3A090.a", ["3A090.a.1.tpp=2000"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "say what to change"),
        (("--set", "3A090.a.1.tp=4000"), "did you mean tpp.ge?"),
        (("--set", "3A09.a.1.tpp=4000"), "Nearest: 3A090.a.1"),
        (("--set", "3A090.a.1.tpp"), "write PATH=VALUE"),
        (("--set", "3A090.a.1.tpp=-4"), "finite number of at least 0"),
        (("--set", "3A090.a.1.tpp=4000 GB/s"), "does not measure TPP"),
        (("--set", "3A090.b.1.tpp=4000"), "is ambiguous"),
        (("--set", "3A090.a.1.effective=2024-13-01"), "is not a date"),
        (("--rules", "missing.toml"), "missing.toml: 1 problem"),
        (("--assume-enforced", "nothing"), "There is: 2025-01-13-ai-diffusion"),
    ],
)
def test_what_cannot_be_is_refused(refused, words, told):
    assert told in refused("whatif", *words, *TO_CHINA)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sett = 1\n", "line 1: unknown key 'sett'"),
        (
            '\n[set]\n"3A090.a.1.tpp" = {value = 4, unit = "GB/s"}\n',
            "line 3: '3A090.a.1.tpp'",
        ),
        ('[set]\n"3A090.a.1.tpp" = {value = 4, units = "tpp"}\n', "line 2: set.3A090.a.1.tpp"),
        ('[[add]]\nid = "x"\neffect = "clasify"\n', "'clasify' is not one of presume, classify"),
    ],
)
def test_a_wrong_file_is_told_with_its_line(weir, tmp_path, text, told):
    path = tmp_path / "rules.toml"
    path.write_text(text)
    for command in (("whatif",), ("check", "H20")):
        found = weir(*command, "--rules", path, *TO_CHINA)
        assert (found.status, found.out) == (2, "")
        assert str(path) in found.err
        assert told in found.err
