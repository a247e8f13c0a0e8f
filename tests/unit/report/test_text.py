import dataclasses

import pytest

from weir.report.document import Align, Cell, Column, Document, Section, Table
from weir.report.text import display_width, table_to_text, to_text


def test_whole_document(sample):
    assert to_text(sample, 60) == (
        "Acme 1 to Ruritania\n"
        "===================\n"
        "\n"
        "Day           2025-07-15\n"
        "Data version  2025-07-01\n"
        "\n"
        "A licence is required.\n"
        "\n"
        "The law\n"
        "-------\n"
        "\n"
        "A *licence* is needed. [1]\n"
        "\n"
        "Caution: Not everything was checked.\n"
        "\n"
        "- false: 3A090.a [1]\n"
        "  - TPP 2,368 < 4,800 [2]\n"
        "\n"
        "What it can do:\n"
        "\n"
        "Rates of Acme 1\n"
        "Quantity      Rate (TFLOP/s)\n"
        "------------  --------------\n"
        "FP16 | dense     148 [2]\n"
        "FP8              296 (r) [3]\n"
        "r = recalled\n"
        "Dense rates only.\n"
        "\n"
        "Picture: A map\n"
        "One dot\n"
        "Source: Acme\n"
        "\n"
        "Notes\n"
        "-----\n"
        "\n"
        "[1]  rule-1, (a)\n"
        "[2]  acme-sheet, p. 2\n"
        "[3]  No document was opened.\n"
        "\n"
        "Sources\n"
        "-------\n"
        "\n"
        "rule-1: Office, Rule One (read 2025-02-03)\n"
        "acme-sheet: Acme & Sons, Acme 1 <datasheet>, 2024-05-06\n"
        "  (read 2025-02-03) https://example.org/acme_1.pdf?a=1&b=(2)\n"
        "\n"
        "Information, not legal advice.\n"
    )


@pytest.fixture
def wide() -> Table:
    columns = ("Chip", Column("TPP", align=Align.RIGHT), "Why")
    why = "the total processing performance stays below the line of the paragraph"
    return Table("Wide", columns, (("H20", "2,368", why), ("昇腾 910B", "5,120", why)))


def test_sentences_wrap_and_numbers_stay_whole(wide):
    text = table_to_text(wide, {}, 50)
    lines = text.splitlines()
    assert max(display_width(line) for line in lines) <= 50
    assert "2,368" in text
    assert "5,120" in text
    # A wide character takes two columns, so the numbers still end at the same column.
    ends = {
        display_width(ln[: ln.index(n) + 5]) for ln in lines for n in ("2,368", "5,120") if n in ln
    }
    assert len(ends) == 1


@pytest.mark.parametrize("width", [20, 30])
def test_table_too_wide_for_the_terminal_is_told_row_by_row(width):
    columns = tuple(Column(f"Rate{i}", align=Align.RIGHT) for i in range(8))
    table = Table("Many", columns, (tuple(f"{i},000,000" for i in range(8)),))
    lines = table_to_text(table, {}, width).splitlines()
    assert lines[1:3] == ["0,000,000", "  Rate1: 1,000,000"]
    assert len(lines) == 9


def test_empty_table_keeps_its_headings():
    assert table_to_text(Table("None", ("a", "bb"), ()), {}, 40) == "None\na  bb\n-  --"


def test_empty_document_is_its_title():
    assert to_text(Document("T")) == "T\n=\n"


def test_escape_sequences_of_a_name_do_not_reach_the_terminal():
    table = Table("T", ("Chip",), ((Cell("\x1b[2Jevil\x07"),),))
    text = to_text(Document("D", sections=(Section("S", (table,)),)))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "evil" in text


def test_same_document_same_text(sample):
    assert to_text(sample) == to_text(dataclasses.replace(sample))
