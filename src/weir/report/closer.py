"""What a close look at a deployment adds to its document."""

import math
from collections.abc import Sequence
from typing import Final

from weir.answers.closer import Apart, AtRate, OtherLayout
from weir.answers.levers import Lever
from weir.core.units import format_si
from weir.core.words import rounded
from weir.report.document import Align, Column, Section, Table
from weir.report.estimate import ranged

RIGHT: Final = Align.RIGHT


def rate_section(item: AtRate) -> Section:
    """The replica under a random load."""
    rows = (
        ("arrivals", f"{rounded(item.requests_per_s)} requests/s"),
        ("carried at most", f"{rounded(item.most_requests_per_s)} requests/s"),
        ("requests under way", f"{item.users:,.0f}"),
        ("TTFT, queueing included", ranged(item.ttft_s, "s")),
        ("TPOT", ranged(item.tpot_s, "s")),
        ("ITL, median", format_si(item.itl_p50_s, "s", 3)),
        ("ITL, 99 of 100", format_si(item.itl_p99_s, "s", 3)),
    )
    table = Table(
        "One replica; requests come at random (Poisson)",
        ("", Column("Value", align=RIGHT)),
        rows,
        ("Means of the steady state; `weir simulate --rate` gives their tails.",),
    )
    return Section("At this rate", (table,))


def apart_section(item: Apart) -> Section:
    """Prefill on chips of its own."""
    rows = (
        ("prefill", f"{item.prefill_chips} x {item.prefill_chip} in replicas of"
         f" {item.prefill_layout.chips} ({item.prefill_layout})"),
        ("decode", f"{item.decode_chips} x {item.decode_chip} ({item.decode_layout})"),
        ("prompts taken", f"{rounded(item.prefill_requests_per_s)} requests/s"),
        ("requests finished", f"{rounded(item.decode_requests_per_s)} requests/s"),
        ("the rate is set by", item.bottleneck),
        ("prefill chips in balance", rounded(item.balanced_prefill_chips)),
        ("TTFT", format_si(item.ttft_s, "s", 3)),
        ("of it, handing the cache over", format_si(item.transfer_s, "s", 3)),
        ("TPOT", ranged(item.tpot_s, "s")),
        ("output tokens/s per chip", rounded(item.tokens_per_s_per_chip)),
    )  # fmt: skip
    table = Table(
        "Prefill and decode apart",
        ("", Column("Value", align=RIGHT)),
        rows,
        (
            f"Prefill replicas are busy {item.load:.0%} of the time. Tokens per chip count the"
            " chips of both sides.",
        ),
    )
    return Section("Prefill on chips of its own", (table,))


def lever_section(found: Sequence[Lever]) -> Section:
    """What moves the estimate."""
    change = found[0].change
    rows = tuple(
        (
            item.name,
            *(
                f"{less - 1.0:+.1%} / {more - 1.0:+.1%}"
                for less, more in (item.ttft, item.tpot, item.tokens_per_s_per_chip)
            ),
        )
        for item in found
    )
    table = Table(
        f"Each changed on its own by {change:.0%}: less of it / more of it",
        (
            "",
            Column("TTFT", align=RIGHT),
            Column("TPOT", align=RIGHT),
            Column("Tokens/s per chip", align=RIGHT),
        ),
        rows,
        ("The layout stays; the learned parameters stay, as on a chip of the same generation.",),
    )
    return Section("What moves it", (table,))


def layout_section(found: Sequence[OtherLayout], users: float) -> Section:
    """The other legal layouts on the same chips."""
    rows = tuple(
        (
            str(item.layout),
            f"{item.max_users:,}",
            *(
                ("does not fit", "", "")
                if math.isnan(item.tpot_s)
                else (
                    format_si(item.ttft_s, "s", 3),
                    format_si(item.tpot_s, "s", 3),
                    rounded(item.tokens_per_s_per_chip),
                )
            ),
        )
        for item in found
    )
    table = Table(
        f"Every legal layout on these chips with {users:,.0f} users",
        (
            "Layout",
            Column("Users that fit", align=RIGHT),
            Column("TTFT", align=RIGHT),
            Column("TPOT", align=RIGHT),
            Column("Tokens/s per chip", align=RIGHT),
        ),
        rows,
    )
    return Section("Layouts", (table,))
