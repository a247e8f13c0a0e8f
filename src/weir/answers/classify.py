"""Is this chip controlled here on this day, why, how close to the line, what would flip it?"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from weir.catalog.entities import Chip
from weir.catalog.fields import DTYPE_BITS
from weir.catalog.law import METRICS, Law, Overlay
from weir.core.provenance import Fact, weakest
from weir.core.units import TERA
from weir.rules.determination import Determination, InputFact
from weir.rules.determine import determine_inputs
from weir.rules.inputs import UNPUBLISHED, ChipInputs
from weir.rules.metrics import Bounds
from weir.rules.parameters import apply_overlay
from weir.rules.transaction import Transaction
from weir.rules.wording import interval

CHINESE_SEATS = ("CN", "HK", "MO")


def determine(
    chip: Chip,
    transaction: Transaction,
    law: Law,
    *,
    overlay: Overlay | None = None,
    trace: bool = True,
) -> Determination:
    """What the published law says of one chip in one transaction on one day.

    Args:
        chip: From the catalogue.
        transaction: What is done with it; its flags win over the facts of the chip.
        law: From `weir.catalog.law_stock.stock_law`.
        overlay: What-if changes of the law.
        trace: Record every step.

    Raises:
        InputError: Contradictory facts.
        UnknownNameError: An unknown country, certification or fact.
    """
    changed = law if overlay is None else apply_overlay(law, overlay)
    inputs = chip_inputs(chip)
    return determine_inputs(
        inputs,
        transaction,
        changed,
        trace_steps=trace,
        facts=lambda table: input_facts(chip, inputs, transaction, table),
        assumptions=tuple(_assumptions(chip, inputs)),
        variants=tuple(variants(chip, inputs)),
    )


def chip_inputs(chip: Chip) -> ChipInputs:
    """What the law reads of a chip of the catalogue, per integrated circuit.

    A card with several circuits counts as several: its rates, bandwidths and areas are divided.
    """
    share = chip.ics_per_card

    def bounds(key: str) -> tuple[float, float]:
        low, high = chip.bounds(key)
        return low / share, high / share

    planar = chip.facts.get("non_planar_node")
    return ChipInputs(
        id=chip.id,
        name=chip.name,
        designer=chip.designer,
        names=chip.aliases,
        rates_flop_per_s={
            dtype: bounds(f"dense_{dtype}")
            for dtype in DTYPE_BITS
            if f"dense_{dtype}" in chip.facts
        },
        area_mm2=_area(chip, bounds),
        has_area=not (planar is not None and planar.value is False),
        memory_bytes_per_s=bounds("memory_bandwidth"),
        io_bytes_per_s=bounds("io_total_bidirectional"),
        links_bytes_per_s=bounds("scale_up_bidirectional"),
        host_bytes_per_s=bounds("pcie_bidirectional"),
        facts={
            "datacentre": chip.text("marketed_for_datacentre") or "unknown",
            "commercially_available_us": chip.text("commercially_available_us") or "unknown",
            "contains_hbm": _flag(chip, "is_hbm"),
            "designed_in_prc": _in_prc(chip),
        },
    )


_FIELD_OF = {
    "die_area_applicable": "area_mm2",
    "memory_bandwidth": "memory_bytes_per_s",
    "io_total_bidirectional": "io_bytes_per_s",
}
STORED_TF32 = "fp32"  # TF32 inputs are stored in as many bits as FP32 ones


def variants(chip: Chip, inputs: ChipInputs) -> Iterator[tuple[str, ChipInputs]]:
    """The chip as other sources and another reading of the law would have it, with the reason."""
    for key, fact in chip.facts.items():
        for other in fact.alternatives:
            if not isinstance(other.value, int | float):
                continue
            pair = (other.value / chip.ics_per_card,) * 2
            cited = f" ({', '.join(other.sources)})" if other.sources else ""
            reason = f"with {key.replace('_', ' ')} {other.printed}{cited}"
            if key.startswith("dense_"):
                rates = {**inputs.rates_flop_per_s, key.removeprefix("dense_"): pair}
                yield reason, replace(inputs, rates_flop_per_s=rates)
            elif key in _FIELD_OF:
                yield reason, replace(inputs, **{_FIELD_OF[key]: pair})  # type: ignore[arg-type]
    tf32 = inputs.rates_flop_per_s.get("tf32", UNPUBLISHED)
    fp32 = inputs.rates_flop_per_s.get(STORED_TF32, UNPUBLISHED)
    if tf32[1] > fp32[1] or (math.isnan(fp32[1]) and not math.isnan(tf32[1])):
        rates = {**inputs.rates_flop_per_s, STORED_TF32: tf32}
        yield (
            "with TF32 counted at the 32 bits it is stored in",
            replace(inputs, rates_flop_per_s=rates),
        )


def _area(chip: Chip, bounds: Callable[[str], tuple[float, float]]) -> tuple[float, float]:
    low, high = bounds("die_area_applicable")
    if "die_area_applicable" in chip.facts:
        return low, high
    compute, _ = bounds("die_area_compute")
    planar = chip.facts.get("non_planar_node")
    if planar is not None and planar.value is True and not math.isnan(compute):
        return compute, math.inf  # the compute dies count; other non-planar dies add to them
    return UNPUBLISHED


def _flag(chip: Chip, key: str) -> str:
    fact = chip.facts.get(key)
    if fact is None or not isinstance(fact.value, bool):
        return "unknown"
    return "yes" if fact.value else "no"


def _in_prc(chip: Chip) -> str:
    country = chip.text("designer_country")
    if not country:
        return "unknown"
    return "yes" if country in CHINESE_SEATS else "no"


def input_facts(
    chip: Chip, inputs: ChipInputs, transaction: Transaction, table: Mapping[str, Bounds]
) -> Iterator[InputFact]:
    """The inputs with where they come from, as the documents list them.

    Args:
        chip: The chip.
        inputs: What the law reads of it.
        transaction: What is said of it there wins.
        table: Metrics, the chip in the first row.
    """
    rates = [chip.facts[f"dense_{dtype}"] for dtype in inputs.rates_flop_per_s]
    area = chip.facts.get("die_area_applicable") or chip.facts.get("die_area_compute")
    memory = chip.facts.get("memory_bandwidth")
    io = [
        chip.facts[key]
        for key in ("io_total_bidirectional", "scale_up_bidirectional", "pcie_bidirectional")
        if key in chip.facts
    ][:2]
    setting = _setting_rates(inputs)
    for name, facts, how in (
        ("tpp", [fact for fact in rates if fact.name in setting] or rates, _tpp_how(inputs)),
        ("die_area", [area] if area else [], ""),
        ("performance_density", [*rates[:1], *([area] if area else [])], "TPP / die area"),
        ("memory_bandwidth", [memory] if memory else [], ""),
        ("io_bidirectional", io[:1] if "io_total_bidirectional" in chip.facts else io, ""),
    ):
        yield _number_fact(name, table[name], facts, how)
    for name, key in (
        ("datacentre", "marketed_for_datacentre"),
        ("commercially_available_us", "commercially_available_us"),
    ):
        yield _word_fact(name, chip.facts.get(key), transaction)


def _setting_rates(inputs: ChipInputs) -> tuple[str, ...]:
    tpp = {dtype: high * DTYPE_BITS[dtype] for dtype, (_, high) in inputs.rates_flop_per_s.items()}
    most = max((value for value in tpp.values() if not math.isnan(value)), default=math.nan)
    return tuple(f"dense_{dtype}" for dtype, value in tpp.items() if value == most)


def _tpp_how(inputs: ChipInputs) -> str:
    parts = []
    for name in _setting_rates(inputs):
        dtype = name.removeprefix("dense_")
        rate = inputs.rates_flop_per_s[dtype][1] / TERA
        parts.append(f"{rate:,.6g} x {DTYPE_BITS[dtype]} ({dtype})")
    return " = ".join(parts)


def _number_fact(name: str, bounds: Bounds, facts: list[Fact], how: str) -> InputFact:
    low, high = (float(bound[0]) for bound in bounds)
    label, unit, factor = "applicable die area", "mm²", 1.0
    if name in METRICS:
        metric = METRICS[name]
        label, unit, factor = metric.label, metric.unit, metric.factor
    low, high = low / factor, high / factor
    computed = bool(how) and bool(facts)
    status = ""
    if facts:
        worst = max((fact.status for fact in facts), key=lambda status: status.rank)
        status = (weakest([worst]) if computed else worst).value
    return InputFact(
        name=name,
        label=label,
        text=interval(float(f"{low:.6g}"), float(f"{high:.6g}")),
        low=low,
        high=high,
        unit=unit,
        status=status,
        sources=tuple(dict.fromkeys(source for fact in facts for source in fact.sources)),
        how=how or "; ".join(fact.how for fact in facts if fact.how),
        note="; ".join(fact.note for fact in facts if fact.note),
    )


def _word_fact(name: str, fact: Fact | None, transaction: Transaction) -> InputFact:
    label = "marketed for data centres" if name == "datacentre" else "sold in the U.S. 2026-01-15"
    said = transaction.flags.get(name)
    if said is not None:
        return InputFact(
            name,
            label,
            said,
            math.nan,
            math.nan,
            "",
            "stated",
            (),
            transaction.datacentre_basis or "given with the transaction",
        )
    text = "unknown" if fact is None else str(fact.value)
    return InputFact(
        name=name,
        label=label,
        text=text,
        low=math.nan,
        high=math.nan,
        unit="",
        status="" if fact is None else fact.status.value,
        sources=() if fact is None else fact.sources,
        how=(fact.how or "") if fact else "",
        note=(fact.note or "") if fact else "",
    )


def _assumptions(chip: Chip, inputs: ChipInputs) -> Iterator[str]:
    missing = [
        d
        for d in ("bf16", "fp16", "fp8", "int8", "fp4", "int4")
        if d not in inputs.rates_flop_per_s
    ]
    if inputs.rates_flop_per_s and missing:
        yield (
            "no rate is claimed for "
            + ", ".join(missing)
            + "; the highest claimed rate sets TPP (Technical Note 2)"
        )
    if chip.ics_per_card > 1:
        yield f"the card holds {chip.ics_per_card} circuits; each is classified by itself"
    if "die_area_applicable" not in chip.facts and "die_area_compute" in chip.facts:
        yield "only the compute dies are known; other non-planar dies would add to the area"
    if "io_total_bidirectional" not in chip.facts and "scale_up_bidirectional" in chip.facts:
        yield "all I/O is taken as links plus host interface"
