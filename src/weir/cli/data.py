"""`weir data`: the catalogue's own audit, its gaps, its published form and its schema."""

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import Day, check_writable, emit, output_option, output_options
from weir.cli.output import Output
from weir.core.errors import InputError
from weir.core.words import counted

if TYPE_CHECKING:
    from weir.catalog.query import Catalog


_on = click.option(
    "--on",
    type=Day(),
    metavar="DATE",
    help="The day to measure staleness from, YYYY-MM-DD or today; the day of the data if left out.",
)


@click.group()
def data() -> None:
    """Check the catalogue, list its gaps, export it, print its schema."""


@data.command()
@_on
@output_options
@click.pass_context
def check(
    ctx: click.Context,
    on: dt.date | None,
    style: str | None,
    html: Path | None,
    output: Path | None,
) -> None:
    """Find what is broken or contradictory in the stock and in your own folders."""
    target = Output.checked(style, html, output)
    from weir.answers.audit import audit
    from weir.report.audit import audit_document

    catalog = catalog_of(ctx)
    answer = audit(catalog, on or _day_of(catalog))
    target.deliver(audit_document(answer), answer)
    if answer.problems:
        files = len({problem.path for problem in answer.problems})
        raise InputError(
            f"problems in the data: {len(answer.problems)}, in files: {files}; see the list"
        )


@data.command()
@click.option(
    "--by",
    type=click.Choice(["fact", "chip", "system"]),
    help="Only this grouping; all of them if left out.",
)
@_on
@output_options
@click.pass_context
def coverage(
    ctx: click.Context,
    by: str | None,
    on: dt.date | None,
    style: str | None,
    html: Path | None,
    output: Path | None,
) -> None:
    """Count what is unknown, estimated, recalled, disputed or stale, by fact and by record."""
    target = Output.checked(style, html, output)
    from weir.answers.coverage import coverage as cover
    from weir.report.coverage import coverage_document

    catalog = catalog_of(ctx)
    answer = cover(catalog, on or _day_of(catalog))
    target.deliver(coverage_document(answer, by), answer)


@data.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--replace", is_flag=True, help="Replace a folder that an earlier export wrote.")
@click.option("--parquet/--no-parquet", default=True, help="Also write Parquet (needs duckdb).")
@click.pass_context
def export(ctx: click.Context, folder: Path, replace: bool, parquet: bool) -> None:
    """Write the whole catalogue to FOLDER as JSON, CSV, Parquet and one SQLite file."""
    from weir.cli.folder import check_target, whole_folder
    from weir.report.export import METADATA, files_of, require_parquet, write_parquet

    if parquet:
        require_parquet()
    check_target(folder, METADATA if replace else None)
    from weir.answers.export import export as tables_of

    answer = tables_of(catalog_of(ctx))
    with whole_folder(folder) as temporary:
        for name, content in files_of(answer).items():
            path = temporary / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        if parquet:
            write_parquet(answer, temporary)
    rows = sum(len(table.rows) for table in answer.tables)
    click.echo(f"wrote {folder}: {len(answer.tables)} tables, {counted(rows, 'row')}", err=True)


@data.command()
@click.argument("kind", type=click.Choice(["chip", "system", "model", "source"]))
@output_option("Write to a file what would be printed.")
def schema(kind: str, output: Path | None) -> None:
    """Print the JSON Schema of a KIND of record, for editors."""
    check_writable(output)
    from weir.catalog.json_schema import json_schema

    emit(json.dumps(json_schema(kind), ensure_ascii=False, indent=2), output)


def _day_of(catalog: "Catalog") -> dt.date:
    """The day of the data; today where a user's own records are there, which may be younger."""
    if len(catalog.roots) > 1:
        return dt.datetime.now(tz=dt.UTC).date()
    return dt.date.fromisoformat(catalog.data_version)
