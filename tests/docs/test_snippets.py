"""Every example of README and docs is run as a reader would run it, page by page, in order."""

import re
from pathlib import Path

import pytest
from sybil import Example
from sybil.document import Document
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

from tests.docs.console import ROOT, complaints

PAGES = [
    path
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md")))
    if re.search(r"^```(console|python|toml)\b", path.read_text(encoding="utf-8"), re.MULTILINE)
]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
FILE_NAME = re.compile(r"# (?P<path>[\w./-]+\.toml)\n")


def _console(example: Example) -> str | None:
    return "\n\n".join(complaints(example.parsed, Path.cwd(), TARGETS)) or None


def _file(example: Example) -> None:
    """A TOML block that starts with a comment of its path becomes that file."""
    named = FILE_NAME.match(example.parsed)
    if named is not None:
        path = Path(named["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example.parsed, encoding="utf-8")


PARSERS = (
    PythonCodeBlockParser(),
    CodeBlockParser(language="console", evaluator=_console),
    CodeBlockParser(language="toml", evaluator=_file),
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_examples_of_a_page_are_true(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = Document.parse(str(page), *PARSERS)
    monkeypatch.chdir(tmp_path)
    for example in document.examples():
        example.evaluate()
