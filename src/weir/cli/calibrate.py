"""`weir calibrate`: fit the speed model to measured tables, or to measurements of your own."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from weir.cli.catalogue import catalog_of
from weir.core.errors import OutputError

if TYPE_CHECKING:
    from weir.catalog.query import Catalog


@click.command()
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("calibration"),
    show_default=True,
    metavar="DIR",
    help="Where kernels.toml and manifest.toml go.",
)
@click.option("--rows", type=click.IntRange(min=1), help="Rows of one kernel, format and chip.")
@click.pass_context
def calibrate(ctx: click.Context, into: Path, rows: int | None) -> None:
    """Fit the kernel model to the measured tables of four chips (A100, H100, L40S, B200).

    Needs the extra `validate`. No row of another chip is ever read.
    """
    if into.exists() and not into.is_dir():
        raise OutputError(f"--into {into}: is not a folder")
    _fit(catalog_of(ctx), into, rows)


def _fit(catalog: "Catalog", into: Path, rows: int | None) -> None:
    from weir.answers.calibrate_kernels import FIT_ROWS, write
    from weir.answers.calibrate_kernels import calibrate as fit

    done = fit(
        catalog,
        rows=FIT_ROWS if rows is None else rows,
        progress=lambda text: click.echo(f"weir: {text}", err=True),
    )
    for path in write(done, into, today=dt.datetime.now(tz=dt.UTC).date()):
        click.echo(f"wrote {path}", err=True)
    for kernel, count in done.rows.items():
        click.echo(f"{kernel}: {count:,} rows")
