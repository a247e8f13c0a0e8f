"""Traces on the command line: broken lines are named, and told of where they were left out."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from weir.core.errors import RecordError

if TYPE_CHECKING:
    from weir.catalog.traces import Trace

_MOST_TOLD = 5


def read(path: Path, *, skip_broken: bool) -> "Trace":
    """A trace; lines that were left out are told on standard error.

    Args:
        path: The file.
        skip_broken: Leave broken lines out instead of failing.

    Raises:
        RecordError: The file cannot be used, or has broken lines and `skip_broken` is not set.
    """
    from weir.catalog.traces import read_trace

    try:
        trace = read_trace(path, skip_broken=skip_broken)
    except RecordError as error:
        if skip_broken or not any("good" in problem for problem in error.problems):
            raise
        raise RecordError(path, [*error.problems, "run the good ones with --skip-broken"]) from None
    for problem in trace.problems[:_MOST_TOLD]:
        click.echo(f"weir: left out {path}: {problem}", err=True)
    rest = len(trace.problems) - _MOST_TOLD
    if rest > 0:
        click.echo(f"weir: left out {rest} more lines", err=True)
    return trace
