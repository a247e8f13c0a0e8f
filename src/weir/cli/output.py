"""One way out for every answer: text, Markdown, CSV or JSON to print, a page to keep."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from weir.cli.common import check_writable, emit, write_file
from weir.core.errors import InputError
from weir.report.document import Document

STYLES = ("text", "md", "csv", "json")


@dataclass(frozen=True, slots=True)
class Output:
    """Where an answer goes and in what form; the fields are the output options of a command."""

    style: str | None
    html: Path | None
    output: Path | None

    @classmethod
    def checked(cls, style: str | None, html: Path | None, output: Path | None) -> Self:
        """The output options, refused before any work where a file could not be written.

        Raises:
            OutputError: A path that cannot be written.
            InputError: The same file twice.
        """
        check_writable(html, output)
        if html is not None and output is not None and html.resolve() == output.resolve():
            raise InputError(f"--html {html} and --output {output} are the same file; give two")
        return cls(style, html, output)

    def deliver(self, document: Document, answer: object) -> None:
        """Prints or writes the answer; the page first, so that a failure leaves no text behind."""
        text = render(document, answer, self.style or "text")
        if self.html is not None:
            from weir.report.html import to_html

            write_file(self.html, to_html(document))
        emit(text, self.output)


def render(document: Document, answer: object, style: str) -> str:
    """The answer in one of `STYLES`."""
    if style == "json":
        from weir.report.json import to_json

        return to_json(answer)
    if style == "md":
        from weir.report.markdown import to_markdown

        return to_markdown(document)
    if style == "csv":
        from weir.report.tables import to_csv

        return to_csv(document)
    from weir.report.text import to_text

    return to_text(document)
