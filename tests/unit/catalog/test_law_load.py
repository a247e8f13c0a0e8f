"""One broken rule file per message."""

import shutil
from pathlib import Path

import pytest

from weir.catalog.files import STOCK
from weir.catalog.law_load import load_law
from weir.core.errors import RecordError

RULE = """
id = "probe"
title = "Probe"
kind = "rule"
force = "binding"
citation = "1 FR 1"
summary = "A probe."
evidence = "primary"
verified_on = 2026-01-01
sources = ["us-87-fr-62186"]
effective = 2024-01-01

[[provisions]]
id = "probe.1"
effect = "require"
title = "Probe"
citation = "1 FR 1"
when = {metric = "tpp", ge = 1, unit = "tpp"}
"""


@pytest.fixture
def stock(tmp_path: Path) -> Path:
    shutil.copytree(STOCK / "rules", tmp_path / "rules")
    shutil.copy(STOCK / "about.toml", tmp_path)
    return tmp_path


def load(stock: Path, text: str):
    (stock / "rules" / "us" / "probe.toml").write_text(text, encoding="utf-8")
    return load_law(stock)


def test_a_rule_file_adds_its_provisions(stock):
    law = load(stock, RULE)
    assert "probe.1" in {item.id for item in law.provisions}
    assert law.instruments["probe"].provisions[0].evidence == "primary"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "rule"', 'kind = "rumour"', "'rumour' is not one of rule, correction"),
        ('evidence = "primary"', 'evidence = "seen"', "'seen' is not one of primary"),
        ('effect = "require"', 'effect = "forbid"', "'forbid' is not one of presume"),
        ('unit = "tpp"}', 'unit = "GB/s"}', "unit 'GB/s' does not measure TPP; allowed"),
        ('metric = "tpp"', 'metric = "tpq"', "unknown metric 'tpq'; did you mean tpp"),
        ("ge = 1", "more = 1", "needs exactly one of ge, gt, le, lt"),
        ("ge = 1", 'ge = "one"', "must be a number, not 'one'"),
        ("ge = 1,", "ge = 1, colour = 2,", "unknown key 'colour'; allowed here"),
        ('{metric = "tpp", ge = 1, unit = "tpp"}', "{}", "exactly one of all, any"),
        ('{metric = "tpp", ge = 1, unit = "tpp"}', "{all = []}", "a list that is not empty"),
        ('{metric = "tpp", ge = 1, unit = "tpp"}', '{fact = "nice"}', "unknown fact 'nice'"),
        ('{metric = "tpp", ge = 1, unit = "tpp"}', '{kind = ["gift"]}', "unknown kind 'gift'"),
        (
            '{metric = "tpp", ge = 1, unit = "tpp"}',
            '{fact = "datacentre", is = "maybe"}',
            "write 'yes' or 'no'",
        ),
        (
            '{metric = "tpp", ge = 1, unit = "tpp"}',
            '{destination = "atlantis"}',
            "no zone 'atlantis'; zones are",
        ),
        (
            '{metric = "tpp", ge = 1, unit = "tpp"}',
            '{certified = "honesty"}',
            "no certification 'honesty'",
        ),
        ("effective = 2024-01-01\n", "", "effective: is required, here or on the instrument"),
        ('summary = "A probe."\n', "", "summary: is required"),
        ('id = "probe"', 'id = "other"', "the file is named 'probe'"),
        ('effect = "require"', 'effect = "review"', "is required for effect 'review'"),
        (
            'effect = "require"',
            'effect = "review"\nresult = ["mercy"]',
            "no policy 'mercy'; policies are",
        ),
    ],
)
def test_a_broken_rule_file_says_what_is_wrong(stock, old, new, message):
    assert old in RULE
    with pytest.raises(RecordError) as caught:
        load(stock, RULE.replace(old, new, 1))
    assert message in str(caught.value)
    assert "probe.toml" in str(caught.value)


def test_all_problems_of_a_file_come_at_once(stock):
    broken = RULE.replace('unit = "tpp"}', 'unit = "W"}') + RULE[RULE.index("[[prov"):].replace(
        'metric = "tpp"', 'metric = "x"'
    )  # fmt: skip
    with pytest.raises(RecordError, match="2 problems"):
        load(stock, broken)
