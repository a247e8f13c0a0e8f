import json

import pytest

TO_CHINA = ("--to", "CN", "--on", "2026-09-01")


def test_the_periods_name_the_instruments(weir):
    found = weir("history", "H20", *TO_CHINA)
    assert found.status == 0
    assert "2025-04-09" in found.out
    assert "us-nvidia-8k-2025-04-15" in found.out
    assert "not legal advice" in found.out


def test_json_has_the_periods_without_gap(weir):
    found = json.loads(weir("history", "H100 SXM", *TO_CHINA, "--json").out)
    starts = [period["start"] for period in found["periods"]]
    assert starts == sorted(starts)
    assert starts[0] == "2022-01-01"
    assert found["periods"][-1]["causes"][0]["instrument"] == "2026-01-15-review-policy"


def test_a_page_draws_the_timeline(weir, tmp_path):
    page = tmp_path / "h.html"
    assert weir("history", "H20", *TO_CHINA, "--html", page).status == 0
    assert page.read_text().count("<svg") == 1


def test_the_text_alone_has_no_picture(weir):
    assert "Picture" not in weir("history", "H20", *TO_CHINA).out


def test_a_day_before_2022_is_a_history_of_one_day(weir):
    found = weir("history", "H20", "--to", "CN", "--on", "2021-01-01")
    assert found.status == 0
    assert "did not change" in found.out


def test_a_day_past_the_evidence_is_a_caution(weir):
    found = weir("history", "H20", "--to", "CN", "--on", "2027-01-01")
    assert "Caution: The evidence reaches" in found.out


def test_a_switch_changes_the_history(weir):
    plain = weir("history", "H100", "--to", "DE", "--on", "2026-09-01", "--json").out
    switch = ("--assume-enforced", "2025-01-13-ai-diffusion")
    enforced = weir("history", "H100", "--to", "DE", "--on", "2026-09-01", *switch, "--json").out
    assert json.loads(plain)["periods"][-1]["status"]["licence_required"] == "no"
    last = json.loads(enforced)["periods"][-1]
    assert (last["start"], last["status"]["licence_required"]) == ("2025-05-15", "yes")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("H20", "--to", "CN", "--since", "2026-01-01", "--on", "2025-01-01"), "after it ends"),
        (("H20", "--to", "Chima"), "Nearest: China"),
        (("H2O", "--to", "CN"), "weir chip list"),
        (("H20", "--to", "CN", "--html", "nowhere/x.html"), "cannot write"),
    ],
)
def test_what_cannot_be_is_refused(refused, words, told):
    assert told in refused("history", *words)
