"""Price lists: what somebody asked for a chip, or an hour of it, on a day."""

import math
from collections.abc import Mapping
from pathlib import Path

from weir.catalog.entities import Offer
from weir.catalog.files import read_table
from weir.core.dates import parse_date
from weir.core.provenance import Status

OFFER_COLUMNS = ("chip", "kind", "price_usd", "on", "region", "sources", "status", "note")
OFFER_KINDS = ("purchase", "rental per hour")


def load_offers(path: Path) -> tuple[Offer, ...]:
    """All price offers of one CSV file.

    Raises:
        RecordError: Wrong columns, or rows that do not parse, each with its line number.
    """
    return read_table(path, OFFER_COLUMNS, _offer)


def _offer(row: Mapping[str, str]) -> Offer:
    if row["kind"] not in OFFER_KINDS:
        raise ValueError(f"kind '{row['kind']}' is not one of {', '.join(OFFER_KINDS)}")
    if row["status"] not in tuple(Status):
        raise ValueError(f"status '{row['status']}' is not one of {', '.join(Status)}")
    try:
        price = float(row["price_usd"])
    except ValueError:
        price = math.nan
    if not 0 < price < math.inf:
        raise ValueError(f"price_usd '{row['price_usd']}' is not a number above zero")
    return Offer(
        chip=row["chip"],
        kind=row["kind"],
        price_usd=price,
        on=parse_date(row["on"]),
        region=row["region"],
        sources=tuple(row["sources"].split()),
        status=Status(row["status"]),
        note=row["note"],
    )
