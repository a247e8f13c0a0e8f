"""`weir changes`: which chips have another status on one day than on another, and why."""

import datetime as dt
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import Day, output_options
from weir.cli.output import Output
from weir.cli.overlay import law_of, overlay_options
from weir.cli.rows import Rejected, deliver_rows, read_list
from weir.cli.transaction import transaction_of, transaction_options

if TYPE_CHECKING:
    from weir.answers.changes import StatusFlip
    from weir.answers.skus import Row
    from weir.catalog.query import Catalog


@click.command()
@click.argument("skus", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--from", "first", type=Day(), required=True, metavar="DATE", help="First day, YYYY-MM-DD."
)
@click.option("--until", type=Day(), required=True, metavar="DATE", help="Last day, YYYY-MM-DD.")
@click.option("--all", "everything", is_flag=True, help="In CSV and Parquet, also rows that stay.")
@partial(transaction_options, origin=("--origin",))
@overlay_options
@output_options
@click.pass_context
def changes(
    ctx: click.Context,
    skus: Path | None,
    first: dt.date,
    until: dt.date,
    everything: bool,
    given: dict[str, Any],
    changed: dict[str, Any],
    style: str | None,
    html: Path | None,
    output: Path | None,
) -> None:
    """Tell which chips of the list SKUS, or of the catalogue, changed status between two days.

    With --csv, or --output to a .csv or .parquet file, rows stream out one by one: old status, new
    status, since when, why. A row of SKUS that cannot be read is told with its line, the others
    come out, and the exit status is 2.
    """
    target = Output.checked(style, html, output)
    from weir.answers.changes import gathered, read_changes
    from weir.report.rows import FORMATS, ending

    catalog, law = catalog_of(ctx), law_of(changed)
    transaction = transaction_of(given, until)
    rejected = Rejected(skus or Path("the catalogue"))
    found = read_changes(_rows(skus, catalog), first, transaction, law)
    if style == "csv" or (style is None and output is not None and ending(output) in FORMATS):
        _stream(found, output, html, rejected, everything=everything)
        return
    from weir.answers.datasheet import cited_sources
    from weir.answers.lawbook import sources_of
    from weir.report.changes import changes_document

    answer = gathered(found, first, transaction, law)
    rejected.good = len(answer.flips) + answer.unchanged
    for problem in answer.problems:
        rejected.tell(problem)
    rejected.refuse_empty()
    cited = sources_of(law, [item.id for item in answer.instruments] + _behind(answer.flips))
    sources = cited_sources([item for items in cited.values() for item in items], catalog)
    target.deliver(changes_document(answer, cited, sources), answer)
    rejected.settle()


def _rows(skus: Path | None, catalog: "Catalog") -> Iterable["Row"]:
    if skus is None:
        from weir.answers.changes import inputs_of, numbered

        return numbered(inputs_of(catalog.chips.all()))
    return read_list(skus, catalog.chip)


def _behind(flips: Iterable["StatusFlip"]) -> list[str]:
    return [cause.instrument for flip in flips for cause in flip.causes]


def _stream(
    found: Iterable[Any],
    output: Path | None,
    html: Path | None,
    rejected: Rejected,
    *,
    everything: bool,
) -> None:
    from weir.answers.changes import Same
    from weir.core.errors import InputError
    from weir.report.changes import FLIP_COLUMNS, flip_row
    from weir.report.rows import check_format

    if html is not None:
        raise InputError("--html and rows do not go together: run the command twice")
    if output is not None:
        check_format(output)

    def rows() -> Iterator[tuple[str, ...]]:
        items: Iterator[StatusFlip | Same] = rejected.let_through(found)
        for item in items:
            if everything or not isinstance(item, Same):
                yield flip_row(item)

    deliver_rows(output, FLIP_COLUMNS, rows(), rejected)
