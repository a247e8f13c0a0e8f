import json

import pytest

from weir.rules.determination import Determination

TO_CHINA = ("--to", "CN", "--on", "2025-07-15")


def test_json_holds_every_attribute(weir):
    found = json.loads(weir("check", "H20", *TO_CHINA, "--json").out)
    assert list(found) == [*Determination.__dataclass_fields__, "authorities"]
    grounds = [ground["id"] for ground in found["grounds"]]
    assert grounds
    assert all(found["authorities"][name] for name in grounds)
    assert found["origin"] == "US"
    assert found["licence_required"] == "yes"
    assert found["trace"] is None


def test_every_clause_and_ground_cites_a_document(weir):
    lines = weir("check", "H20", *TO_CHINA).out.splitlines()
    for start in ("3A090.a.1 [", "3A090.b.2 [", "- applies: Letter of 9 April 2025"):
        assert any(line.startswith(start) for line in lines), start
    assert any(line.startswith("us-nvidia-8k-2025-04-15: NVIDIA") for line in lines)
    assert any("not legal advice" in line for line in lines)


def test_a_day_before_the_rule_says_so(weir):
    found = weir("check", "H20", "--to", "CN", "--on", "2019-01-01")
    assert found.status == 0
    assert "3A090 did not exist" in found.out
    assert "No paragraph of 3A090 was in force on that day" in found.out


def test_a_day_after_the_evidence_carries_a_caution(weir):
    text = " ".join(weir("check", "H20", "--to", "CN", "--on", "2030-01-01").out.split())
    assert text.count("Caution: The evidence reaches") == 1


def test_unknown_rates_leave_the_classification_open(weir):
    for chip, text in (("HL-328", "TPP unknown"), ("MI308X", "TPP 3,872 to 5,505.6")):
        found = weir("check", chip, *TO_CHINA)
        assert found.status == 0
        assert "undetermined" in found.out
        assert text in found.out


def test_every_step_is_shown_only_when_asked(weir):
    assert "Every step" not in weir("check", "H20", *TO_CHINA).out
    assert "Every step" in weir("check", "H20", *TO_CHINA, "--trace").out


@pytest.mark.parametrize("name", ["H2O", "H21", "", "Ascend 91OB"])
def test_an_unknown_chip_leads_to_the_list(refused, name):
    assert "See 'weir chip list'" in refused("check", name, *TO_CHINA)


@pytest.mark.parametrize("style", ["--json", "--md", "--csv"])
def test_no_answer_says_cleared(weir, style):
    for chip in ("H20", "RTX 4090"):
        found = weir("check", chip, "--to", "CN", "--on", "2025-04-08", style)
        assert found.status == 0
        assert "cleared" not in found.out.lower()


@pytest.mark.parametrize(
    ("day", "axis"), [("2023-01-10", "transfer rate"), ("2025-07-15", "performance density")]
)
def test_a_page_has_the_maps_of_the_rule_of_the_day(weir, tmp_path, day, axis):
    page = tmp_path / "h20.html"
    assert weir("check", "H20", "--to", "CN", "--on", day, "--html", page).status == 0
    text = page.read_text()
    assert text.count("<svg") == 2
    assert f"TPP against {axis}" in text
    assert "TPP against memory bandwidth" in text
