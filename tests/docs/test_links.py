"""Links between our own pages lead somewhere, and the glossary knows every word of the house."""

import re
from pathlib import Path

import pytest

from tests.docs.console import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")


def anchors(text: str) -> set[str]:
    """The anchors that a renderer makes of the headings of a page."""
    headings = re.findall(r"^#+ +(.*)$", text, flags=re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in kept}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_to_our_own_pages_lead_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        is_there = other.exists()
        if is_there and anchor:
            is_there = anchor in anchors(other.read_text(encoding="utf-8"))
        if not is_there:
            broken.append(target)
    assert not broken, f"{page.name}: {', '.join(broken)}"


GLOSSARY = ROOT / "docs" / "glossary.md"
# One word per thing: the vocabulary that code, data and pages share.
TERMS = [
    "applicable die area",
    "arithmetic intensity",
    "chip",
    "classification",
    "compliance",
    "dense rate",
    "effective",
    "enforced",
    "evidence horizon",
    "exception",
    "fact",
    "gb and gib",
    "goodput",
    "instrument",
    "interval",
    "itl",
    "kv cache",
    "licence requirement",
    "link rate",
    "margin",
    "mfu",
    "overlay",
    "parallel degrees",
    "performance density",
    "prefill and decode",
    "published",
    "review policy",
    "source",
    "status",
    "superseded",
    "tpot",
    "tpp",
    "trace",
    "ttft",
    "unknown",
]


def _entries() -> dict[str, str]:
    parts = re.split(r"^### (.*)$", GLOSSARY.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name.lower(): text for name, text in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.mark.parametrize("term", TERMS)
def test_the_glossary_defines(term: str) -> None:
    assert _entries()[term].strip(), f"glossary.md has no definition under '### {term}'"


def test_what_the_glossary_says_is_in_code_is_in_code() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for path in [*ROOT.glob("src/weir/**/*.py"), *ROOT.glob("src/weir/**/*.toml")]
    )
    for term, text in _entries().items():
        named = re.search(r"In\s+code:(.*)", text, flags=re.DOTALL)
        for name in re.findall(r"`(\w+)`", named[1] if named else ""):
            assert re.search(rf"\b{name}\b", code), f"{term}: no '{name}' in the code"


def test_every_page_is_listed_on_the_first_one() -> None:
    first = ROOT / "docs" / "README.md"
    listed = {
        (first.parent / target.partition("#")[0]).resolve()
        for target in LINK.findall(first.read_text(encoding="utf-8"))
    }
    missing = set(ROOT.glob("docs/**/*.md")) - listed - {first}
    assert not missing, f"docs/README.md does not list {sorted(map(str, missing))}"
