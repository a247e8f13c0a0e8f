"""What an hour of a chip costs, from the offers of the catalogue or from the user."""

import datetime as dt
import math
from typing import Final

from weir.answers.datasheet import latest_offer
from weir.catalog.entities import Chip
from weir.catalog.query import Catalog
from weir.catalog.stack import load_economics
from weir.core.errors import InputError
from weir.perf.economics import HourlyPrice, ownership_usd_per_hour

RENTAL: Final = "rental per hour"
PURCHASE: Final = "purchase"


def hourly_price(
    chip: Chip,
    catalog: Catalog,
    usd_per_chip_hour: float | None,
    on: dt.date | None = None,
) -> HourlyPrice:
    """The hourly price of a chip.

    What the user says wins; then the newest rental offer; then the newest purchase price,
    written off; and otherwise it is unknown.

    Args:
        chip: The chip.
        catalog: Where the offers are.
        usd_per_chip_hour: The price the user gives, electricity included.
        on: Only offers that were known on this day; the newest of all if left out.

    Raises:
        InputError: A price that is negative or no number.
    """
    if usd_per_chip_hour is not None:
        if not 0.0 <= usd_per_chip_hour < math.inf:
            raise InputError(f"the price of a chip-hour is {usd_per_chip_hour}; use 0 or more USD")
        return HourlyPrice(
            usd_per_chip_hour, True, f"{usd_per_chip_hour:.2f} USD a chip-hour, as given."
        )
    rental = latest_offer(chip, catalog, RENTAL, on)
    if rental is not None:
        return HourlyPrice(
            rental.price_usd,
            True,
            f"{rental.price_usd:.2f} USD a chip-hour: rental offer of {rental.on} ({rental.status},"
            f" {rental.region}).",
        )
    bought = latest_offer(chip, catalog, PURCHASE, on)
    if bought is not None:
        ownership = load_economics().ownership
        hourly = ownership_usd_per_hour(ownership, bought.price_usd)
        return HourlyPrice(
            hourly,
            False,
            f"{hourly:.2f} USD a chip-hour and electricity: {bought.price_usd:,.0f} USD of"
            f" {bought.on} ({bought.status}), {ownership.basis}.",
        )
    is_known_later = any(offer.chip == chip.id for offer in catalog.offers)
    when = f" of {on} or before" if is_known_later else ""
    return HourlyPrice(math.nan, False, f"No price{when} of the chip is known: no cost is given.")


def purchase_price(chip: Chip, catalog: Catalog) -> float:
    """The newest price that a chip was offered at, in USD; NaN where none is known."""
    bought = latest_offer(chip, catalog, PURCHASE)
    return math.nan if bought is None else bought.price_usd
