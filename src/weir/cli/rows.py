"""Lists of SKUs in, rows out: streaming, with a progress bar, bad rows told and left out."""

import io
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from weir.cli.common import STANDARD, write_file
from weir.cli.progress import Progress
from weir.core.errors import InputError, RecordError
from weir.core.words import counted

if TYPE_CHECKING:
    from weir.answers.skus import Row, SkuProblem
    from weir.catalog.entities import Chip

T = TypeVar("T")


def lines_of(path: Path) -> Iterator[str]:
    """The lines of a list; a bar on standard error where it takes long and a terminal shows it.

    `-` stands for standard input.

    Raises:
        RecordError: The file cannot be read.
    """
    if path == STANDARD:
        yield from io.TextIOWrapper(
            sys.stdin.buffer, encoding="utf-8-sig", errors="replace", newline=""
        )
        return
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            yield from _watched(file, path.stat().st_size)
    except OSError as error:
        raise RecordError(path, [f"cannot be read: {error.strerror or error}"]) from None


def _watched(lines: Iterable[str], size: int) -> Iterator[str]:
    if sys.stdout.isatty():  # the rows themselves show how far it is
        yield from lines
        return
    with Progress(size) as bar:
        for number, line in enumerate(lines, start=1):
            bar.step(f"line {number:,}", len(line.encode()))
            yield line


def read_list(path: Path, find: Callable[[str], "Chip"]) -> Iterator["Row"]:
    """The rows of a list of SKUs; see `weir.answers.skus.read_skus`.

    Raises:
        InputError: What is wrong with the file or its header, with its name.
    """
    from weir.answers.skus import read_skus

    try:
        yield from read_skus(lines_of(path), find)
    except RecordError:
        raise
    except InputError as error:
        raise InputError(f"{path}, {error}") from None


class Rejected:
    """Counts rows, tells those that cannot be read and lets the others through."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.good = 0
        self.bad = 0

    def let_through(self, items: Iterable["T | SkuProblem"]) -> Iterator[T]:
        """The rows that could be read; the others are told on standard error with their line."""
        from weir.answers.skus import SkuProblem

        for item in items:
            if isinstance(item, SkuProblem):
                self.tell(item)
            else:
                self.good += 1
                yield item

    def tell(self, problem: "SkuProblem") -> None:
        """Tells one row that could not be read."""
        self.bad += 1
        click.echo(f"weir: {self.path}, line {problem.line}: {problem.message}", err=True)

    def refuse_empty(self) -> None:
        """Ends the command before anything is written where the list has no rows.

        Raises:
            InputError: There was no row.
        """
        if not self.good + self.bad:
            raise InputError(f"{self.path}: no rows below the header")

    def settle(self) -> None:
        """Ends the command as bad input where rows were bad; the output stays.

        Raises:
            InputError: A row could not be read.
        """
        if self.bad:
            raise InputError(
                f"{self.path}: {self.bad:,} of {self.good + self.bad:,} rows could not be read; "
                "the others are in the output"
            )


def deliver_rows(
    output: Path | None,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    rejected: Rejected,
) -> None:
    """Prints rows as CSV, or writes them whole to a .csv or .parquet file.

    Args:
        output: The file; None for standard output.
        columns: Their heading.
        rows: The rows, taken as they come.
        rejected: What the rows were counted by; ends the command as bad input where some were bad.

    Raises:
        InputError: A row could not be read, or there was none.
    """
    from weir.report.rows import csv_to_parquet, ending, write_csv

    if output is None:
        write_csv(sys.stdout, columns, rows)
        rejected.refuse_empty()
        rejected.settle()
        return
    with tempfile.TemporaryDirectory(prefix="weir-") as folder:
        path = Path(folder) / "rows.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            count = write_csv(file, columns, rows)
        rejected.refuse_empty()
        if ending(output) == ".parquet":
            converted = path.with_suffix(".parquet")
            csv_to_parquet(path, converted, columns)
            path = converted
        write_file(output, path.read_bytes())
        click.echo(f"wrote {output}: {counted(count, 'row')}", err=True)
    rejected.settle()
