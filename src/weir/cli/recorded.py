"""Traces on the command line: broken lines are named, and told of where they were left out."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from weir.core.errors import RecordError

if TYPE_CHECKING:
    from weir.catalog.traces import Trace

_MOST_TOLD = 5
# What the reader of traces advises, in words of its own.
_REMEDY = "skip the broken ones to run them"


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
        if skip_broken:
            raise
        told = [text.replace(_REMEDY, "run them with --skip-broken") for text in error.problems]
        raise RecordError(path, told) from None
    for problem in trace.problems[:_MOST_TOLD]:
        click.echo(f"weir: left out {path}: {problem}", err=True)
    rest = len(trace.problems) - _MOST_TOLD
    if rest > 0:
        click.echo(f"weir: left out {rest} more lines", err=True)
    return trace
