import pytest

from weir.catalog.measured import COLUMNS, read_measured
from weir.core.errors import RecordError


def written(tmp_path, *rows):
    path = tmp_path / "bench.csv"
    lines = [",".join(COLUMNS)]
    lines += [",".join(str(row.get(name, "")) for name in COLUMNS) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


GEMM = {
    "chip": "H100",
    "framework": "mine",
    "kernel": "gemm",
    "dtype": "bf16",
    "m": 1,
    "n": 2,
    "k": 3,
}


def test_a_row_gives_its_shape_and_time(tmp_path):
    (row,) = read_measured(written(tmp_path, {**GEMM, "measured_s": 2e-6}))
    assert dict(row.shape) == {"m": 1.0, "n": 2.0, "k": 3.0}
    assert (row.chip, row.kernel, row.measured_s) == ("H100", "gemm", 2e-6)


def test_every_problem_is_named_with_line_and_column(tmp_path):
    path = written(
        tmp_path,
        {**GEMM, "measured_s": "nan"},
        {**GEMM, "m": 0, "k": "x", "measured_s": 1e-6},
        {**GEMM, "kernel": "sort", "measured_s": 1e-6},
    )
    with pytest.raises(RecordError) as caught:
        read_measured(path)
    assert caught.value.problems == (
        "line 2, column measured_s: 'nan' is not a number above zero",
        "line 3, column m: '0' is not a whole number above zero",
        "line 3, column k: 'x' is not a whole number above zero",
        "line 4, column kernel: 'sort' is none of gemm, attention_prefill, attention_decode, "
        "elementwise",
    )


ATTENTION = {
    "chip": "H100", "framework": "mine", "kernel": "attention_decode", "dtype": "bf16",
    "batch": 1, "kv_tokens": 10, "heads": 32, "kv_heads": 7, "head_dim": 128, "measured_s": 1e-6,
}  # fmt: skip


def test_shapes_that_cannot_be_are_refused(tmp_path):
    path = written(
        tmp_path,
        {**GEMM, "m": 0.5, "measured_s": 1e-6},
        {**GEMM, "chip": "", "measured_s": 1e-6},
        ATTENTION,
    )
    with pytest.raises(RecordError) as caught:
        read_measured(path)
    assert caught.value.problems == (
        "line 2, column m: '0.5' is not a whole number above zero",
        "line 3, column chip: is empty",
        "line 4, column kv_heads: 7 does not divide the 32 heads",
    )


def test_a_row_of_another_length_or_a_cell_without_end_is_told_with_its_line(tmp_path):
    path = written(
        tmp_path, {**GEMM, "measured_s": "1e-6,9"}, {**GEMM, "measured_s": "1" * 200_000}
    )
    with path.open("a", encoding="utf-8") as file:
        file.write("H100,mine,gemm\n")
    with pytest.raises(RecordError) as caught:
        read_measured(path)
    assert caught.value.problems[0] == "line 2: has not one cell for each column of line 1"
    assert caught.value.problems[1].startswith("line 3: field larger than field limit")


def test_missing_columns_and_empty_files_are_refused(tmp_path):
    path = tmp_path / "bench.csv"
    path.write_text("chip,kernel\n", encoding="utf-8")
    with pytest.raises(RecordError, match="column 'measured_s' is missing"):
        read_measured(path)
    with pytest.raises(RecordError, match="no measurements"):
        read_measured(written(tmp_path))
    with pytest.raises(RecordError, match="cannot be read"):
        read_measured(tmp_path / "none.csv")
