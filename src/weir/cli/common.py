"""What every command shares: options, output, atomic files."""

import datetime as dt
import functools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from weir.core.dates import parse_date
from weir.core.errors import InputError, OutputError

F = TypeVar("F", bound=Callable[..., Any])

# What stands for standard input and output where a file is asked for.
STANDARD: Final = Path("-")


class Day(click.ParamType[dt.date]):
    """A calendar day, YYYY-MM-DD or "today"."""

    name = "date"

    def convert(
        self, value: str | dt.date, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.date:
        """Reads the day; bad ones raise DateError with what to write."""
        del param, ctx
        if isinstance(value, dt.date):
            return value
        return dt.datetime.now(tz=dt.UTC).date() if value == "today" else parse_date(value)


def on_option(command: F) -> F:
    """Adds `--on DATE`, today where it is left out."""
    return click.option(
        "--on",
        type=Day(),
        default="today",
        show_default=True,
        metavar="DATE",
        help="The day to answer for, YYYY-MM-DD.",
    )(command)


def _style(name: str, text: str) -> Callable[[F], F]:
    return click.option(
        f"--{name}", "style", flag_value=name, multiple=True, callback=_only_one_style, help=text
    )


def _only_one_style(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> str | None:
    """One answer is printed in one form; which of two was meant is not for us to guess."""
    styles = list(dict.fromkeys(given))
    if len(styles) > 1:
        named = " and ".join(f"--{style}" for style in styles)
        raise InputError(f"{named} are forms of one output; give one of them")
    return styles[0] if styles else None


def output_option(text: str) -> Callable[[F], F]:
    """Adds `--output FILE`; `-` stands for standard output.

    Args:
        text: What the help says of it.
    """
    return click.option(
        "--output",
        "-o",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        callback=lambda _, __, given: None if given == STANDARD else given,
        help=text,
    )


def output_options(command: F) -> F:
    """Adds `--json`, `--md`, `--csv`, `--html FILE` and `--output FILE`."""
    options = (
        _style("json", "Print JSON."),
        _style("md", "Print Markdown."),
        _style("csv", "Print the main table as CSV."),
        click.option(
            "--html",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Also write a self-contained page with the pictures.",
        ),
        output_option("Write to a file what would be printed."),
    )
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


def write_file(path: Path, content: str | bytes) -> None:
    """Writes a file whole or not at all; a link stays a link, a device or pipe is written to.

    Raises:
        OutputError: The folder does not exist or cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        if _is_plain(path):
            _replace(path, data)
        else:
            path.write_bytes(data)
    except (OSError, ValueError) as error:
        raise _refusal(path, error) from None


def _replace(path: Path, data: bytes) -> None:
    target = path.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".weir-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _is_plain(path: Path) -> bool:
    """False for what must not be replaced by a file: a device, a pipe, a socket."""
    return path.is_file() or not path.exists()


def check_writable(*paths: Path | None) -> None:
    """Fails before any work where an output path could not be written at the end.

    Raises:
        OutputError: The folder is missing or not writable, the path is a folder or no file name.
    """
    for path in paths:
        if path is None:
            continue
        try:
            _check_writable(path)
        except (OSError, ValueError) as error:
            raise _refusal(path, error) from None


def _check_writable(path: Path) -> None:
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder; give a file name")
    if not path.parent.is_dir():
        what = "is not a folder" if path.parent.exists() else "does not exist; create it"
        raise OutputError(f"cannot write {path}: the folder {path.parent} {what}")
    needed = path.resolve().parent if _is_plain(path) else path
    if not os.access(needed, os.W_OK):
        raise OutputError(f"cannot write {path}: {needed} is not writable")


def _refusal(path: Path, error: OSError | ValueError) -> OutputError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return OutputError(f"cannot write {path}: {why}; give another file name")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def emit(text: str, output: Path | None) -> None:
    """Prints the text, or writes it to `output`."""
    if output is None:
        click.echo(text.rstrip("\n"))
    else:
        write_file(output, text.rstrip("\n") + "\n")
        click.echo(f"wrote {output}", err=True)
