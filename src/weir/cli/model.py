"""`weir model`: language models, counted from their architecture."""

from pathlib import Path

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import output_options
from weir.cli.output import Output


@click.group()
def model() -> None:
    """Show and list language models; sizes are counted from the architecture."""


@model.command()
@click.argument("name")
@output_options
@click.pass_context
def show(
    ctx: click.Context, name: str, style: str | None, html: Path | None, output: Path | None
) -> None:
    """Print the architecture of the model NAME and what follows from it."""
    target = Output.checked(style, html, output)
    from weir.answers.model_card import model_card
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
    from weir.answers.model_card import model_card
    from weir.report.model_card import model_list_document

    catalog = catalog_of(ctx)
    cards = [model_card(item, catalog) for item in catalog.models.all()]
    target.deliver(model_list_document(cards, catalog.data_version), cards)
