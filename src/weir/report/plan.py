"""A plan as a document: best of each chip, front, fleet, who wins when, how to start."""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from weir.answers.crossovers import DECODE_ALONE, Crossover
from weir.answers.estimate import Estimate
from weir.answers.fleet import ChipPlan, Choice
from weir.answers.planning import Planning
from weir.catalog.stack import load_stack
from weir.core.provenance import Source
from weir.core.units import KILO, format_si
from weir.core.words import counted, rounded
from weir.report.charts import Series, ServingPoint, frontier
from weir.report.document import (
    Align,
    Block,
    Cell,
    Column,
    Document,
    Item,
    Listing,
    Paragraph,
    Picture,
    Section,
    Table,
    Weight,
)
from weir.report.estimate import varying
from weir.report.spreads import spread_table

RIGHT: Final = Align.RIGHT
_UNKNOWN: Final = "unknown"
# A front in print: more rows than this tell nothing new, and JSON has every point.
_MOST_ROWS: Final = 14
# From here on cents say nothing.
_WHOLE_USD: Final = 100.0


def plan_document(answer: Planning, sources: tuple[Source, ...]) -> Document:
    """The whole plan, with its picture."""
    return Document(
        title=f"{answer.plan.model} on {' or '.join(item.chip for item in answer.plan.chips)}",
        lead=_lead(answer),
        facts=tuple(_facts(answer)),
        sections=tuple(_sections(answer)),
        sources=sources,
    )


def _lead(answer: Planning) -> str:
    first = answer.plan.chips[0]
    best = first.best
    if best is None:
        return "No chip reaches the targets."
    lead = (
        f"Best for {answer.plan.objective}: {best.chips} x {best.chip} ({best.layout}) with"
        f" {counted(best.users, 'user')}, {rounded(best.tokens_per_s_per_user)} tokens/s per user"
        f" and {best.tokens_per_s_per_chip:,.0f} tokens/s per chip"
    )
    load = answer.plan.requests_per_s
    if first.fleet is not None and load is not None:
        carry = "carries" if first.fleet.chips == 1 else "carry"
        lead += f"; {counted(first.fleet.chips, 'chip')} {carry} {rounded(load)} requests/s"
    return f"{lead}."


def _facts(answer: Planning) -> Iterator[tuple[str, str]]:
    work, wanted = answer.wanted.workload, answer.wanted
    isl, osl = (np.asarray(value, dtype=float).item() for value in (work.isl, work.osl))
    yield "Requests", f"{isl:,.0f} tokens in, {osl:,.0f} out" + varying(work)
    if work.prefix_hit_rate:
        yield "Prefix hits", f"{work.prefix_hit_rate:.1%} of prompt tokens"
    yield "Targets", _targets(answer)
    yield "Objective", wanted.objective
    if wanted.requests_per_s is not None:
        yield "Load", f"{rounded(wanted.requests_per_s)} requests/s"
    yield "Framework", load_stack(wanted.deployment.framework).name
    yield "Replicas", f"up to {counted(wanted.most_chips, 'chip')}"
    yield "Data of", answer.data_version


def _targets(answer: Planning) -> str:
    target = answer.wanted.target
    limits = [
        f"{name} up to {format_si(value, 's', 3)}"
        for name, value in (("TTFT", target.ttft_s), ("TPOT", target.tpot_s))
        if math.isfinite(value)
    ]
    end = " at the upper end of the 80 % interval" if target.is_sure else " in the mean"
    return " and ".join(limits) + end if limits else "none"


def _sections(answer: Planning) -> Iterator[Section]:
    yield Section("Best deployment of each chip", tuple(_best_blocks(answer)))
    load = answer.plan.requests_per_s
    if load is not None:
        yield Section("Smallest fleet", (_fleet_table(answer, load),))
    if answer.trace is not None:
        yield Section("The trace on that fleet", tuple(_trace_blocks(answer)))
    if answer.splits:
        yield Section("Prefill on chips of its own", tuple(_split_blocks(answer)))
    yield Section("What bounds it", (_bound_table(answer),))
    if answer.crossovers:
        blocks = tuple(block for item in answer.crossovers for block in _crossover_blocks(item))
        yield Section("Which chip when", blocks)
    yield Section("Tokens/s per chip against tokens/s per user", tuple(_front_blocks(answer)))
    yield Section("How to start it", tuple(_flag_blocks(answer)))
    yield Section("Assumptions", (Listing(tuple(Item(text) for text in answer.assumptions)),))


