"""`weir check`: what the published law says of a chip in a transaction on a day."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import on_option, output_options
from weir.cli.output import Output
from weir.cli.overlay import law_of, overlay_options
from weir.cli.transaction import transaction_of, transaction_options

if TYPE_CHECKING:
    from weir.catalog.law import Law
    from weir.catalog.query import Catalog
    from weir.report.document import Section
    from weir.rules.determination import Determination
    from weir.rules.transaction import Transaction

_LAW_ENDS: Final = 3  # inputs, clauses and requirements come before the maps


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
    from dataclasses import fields, replace

    from weir.answers.authorities import authorities
    from weir.answers.classify import determine
    from weir.answers.datasheet import cited_sources
    from weir.report.determination import determination_document, trace_section

    catalog = catalog_of(ctx)
    law, transaction = law_of(changed), transaction_of(given, on)
    answer = determine(catalog.chip(chip), transaction, law, trace=trace)
    cited = authorities(answer, law)
    citations = (*answer.sources, *(source for sources in cited.values() for source in sources))
    document = determination_document(answer, cited_sources(citations, catalog), cited)
    if html is not None:
        section = _map_section(answer, catalog, transaction, law)
        parts = document.sections
        document = replace(document, sections=(*parts[:_LAW_ENDS], section, *parts[_LAW_ENDS:]))
    if trace:
        document = replace(document, sections=(*document.sections, trace_section(answer)))
    plain = {field.name: getattr(answer, field.name) for field in fields(answer)}
    target.deliver(document, {**plain, "authorities": cited})


def _map_section(
    answer: "Determination", catalog: "Catalog", transaction: "Transaction", law: "Law"
) -> "Section":
    """The chip among all others, against the lines of the law of the day."""
    from weir.answers.changes import inputs_of
    from weir.answers.law_map import MEMORY, law_map, rule_axis
    from weir.report.document import Section
    from weir.report.maps import map_picture

    chips = inputs_of(catalog.chips.all())
    pictures = [
        map_picture(
            law_map(chips, transaction, law, y),
            f"map-{number}",
            f"{answer.chip} against the lines of the law",
            {answer.chip_id},
        )
        for number, y in enumerate((rule_axis(law, transaction.on), MEMORY), start=1)
    ]
    return Section("Where the chip lies", tuple(pictures))
