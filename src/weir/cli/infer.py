"""`weir infer`: one deployment of one model, with what bounds it and what moves it."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import output_options
from weir.cli.output import Output
from weir.cli.serving_options import (
    DEGREES,
    deployment_of,
    draft_options,
    expert_options,
    format_options,
    layout_of,
    layout_options,
    length_options,
    spread_options,
    spreads_of,
    tell_context,
)
from weir.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weir.answers.estimate import Estimate
    from weir.answers.placement import Deployment
    from weir.catalog.query import Catalog
    from weir.report.document import Section


@click.command()
@click.argument("chip")
@click.argument("model")
@click.option("--chips", type=int, help="Chips of one replica; the fewest sensible if left out.")
@length_options
@click.option(
    "--prefix-hit-rate",
    type=float,
    default=0.0,
    show_default=True,
    help="Share of prompt tokens found in a cache.",
)
@spread_options
@click.option(
    "--users",
    type=float,
    help="Requests under way at a time; 32 if left out, or as many as the chips hold.",
)
@click.option("--rate", type=float, metavar="REQ_PER_S", help="Also at this rate of arrivals.")
@click.option("--prefill-chips", type=int, metavar="N", help="Also with N chips that only prefill.")
@click.option("--prefill-chip", help="The kind of these chips; the same if left out.")
@click.option("--layouts", is_flag=True, help="Also every other legal layout on these chips.")
@click.option("--usd-per-hour", type=float, help="Price of a chip for an hour.")
@layout_options
@format_options
@draft_options
@expert_options
@output_options
@click.pass_context
def infer(
    ctx: click.Context,
    /,
    chip: str,
    model: str,
    style: str | None,
    html: Path | None,
    output: Path | None,
    **given: Any,  # noqa: ANN401 - click passes what it parsed
) -> None:
    """Estimate how MODEL runs on CHIP: TTFT, TPOT, tokens/s, memory, energy, cost, bottleneck."""
    target = Output.checked(style, html, output)
    if given["prefill_chip"] is not None and given["prefill_chips"] is None:
        raise InputError("--prefill-chip needs --prefill-chips: say how many")
    from weir.answers.datasheet import cited_sources
    from weir.answers.estimate import estimate
    from weir.perf.serving import Workload
    from weir.report.estimate import estimate_document

    catalog = catalog_of(ctx)
    layout = layout_of({name: given[name] for name in DEGREES}, given["chips"])
    deployment = replace(deployment_of(given), chips=given["chips"], layout=layout)
    spreads = spreads_of(given["isl_cv"], given["osl_cv"])
    work = Workload(given["isl"], given["osl"], given["prefix_hit_rate"], *spreads)
    tell_context(catalog.model(model), work.longest_tokens)
    answer = estimate(
        chip,
        model,
        deployment,
        work,
        catalog,
        users=given["users"],
        usd_per_chip_hour=given["usd_per_hour"],
    )
    closer = dict(_closer(answer, deployment, catalog, given))
    sources = cited_sources(answer.sources, catalog)
    document = estimate_document(answer, sources, catalog.data_version)
    added = tuple(section for section, _ in closer.values())
    seen, bounds, *rest = document.sections
    document = replace(document, sections=(seen, bounds, *added, *rest))
    plain = {field.name: getattr(answer, field.name) for field in fields(answer)}
    target.deliver(document, {**plain, **{name: item for name, (_, item) in closer.items()}})


def _closer(
    answer: "Estimate", deployment: "Deployment", catalog: "Catalog", given: Mapping[str, Any]
) -> "Iterator[tuple[str, tuple[Section, object]]]":
    """What else was asked for: its name, its section and its data."""
    from weir.answers.closer import apart, at_rate, other_layouts
    from weir.answers.levers import levers
    from weir.report.closer import apart_section, layout_section, lever_section, rate_section

    if given["rate"] is not None:
        rate = at_rate(answer, deployment, catalog, given["rate"])
        yield "at_rate", (rate_section(rate), rate)
    if given["prefill_chips"] is not None:
        split = apart(answer, deployment, catalog, given["prefill_chips"], given["prefill_chip"])
        yield "apart", (apart_section(split), split)
    if given["layouts"]:
        others = other_layouts(answer, deployment, catalog)
        yield "layouts", (layout_section(others, answer.users), others)
    moved = levers(answer, deployment, catalog)
    yield "levers", (lever_section(moved), moved)
