"""The facts of a transaction as options, shared by the commands that ask the law."""

import datetime as dt
import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from weir.core.errors import InputError

if TYPE_CHECKING:
    from weir.rules.transaction import Transaction

F = TypeVar("F", bound=Callable[..., Any])

_KINDS = ("export", "reexport", "in_country_transfer", "deemed_export", "import")


_NAMES = (
    "destination", "kind", "origin", "exporter", "exporter_hq", "hq", "parent_hq", "flags",
    "certifications", "listed_ownership", "transistors", "completion_year", "basis",
)  # fmt: skip


def transaction_options(command: F, *, origin: tuple[str, ...] = ("--from", "--origin")) -> F:
    """Adds `--to`, `--hq` and the other facts; they arrive as one `given` mapping.

    Args:
        command: What gets the options.
        origin: What the option for the origin is called.
    """
    options = (
        click.option("--to", "destination", required=True, help="Destination, ISO code or name."),
        click.option(
            "--kind", type=click.Choice(_KINDS), default="export", show_default=True,
            help="What is done with the chip.",
        ),
        click.option(*origin, "origin", help="Where it comes from; the U.S. if left out."),
        click.option("--exporter", help="Company; the designer of the chip if left out."),
        click.option("--exporter-hq", help="Country of the exporter's headquarters."),
        click.option("--hq", help="Country of the consignee's headquarters."),
        click.option("--parent-hq", help="Country of its ultimate parent's headquarters."),
        click.option(
            "--fact", "flags", multiple=True, metavar="NAME=WORD",
            help="A fact: yes, no, contested or unknown, such as military_end_use=yes"
            " (repeatable).",
        ),
        click.option(
            "--certify", "certifications", multiple=True, metavar="NAME",
            help="A certification given; 'all' for all of them (repeatable).",
        ),
        click.option(
            "--listed-ownership", metavar="PERCENT",
            help="Share of the consignee that listed parties own: 50, or a range 40..60.",
        ),
        click.option(
            "--transistors", metavar="BILLION",
            help="Aggregated approximated transistor count of the package: 30, or 25..35.",
        ),
        click.option(
            "--completion-year", type=int, metavar="YEAR",
            help="Year in which the export is completed; that of the day if left out.",
        ),
        click.option(
            "--basis", default="", metavar="TEXT",
            help="Why the chip is said to be designed or marketed for data centres, or not.",
        ),
    )  # fmt: skip

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - click passes what it parsed
        given = {name: kwargs.pop(name) for name in _NAMES}
        return command(*args, given=given, **kwargs)

    return functools.reduce(lambda inner, option: option(inner), reversed(options), wrapped)  # type: ignore[return-value]


def transaction_of(given: dict[str, Any], on: dt.date) -> "Transaction":
    """The transaction that the options describe.

    Raises:
        InputError: A fact that is not written NAME=WORD, or given twice; a number that is none.
    """
    from weir.core.units import GIGA
    from weir.rules.transaction import Transaction

    flags: dict[str, str] = {}
    for item in given["flags"]:
        name, separator, word = item.partition("=")
        if not separator:
            raise InputError(f"--fact {item}: write NAME=yes, or no, contested or unknown")
        if flags.get(name, word) != word:
            raise InputError(f"--fact {name} is given as {flags[name]} and as {word}; give one")
        flags[name] = word
    return Transaction(
        destination=given["destination"],
        on=on,
        kind=given["kind"],
        origin=given["origin"],
        exporter=given["exporter"],
        exporter_headquarters=given["exporter_hq"],
        consignee_headquarters=given["hq"],
        ultimate_parent_headquarters=given["parent_hq"],
        flags=flags,
        certifications=tuple(given["certifications"]) or None,
        listed_ownership=_share("--listed-ownership", given["listed_ownership"]),
        transistors=_range("--transistors", given["transistors"], GIGA),
        completion_year=given["completion_year"],
        datacentre_basis=given["basis"],
    )


def _share(option: str, text: str | None) -> tuple[float, float]:
    """Percent as a share; none where nothing is given.

    Raises:
        InputError: No number, or more than a whole.
    """
    from weir.core.units import UNITS

    low, high = _range(option, text or "0", UNITS["percent"].factor)
    if high > 1:
        raise InputError(f"{option} {text}: a share is at most 100 percent")
    return low, high


def _range(option: str, text: str | None, factor: float) -> tuple[float, float]:
    """A number or a range LOW..HIGH; NaN where nothing is given.

    Raises:
        InputError: Neither.
    """
    if text is None:
        return math.nan, math.nan
    low, _, high = text.partition("..")
    try:
        bounds = float(low) * factor, float(high or low) * factor
    except ValueError:
        raise InputError(f"{option} {text}: write a number or a range LOW..HIGH") from None
    if not 0 <= bounds[0] <= bounds[1] < math.inf:
        raise InputError(f"{option} {text}: write LOW..HIGH, neither negative, the lower first")
    return bounds
