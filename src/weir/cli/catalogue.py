"""The catalogue a command works on: the stock and the folders the user named."""

from pathlib import Path

import click

from weir.catalog.query import Catalog


def catalog_of(ctx: click.Context) -> Catalog:
    """The catalogue for this command line, `--data` folders over `WEIR_DATA` over the stock.

    What is broken in those folders, so that the answer does without it, is told on standard error.
    """
    catalog = Catalog.from_environment(*(Path(folder) for folder in ctx.find_root().obj or ()))
    ctx.call_on_close(lambda: _tell(catalog))
    return catalog


def _tell(catalog: Catalog) -> None:
    for problem in catalog.problems:
        click.echo(f"weir: left out {problem.path}: {problem.message}", err=True)
