import datetime as dt

import pytest

from weir.catalog.law_load import load_law
from weir.core.errors import UnknownNameError
from weir.rules.logic import NO, UNKNOWN, YES
from weir.rules.places import country_code, in_zone

LAW = load_law()


def day(text):
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("name", "code"),
    [("CN", "CN"), ("cn", "CN"), ("China", "CN"), ("Hong Kong", "HK"), ("UAE", "AE"),
     ("Viet Nam", "VN"), ("Macao", "MO"), ("Türkiye", "TR")],
)  # fmt: skip
def test_names_and_codes(name, code):
    assert country_code(LAW, name) == code


def test_an_unknown_country_names_the_nearest():
    with pytest.raises(UnknownNameError, match=r"Nearest: .*China"):
        country_code(LAW, "Chima")


@pytest.mark.parametrize(
    ("zone", "country", "on", "expected"),
    [
        ("d1-d4-d5", "CN", "2024-01-01", YES),
        ("d1-d4-d5", "HK", "2024-01-01", YES),  # handled as China
        ("d1-d4-d5", "MO", "2024-01-01", YES),  # D:1 and D:4
        ("d1-d4-d5", "IL", "2024-01-01", NO),  # D:4, but A:6
        ("d1-d4-d5", "SG", "2024-01-01", NO),
        ("d1-d4-d5", "AE", "2026-07-09", YES),
        ("d1-d4-d5", "AE", "2026-07-10", NO),
        ("us-a5", "AE", "2026-07-10", YES),
        ("d5-and-macau", "MO", "2024-01-01", YES),
        ("d5-and-macau", "NI", "2024-03-14", NO),
        ("d5-and-macau", "NI", "2024-03-15", YES),
        ("d5-and-macau", "KH", "2025-10-31", YES),
        ("d5-and-macau", "KH", "2025-12-01", UNKNOWN),  # State has, BIS has not yet
        ("d5-and-macau", "KH", "2026-02-03", NO),
    ],
)
def test_zones_on_a_day(zone, country, on, expected):
    assert in_zone(LAW, zone, country, day(on)) == expected


LICENCE_ZONE = (
    "AF AM AZ BH BY CD CF CN CU EG ER GE HT IQ IR JO KG KH KP KW KZ LA LB LY MD MM MN MO NI OM "
    "PK QA RU SA SD SO SS SY TJ TM UZ VE VN YE ZW HK"
)


def test_the_licence_zone_of_july_2026():
    found = {
        code for code in LAW.countries if in_zone(LAW, "d1-d4-d5", code, day("2026-07-23")) == YES
    }
    assert found == set(LICENCE_ZONE.split())


def test_every_member_of_a_group_is_a_country():
    for memberships in LAW.groups.values():
        assert {item.country for item in memberships} <= set(LAW.countries)
