import pytest

from weir.catalog.citations import claim_citations
from weir.catalog.claims import COLUMNS, load_claims
from weir.core.errors import RecordError

ROW = "R1,Text,quantity,12.5,ms,0.1,some-source#page 2,tpp,chip=h20-96;on=2024-01-01,because\n"


def written(tmp_path, text):
    path = tmp_path / "claims.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_claim_is_read_with_its_arguments(tmp_path):
    (claim,) = load_claims(written(tmp_path, ",".join(COLUMNS) + "\n" + ROW))
    assert (claim.value, claim.unit, claim.within) == (12.5, "ms", 0.1)
    assert claim.arguments == {"chip": "h20-96", "on": "2024-01-01"}
    assert claim_citations(written(tmp_path, ",".join(COLUMNS) + "\n" + ROW)) == (
        ("R1", "some-source#page 2"),
    )


def test_other_columns_and_bad_numbers_are_told_with_their_line(tmp_path):
    with pytest.raises(RecordError, match="columns must be"):
        load_claims(written(tmp_path, "id,value\nR1,2\n"))
    broken = ",".join(COLUMNS) + "\n" + ROW + ROW.replace("12.5", "many")
    with pytest.raises(RecordError, match="line 3"):
        load_claims(written(tmp_path, broken))
    assert claim_citations(written(tmp_path, broken)) == ()
