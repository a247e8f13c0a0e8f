"""`weir model`: language models, counted from their architecture."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import Day, check_writable, emit, output_option, output_options
from weir.cli.folder import add_records
from weir.cli.output import Output
from weir.core.errors import InputError

if TYPE_CHECKING:
    from weir.answers.models.importing import ImportedModel
    from weir.answers.models.reading import ReadModel


@click.group()
def model() -> None:
    """Show, list and import language models; sizes are counted from the architecture."""


@model.command()
@click.argument("name")
@output_options
@click.pass_context
def show(
    ctx: click.Context, name: str, style: str | None, html: Path | None, output: Path | None
) -> None:
    """Print the architecture of the model NAME and what follows from it."""
    target = Output.checked(style, html, output)
    from weir.answers.models.card import model_card
    from weir.report.model_card import model_document

    catalog = catalog_of(ctx)
    card = model_card(catalog.model(name), catalog)
    target.deliver(model_document(card), card)


@model.command("list")
@output_options
@click.pass_context
def list_models(
    ctx: click.Context, style: str | None, html: Path | None, output: Path | None
) -> None:
    """List the models of the catalogue."""
    target = Output.checked(style, html, output)
    from weir.answers.models.card import model_card
    from weir.report.model_card import model_list_document

    catalog = catalog_of(ctx)
    cards = [model_card(item, catalog) for item in catalog.models.all()]
    target.deliver(model_list_document(cards, catalog.data_version), cards)


@model.command("import")
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", help="Name of the model, such as Qwen/Qwen3-8B; else the file's own.")
@click.option("--organisation", default="unknown", help="Who published it.")
@click.option("--url", help="Where the configuration was read.")
@click.option(
    "--on",
    type=Day(),
    default="today",
    show_default=True,
    metavar="DATE",
    help="The day on which it was read.",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the model and its source as records of your own data folder.",
)
@output_option("Write the model record alone to a file.")
def import_model(
    config: Path,
    name: str | None,
    organisation: str,
    url: str | None,
    on: dt.date,
    into: Path | None,
    output: Path | None,
) -> None:
    """Turn CONFIG, the config.json of a Hugging Face model, into a model record."""
    check_writable(output)
    if into is not None and output is not None:
        raise InputError("--into and --output both say where to write; give one")
    from weir.answers.models.reading import read_model
    from weir.catalog.files import read_text

    read = read_model(
        read_text(config), config, name=name, organisation=organisation, accessed=on, url=url
    )
    if into is None:
        emit(read.imported.record_toml, output)
    else:
        _write_records(read.imported, into)
    for line in _remarks(read):
        click.echo(line, err=True)


def _remarks(read: "ReadModel") -> list[str]:
    """What was counted, and what a reader must know before trusting the record."""
    from weir.core.units import GIGA, KILO

    size = (
        f"counted: {read.total_parameters / GIGA:,.3f} billion parameters, "
        f"{read.active_parameters / GIGA:,.3f} billion of them active, "
        f"{read.kv_bytes_per_token / KILO:,.3f} kB of KV cache per token in bf16"
    )
    return [size, *(f"note: {warning}" for warning in read.imported.warnings)]


def _write_records(found: "ImportedModel", into: Path) -> None:
    """The model and the source that it cites."""
    if not found.id:
        raise InputError("the model has no name that could name a file; give one with --name")
    add_records(
        {
            into / "models" / f"{found.id}.toml": found.record_toml,
            into / "sources" / f"hf-{found.id}-config.toml": found.source_toml,
        }
    )
