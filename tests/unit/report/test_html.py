import dataclasses
import itertools
import re
import sys
from html.parser import HTMLParser

import pytest

from weir.core.errors import WeirError
from weir.report.document import Document, Paragraph, Section
from weir.report.html import _template, to_html

pytest.importorskip("jinja2")
pytest.importorskip("vl_convert")

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """Checks nesting and collects what the tests ask about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture
def page(sample):
    return Page(to_html(sample))


def test_page_loads_nothing(sample):
    text = to_html(sample)
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert "@import" not in text
    assert "url(" not in text
    policy = next(m for m in page.all("meta") if m.get("http-equiv"))
    assert policy["content"].startswith("default-src 'none'")


def test_every_reference_leads_somewhere(page):
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    inner = [a["href"][1:] for a in page.all("a") if a["href"].startswith("#")]
    assert {"note-1", "note-2", "note-3", "source-acme-sheet"} <= set(inner)
    assert set(inner) <= set(ids)


def test_tables_have_captions_and_headers(page):
    assert len(page.all("caption")) == len(page.all("table")) == 1
    assert [th.get("scope") for th in page.all("th")] == ["col", "col", "row", "row"]
    assert "Rates of Acme 1" in page.text


def test_pictures_are_told_to_who_cannot_see_them(page):
    (plate,) = [attrs for attrs in page.all("div") if attrs.get("role") == "img"]
    assert plate["aria-label"] == "One dot"
    assert len(page.all("svg")) == len(page.all("figcaption")) == 1


def test_headings_go_down_one_level_at_a_time(page):
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_weak_facts_are_marked(page):
    (mark,) = page.all("abbr")
    assert mark["title"] == "recalled"


def test_text_means_itself():
    evil = '<script>alert(1)</script> & "quotes" {{ 7 * 7 }}'
    text = to_html(Document(evil, evil, (Section(evil, (Paragraph(evil),)),)))
    assert "<script" not in text
    assert "49" not in "".join(Page(text).text).replace(evil, "")
    assert Page(text).text.count(evil) >= 3


def test_address_that_is_no_web_page_is_no_link(sample):
    source = dataclasses.replace(sample.sources[2], url="javascript:alert(1)")
    page = Page(to_html(dataclasses.replace(sample, sources=(*sample.sources[:2], source))))
    assert not any("javascript" in a["href"] for a in page.all("a"))
    assert any("javascript:alert(1)" in text for text in page.text)


def test_long_documents_have_a_table_of_contents():
    sections = tuple(Section(f"Part {i}") for i in range(4))
    assert len(Page(to_html(Document("T", sections=sections))).all("nav")) == 1
    assert Page(to_html(Document("T", sections=sections[:3]))).all("nav") == []


def test_same_document_same_page(sample):
    assert to_html(sample) == to_html(sample)


def test_missing_jinja_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    _template.cache_clear()
    with pytest.raises(WeirError, match=r"pip install 'chipweir\[report\]'"):
        to_html(Document("T"))
