"""`weir assess`: legality and performance in one answer."""

import datetime as dt
from pathlib import Path
from typing import Any

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import on_option, output_options
from weir.cli.output import Output
from weir.cli.serving_options import length_options, tell_context
from weir.cli.transaction import transaction_of, transaction_options


@click.command()
@click.argument("chip")
@transaction_options
@on_option
@click.option("--model", help="The model to serve; only legality if left out.")
@length_options
@click.option("--beside", multiple=True, metavar="CHIP", help="A chip beside it (repeatable).")
@output_options
@click.pass_context
def assess(
    ctx: click.Context,
    chip: str,
    given: dict[str, Any],
    on: dt.date,
    model: str | None,
    isl: int,
    osl: int,
    beside: tuple[str, ...],
    style: str | None,
    html: Path | None,
    output: Path | None,
) -> None:
    """Say what CHIP is, whether it may be sold, and what it can do on a model."""
    target = Output.checked(style, html, output)
    from weir.answers.assess import BESIDE
    from weir.answers.assess import assess as assess_chip
    from weir.catalog.law_stock import stock_law
    from weir.perf.serving import Workload
    from weir.report.assess import assessment_document

    catalog = catalog_of(ctx)
    work = Workload(isl=isl, osl=osl)
    served = None if model is None else catalog.model(model)
    if served is not None:
        tell_context(served, work.longest_tokens)
    answer = assess_chip(
        catalog.chip(chip),
        transaction_of(given, on),
        catalog,
        stock_law(),
        model=served,
        workload=work,
        beside=beside or BESIDE,
        pictures=html is not None,
    )
    target.deliver(assessment_document(answer), answer)
