"""Options that describe a deployment and its requests, shared by the commands that serve models."""

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from weir.core.defaults import DEFAULT_ISL, DEFAULT_OSL
from weir.core.errors import InputError

if TYPE_CHECKING:
    from weir.answers.placement import Deployment
    from weir.catalog.entities import Model
    from weir.perf.parallel import Layout
    from weir.perf.step import Drafts

F = TypeVar("F", bound=Callable[..., Any])

DEGREES = ("tp", "pp", "dp", "ep", "cp")


def _add(command: F, options: tuple[Callable[[Any], Any], ...]) -> F:
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


def length_options(command: F) -> F:
    """Adds `--isl` and `--osl`: the tokens of a request."""
    return _add(
        command,
        (
            click.option(
                "--isl",
                type=int,
                default=DEFAULT_ISL,
                show_default=True,
                help="Input tokens of a request.",
            ),
            click.option(
                "--osl", type=int, default=DEFAULT_OSL, show_default=True, help="Output tokens."
            ),
        ),
    )


def layout_options(command: F) -> F:
    """Adds the parallel degrees `--tp`, `--pp`, `--dp`, `--ep` and `--cp` of one replica."""
    return _add(
        command,
        (
            click.option(
                "--tp",
                type=int,
                default=1,
                help="Tensor parallel degree; chosen, like the others, where all are left out.",
            ),
            click.option("--pp", type=int, default=1, help="Pipeline stages."),
            click.option("--dp", type=int, default=1, help="Data-parallel attention groups."),
            click.option("--ep", type=int, default=1, help="Expert parallel degree."),
            click.option("--cp", type=int, default=1, help="Context parallel degree."),
        ),
    )


def layout_of(degrees: dict[str, int], chips: int | None) -> "Layout | None":
    """The layout that the degrees describe; None, to be chosen, where all are left out.

    Raises:
        LayoutError: A degree below 1.
    """
    from weir.perf.parallel import Layout

    asked = Layout(**degrees)
    return asked if asked != Layout() or chips == 1 else None


def _small(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
    """FP8 is as good as fp8."""
    return None if given is None else given.lower()


def format_options(command: F) -> F:
    """Adds `--framework`, `--weights` and `--kv-cache`."""
    return _add(
        command,
        (
            click.option(
                "--framework",
                default="vllm",
                show_default=True,
                help="vllm, sglang, trtllm or plain.",
            ),
            click.option(
                "--weights", callback=_small, help="Number format of the weights, such as fp8."
            ),
            click.option(
                "--kv-cache", callback=_small, help="Number format of the attention cache."
            ),
        ),
    )


def spread_options(command: F) -> F:
    """Adds `--isl-cv` and `--osl-cv`: how far the lengths of requests differ."""
    return _add(
        command,
        (
            click.option(
                "--isl-cv",
                type=float,
                metavar="CV",
                help="Variation of input tokens: deviation over mean.  [default: 0, all equal]",
            ),
            click.option(
                "--osl-cv",
                type=float,
                metavar="CV",
                help="Variation of output tokens.  [default: 0, all equal]",
            ),
        ),
    )


def spreads_of(isl_cv: float | None, osl_cv: float | None) -> tuple[float, float]:
    """Coefficients of variation of input and output tokens.

    Raises:
        InputError: One that is negative or no number.
    """
    found = []
    for name, value in (("--isl-cv", isl_cv), ("--osl-cv", osl_cv)):
        cv = 0.0 if value is None else value
        if not 0.0 <= cv < float("inf"):
            raise InputError(f"{name} is {cv}; use 0 for equal lengths, or a variation above")
        found.append(cv)
    return found[0], found[1]


def tell_context(model: "Model", tokens: float) -> None:
    """Says on standard error where requests are longer than what the model was published for."""
    most = model.shape.max_context
    if most is not None and tokens > most:
        click.echo(
            f"weir: {model.name} was published for up to {most:,} tokens; {tokens:,.0f} are asked"
            " for, and only their speed is judged",
            err=True,
        )


def draft_options(command: F) -> F:
    """Adds `--draft-tokens` and `--acceptance`: multi-token prediction, speculative decoding."""
    return _add(
        command,
        (
            click.option(
                "--draft-tokens",
                type=int,
                default=0,
                show_default=True,
                help="Tokens drafted each step (multi-token prediction, speculative decoding).",
            ),
            click.option(
                "--acceptance",
                type=float,
                metavar="SHARE",
                help="Probability that a drafted token is accepted.",
            ),
        ),
    )


def expert_options(command: F) -> F:
    """Adds `--exchange-overlap` (two-batch overlap) and `--expert-skew`."""
    return _add(
        command,
        (
            click.option(
                "--exchange-overlap",
                type=float,
                default=0.0,
                show_default=True,
                metavar="SHARE",
                help="Share of exchanges between experts that runs beside kernels, as with two"
                " batches in turn.",
            ),
            click.option(
                "--expert-skew",
                type=float,
                metavar="EXPONENT",
                help="Power law of the experts' loads, such as 1.2, the busiest chip being waited"
                " for; 0 for an even router; if left out, a law with balanced chips.",
            ),
        ),
    )


def deployment_of(given: Mapping[str, Any]) -> "Deployment":
    """Framework, formats and options as given; chips and layout are left open."""
    from weir.answers.placement import Deployment

    return Deployment(
        framework=given["framework"],
        weights=given["weights"],
        kv_cache=given["kv_cache"],
        drafts=drafts_of(given["draft_tokens"], given["acceptance"]),
        exchange_overlap=given["exchange_overlap"],
        expert_skew=given["expert_skew"],
    )


def drafts_of(tokens: int, acceptance: float | None) -> "Drafts":
    """Speculative decoding as the options describe it.

    Raises:
        InputError: Fewer than no tokens, an acceptance that is no probability, one without the
            other.
    """
    from weir.perf.step import NO_DRAFTS, Drafts

    if tokens < 0:
        raise InputError(f"--draft-tokens is {tokens}; use 0 for none, or a count")
    if not tokens:
        if acceptance is not None:
            raise InputError("--acceptance needs --draft-tokens: say how many are drafted a step")
        return NO_DRAFTS
    if acceptance is None:
        raise InputError(
            f"--draft-tokens {tokens} needs --acceptance, the probability that a drafted token is"
            " accepted; it depends on the model and the text, so it is not assumed"
        )
    if not 0.0 <= acceptance <= 1.0:
        raise InputError(f"--acceptance is {acceptance}; use a share from 0 to 1")
    return Drafts(tokens, acceptance)
