"""A document as one HTML file: no script, nothing from elsewhere, good on paper and on screen."""

from functools import cache
from typing import TYPE_CHECKING, Final

from weir.report.document import (
    Document,
    Picture,
    cited_sources,
    note_numbers,
    numbered_notes,
    one_line,
    source_line,
    status_legend,
)
from weir.report.extras import require
from weir.report.palette import (
    ACCENT,
    ALL_INKS,
    GRID,
    MUTED,
    PAPER,
    RULE,
    TEXT,
    TONE_INKS,
    ZONE_LIGHT,
)
from weir.report.svg import to_svg

if TYPE_CHECKING:
    from jinja2 import Template

_TEMPLATE: Final = "page.html.j2"
_LINKABLE: Final = ("https://", "http://")
_CONTENTS_FROM: Final = 4


def to_html(document: Document) -> str:
    """Writes a document as one self-contained HTML page.

    Pictures are drawn as SVG inside the page; colours follow the reader's light or dark setting and
    are light on paper.

    Raises:
        MissingExtraError: Jinja2, or for a document with pictures vl-convert, is not installed.
    """
    numbers = note_numbers(document)

    def numbered(cites: tuple[str, ...]) -> list[int]:
        return sorted({numbers[key] for key in cites})

    return _template().render(
        document=document,
        numbered=numbered,
        notes=numbered_notes(document),
        sources=cited_sources(document),
        with_contents=len(document.sections) >= _CONTENTS_FROM,
        colours=_colours(),
    )


@cache
def _template() -> "Template":
    jinja2 = require("jinja2", "an HTML page", "jinja2", "report")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("weir.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["line"] = one_line
    environment.filters["svg"] = _drawn
    environment.filters["source_line"] = source_line
    environment.filters["legend"] = status_legend
    environment.filters["link"] = _link
    template: Template = environment.get_template(_TEMPLATE)
    return template


def _drawn(picture: Picture) -> str:
    return to_svg(picture.spec)


def _link(address: str | None) -> str:
    """The address where it may be followed, empty otherwise."""
    return address if address and address.startswith(_LINKABLE) else ""


def _colours() -> str:
    """The palette as style rules: variables for the page, replacements for drawn pictures."""
    named = {
        "text": TEXT,
        "muted": MUTED,
        "rule": RULE,
        "grid": GRID,
        "paper": PAPER,
        "accent": ACCENT,
        "wash": ZONE_LIGHT,
    } | {f"tone-{tone.value}": ink for tone, ink in TONE_INKS.items()}
    light = "".join(f"--{name}:{ink.light};" for name, ink in named.items())
    dark = "".join(f"--{name}:{ink.dark};" for name, ink in named.items())
    drawn = "".join(
        f'svg [{part}="{ink.light}"]{{{part}:{ink.dark}}}'
        for ink in dict.fromkeys(ALL_INKS)
        for part in ("fill", "stroke")
    )
    at_night = "@media screen and (prefers-color-scheme:dark)"
    return f":root{{{light}}}{at_night}{{:root{{{dark}}}{drawn}}}"
