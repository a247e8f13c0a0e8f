"""`weir infer`: one deployment of one model, with what bounds it."""

from pathlib import Path

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import output_options
from weir.cli.output import Output


@click.command()
@click.argument("chip")
@click.argument("model")
@click.option("--chips", type=int, help="Chips of one replica; the fewest sensible if left out.")
@click.option("--isl", type=int, default=4096, show_default=True, help="Input tokens of a request.")
@click.option("--osl", type=int, default=1536, show_default=True, help="Output tokens.")
@click.option("--users", type=float, help="Requests under way at a time; 32 if left out.")
@click.option("--tp", type=int, default=1, help="Tensor parallel degree.")
@click.option("--pp", type=int, default=1, help="Pipeline stages.")
@click.option("--dp", type=int, default=1, help="Data-parallel attention groups.")
@click.option("--ep", type=int, default=1, help="Expert parallel degree.")
@click.option("--cp", type=int, default=1, help="Context parallel degree.")
@click.option("--framework", default="vllm", show_default=True, help="vllm, sglang, trtllm, plain.")
@click.option("--weights", help="Number format of the weights, such as fp8.")
@click.option("--kv-cache", help="Number format of the attention cache.")
@click.option("--usd-per-hour", type=float, help="Price of a chip for an hour.")
@output_options
@click.pass_context
def infer(
    ctx: click.Context,
    chip: str,
    model: str,
    chips: int | None,
    isl: int,
    osl: int,
    users: float | None,
    tp: int,
    pp: int,
    dp: int,
    ep: int,
    cp: int,
    framework: str,
    weights: str | None,
    kv_cache: str | None,
    usd_per_hour: float | None,
    style: str | None,
    html: Path | None,
    output: Path | None,
) -> None:
    """Estimate how MODEL runs on CHIP: TTFT, TPOT, tokens/s, memory, energy, cost, bottleneck."""
    target = Output.checked(style, html, output)
    from weir.answers.datasheet import cited_sources
    from weir.answers.estimate import estimate
    from weir.answers.placement import Deployment
    from weir.perf.parallel import Layout
    from weir.perf.serving import Workload
    from weir.report.estimate import estimate_document

    catalog = catalog_of(ctx)
    degrees = Layout(tp=tp, pp=pp, dp=dp, ep=ep, cp=cp)
    chosen = degrees if degrees != Layout() or chips == 1 else None
    deployment = Deployment(
        chips=chips, layout=chosen, framework=framework, weights=weights, kv_cache=kv_cache
    )
    answer = estimate(
        chip,
        model,
        deployment,
        Workload(isl=isl, osl=osl),
        catalog,
        users=users,
        usd_per_chip_hour=usd_per_hour,
    )
    sources = cited_sources(answer.sources, catalog)
    target.deliver(estimate_document(answer, sources, catalog.data_version), answer)
