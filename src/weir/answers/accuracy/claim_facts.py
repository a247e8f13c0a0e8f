"""Numbers to set beside published claims: plain arithmetic on facts of the catalogue."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from weir.catalog.query import Catalog
from weir.core.units import GIBI, MEGA, SECONDS_PER_DAY, SECONDS_PER_HOUR
from weir.perf.machine import rate
from weir.perf.parameters import active_as_published, kv_cache_bytes

Arguments = Mapping[str, str]
Computation = Callable[[Catalog, Arguments], float]

# FLOP of a parameter and token in training: two forward, four backward.
_TRAINING_FLOP: Final = 6.0
# A token is dispatched in one byte an element and combined in two (arXiv:2505.09343, section 2.3).
_EXCHANGED_BYTES: Final = 3.0
# Two micro-batches alternate, so that each step's communication is paid twice.
_MICRO_BATCHES: Final = 2.0


def fact_ratio(catalog: Catalog, given: Arguments) -> float:
    """A fact of one chip over that of another."""
    key = given["fact"]
    return catalog.chip(given["chip"]).number(key) / catalog.chip(given["other"]).number(key)


def cache_bytes(catalog: Catalog, given: Arguments) -> float:
    """KV cache of one sequence in bf16, bytes."""
    return float(kv_cache_bytes(catalog.model(given["model"]), float(given["tokens"])))


def cache_gib(catalog: Catalog, given: Arguments) -> float:
    """KV cache of one sequence in bf16, GiB."""
    return cache_bytes(catalog, given) / GIBI


def exchange_s(catalog: Catalog, given: Arguments) -> float:
    """Least time of a token over all layers where only the exchange of experts counts, s.

    Every token goes to its routed and shared experts (arXiv:2505.09343, section 2.3.2).
    """
    model = catalog.model(given["model"])
    block = max(model.feed_forwards.values(), key=lambda each: each.experts)
    targets = block.experts_per_token + block.shared_experts
    sent = _EXCHANGED_BYTES * float(given["tokens"]) * targets * model.shape.hidden
    return _MICRO_BATCHES * model.layer_count * sent / float(given["bytes_per_s"])


def chip_hours_usd(catalog: Catalog, given: Arguments) -> float:
    """Chips for some hours at a rent, USD."""
    del catalog
    return float(given["chips"]) * float(given["hours"]) * float(given["usd_per_hour"])


def tokens_usd(catalog: Catalog, given: Arguments) -> float:
    """Tokens at prices per million: found in a cache, computed, and written, USD."""
    del catalog
    kinds = ("hit", "miss", "out")
    return sum(float(given[f"{k}_tokens"]) / MEGA * float(given[f"{k}_usd"]) for k in kinds)


def days(catalog: Catalog, given: Arguments) -> float:
    """Days that so many chips need for so many chip-hours."""
    del catalog
    seconds = float(given["chip_hours"]) * SECONDS_PER_HOUR / float(given["chips"])
    return seconds / SECONDS_PER_DAY


def training_mfu(catalog: Catalog, given: Arguments) -> float:
    """Six FLOP a parameter and token over the dense BF16 rate of the chip-hours."""
    active = active_as_published(catalog.model(given["model"]))
    spent = _TRAINING_FLOP * active * float(given["tokens"])
    dense = catalog.chip(given["chip"]).dense_flop_per_s["bf16"]
    return float(spent / (dense * float(given["chip_hours"]) * SECONDS_PER_HOUR))


def fleet_flop_per_s(catalog: Catalog, given: Arguments) -> float:
    """Dense rate of so many chips, FLOP/s."""
    return float(given["count"]) * _dense(catalog, given["chip"], given["dtype"])


def equivalents(catalog: Catalog, given: Arguments) -> float:
    """Chips of another kind with the dense rate of so many dies."""
    chips = float(given["dies"]) / float(given["dies_per_chip"])
    ratio = _dense(catalog, given["chip"], given["dtype"]) / _dense(
        catalog, given["other"], given["dtype"]
    )
    return chips * ratio


def _dense(catalog: Catalog, name: str, dtype: str) -> float:
    from weir.answers.machines import machine_of

    return float(np.asarray(rate(machine_of(catalog.chip(name), catalog).machine, dtype)))


COMPUTATIONS: Final[Mapping[str, Computation]] = {
    each.__name__: each
    for each in (
        fact_ratio, cache_bytes, cache_gib, exchange_s, chip_hours_usd, tokens_usd, days,
        training_mfu, fleet_flop_per_s, equivalents,
    )
}  # fmt: skip
