"""Vega-Lite specifications to SVG, PNG and PDF, through vl-convert.

vl-convert brings its own JavaScript engine and is large, so it is an extra and is imported only
when a picture is drawn.
"""

import html
import re
import textwrap
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

from weir.core.errors import WeirError
from weir.report.charts.kit import FONT, SMALL_SIZE
from weir.report.document import one_line
from weir.report.extras import require
from weir.report.palette import MUTED, PAPER

_PNG_SCALE: Final = 2.0
_FOOT_INDENT: Final = 12
_FOOT_LINE: Final = 15
_FOOT_CHARACTERS: Final = 130
_ROOT: Final = re.compile(r'width="(\d+)" height="(\d+)" viewBox="0 0 \1 \2">')


def to_svg(spec: Mapping[str, Any], footer: str = "") -> str:
    """Draws a specification as SVG text that loads nothing from elsewhere.

    Args:
        spec: A Vega-Lite specification with its data.
        footer: A line set under the picture, such as its source, for a picture that leaves its
            page.

    Raises:
        MissingExtraError: vl-convert is not installed.
    """
    svg = str(_renderer().vegalite_to_svg(dict(spec), allowed_base_urls=[]))
    return _with_footer(svg, one_line(footer)) if footer else svg


def to_png(spec: Mapping[str, Any], footer: str = "") -> bytes:
    """Draws a specification as a PNG of twice its nominal size; arguments as for `to_svg`."""
    return bytes(_renderer().svg_to_png(to_svg(spec, footer), scale=_PNG_SCALE))


def to_pdf(spec: Mapping[str, Any], footer: str = "") -> bytes:
    """Draws a specification as a PDF page of its own size; arguments as for `to_svg`."""
    return bytes(_renderer().svg_to_pdf(to_svg(spec, footer)))


def _with_footer(svg: str, footer: str) -> str:
    root = _ROOT.search(svg)
    if root is None:
        raise WeirError("the drawn picture has no size where vl-convert is known to write it")
    width, height = int(root[1]), int(root[2])
    lines = textwrap.wrap(footer, _FOOT_CHARACTERS)
    taller = height + _FOOT_LINE * len(lines) + _FOOT_INDENT
    size = f'width="{width}" height="{taller}" viewBox="0 0 {width} {taller}">'
    paper = f'<rect width="{width}" height="{taller}" fill="{PAPER.light}"/>'
    texts = "".join(
        f'<text x="{_FOOT_INDENT}" y="{height + _FOOT_LINE * number}" '
        f'font-family="{html.escape(FONT)}" font-size="{SMALL_SIZE}" '
        f'fill="{MUTED.light}">{html.escape(line)}</text>'
        for number, line in enumerate(lines, start=1)
    )
    body = svg[root.end() :].removesuffix("</svg>")
    return f"{svg[: root.start()]}{size}{paper}{body}{texts}</svg>"


def _renderer() -> ModuleType:
    return require("vl_convert", "a picture", "vl-convert-python", "report")
