"""The catalogue a command works on: the stock and the folders the user named."""

from pathlib import Path

import click

from weir.catalog.query import Catalog


def catalog_of(ctx: click.Context) -> Catalog:
    """The catalogue for this command line, `--data` folders over `WEIR_DATA` over the stock."""
    return Catalog.from_environment(*(Path(folder) for folder in ctx.find_root().obj or ()))
