"""`weir plan`: the best deployment of a model on each chip, and the smallest fleet."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import output_options
from weir.cli.output import Output
from weir.cli.progress import Progress
from weir.cli.serving_options import (
    deployment_of,
    draft_options,
    expert_options,
    format_options,
    spread_options,
    spreads_of,
    tell_context,
)
from weir.core.defaults import DEFAULT_ISL, DEFAULT_OSL
from weir.core.errors import InputError

if TYPE_CHECKING:
    from weir.answers.planning import Wanted
    from weir.catalog.traces import Trace
    from weir.perf.serving import Workload

# What a trace brings along.
_OF_TRACE = ("isl", "osl", "isl_cv", "osl_cv", "prefix_hit_rate")


@click.command()
@click.argument("model")
@click.option(
    "--on-chips", required=True, metavar="A,B", help="Chips to choose among, commas between them."
)
@click.option("--isl", type=int, help=f"Input tokens of a request.  [default: {DEFAULT_ISL}]")
@click.option("--osl", type=int, help=f"Output tokens.  [default: {DEFAULT_OSL}]")
@spread_options
@click.option("--prefix-hit-rate", type=float, help="Share of prompt tokens found in a cache.")
@click.option(
    "--trace",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Take lengths, hits and load from recorded requests, and run them on the fleet.",
)
@click.option("--skip-broken", is_flag=True, help="Leave broken lines of the trace out.")
@click.option("--ttft", type=float, metavar="S", help="Longest mean time to first token.")
@click.option("--tpot", type=float, metavar="S", help="Longest mean time per output token.")
@click.option("--sure", is_flag=True, help="Hold both at the upper end of the 80 % interval.")
@click.option(
    "--target",
    "objective",
    type=click.Choice(["throughput", "cost", "energy", "chips"]),
    default="throughput",
    show_default=True,
    help="What to choose by: the most throughput, or the least of the others.",
)
@click.option("--load", type=float, metavar="REQ_PER_S", help="Requests per second to carry.")
@click.option(
    "--most-chips", type=int, default=32, show_default=True, help="Chips of the largest replica."
)
@click.option(
    "--compare/--no-compare",
    default=True,
    help="Find where the best two chips change places (on where there are two).",
)
@click.option("--prefill-on", metavar="CHIP", help="Also with prompts on chips of this kind.")
@format_options
@draft_options
@expert_options
@output_options
@click.pass_context
def plan(
    ctx: click.Context,
    /,
    model: str,
    style: str | None,
    html: Path | None,
    output: Path | None,
    **given: Any,  # noqa: ANN401 - click passes what it parsed
) -> None:
    """Plan how to serve MODEL: best layout and batch on each chip, smallest fleet, cost, power."""
    target = Output.checked(style, html, output)
    _check_positive({f"--{name}": given[name] for name in ("ttft", "tpot", "load")})
    from weir.answers.datasheet import cited_sources
    from weir.answers.planning import planning, steps_of
    from weir.report.plan import plan_document

    recorded = _trace(given["trace"], skip_broken=given["skip_broken"])
    work, rate = _workload(given, recorded)
    wanted = _wanted(given, work, rate)
    catalog = catalog_of(ctx)
    tell_context(catalog.model(model), work.longest_tokens)
    compare = given["compare"]
    with Progress(steps_of(wanted, compare=compare, has_trace=recorded is not None)) as bar:
        answer = planning(
            model, wanted, catalog, trace=recorded, compare=compare, progress=bar.step
        )
    sources = cited_sources(answer.sources, catalog)
    target.deliver(plan_document(answer, sources), answer)


def _wanted(given: Mapping[str, Any], work: "Workload", rate: float | None) -> "Wanted":
    """What the options ask for; the load of a trace where no other is given."""
    from weir.answers.plan import Target
    from weir.answers.planning import Wanted

    return Wanted(
        chips=_names(given["on_chips"]),
        workload=work,
        target=Target(
            ttft_s=math.inf if given["ttft"] is None else given["ttft"],
            tpot_s=math.inf if given["tpot"] is None else given["tpot"],
            is_sure=given["sure"],
        ),
        objective=given["objective"],
        requests_per_s=rate if given["load"] is None else given["load"],
        deployment=deployment_of(given),
        most_chips=given["most_chips"],
        prefill_on=given["prefill_on"],
    )


def _check_positive(given: dict[str, float | None]) -> None:
    """Refuses what is no finite number above 0.

    Raises:
        InputError: With the option.
    """
    for name, value in given.items():
        if value is not None and not 0.0 < value < math.inf:
            raise InputError(f"{name} is {value}; use a number above 0, or leave it out")


def _names(text: str) -> tuple[str, ...]:
    """The chips of a list, each once.

    Raises:
        InputError: No name in it.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise InputError("--on-chips names no chip; write --on-chips H20,H800")
    return names


def _trace(path: Path | None, *, skip_broken: bool) -> "Trace | None":
    if path is None:
        if skip_broken:
            raise InputError("--skip-broken needs --trace: it leaves broken lines of a trace out")
        return None
    from weir.cli.recorded import read

    return read(path, skip_broken=skip_broken)


def _workload(given: Mapping[str, Any], trace: "Trace | None") -> "tuple[Workload, float | None]":
    """The requests and, from a trace with times, the load.

    Raises:
        InputError: Lengths given twice, or that are no lengths.
    """
    from weir.answers.planning import workload_of
    from weir.perf.serving import Workload

    if trace is not None:
        if any(given[name] is not None for name in _OF_TRACE):
            raise InputError(
                "--trace brings its own lengths and prefix hits; leave out --isl, --osl, --isl-cv,"
                " --osl-cv and --prefix-hit-rate, or leave out --trace"
            )
        return workload_of(trace)
    isl, osl = given["isl"], given["osl"]
    lengths = {
        "--isl": DEFAULT_ISL if isl is None else isl,
        "--osl": DEFAULT_OSL if osl is None else osl,
    }
    for name, value in lengths.items():
        if value < 1:
            raise InputError(f"{name} is {value}; use a number of tokens of at least 1")
    hits = given["prefix_hit_rate"] or 0.0
    if not 0.0 <= hits < 1.0:
        raise InputError(f"--prefix-hit-rate is {hits}; use a share from 0 up to below 1")
    spreads = spreads_of(given["isl_cv"], given["osl_cv"])
    return Workload(lengths["--isl"], lengths["--osl"], hits, *spreads), None
