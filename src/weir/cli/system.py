"""`weir system`: the nodes, racks and pods that chips sit in."""

from pathlib import Path

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import output_options
from weir.cli.output import Output


@click.group()
def system() -> None:
    """Show and list systems: nodes, racks and pods; every fact with its source and status."""


@system.command()
@click.argument("name")
@output_options
@click.pass_context
def show(
    ctx: click.Context, name: str, style: str | None, html: Path | None, output: Path | None
) -> None:
    """Print everything known about the system NAME, and what is not."""
    target = Output.checked(style, html, output)
    from weir.answers.system_sheet import system_sheet
    from weir.report.system_sheet import system_document

    catalog = catalog_of(ctx)
    sheet = system_sheet(catalog.systems.get(name), catalog)
    target.deliver(system_document(sheet), sheet)


@system.command("list")
@click.option("--chip", help="Only systems that are made of this chip.")
@output_options
@click.pass_context
def list_systems(
    ctx: click.Context,
    chip: str | None,
    style: str | None,
    html: Path | None,
    output: Path | None,
) -> None:
    """List the systems of the catalogue."""
    target = Output.checked(style, html, output)
    from weir.report.system_sheet import system_list_document

    catalog = catalog_of(ctx)
    wanted = None if chip is None else catalog.chip(chip).id
    systems = [item for item in catalog.systems.all() if wanted is None or item.chip == wanted]
    target.deliver(system_list_document(systems, catalog.data_version), systems)