def _best_blocks(answer: Planning) -> Iterator[Block]:
    columns = (
        "Chip",
        "Layout",
        Column("Chips", align=RIGHT),
        Column("Users", align=RIGHT),
        Column("TTFT", "s", RIGHT),
        Column("TPOT", "ms", RIGHT),
        Column("Tokens/s per chip", align=RIGHT),
        Column("J/token", align=RIGHT),
        Column("USD/M", align=RIGHT),
    )
    rows = tuple(
        _best_row(item.best, answer.estimates[item.chip])
        for item in answer.plan.chips
        if item.best is not None
    )
    yield Table(
        "One replica of the best deployment",
        columns,
        rows,
        (
            "TPOT with the upper end of its 80 % interval. USD/M: US dollars for a million output"
            " tokens, in full use; J/token at the meter.",
        ),
        highlighted=(0,),
    )
    for item in answer.plan.chips:
        if item.best is None:
            yield Paragraph(f"{item.chip}: {item.reason}.", weight=Weight.CAUTION)


def _best_row(best: Choice, estimate: Estimate) -> tuple[Cell | str, ...]:
    status = estimate.status
    return (
        best.chip,
        str(best.layout),
        str(best.chips),
        f"{best.users:,.0f}",
        Cell(rounded(best.ttft_s), status=status),
        Cell(_tpot_ms(best), status=status),
        Cell(f"{best.tokens_per_s_per_chip:,.0f}", status=status),
        Cell(rounded(best.energy_j_per_token), status=status),
        Cell(rounded(best.usd_per_million_tokens), status=status),
    )


def _tpot_ms(best: Choice) -> str:
    low, high = best.tpot_low_s * KILO, best.tpot_high_s * KILO
    return f"{rounded(best.tpot_s * KILO)} ({rounded(low)} to {rounded(high)})"


def _money(value: float) -> str:
    if not math.isfinite(value):
        return _UNKNOWN
    return f"{value:,.0f}" if value >= _WHOLE_USD else f"{value:,.2f}"


def _fleet_table(answer: Planning, load: float) -> Table:
    rows = []
    for item in answer.plan.chips:
        fleet = item.fleet
        if fleet is None:
            continue
        rows.append(
            (
                item.chip,
                str(fleet.choice.layout),
                f"{fleet.replicas:,}",
                f"{fleet.chips:,}",
                _money(fleet.capital_usd),
                _money(fleet.usd_per_hour),
                f"{fleet.power_w / KILO:,.1f}" if math.isfinite(fleet.power_w) else _UNKNOWN,
            )
        )
    return Table(
        f"The fewest replicas that carry {rounded(load)} requests/s",
        (
            "Chip",
            "Layout",
            Column("Replicas", align=RIGHT),
            Column("Chips", align=RIGHT),
            Column("Chips cost", "USD", RIGHT),
            Column("Per hour", "USD", RIGHT),
            Column("Power", "kW", RIGHT),
        ),
        tuple(rows),
        ("The price of the chips is without servers; power is at the meter, host included.",),
    )


def _split_blocks(answer: Planning) -> Iterator[Block]:
    rows = []
    for item in answer.splits.values():
        if isinstance(item, str):
            continue
        best = item.best
        rows.append(
            (
                f"{best.prefill_chip} ({best.prefill_layout})",
                f"{best.decode_chip} ({best.decode_layout})",
                f"{best.prefill_chips_per_decode_chip:.2g}",
                rounded(best.ttft_s),
                f"{rounded(best.tpot_s * KILO)} (to {rounded(best.tpot_high_s * KILO)})",
                f"{best.tokens_per_s_per_chip:,.0f}",
                rounded(best.usd_per_million_tokens),
            )
        )
    if rows:
        yield Table(
            "The split with the most tokens/s per chip of both kinds",
            (
                "Prefill",
                "Decode",
                Column("Ratio", align=RIGHT),
                Column("TTFT", "s", RIGHT),
                Column("TPOT", "ms", RIGHT),
                Column("Tokens/s per chip", align=RIGHT),
                Column("USD/M", align=RIGHT),
            ),
            tuple(rows),
            ("Ratio: prefill chips for each decode chip, so that both finish the same requests.",),
        )
    for name, item in answer.splits.items():
        if isinstance(item, str):
            yield Paragraph(f"{name}: {item}.", weight=Weight.CAUTION)


def _trace_blocks(answer: Planning) -> Iterator[Block]:
    simulated = answer.trace
    if simulated is None:
        return
    good, done = simulated.goodput_requests_per_s.value, simulated.requests_per_s.value
    share = good / done if done else math.nan
    yield Paragraph(
        f"{simulated.requests:,} requests of the trace, one by one: {share:.0%} of those finished"
        " meet the targets themselves. The plan holds them in the mean only; where tails count,"
        " add replicas and look again with `weir simulate`."
    )
    yield spread_table(
        f"{simulated.chips:,} x {simulated.fleets[0].chip}",
        simulated.spreads,
        simulated.spreads_low,
        simulated.spreads_high,
    )


