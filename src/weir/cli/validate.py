"""`weir validate`: how far estimates are from what was measured or published."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import check_writable, emit, output_options, write_file
from weir.cli.output import Output, render
from weir.cli.progress import Progress
from weir.core.errors import InputError, OutputError

if TYPE_CHECKING:
    from weir.catalog.query import Catalog
    from weir.report.document import Document


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a table is made from."""

    catalog: "Catalog"
    sample: Path | None


_Made = tuple["Document", object]


def _serving(asked: _Asked) -> _Made:
    from weir.answers.accuracy.validate_serving import validate_serving
    from weir.catalog.peers import load_peers
    from weir.report.serving_validation import serving_document

    answer = validate_serving(asked.catalog, path=asked.sample)
    return serving_document(answer, load_peers(), asked.catalog.data_version), answer


def _claims(asked: _Asked) -> _Made:
    from weir.answers.accuracy.claims import check_claims
    from weir.answers.datasheet import cited_sources
    from weir.report.claims import claims_document

    answer = check_claims(asked.catalog)
    sources = cited_sources([f.claim.source for f in answer.findings], asked.catalog)
    return claims_document(answer, sources), answer


def _published(asked: _Asked) -> _Made:
    from weir.answers.accuracy.validate_published import validate_published
    from weir.answers.datasheet import cited_sources
    from weir.report.published import published_document

    answer = validate_published(asked.catalog)
    sources = cited_sources([item.speed.source for item in answer.predicted], asked.catalog)
    return published_document(answer, sources), answer


def _blind(asked: _Asked) -> _Made:
    from weir.answers.accuracy.blind import predict_blind
    from weir.report.blind import blind_document

    answer = predict_blind(asked.catalog)
    return blind_document(answer), answer


_TABLES: dict[str, Callable[[_Asked], _Made]] = {
    "serving": _serving,
    "published": _published,
    "claims": _claims,
    "blind": _blind,
}


@click.command()
@click.option(
    "--table",
    type=click.Choice(["ops", *_TABLES]),
    required=True,
    help="ops: kernels; serving: whole deployments; published: speeds that vendors print; claims:"
    " what others concluded; blind: predictions of chips that no measurement was read of.",
)
@click.option(
    "--sample",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Serving runs to compare with; those of the installed package if left out.",
)
@click.option(
    "--write",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write the table's page into a folder of documents.",
)
@output_options
@click.pass_context
def validate(
    ctx: click.Context,
    table: str,
    sample: Path | None,
    write: Path | None,
    style: str | None,
    html: Path | None,
    output: Path | None,
) -> None:
    """Compare estimates with what was measured or published, table by table."""
    target = Output.checked(style, html, output)
    if write is not None:
        if not write.is_dir():
            raise OutputError(f"--write {write}: there is no such folder; create it")
        check_writable(write / f"{table}.md")
    if sample is not None and table != "serving":
        raise InputError(f"--sample is for --table serving, not for {table}")
    catalog = catalog_of(ctx)
    if table == "ops":
        if style not in (None, "md") or html is not None:
            raise InputError("--table ops is printed as Markdown; leave out the other formats")
        _ops(catalog, write, output)
        return
    with Progress(1):
        document, answer = _TABLES[table](_Asked(catalog, sample))
    if write is not None:
        page = write / f"{table}.md"
        heading = f"<!-- Written by `weir validate --table {table} --write`; do not edit. -->"
        write_file(page, f"{heading}\n\n{render(document, answer, 'md')}")
        click.echo(f"wrote {page}", err=True)
    target.deliver(document, answer)


def _ops(catalog: "Catalog", write: Path | None, output: Path | None) -> None:
    """The table of kernels, which brings a page and pictures of its own."""
    from weir.answers.accuracy.validate_ops import validate_ops
    from weir.answers.accuracy.validation_page import page, picture

    report = validate_ops(catalog, progress=lambda text: click.echo(f"weir: {text}", err=True))
    # The page names its pictures from the folder above.
    text = page(report).replace("](validation/", "](")
    if write is not None:
        for item in report.residuals:
            write_file(write / f"{item.kernel}.svg", picture(item))
        write_file(write / "ops.md", text)
        click.echo(f"wrote {write / 'ops.md'}", err=True)
    emit(text, output)
