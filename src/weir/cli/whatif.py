"""`weir whatif`: what a changed rule would catch and let go, and whom it would hit beside."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import on_option, output_options
from weir.cli.output import Output
from weir.cli.overlay import overlay_options, overlays_of
from weir.cli.transaction import transaction_of, transaction_options
from weir.core.errors import InputError

if TYPE_CHECKING:
    from weir.answers.law_map import LawMap
    from weir.catalog.law import Law, Overlay
    from weir.rules.inputs import ChipInputs
    from weir.rules.transaction import Transaction


@click.command()
@click.argument("chips", nargs=-1)
@overlay_options
@transaction_options
@on_option
@output_options
@click.pass_context
def whatif(
    ctx: click.Context,
    chips: tuple[str, ...],
    changed: dict[str, Any],
    given: dict[str, Any],
    on: dt.date,
    style: str | None,
    html: Path | None,
    output: Path | None,
) -> None:
    """Compare a changed law with the law as it is, for CHIPS or the whole catalogue.

    Changes come from --set, --rules and --assume-enforced and are laid over each other: files
    first, then what is assumed enforced, then single changes.
    """
    target = Output.checked(style, html, output)
    from weir.answers.changes import inputs_of
    from weir.answers.whatif import what_if
    from weir.catalog.law_stock import stock_law
    from weir.report.whatif import whatif_document

    law = stock_law()
    overlays = overlays_of(changed, law)
    if not overlays:
        raise InputError(
            "say what to change: --set PATH=VALUE, --rules FILE or --assume-enforced ID; "
            "'weir law show ID' lists the paths"
        )
    catalog, transaction = catalog_of(ctx), transaction_of(given, on)
    every = catalog.chips.all()
    asked = [catalog.chip(name) for name in chips]
    answer = what_if(inputs_of(asked or every), transaction, law, *overlays)
    maps = _maps(inputs_of(every), transaction, law, overlays) if html is not None else []
    document = whatif_document(answer, [chip.id for chip in asked], maps)
    target.deliver(document, answer)


def _maps(
    chips: Sequence["ChipInputs"],
    transaction: "Transaction",
    law: "Law",
    overlays: Sequence["Overlay"],
) -> list[tuple[str, "LawMap"]]:
    from weir.answers.law_map import MEMORY, law_map, rule_axis
    from weir.rules.parameters import apply_overlay

    new = apply_overlay(law, *overlays)
    found = []
    for y in (rule_axis(law, transaction.on), MEMORY):
        before = law_map(chips, transaction, law, y)
        after = law_map(chips, transaction, new, y)
        found.append(("Under the change", after))
        if before != after:
            found.append(("The law as it is", before))
    return found
