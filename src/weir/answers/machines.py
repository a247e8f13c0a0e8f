"""From a chip of the catalogue to the machine of the speed model, with what had to be assumed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from weir.catalog.entities import Chip
from weir.catalog.fields import DTYPES
from weir.catalog.query import Catalog
from weir.catalog.stack import Assumption, load_assumptions
from weir.core.errors import InputError
from weir.core.provenance import Fact
from weir.core.units import TERA
from weir.perf.machine import Machine

# The facts an estimate rests on; their statuses and sources go into the answer.
USED_KEYS: Final = (
    "memory_capacity",
    "memory_bandwidth",
    "cores",
    "boost_clock",
    "last_level_cache",
    "shared_memory_per_core",
    "tdp",
    "scale_up_per_direction",
    "scale_up_domain",
    "scale_out_per_direction",
)
_NEEDED: Final = ("memory_capacity", "memory_bandwidth")
_SIXTEEN_BIT: Final = ("bf16", "fp16")


@dataclass(frozen=True, slots=True)
class MachineOfChip:
    """The machine and its provenance.

    Attributes:
        machine: What the formulas read.
        facts: The facts it was made of, by key.
        assumptions: One sentence for each number that no source gives.
    """

    machine: Machine
    facts: Mapping[str, Fact]
    assumptions: tuple[str, ...]


def machine_of(chip: Chip, catalog: Catalog | None = None) -> MachineOfChip:
    """The machine of a chip.

    Args:
        chip: The chip.
        catalog: For the reference node, where the chip's record leaves the domain or network out.

    Raises:
        InputError: No memory capacity, bandwidth or 16-bit rate is published.
    """
    missing = [key for key in _NEEDED if math.isnan(chip.number(key))]
    notes: list[str] = []
    rates, spread = _rates(chip, notes)
    if not any(name in rates for name in _SIXTEEN_BIT):
        missing.append("dense_bf16")
    if missing:
        raise InputError(
            f"{chip.name} cannot be estimated: nobody has published its {', '.join(missing)};"
            f" add the fact with its source to a {chip.id}.toml of your own (see --data)"
        )
    defaults = load_assumptions()
    if "bf16" not in rates:
        rates["bf16"] = rates["fp16"]
        notes.append(f"{chip.name}: no bf16 rate is published; the fp16 rate stands in for it.")
    scale_up, domain = _scale_up(chip, catalog, notes)
    machine = Machine(
        name=chip.name,
        generation=chip.generation,
        dense_flop_per_s=rates,
        memory_capacity_bytes=chip.number("memory_capacity"),
        memory_bandwidth_bytes_per_s=chip.number("memory_bandwidth"),
        memory_type=chip.text("memory_type"),
        cores=chip.number("cores"),
        boost_clock_hz=chip.number("boost_clock"),
        last_level_cache_bytes=chip.number("last_level_cache"),
        shared_memory_per_core_bytes=chip.number("shared_memory_per_core"),
        tdp_w=chip.number("tdp"),
        scale_up_bytes_per_s_per_direction=scale_up,
        scale_up_domain=domain,
        scale_out_bytes_per_s_per_direction=_scale_out(chip, defaults, notes),
        pcie_bytes_per_s_per_direction=chip.number("pcie_bidirectional") / 2,
        rate_spread_log=spread,
    )
    used = {key: chip.facts[key] for key in USED_KEYS if key in chip.facts}
    used |= {key: fact for key, fact in chip.facts.items() if key.startswith("dense_")}
    return MachineOfChip(machine, used, tuple(notes))


def _rates(chip: Chip, notes: list[str]) -> tuple[dict[str, float], float]:
    """Dense rates by format, and half the widest span of ln(rate) among those with bounds only."""
    rates, bounded, spread = dict(chip.dense_flop_per_s), [], 0.0
    for dtype in DTYPES:
        low, high = chip.bounds(f"dense_{dtype}")
        if dtype in rates or not 0 < low <= high < math.inf:
            continue
        rates[dtype] = math.sqrt(low * high)
        spread = max(spread, math.log(high / low) / 2)
        bounded.append(f"{dtype} {low / TERA:.4g} to {high / TERA:.4g}")
    if bounded:
        notes.append(
            f"{chip.name}: only bounds of its dense rates are known ({', '.join(bounded)} TFLOP/s);"
            " their geometric middle is used, and every interval is wider by them."
        )
    return rates, spread


def _scale_up(chip: Chip, catalog: Catalog | None, notes: list[str]) -> tuple[float, float]:
    rate, domain = chip.number("scale_up_per_direction"), chip.number("scale_up_domain")
    if math.isnan(rate):
        rate = chip.number("scale_up_bidirectional") / 2
    system = catalog.system_of(chip) if catalog is not None else None
    if system is not None:
        rate = system.number("scale_up_per_direction") if math.isnan(rate) else rate
        domain = system.number("scale_up_domain") if math.isnan(domain) else domain
    if math.isnan(rate):
        rate = chip.number("pcie_bidirectional") / 2
        notes.append(f"{chip.name}: no scale-up link is published; chips of a node talk over PCIe.")
    if math.isnan(domain):
        domain = load_assumptions()["node"].value
        notes.append(
            f"{chip.name}: no scale-up domain is published; a node of {domain:.0f} is assumed."
        )
    return rate, domain


def _scale_out(chip: Chip, defaults: Mapping[str, Assumption], notes: list[str]) -> float:
    rate = chip.number("scale_out_per_direction")
    if math.isnan(rate):
        default = defaults["scale_out"]
        rate = default.value
        notes.append(f"{chip.name}: no network of its node is published; {default.text}.")
    return rate
