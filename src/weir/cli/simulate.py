"""`weir simulate`: one deployment under a trace or a random load, request by request."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import output_options
from weir.cli.output import Output
from weir.cli.progress import Progress
from weir.cli.serving_options import (
    DEGREES,
    format_options,
    layout_of,
    layout_options,
    tell_context,
)
from weir.core.defaults import DEFAULT_ISL, DEFAULT_OSL
from weir.core.errors import InputError

if TYPE_CHECKING:
    from weir.answers.simulate import Fleet, Simulated
    from weir.sim.outcome import ServiceLevels
    from weir.sim.workload import Arrivals, ClosedLoop, Lengths, Requests

_COUNT = 1000


@click.command()
@click.argument("model")
@click.option("--chip", required=True, help="The chip; for prefill where --decode-chip is given.")
@click.option("--chips", type=int, help="Chips of one replica; the fewest sensible if left out.")
@click.option("--replicas", type=int, default=1, show_default=True, help="Equal replicas.")
@click.option("--decode-chip", help="Decode on replicas of their own, of this chip.")
@click.option("--decode-chips", type=int, help="Chips of one decode replica.")
@click.option("--decode-replicas", type=int, default=1, show_default=True, help="How many.")
@click.option(
    "--trace",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Recorded requests: Azure LLM, Mooncake, BurstGPT, Vidur or pairs of lengths.",
)
@click.option("--skip-broken", is_flag=True, help="Leave broken lines of the trace out.")
@click.option("--speed-up", type=float, metavar="X", help="Divide the trace's times by X.")
@click.option("--rate", type=float, metavar="REQ_PER_S", help="Random arrivals at this rate.")
@click.option(
    "--burstiness",
    type=float,
    metavar="CV",
    help="Coefficient of variation of the gaps: 1 is Poisson (the default), 0 a fixed beat.",
)
@click.option("--users", type=int, help="A closed loop of so many users instead of a rate.")
@click.option("--count", type=int, help=f"Requests; the whole trace, or {_COUNT:,} if left out.")
@click.option("--isl", type=int, help=f"Mean input tokens.  [default: {DEFAULT_ISL}]")
@click.option("--osl", type=int, help=f"Mean output tokens.  [default: {DEFAULT_OSL}]")
@click.option(
    "--spread", type=float, metavar="CV", help="Lognormal lengths with this variation; 0 is fixed."
)
@click.option("--prefix-hit-rate", type=float, help="Share of each prompt found in a cache.")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same requests.")
@click.option("--policy", help="Scheduling policy; what the framework does if left out.")
@click.option("--max-sequences", type=int, help="Sequences of a replica at once.")
@click.option("--ttft", type=float, metavar="S", help="Service level: longest TTFT.")
@click.option("--tpot", type=float, metavar="S", help="Service level: longest TPOT.")
@click.option("--e2e", type=float, metavar="S", help="Service level: longest request.")
@layout_options
@format_options
@output_options
@click.pass_context
def simulate(
    ctx: click.Context,
    /,
    model: str,
    style: str | None,
    html: Path | None,
    output: Path | None,
    **given: Any,  # noqa: ANN401 - click passes what it parsed
) -> None:
    """Simulate MODEL under a trace or a random load: TTFT, TPOT and ITL with their tails."""
    target = Output.checked(style, html, output)
    from weir.answers.datasheet import cited_sources
    from weir.answers.simulate import simulate as run
    from weir.report.simulate import simulation_document

    levels = _levels(given)
    fleet, other = _fleets(given)
    requests = _requests(given)
    catalog = catalog_of(ctx)
    tell_context(
        catalog.model(model), float((requests.prompt_tokens + requests.output_tokens).max())
    )
    with Progress(1):
        answer = run(
            fleet, model, requests, catalog, decode=other, policy=given["policy"], levels=levels
        )
    sources = cited_sources(answer.sources, catalog)
    document = simulation_document(answer, requests, levels, sources, catalog.data_version)
    target.deliver(document, _columns(answer))


def _columns(answer: "Simulated") -> dict[str, object]:
    """The answer for JSON: requests as columns, without the log of single steps."""
    plain = {f.name: getattr(answer, f.name) for f in fields(answer) if f.name != "outcome"}
    return {**plain, "per_request": answer.outcome.columns()}


def _levels(given: Mapping[str, Any]) -> "ServiceLevels":
    """The service levels.

    Raises:
        InputError: One that no request could meet.
    """
    from weir.sim.outcome import ServiceLevels

    for name in ("ttft", "tpot", "e2e"):
        value = given[name]
        if value is not None and not value > 0:
            raise InputError(f"--{name} is {value}; use a number of seconds above 0")
    return ServiceLevels(given["ttft"], given["tpot"], given["e2e"])


def _fleets(given: Mapping[str, Any]) -> "tuple[Fleet, Fleet | None]":
    """The replicas, and those that only decode where there are any.

    Raises:
        InputError: Options of decode replicas without them, or counts that are no counts.
    """
    from weir.answers.placement import Deployment
    from weir.answers.simulate import Fleet

    formats = {name: given[name] for name in ("framework", "weights", "kv_cache")}
    for name in ("chips", "decode_chips"):
        if given[name] is not None and given[name] < 1:
            option = name.replace("_", "-")
            raise InputError(f"--{option} is {given[name]}; use a number of at least 1")
    layout = layout_of({name: given[name] for name in DEGREES}, given["chips"])
    held = given["max_sequences"]
    one = Deployment(given["chips"], layout, **formats)
    fleet = Fleet(given["chip"], one, given["replicas"], held)
    if given["decode_chip"] is None:
        if given["decode_chips"] is not None or given["decode_replicas"] != 1:
            raise InputError("--decode-chips and --decode-replicas need --decode-chip")
        return fleet, None
    apart = Deployment(given["decode_chips"], None, **formats)
    return fleet, Fleet(given["decode_chip"], apart, given["decode_replicas"], held)


def _requests(given: Mapping[str, Any]) -> "Requests":
    """The load: a trace, or drawn.

    Raises:
        InputError: Options that do not go together, or a number that makes no sense.
        RecordError: A trace that cannot be used.
    """
    from weir.sim.workload import from_trace, generate

    arrivals = _arrivals(given)
    if given["count"] is not None and given["count"] < 1:
        raise InputError(f"--count is {given['count']}; use a number of at least 1")
    if given["trace"] is None:
        _refuse(given, ("skip_broken", "speed_up"), "--trace, which is left out")
        if arrivals is None:
            raise InputError(
                "no load is given; use --trace FILE, or --rate REQ_PER_S, or --users N"
            )
        return generate(
            arrivals,
            _lengths(given, "isl", DEFAULT_ISL),
            _lengths(given, "osl", DEFAULT_OSL),
            _COUNT if given["count"] is None else given["count"],
            seed=given["seed"],
            prefix_hit_rate=given["prefix_hit_rate"] or 0.0,
        )
    for name in ("isl", "osl", "spread"):
        if given[name] is not None:
            raise InputError(f"--trace brings its own lengths; leave out --{name} or --trace")
    from weir.cli.recorded import read

    if arrivals is not None and given["speed_up"] is not None:
        raise InputError("--speed-up changes the trace's times, which --rate or --users replace")
    return from_trace(
        read(given["trace"], skip_broken=given["skip_broken"]),
        arrivals=arrivals,
        speed_up=1.0 if given["speed_up"] is None else given["speed_up"],
        count=given["count"],
        seed=given["seed"],
        prefix_hit_rate=given["prefix_hit_rate"],
    )


def _refuse(given: Mapping[str, Any], names: tuple[str, ...], missing: str) -> None:
    for name in names:
        if given[name]:
            raise InputError(f"--{name.replace('_', '-')} needs {missing}")


def _arrivals(given: Mapping[str, Any]) -> "Arrivals | ClosedLoop | None":
    from weir.sim.workload import ClosedLoop, Gamma

    rate, users, cv = given["rate"], given["users"], given["burstiness"]
    if rate is not None and users is not None:
        raise InputError("--rate and --users are two kinds of load; give one")
    if cv is not None and rate is None:
        raise InputError("--burstiness needs --rate")
    if users is not None:
        return ClosedLoop(users)
    return None if rate is None else Gamma(rate, 1.0 if cv is None else cv)


def _lengths(given: Mapping[str, Any], name: str, default: int) -> "Lengths":
    from weir.sim.workload import Fixed, LogNormal

    mean = default if given[name] is None else given[name]
    if mean < 1:
        raise InputError(f"--{name} is {mean}; use a number of tokens of at least 1")
    spread = given["spread"] or 0.0
    if spread < 0:
        raise InputError(f"--spread is {spread}; use 0 for equal lengths, or a variation above")
    return LogNormal(mean, spread) if spread else Fixed(mean)
