import json
from pathlib import Path

import pytest

from weir.cli.output import STYLES, Output, render
from weir.core.errors import InputError, OutputError
from weir.report.document import Document, Section, Table


@pytest.fixture
def sample():
    table = Table("Rates", ("Format", "Rate"), (("FP8", "296"),))
    return Document("Acme 1", "A chip.", (Section("Rates", (table,)),))


@pytest.mark.parametrize("other", ["a.html", "./a.html", "sub/../a.html"])
def test_two_names_of_one_file_are_refused(tmp_path, monkeypatch, other):
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="same file; give two"):
        Output.checked(None, Path("a.html"), Path(other))


def test_a_bad_path_is_refused_before_any_work(tmp_path):
    with pytest.raises(OutputError):
        Output.checked(None, tmp_path / "no" / "a.html", None)


@pytest.mark.parametrize("style", STYLES)
def test_each_style_writes_the_document(sample, style):
    text = render(sample, {"answer": 1}, style)
    assert text
    if style == "json":
        assert json.loads(text) == {"answer": 1}
    else:
        assert "296" in text


def test_page_and_text_both_arrive(tmp_path, sample, capsys):
    page, text = tmp_path / "a.html", tmp_path / "a.txt"
    Output.checked("text", page, text).deliver(sample, {})
    assert page.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html")
    assert sample.title in text.read_text(encoding="utf-8")
    assert capsys.readouterr().out == ""


def test_without_options_the_text_is_printed(sample, capsys):
    Output.checked(None, None, None).deliver(sample, {})
    assert capsys.readouterr().out.startswith(sample.title)


def test_two_forms_of_one_output_are_refused(refused):
    assert "--json and --md are forms of one output" in refused(
        "chip", "show", "H20", "--json", "--md"
    )
