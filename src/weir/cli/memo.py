"""`weir memo`: a classification memo, or the data of a NAC notification, for a person to sign."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from weir.cli.catalogue import catalog_of
from weir.cli.common import check_writable, emit, on_option, output_option, write_file
from weir.cli.transaction import transaction_of, transaction_options
from weir.core.errors import InputError

if TYPE_CHECKING:
    from weir.catalog.entities import Chip
    from weir.report.document import Document
    from weir.report.memo import MarketEvidence

FORMATS: Final = (".md", ".txt", ".html", ".docx", ".pdf")


@click.command()
@click.argument("chip")
@transaction_options
@on_option
@click.option("--nac", is_flag=True, help="Write the data of a NAC notification instead.")
@output_option("A file that ends in .md, .txt, .html, .docx or .pdf; printed as text if left out.")
@click.pass_context
def memo(
    ctx: click.Context,
    chip: str,
    given: dict[str, Any],
    on: dt.date,
    nac: bool,
    output: Path | None,
) -> None:
    """Write the classification memo of CHIP in a transaction: inputs, clauses, result, sign-off.

    Information for the person who signs, not legal advice.
    """
    check_writable(output)
    if output is not None and output.suffix.lower() not in FORMATS:
        raise InputError(f"--output {output}: the ending says the format; {', '.join(FORMATS)}")
    from weir.answers.authorities import authorities
    from weir.answers.classify import determine
    from weir.answers.datasheet import cited_sources
    from weir.catalog.law_stock import stock_law
    from weir.report.memo import classification_memo, nac_document

    catalog, law = catalog_of(ctx), stock_law()
    record = catalog.chip(chip)
    answer = determine(record, transaction_of(given, on), law, trace=False)
    cited = authorities(answer, law)
    evidence = _market(record)
    citations = [*answer.sources, *(item for items in cited.values() for item in items)]
    citations += [item for one in evidence for item in one.cites]
    sources = cited_sources(citations, catalog)
    if nac:
        document = nac_document(answer, sources, evidence)
    else:
        document = classification_memo(answer, sources, cited)
    _deliver(document, output)


def _market(chip: "Chip") -> list["MarketEvidence"]:
    """What the catalogue knows of the market for which a chip is designed and sold."""
    from weir.report.memo import MarketEvidence

    fact = chip.facts.get("marketed_for_datacentre")
    if fact is None or not fact.sources:
        return []
    basis = f": {fact.how}" if fact.how else ""
    return [MarketEvidence(f"Marketed for data centres: {fact.value}{basis}", fact.sources)]


def _deliver(document: "Document", output: Path | None) -> None:
    ending = ".txt" if output is None else output.suffix.lower()
    if ending in {".txt", ".md"} or output is None:
        from weir.report.markdown import to_markdown
        from weir.report.text import to_text

        emit(to_markdown(document) if ending == ".md" else to_text(document), output)
        return
    write_file(output, _written(document, ending))
    click.echo(f"wrote {output}", err=True)


def _written(document: "Document", ending: str) -> str | bytes:
    if ending == ".html":
        from weir.report.html import to_html

        return to_html(document)
    if ending == ".docx":
        from weir.report.docx import to_docx

        return to_docx(document)
    from weir.report.pdf import to_pdf

    return to_pdf(document)
