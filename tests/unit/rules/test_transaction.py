import datetime as dt

import pytest

from weir.catalog.law_load import load_law
from weir.core.errors import InputError, UnknownNameError
from weir.rules.logic import NO, UNKNOWN, YES
from weir.rules.transaction import Transaction, resolve

LAW = load_law()
DAY = dt.date(2026, 2, 1)


def test_gaps_are_filled_and_said():
    case = resolve(LAW, Transaction("China", DAY))
    assert (case.destination, case.origin, case.consignee, case.parent) == ("CN", "US", "CN", "CN")
    said = " ".join(case.assumptions)
    for word in ("designer", "United States", "headquartered in China", "no party is listed"):
        assert word in said


def test_what_is_given_is_not_assumed():
    given = Transaction(
        "SG", DAY, exporter="NVIDIA", consignee_headquarters="CN",
        ultimate_parent_headquarters="CN", origin="US", flags={"military_end_use": "no"},
    )  # fmt: skip
    assert resolve(LAW, given).assumptions == ()


def test_certifications_are_unknown_until_given():
    names = tuple(LAW.certifications)
    assert set(resolve(LAW, Transaction("CN", DAY)).certified.values()) == {UNKNOWN}
    everything = resolve(LAW, Transaction("CN", DAY, certifications=("all",)))
    assert set(everything.certified.values()) == {YES}
    one = resolve(LAW, Transaction("CN", DAY, certifications=names[:1]))
    assert [one.certified[name] for name in names[:2]] == [YES, NO]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"destination": "CN", "kind": "import"}, "goes into the United States"),
        ({"destination": "CN", "kind": "in_country_transfer", "origin": "US"}, "stays in one"),
        ({"destination": "CN", "origin": "TW"}, "starts in the United States"),
        ({"destination": "CN", "kind": "reexport", "origin": "US"}, "does not start"),
        ({"destination": "US"}, "both US"),
        ({"destination": "CN", "certifications": ("nonsense",)}, "unknown certification"),
        ({"destination": "CN", "completion_year": 2020}, "before the day"),
        ({"destination": "Atlantis"}, "unknown destination"),
        ({"destination": "CN", "consignee_headquarters": "Nowhere"}, "consignee headquarters"),
    ],
)
def test_contradictions_are_refused(fields, message):
    with pytest.raises(InputError, match=message):
        resolve(LAW, Transaction(on=DAY, **fields))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "smuggling"}, "kind of transaction"),
        ({"flags": {"military": "yes"}}, "transaction fact.*Known: .*military_end_use"),
        ({"flags": {"military_end_use": "maybe"}}, "write yes, no"),
        ({"listed_ownership": (0.6, 0.5)}, "listed_ownership"),
        ({"listed_ownership": (50, 50)}, "0.5 for 50 percent"),
        ({"transistors": (-1, 5)}, "neither negative"),
    ],
)
def test_wrong_facts_are_refused(fields, message):
    with pytest.raises((InputError, UnknownNameError), match=message):
        Transaction("CN", DAY, **fields)
