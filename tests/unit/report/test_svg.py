import sys
import xml.etree.ElementTree as ET

import pytest

from weir.core.errors import EXIT_INPUT, WeirError
from weir.report.extras import MissingExtraError, require
from weir.report.palette import PAPER
from weir.report.svg import _with_footer, to_pdf, to_png, to_svg

SPEC = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
    "width": 120,
    "height": 60,
    "data": {"values": [{"x": 1}]},
    "mark": "point",
    "encoding": {"x": {"field": "x", "type": "quantitative"}},
}
SVG = "{http://www.w3.org/2000/svg}"


def test_missing_library_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(MissingExtraError) as caught:
        to_svg(SPEC)
    assert str(caught.value) == (
        "a picture needs the library vl-convert-python, which is not installed; "
        "install it with: pip install 'chipweir[report]'"
    )
    assert caught.value.exit_code == EXIT_INPUT


def test_broken_library_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "weir_test_broken.py").write_text("import weir_test_absent\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="weir_test_absent"):
        require("weir_test_broken", "a test", "weir_test_broken", "dev")


def test_drawn_picture_is_well_formed_and_loads_nothing():
    pytest.importorskip("vl_convert")
    svg = to_svg(SPEC)
    root = ET.fromstring(svg)  # noqa: S314 - our own output
    assert root.tag == f"{SVG}svg"
    assert "href" not in svg
    assert "url(" not in svg


def test_remote_data_is_refused():
    pytest.importorskip("vl_convert")
    remote = SPEC | {"data": {"url": "https://example.org/data.json"}}
    with pytest.raises(ValueError, match=r"example\.org"):
        to_svg(remote)


def test_footer_stands_below_the_picture():
    pytest.importorskip("vl_convert")
    plain = ET.fromstring(to_svg(SPEC))  # noqa: S314
    footed = ET.fromstring(to_svg(SPEC, "Source: A <b> & co"))  # noqa: S314
    assert int(footed.get("height")) > int(plain.get("height"))
    foot = footed.findall(f"{SVG}text")[-1]
    assert foot.text == "Source: A <b> & co"
    assert int(plain.get("height")) < int(foot.get("y")) < int(footed.get("height"))
    assert footed.find(f"{SVG}rect").get("fill") == PAPER.light


def test_unknown_drawing_is_not_cut_up():
    with pytest.raises(WeirError, match="no size"):
        _with_footer("<svg></svg>", "Source")


def test_other_formats_have_their_signatures():
    pytest.importorskip("vl_convert")
    assert to_png(SPEC).startswith(b"\x89PNG")
    assert to_pdf(SPEC).startswith(b"%PDF")
