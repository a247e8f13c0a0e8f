"""What-if changes of the law as options, shared by the commands that can answer for them."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from weir.catalog.law import Law, Overlay

F = TypeVar("F", bound=Callable[..., Any])

_NAMES = ("sets", "rule_files", "enforced")


def overlay_options(command: F) -> F:
    """Adds `--set`, `--rules` and `--assume-enforced`; they arrive as one `changed` mapping."""
    options = (
        click.option(
            "--set", "sets", multiple=True, metavar="PATH=VALUE",
            help="Change a threshold, date or scope, such as 3A090.a.1.tpp=4000 (repeatable).",
        ),
        click.option(
            "--rules", "rule_files", multiple=True, metavar="FILE",
            type=click.Path(path_type=Path, dir_okay=False),
            help="A what-if file with changes, additions and removals (repeatable).",
        ),
        click.option(
            "--assume-enforced", "enforced", multiple=True, metavar="ID",
            help="Apply an instrument or provision that stands in the text and is not enforced"
            " (repeatable).",
        ),
    )  # fmt: skip

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - click passes what it parsed
        changed = {name: kwargs.pop(name) for name in _NAMES}
        return command(*args, changed=changed, **kwargs)

    return functools.reduce(lambda inner, option: option(inner), reversed(options), wrapped)  # type: ignore[return-value]


def overlays_of(changed: dict[str, Any], law: "Law") -> tuple["Overlay", ...]:
    """The what-ifs that the options describe: files first, then switches, then single changes.

    Raises:
        WeirError: A file or a change that is not understood.
    """
    found: list[Overlay] = []
    if changed["rule_files"]:
        from weir.catalog.overlay_load import load_overlay

        found += [load_overlay(path) for path in changed["rule_files"]]
    if changed["enforced"]:
        from weir.answers.lawbook import assume_enforced

        found += [assume_enforced(law, name) for name in changed["enforced"]]
    if changed["sets"]:
        from weir.rules.parameters import overlay_of

        found.append(overlay_of(changed["sets"]))
    return tuple(found)


def law_of(changed: dict[str, Any]) -> "Law":
    """The law with the what-ifs of the options laid over it; as it is where there are none.

    Raises:
        WeirError: A file or a change that is not understood, or that does not fit the law.
    """
    from weir.catalog.law_stock import stock_law

    law = stock_law()
    overlays = overlays_of(changed, law)
    if not overlays:
        return law
    from weir.rules.parameters import apply_overlay

    return apply_overlay(law, *overlays)
