"""`weir chip`: datasheets with a source at every number."""

from pathlib import Path

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import check_writable, emit, output_option, output_options
from weir.cli.folder import add_records
from weir.cli.output import Output
from weir.core.errors import InputError, OutputError


@click.group()
def chip() -> None:
    """Show, list, compare and add chips; every number with its source and status."""


@chip.command()
@click.argument("name")
@output_options
@click.pass_context
def show(
    ctx: click.Context, name: str, style: str | None, html: Path | None, output: Path | None
) -> None:
    """Print everything known about the chip NAME, and what is not."""
    target = Output.checked(style, html, output)
    from weir.answers.datasheet import datasheet
    from weir.report.datasheet import datasheet_document

    catalog = catalog_of(ctx)
    sheet = datasheet(catalog.chip(name), catalog)
    target.deliver(datasheet_document(sheet), sheet)


@chip.command("list")
@click.option("--designer", help="Only chips of this designer.")
@click.option("--generation", help="Only chips of this generation, such as hopper.")
@output_options
@click.pass_context
def list_chips(
    ctx: click.Context,
    designer: str | None,
    generation: str | None,
    style: str | None,
    html: Path | None,
    output: Path | None,
) -> None:
    """List the chips of the catalogue."""
    target = Output.checked(style, html, output)
    from weir.catalog.query import fold
    from weir.report.datasheet import chip_list_document

    catalog = catalog_of(ctx)
    chips = [
        item
        for item in catalog.chips.all()
        if (designer is None or fold(item.designer) == fold(designer))
        and (generation is None or item.generation == generation)
    ]
    target.deliver(chip_list_document(chips, catalog.data_version), chips)


@chip.command()
@click.argument("names", nargs=-1, required=True)
@output_options
@click.pass_context
def compare(
    ctx: click.Context,
    names: tuple[str, ...],
    style: str | None,
    html: Path | None,
    output: Path | None,
) -> None:
    """Put the chips NAMES beside each other."""
    target = Output.checked(style, html, output)
    from weir.answers.datasheet import compare as compare_chips
    from weir.report.datasheet import comparison_document

    catalog = catalog_of(ctx)
    comparison = compare_chips([catalog.chip(name) for name in names], catalog)
    target.deliver(comparison_document(comparison), comparison)


@chip.command()
@click.argument("identifier", metavar="ID")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write it as a record of your own data folder.",
)
@output_option("Write it to a new file, named ID.toml.")
@click.pass_context
def new(ctx: click.Context, identifier: str, into: Path | None, output: Path | None) -> None:
    """Write a commented record to fill in for a chip of your own, named ID."""
    if into is not None and output is not None:
        raise InputError("--into and --output both say where to write; give one")
    check_writable(output)
    from weir.answers.template import checked_identifier, chip_template

    name = checked_identifier(identifier)
    if output is not None and output.name != f"{name}.toml":
        raise OutputError(
            f"a record is found by its file name: write to {output.with_name(f'{name}.toml')}"
        )
    generations = {item.generation for item in catalog_of(ctx).chips.all()}
    text = chip_template(name, generations)
    path = output if into is None else into / "chips" / f"{name}.toml"
    if path is None:
        emit(text, None)
    else:
        add_records({path: text})
