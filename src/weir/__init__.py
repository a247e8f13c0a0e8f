"""Weir: facts about AI chips, the export law on them, and their speed, in one answer.

The names below are the whole public interface; each is documented where it is defined. They are
imported when first used, so that `import weir` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING

from weir._version import __version__

if TYPE_CHECKING:
    from weir.answers.assess import Assessment, assess
    from weir.answers.classify import determine
    from weir.answers.datasheet import Comparison, Datasheet, compare, datasheet
    from weir.answers.estimate import Estimate, estimate
    from weir.answers.placement import Deployment
    from weir.catalog.entities import Chip, Model
    from weir.catalog.query import Catalog
    from weir.core.errors import WeirError
    from weir.perf.serving import Workload
    from weir.rules.determination import Determination
    from weir.rules.transaction import Transaction

_HOMES = {
    "Assessment": "weir.answers.assess",
    "Catalog": "weir.catalog.query",
    "Chip": "weir.catalog.entities",
    "Comparison": "weir.answers.datasheet",
    "Datasheet": "weir.answers.datasheet",
    "Deployment": "weir.answers.placement",
    "Determination": "weir.rules.determination",
    "Estimate": "weir.answers.estimate",
    "Model": "weir.catalog.entities",
    "Transaction": "weir.rules.transaction",
    "WeirError": "weir.core.errors",
    "Workload": "weir.perf.serving",
    "assess": "weir.answers.assess",
    "compare": "weir.answers.datasheet",
    "datasheet": "weir.answers.datasheet",
    "determine": "weir.answers.classify",
    "estimate": "weir.answers.estimate",
}

__all__ = [
    "Assessment",
    "Catalog",
    "Chip",
    "Comparison",
    "Datasheet",
    "Deployment",
    "Determination",
    "Estimate",
    "Model",
    "Transaction",
    "WeirError",
    "Workload",
    "__version__",
    "assess",
    "compare",
    "datasheet",
    "determine",
    "estimate",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'weir' has no attribute '{name}'")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
