"""`weir check`: what the published law says of a chip in a transaction on a day."""

import datetime as dt
from pathlib import Path
from typing import Any

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import on_option, output_options
from weir.cli.output import Output
from weir.cli.overlay import law_of, overlay_options
from weir.cli.transaction import transaction_of, transaction_options


@click.command()
@click.argument("chip")
@transaction_options
@on_option
@overlay_options
@click.option("--trace", is_flag=True, help="Also show every step of the evaluation.")
@output_options
@click.pass_context
def check(
    ctx: click.Context,
    chip: str,
    given: dict[str, Any],
    on: dt.date,
    changed: dict[str, Any],
    trace: bool,
    style: str | None,
    html: Path | None,
    output: Path | None,
) -> None:
    """Determine CHIP's classification, licence requirement, review policy and margins."""
    target = Output.checked(style, html, output)
    from dataclasses import replace

    from weir.answers.authorities import authorities
    from weir.answers.classify import determine
    from weir.answers.datasheet import cited_sources
    from weir.report.determination import determination_document, trace_section

    catalog = catalog_of(ctx)
    law = law_of(changed)
    answer = determine(catalog.chip(chip), transaction_of(given, on), law, trace=trace)
    cited = authorities(answer, law)
    citations = (*answer.sources, *(source for sources in cited.values() for source in sources))
    document = determination_document(answer, cited_sources(citations, catalog), cited)
    if trace:
        document = replace(document, sections=(*document.sections, trace_section(answer)))
    target.deliver(document, answer)
