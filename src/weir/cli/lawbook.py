"""`weir law`: the instruments as a readable reference."""

import datetime as dt
from pathlib import Path

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import on_option, output_options
from weir.cli.output import Output


@click.group()
def law() -> None:
    """Read the law: rules, letters, practice, bills, each with its text, dates and cases."""


@law.command("list")
@click.option("--kind", default="", metavar="KIND", help="Only one kind: rule, letter, bill …")
@click.option("--in-force", is_flag=True, help="Only those of which something is in force.")
@on_option
@output_options
def list_law(
    kind: str,
    in_force: bool,
    on: dt.date,
    style: str | None,
    html: Path | None,
    output: Path | None,
) -> None:
    """List the instruments and where each stands on a day."""
    target = Output.checked(style, html, output)
    from weir.answers.lawbook import lawbook
    from weir.catalog.law_stock import stock_law
    from weir.report.law import lawbook_document

    answer = lawbook(stock_law(), on, kind, in_force=in_force)
    target.deliver(lawbook_document(answer), answer)


@law.command()
@click.argument("name", metavar="ID")
@on_option
@output_options
@click.pass_context
def show(
    ctx: click.Context,
    name: str,
    on: dt.date,
    style: str | None,
    html: Path | None,
    output: Path | None,
) -> None:
    """Print the instrument ID, or that which made the provision ID, in full."""
    target = Output.checked(style, html, output)
    from weir.answers.datasheet import cited_sources
    from weir.answers.lawbook import law_entry
    from weir.catalog.law_stock import stock_law
    from weir.report.law import law_document

    answer = law_entry(stock_law(), name, on)
    sources = cited_sources(answer.sources, catalog_of(ctx))
    target.deliver(law_document(answer, sources), answer)
