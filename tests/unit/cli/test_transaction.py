import json

import pytest

TO_CHINA = ("check", "H20", "--to", "CN", "--on", "2025-07-15")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--to", "Atlantis"), "unknown destination 'Atlantis'"),
        (("--to", ""), "Give an ISO code"),
        (("--to", "CN", "--hq", "Narnia"), "unknown consignee headquarters 'Narnia'"),
        (("--to", "CN", "--kind", "import"), "an import goes into the United States"),
        (("--to", "CN", "--kind", "gift"), "'gift' is not one of"),
        (("--to", "CN", "--kind", "export", "--from", "TW"), "use kind reexport"),
        (("--to", "CN", "--kind", "reexport", "--from", "US"), "use kind export"),
        (("--to", "CN", "--kind", "in_country_transfer", "--from", "US"), "stays in one country"),
        (("--to", "US"), "use kind in_country_transfer"),
        (("--to", "CN", "--fact", "military"), "write NAME=yes"),
        (("--to", "CN", "--fact", "military_end_use=maybe"), "write yes, no, contested"),
        (("--to", "CN", "--fact", "military_end_use"), "or no, contested or unknown"),
        (("--to", "CN", "--fact", "militry_end_use=yes"), "Nearest: military_end_use"),
        (("--to", "CN", "--certify", "nope"), "Known: "),
        (("--to", "CN", "--on", "2025-02-30"), "'2025-02-30' is not a date"),
        (("--to", "CN", "--on", "15/07/2025"), "write YYYY-MM-DD"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(refused, words, told):
    assert told in refused("check", "H20", *words)


def test_a_fact_given_twice_with_two_words_is_refused(refused):
    facts = ("--fact", "military_end_use=yes", "--fact", "military_end_use=no")
    assert "given as yes and as no; give one" in refused(*TO_CHINA, *facts)


def test_a_fact_given_twice_alike_is_one(weir):
    facts = ("--fact", "military_end_use=yes", "--fact", "military_end_use=yes")
    assert weir(*TO_CHINA, *facts).status == 0


def test_a_name_of_a_country_means_its_code(weir):
    by_name = weir("check", "H20", "--to", "china", "--on", "2025-07-15", "--json")
    assert by_name.out == weir(*TO_CHINA, "--json").out


def licence(weir, *words):
    done = weir("check", "T4", "--to", "MY", "--on", "2025-10-15", *words, "--json")
    assert done.status == 0, done.err
    return json.loads(done.out)["licence_required"]


def test_ownership_by_listed_parties_decides_under_the_affiliates_rule(weir):
    assert licence(weir, "--listed-ownership", "10") == "no"
    assert licence(weir, "--listed-ownership", "60") == "yes"
    assert licence(weir, "--listed-ownership", "40..60") == "unknown"


def test_a_basis_stands_beside_what_it_supports(weir):
    words = ("--fact", "datacentre=no", "--basis", "sold to gamers only")
    assert "sold to gamers only" in weir(*TO_CHINA, *words).out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--listed-ownership", "half"), "write a number or a range"),
        (("--listed-ownership", "150"), "at most 100 percent"),
        (("--listed-ownership", "60..40"), "the lower first"),
        (("--transistors", "-3"), "neither negative"),
        (("--transistors", "nan"), "neither negative"),
        (("--completion-year", "2020"), "before the day"),
        (("--exporter-hq", "Narnia"), "unknown exporter headquarters 'Narnia'"),
    ],
)
def test_further_facts_that_cannot_be_are_refused(refused, words, told):
    assert told in refused(*TO_CHINA, *words)
