"""`weir history`: the status of a chip over time, with the instrument behind each change."""

import datetime as dt
from pathlib import Path
from typing import Any

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import Day, on_option, output_options
from weir.cli.output import Output
from weir.cli.overlay import law_of, overlay_options
from weir.cli.transaction import transaction_of, transaction_options


@click.command()
@click.argument("chip")
@transaction_options
@click.option(
    "--since",
    type=Day(),
    metavar="DATE",
    help="First day, YYYY-MM-DD; 2022-01-01 if left out.",
)
@on_option
@overlay_options
@output_options
@click.pass_context
def history(
    ctx: click.Context,
    chip: str,
    given: dict[str, Any],
    since: dt.date | None,
    on: dt.date,
    changed: dict[str, Any],
    style: str | None,
    html: Path | None,
    output: Path | None,
) -> None:
    """Tell when the status of CHIP changed and which instrument changed it.

    The last day is that of --on.
    """
    target = Output.checked(style, html, output)
    from weir.answers.datasheet import cited_sources
    from weir.answers.history import FIRST_DAY
    from weir.answers.history import history as history_of
    from weir.answers.lawbook import sources_of
    from weir.report.history import history_document

    catalog = catalog_of(ctx)
    law = law_of(changed)
    first = since or min(FIRST_DAY, on)
    answer = history_of(catalog.chip(chip), transaction_of(given, on), law, since=first)
    behind = [cause.instrument for period in answer.periods for cause in period.causes]
    cited = sources_of(law, behind)
    sources = cited_sources([item for items in cited.values() for item in items], catalog)
    document = history_document(answer, cited, sources, pictures=html is not None)
    target.deliver(document, answer)
