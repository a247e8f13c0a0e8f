import math

import pytest

from weir.catalog.citations import published_citations
from weir.catalog.published import COLUMNS, load_published
from weir.core.errors import RecordError

ROW = (
    "r1,h100-sxm,llama-3.1-8b,trtllm,tp=8;ep=4,fp8,,,128,256,{users},,,,,10.5,{quantity},"
    "some-source,\n"
)
BOUNDS = "r2,a,b,other,,,nvfp4,,1-1024,,,3000,0.5,2,0.2,7,first_token_s,some-source,no users\n"


def written(tmp_path, *rows):
    path = tmp_path / "published.csv"
    path.write_text(",".join(COLUMNS) + "\n" + "".join(rows), encoding="utf-8")
    return path


def test_a_row_is_read(tmp_path):
    row = ROW.format(users="", quantity="tokens_per_s_per_chip")
    other = ROW.format(users="16", quantity="tokens_per_s_per_user")
    first, second = load_published(written(tmp_path, row, other))
    assert first.degrees == (("tp", 8), ("ep", 4))
    assert (first.users, second.users) == (None, 16.0)
    assert (first.isl, first.osl, first.value, first.kv_cache) == (128.0, 256.0, 10.5, "")
    assert (first.isl_high, first.requests, first.overlap, first.left_out) == (128.0, None, 0.0, "")
    assert first.ttft_s == math.inf
    assert published_citations(written(tmp_path, row)) == (("r1", "some-source"),)


def test_what_a_source_tells_in_part_is_read_as_far_as_it_goes(tmp_path):
    (row,) = load_published(written(tmp_path, BOUNDS))
    assert (row.isl, row.isl_high, row.requests, row.overlap) == (1.0, 1024.0, 3000.0, 0.5)
    assert (row.ttft_s, row.tpot_s, row.experts, row.degrees) == (2.0, 0.2, "nvfp4", ())
    assert math.isnan(row.osl)
    assert row.left_out == "no users"


def test_what_is_broken_is_told_with_its_line(tmp_path):
    bad = ROW.format(users="many", quantity="tokens_per_s_per_chip")
    unknown = ROW.format(users="", quantity="tokens")
    with pytest.raises(RecordError, match=r"line 2[\s\S]*line 3: quantity is 'tokens'"):
        load_published(written(tmp_path, bad, unknown))
    assert published_citations(written(tmp_path, bad)) == ()
    path = tmp_path / "other.csv"
    path.write_text("id\nx\n", encoding="utf-8")
    with pytest.raises(RecordError, match="columns must be"):
        load_published(path)
