"""The law of the stock, validated once and kept until a rule file or the code changes."""

from functools import cache

from weir.catalog.cache import Cache
from weir.catalog.files import STOCK
from weir.catalog.law import Law


@cache
def stock_law() -> Law:
    """The law as the stock tells it.

    Raises:
        RecordError: The first broken rule file, with all its problems.
    """
    kept = Cache(STOCK / "rules", also=(STOCK / "about.toml",))
    law: Law | None = kept.recall()
    if law is None:
        # The validator is slow to import, so only where something has to be validated.
        from weir.catalog.law_load import load_law

        fingerprint = kept.fingerprint()
        law = load_law(STOCK)
        kept.remember(law, fingerprint)
    return law
