"""`weir classify`: what the published law says of every row of a list of SKUs."""

import datetime as dt
from pathlib import Path
from typing import Any

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import check_writable, on_option, output_option
from weir.cli.overlay import law_of, overlay_options
from weir.cli.rows import Rejected, deliver_rows, read_list
from weir.cli.transaction import transaction_of, transaction_options


@click.command()
@click.argument("skus", type=click.Path(path_type=Path, dir_okay=False))
@transaction_options
@on_option
@overlay_options
@output_option("Write to a .csv or .parquet file what would be printed.")
@click.pass_context
def classify(
    ctx: click.Context,
    skus: Path,
    given: dict[str, Any],
    on: dt.date,
    changed: dict[str, Any],
    output: Path | None,
) -> None:
    """Determine every row of the CSV file SKUS: classification, licence, review policy.

    Prints CSV. SKUS may be - for standard input. A row that cannot be read is told with its line,
    the others come out, and the exit status is 2. Columns of SKUS: sku, and chip or any of
    dense_FORMAT_tops, tpp, die_area_mm2, memory_gb_per_s, io_gb_per_s, marketed_for_datacentre,
    commercially_available_us, name, designer.
    """
    check_writable(output)
    from weir.answers.skus import check_skus
    from weir.report.changes import STATUS_COLUMNS
    from weir.report.rows import check_format

    if output is not None:
        check_format(output)
    law = law_of(changed)
    transaction = transaction_of(given, on)
    rejected = Rejected(skus)
    found = check_skus(read_list(skus, catalog_of(ctx).chip), transaction, law)
    rows = (
        [str(value) for value in item.as_row().values()] for item in rejected.let_through(found)
    )
    deliver_rows(output, STATUS_COLUMNS, rows, rejected)
    click.echo(
        f"weir: law of {on}, read up to {law.horizon}; data of {law.version}; information, not "
        "legal advice",
        err=True,
    )
