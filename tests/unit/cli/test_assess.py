import json

import pytest

from weir.answers.assess import Assessment

TO_CHINA = ("--to", "CN", "--on", "2025-07-15")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("H2O", *TO_CHINA), "Nearest: H20"),
        (("H20", *TO_CHINA, "--model", "DeepSick"), "unknown model 'DeepSick'"),
        (("H20", *TO_CHINA, "--beside", "nope"), "unknown chip 'nope'"),
        (("H20", "--to", "CN", "--on", "2025-02-30"), "not a date"),
        (("H20", *TO_CHINA, "--model", "DeepSeek-R1", "--isl", "0"), "input tokens are 0"),
        (("H20", *TO_CHINA, "--model", "DeepSeek-R1", "--osl", "-1"), "output tokens are -1"),
        (("H20", *TO_CHINA, "--html", "no/a.html"), "does not exist; create it"),
        (("H20", *TO_CHINA, "--html", "."), "directory"),
        (("H20", *TO_CHINA, "--html", "a", "-o", "a"), "same file"),
        (("H20", *TO_CHINA, "-o", "a" * 300), "name too long"),
    ],
)
def test_bad_input_has_one_message(refused, words, told):
    assert told in refused("assess", *words)


def test_only_legality_where_no_model_is_given(weir):
    found = weir("assess", "H20", *TO_CHINA)
    assert found.status == 0
    assert "What the law says" in found.out
    assert "What it can do" not in found.out


def test_a_chip_that_cannot_be_estimated_still_has_its_law(weir):
    words = ("assess", "HL-328", *TO_CHINA, "--model", "Llama-3.1-8B", "--beside", "H20")
    found = weir(*words)
    assert found.status == 0
    text = " ".join(found.out.split())
    assert "Letter of April 2025 to Intel" in text
    assert "nobody has published its dense_bf16" in text
    answer = json.loads(weir(*words, "--json").out)
    assert set(answer["estimate"]) == {"chip", "reason"}
    assert list(answer) == list(Assessment.__dataclass_fields__)
    assert answer["estimate"]["reason"].startswith(
        "Intel Gaudi 3 HL-328 (China) cannot be estimated"
    )


def test_requests_longer_than_the_model_are_told(weir):
    words = ("--model", "Qwen3-8B", "--isl", "50000", "--beside", "H20")
    told = weir("assess", "H20", *TO_CHINA, *words).err
    assert "published for up to 40,960 tokens; 51,536 are asked for" in told
