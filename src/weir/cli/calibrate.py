"""`weir calibrate`: fit kernels and frameworks to measurements, or compare with one's own rows."""

import datetime as dt
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import check_writable, write_file
from weir.core.errors import InputError
from weir.core.words import counted

if TYPE_CHECKING:
    from weir.answers.accuracy.measured_factors import MeasuredFactor


@click.command()
@click.option(
    "--measured",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="Rows of your own (see bench/measure_kernels.py): print what your stack takes over the "
    "model's kernels, and fit nothing.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Existing folder for kernels.toml, manifest.toml, stack.toml and clients.toml.",
)
@click.pass_context
def calibrate(ctx: click.Context, measured: Path | None, out: Path | None) -> None:
    """Fit kernels to the installed measured tables, and frameworks to the serving runs."""
    if measured is not None:
        from weir.answers.accuracy.measured_factors import measured_factors

        for item in measured_factors(measured, catalog_of(ctx)):
            click.echo(_line(item))
        return
    if out is None:
        raise InputError("calibrate: give --out DIR for the fitted files, or --measured CSV.")
    from weir.answers.accuracy.calibrate_kernels import KERNELS, MANIFEST, files
    from weir.answers.accuracy.calibrate_kernels import calibrate as fit
    from weir.answers.accuracy.calibrate_stack import CLIENTS, STACK, stack_files
    from weir.catalog.calibration import parse_efficiency

    def progress(text: str) -> None:
        click.echo(text, err=True)

    check_writable(*(out / name for name in (KERNELS, MANIFEST, STACK, CLIENTS)))
    catalog = catalog_of(ctx)
    texts = files(fit(catalog, progress=progress), today=dt.datetime.now(tz=dt.UTC).date())
    # As they will be read back, rounded, so that a fit of frameworks alone gives the same.
    written = parse_efficiency(tomllib.loads(texts[KERNELS]), out / KERNELS)
    texts |= stack_files(catalog, efficiency=written, progress=progress)
    for name, text in texts.items():
        write_file(out / name, text)
        click.echo(out / name)


def _line(item: "MeasuredFactor") -> str:
    before, after = item.before, item.after
    rows = counted(before.count, "row")
    return (
        f"{item.chip}, {item.framework}, {item.kernel} {item.dtype}: {rows}, "
        f"factor {item.factor:.2f}; error of the model {before.mape:.1%} (median "
        f"{before.mdape:.1%}), with the factor {after.mape:.1%} ({after.mdape:.1%}); "
        f"{item.inside:.0%} inside the 80 % interval"
    )
