import pytest

JOB = ("RTX 4090", "--to", "CN", "--on", "2026-09-01")
FIRST_BYTES = {".pdf": b"%PDF", ".docx": b"PK", ".html": b"<!doctype html", ".md": b"# "}


@pytest.mark.parametrize("ending", FIRST_BYTES)
@pytest.mark.parametrize("nac", [(), ("--nac",)])
def test_the_ending_says_the_format(weir, tmp_path, ending, nac):
    for module, endings in (("typst", ".pdf"), ("docx", ".docx")):
        if ending == endings:
            pytest.importorskip(module)
    path = tmp_path / f"memo{ending}"
    found = weir("memo", *JOB, *nac, "--output", path)
    assert found.status == 0, found.err
    assert path.read_bytes().lower().startswith(FIRST_BYTES[ending].lower())


def test_a_memo_has_its_parts(weir):
    text = " ".join(weir("memo", *JOB).out.split())
    for words in (
        "Classification memo: NVIDIA GeForce RTX 4090",
        "Inputs and their sources",
        "TPP 5,284.8 / applicable die area 608.5 mm²",
        "The words of the clauses",
        "Sign-off",
        "Prepared by",
        "not legal advice",
        "us-ecfr-2026-07-23",
    ):
        assert words in text
    assert "cleared" not in text.lower()


def test_a_nac_block_has_parameters_market_and_terms(weir):
    text = " ".join(weir("memo", *JOB, "--nac").out.split())
    for words in ("Technical parameters", "Market evidence", "Terms that remain to be met"):
        assert words in text


def test_a_day_past_the_evidence_is_a_caution(weir):
    found = weir("memo", "H20", "--to", "CN", "--on", "2027-01-01")
    assert "Caution: The evidence reaches" in found.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((*JOB, "--output", "memo.doc"), ".docx, .pdf"),
        ((*JOB, "--output", "memo"), "the ending says the format"),
        ((*JOB, "--output", "nowhere/memo.pdf"), "cannot write"),
        (("H2O", "--to", "CN"), "weir chip list"),
        (("H20", "--to", "Chima"), "Nearest: China"),
    ],
)
def test_what_cannot_be_is_refused(refused, words, told):
    assert told in refused("memo", *words)
