import pytest

from weir.report.markdown import escape, to_markdown


def test_whole_document(sample):
    assert to_markdown(sample, {"map": "out/map (1).svg"}) == (
        "# Acme 1 to Ruritania\n"
        "\n"
        "- Day: 2025-07-15\n"
        "- Data version: 2025-07-01\n"
        "\n"
        "**A licence is required.**\n"
        "\n"
        "## The law\n"
        "\n"
        "**A \\*licence\\* is needed.**[^1]\n"
        "\n"
        "> Not everything was checked.\n"
        "\n"
        "- **false**: 3A090.a[^1]\n"
        "    - TPP 2,368 \\< 4,800[^2]\n"
        "\n"
        "### What it can do\n"
        "\n"
        "**Rates of Acme 1**\n"
        "\n"
        "| Quantity | Rate (TFLOP/s) |\n"
        "| :--- | ---: |\n"
        "| **FP16 \\| dense** | **148**[^2] |\n"
        "| FP8 | 296 (r)[^3] |\n"
        "\n"
        "r = recalled\n"
        "\n"
        "Dense rates only.\n"
        "\n"
        "![One dot](out/map%20%281%29.svg)\n"
        "\n"
        "*A map*\n"
        "\n"
        "Source: Acme\n"
        "\n"
        "## Sources\n"
        "\n"
        "- rule-1: Office, Rule One (read 2025-02-03)\n"
        "- acme-sheet: Acme & Sons, Acme 1 \\<datasheet\\>, 2024-05-06 (read 2025-02-03) "
        "<https://example.org/acme_1.pdf?a=1&b=%282%29>\n"
        "\n"
        "[^1]: rule-1, (a)\n"
        "[^2]: acme-sheet, p. 2\n"
        "[^3]: No document was opened.\n"
        "\n"
        "Information, not legal advice.\n"
    )


def test_picture_without_a_file_is_told_in_words(sample):
    assert "*Picture: A map* One dot\n\nSource: Acme\n" in to_markdown(sample)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("4. Notes", "4\\. Notes"),
        ("- 3 dB", "\\- 3 dB"),
        ("# of chips", "\\# of chips"),
        ("-5 %", "-5 %"),
        ("2.91", "2.91"),
        ("a_b*c`d", "a\\_b\\*c\\`d"),
        ("$5 and $6", "\\$5 and \\$6"),
        ("<script>", "\\<script\\>"),
        ("AT&amp;T & Co", "AT&amp;amp;T & Co"),
        ("two\nlines\x00", "two lines"),
        ("[^1]", "\\[^1\\]"),
    ],
)
def test_every_character_means_itself(text, escaped):
    assert escape(text) == escaped