def _bound_table(answer: Planning) -> Table:
    rows = []
    for chip, estimate in answer.estimates.items():
        for name, phase in (("prefill", estimate.prefill), ("decode", estimate.decode)):
            total = phase.time.value
            rows.append(
                (
                    chip,
                    name,
                    phase.bottleneck,
                    format_si(total, "s", 3),
                    f"{phase.hardware_s / total:.0%}",
                    f"{(phase.kernel_s - phase.hardware_s) / total:.0%}",
                    f"{phase.stack_s / total:.0%}",
                )
            )
    return Table(
        "A step of the best deployment",
        (
            "Chip",
            "Step",
            "Bound by",
            Column("Time", align=RIGHT),
            Column("Datasheet", align=RIGHT),
            Column("Kernels", align=RIGHT),
            Column("Framework", align=RIGHT),
        ),
        tuple(rows),
        (
            "Datasheet: what rates and bandwidths alone allow; kernels: what they take beyond it;"
            " framework: what it adds.",
        ),
    )


def _crossover_blocks(item: Crossover) -> Iterator[Block]:
    alone = item.prefix_hit_rate >= DECODE_ALONE
    what = "decoding alone" if alone else "whole requests"
    yield Paragraph(f"{what[0].upper()}{what[1:]}, {item.osl:,.0f} tokens out:")
    yield Listing(tuple(Item(text) for text in item.sentences))
    columns = (
        Column("Tokens/s per user", align=RIGHT),
        *(Column(f"{context:,.0f} in", align=RIGHT) for context in item.contexts),
    )
    rows = tuple(
        (rounded(speed), *(_gain(value) for value in item.gain[line]))
        for line, speed in enumerate(item.tokens_per_s_per_user)
    )
    yield Table(
        f"Tokens per chip-hour of {item.chip} over those of {item.other}, {what}",
        columns,
        rows,
        (
            f"Above 1 {item.chip} needs fewer chip-hours; 'only' names the chip that alone reaches"
            " the speed. Each chip runs its best layout at every point.",
        ),
    )


def _gain(value: float) -> str:
    if math.isnan(value):
        return "neither"
    if math.isinf(value):
        return "only the first"
    return f"{value:.2f}" if value > 0 else "only the second"


def _front_blocks(answer: Planning) -> Iterator[Block]:
    series = [_series(item, answer) for item in answer.plan.chips]
    first = answer.plan.chips[0]
    yield Picture(
        key="plan-frontier",
        spec=frontier(f"{answer.plan.model}: the best deployment for every speed", series),
        caption="Output tokens per second and chip against tokens per second and user",
        alt=_lead(answer),
        source=(
            "Estimates of Weir's speed model; each mark is one layout and batch. The band is the"
            " 80 % interval of TPOT, its upper end mirrored."
        ),
    )
    for item in answer.plan.chips:
        if item.front:
            yield _front_table(item, bold=item is first)


def _kept(count: int) -> list[int]:
    """Positions of a front that are printed: the ends, and others evenly between them."""
    few = min(count, _MOST_ROWS)
    return sorted({round(float(place)) for place in np.linspace(0, count - 1, few)})


def _series(item: ChipPlan, answer: Planning) -> Series:
    told = set(_kept(len(item.front)))
    points = tuple(
        ServingPoint(
            user_tokens_per_s=choice.tokens_per_s_per_user,
            chip_tokens_per_s=choice.tokens_per_s_per_chip,
            low=choice.tokens_per_s_per_chip * choice.tpot_s / choice.tpot_high_s,
            high=choice.tokens_per_s_per_chip * choice.tpot_s / choice.tpot_low_s,
            batch=max(round(choice.users), 1) if number in told else None,
            chips=choice.chips,
        )
        for number, choice in enumerate(item.front)
    )
    return Series(item.chip, points, highlighted=item is answer.plan.chips[0])


def _front_table(item: ChipPlan, *, bold: bool) -> Table:
    count = len(item.front)
    shown = [item.front[index] for index in _kept(count)]
    rows = tuple(
        (
            rounded(choice.tokens_per_s_per_user),
            f"{choice.tokens_per_s_per_chip:,.0f}",
            str(choice.layout),
            str(choice.chips),
            f"{choice.users:,.0f}",
            rounded(choice.ttft_s),
            rounded(choice.usd_per_million_tokens),
        )
        for choice in shown
    )
    notes = (f"{len(shown)} of {count} points; --json has them all.",) if len(shown) < count else ()
    best = [i for i, choice in enumerate(shown) if bold and choice == item.best]
    return Table(
        f"{item.chip}: points that no other beats in both",
        (
            Column("Tokens/s per user", align=RIGHT),
            Column("Tokens/s per chip", align=RIGHT),
            "Layout",
            Column("Chips", align=RIGHT),
            Column("Users", align=RIGHT),
            Column("TTFT", "s", RIGHT),
            Column("USD/M", align=RIGHT),
        ),
        rows,
        notes,
        tuple(best),
    )


def _flag_blocks(answer: Planning) -> Iterator[Block]:
    items = []
    for chip, flags in answer.other_flags.items():
        lines = tuple(Item(command) for command in flags.values() if command)
        items.append(Item(chip, children=lines))
    yield Listing(tuple(items))
    yield Paragraph(
        "The name of the model stands for its checkpoint; frameworks for chips of other vendors"
        " have commands of their own.",
        weight=Weight.SMALL,
    )
