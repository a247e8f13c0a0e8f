import datetime as dt
import math

import pytest

from weir.answers.pricing import hourly_price
from weir.core.errors import InputError


def _chip_with_offers(catalog):
    days = {}
    for offer in catalog.offers:
        days.setdefault(offer.chip, set()).add(offer.on)
    name = max(days, key=lambda chip: len(days[chip]))
    return catalog.chip(name), sorted(days[name])


def test_no_price_of_a_later_day_is_used(catalog):
    chip, days = _chip_with_offers(catalog)
    for day in days:
        basis = hourly_price(chip, catalog, None, day).basis
        later = [other for other in days if other > day]
        assert not [other for other in later if other.isoformat() in basis]


def test_before_the_first_offer_no_cost_is_given(catalog):
    chip, days = _chip_with_offers(catalog)
    found = hourly_price(chip, catalog, None, days[0] - dt.timedelta(days=1))
    assert math.isnan(found.usd_per_hour)
    assert "or before" in found.basis


def test_a_given_price_wins_and_must_be_one(catalog):
    chip, _ = _chip_with_offers(catalog)
    assert hourly_price(chip, catalog, 1.25).usd_per_hour == 1.25
    with pytest.raises(InputError, match="chip-hour"):
        hourly_price(chip, catalog, -1.0)
