import importlib.metadata
from types import SimpleNamespace

import numpy as np
import pytest

from weir.catalog import kernel_tables
from weir.catalog.kernel_tables import KernelTables, chips_of_tables, installed_tables
from weir.catalog.query import Catalog
from weir.core.errors import InputError


def test_a_missing_package_says_what_to_install(monkeypatch):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    with pytest.raises(InputError, match=r"not installed.*pip install 'chipweir\[validate\]'"):
        installed_tables()


def test_another_version_says_which_was_studied(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.13.0")
    with pytest.raises(InputError, match=r"0\.13\.0 is installed.*aiconfigurator-core==0\.12\.0"):
        installed_tables()


def test_calibration_and_test_chips_are_those_that_were_agreed_on():
    fitted = [chip.name for chip in chips_of_tables() if chip.calibrates]
    assert fitted == ["a100_sxm", "h100_sxm", "l40s", "b200_sxm"]
    catalog = Catalog()
    for chip in chips_of_tables():
        assert catalog.chip(chip.record).id == chip.record


def tables(tmp_path, monkeypatch, **columns):
    plan = {
        "tables": {"gemm": {"folder": "gemm", "file": "x"}},
        "versions": {"trtllm": ["2", "1"]},
        "excluded": [{"table": "gemm", "column": "m", "above": 100}],
        "not_fitted": [{"chip": "a", "column": "n", "below_column": "m"}],
    }
    (tmp_path / "a" / "gemm" / "trtllm" / "1").mkdir(parents=True)
    (tmp_path / "a" / "gemm" / "trtllm" / "1" / "x").write_bytes(b"")
    found = {name: np.asarray(value) for name, value in columns.items()}
    monkeypatch.setattr(kernel_tables, "_read_parquet", lambda path: found)
    return KernelTables(tmp_path, "0", (), "trtllm", plan)


def test_documented_bad_rows_are_left_out_and_milliseconds_become_seconds(tmp_path, monkeypatch):
    read = tables(
        tmp_path, monkeypatch, m=[1, 200, 3, 4], n=[9, 9, 2, 9],
        latency=[1.0, 1.0, 2.0, float("nan")],
    ).read  # fmt: skip
    kept = read("gemm", "a", "trtllm")
    assert kept["m"].tolist() == [1, 3]
    assert kept["latency"].tolist() == [1e-3, 2e-3]
    assert read("gemm", "a", "trtllm", fit=True)["m"].tolist() == [1]


def test_a_chip_without_the_table_has_none(tmp_path, monkeypatch):
    assert tables(tmp_path, monkeypatch, latency=[1.0]).read("gemm", "b", "trtllm") is None


def test_a_reader_that_is_missing_says_what_to_install(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", SimpleNamespace(ArrowInvalid=ValueError))
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InputError, match="pyarrow is not installed"):
        kernel_tables._read_parquet(tmp_path / "x")


def test_a_table_with_one_source_belongs_to_the_reference_framework():
    plan = {
        "tables": {
            "gemm": {},
            "nccl": {"framework": "nccl"},
            "gdn": {"instead": {"old": "sglang"}},
        }
    }
    found = KernelTables(None, "1", (), "trtllm", plan)
    assert found.source("gemm", "new", "trtllm") == "trtllm"
    assert found.source("gemm", "new", "vllm") == "vllm"
    assert found.source("nccl", "new", "trtllm") == "nccl"
    assert found.source("nccl", "new", "vllm") is None
    assert found.source("gdn", "old", "trtllm") == "sglang"
    assert found.source("gdn", "new", "trtllm") == "trtllm"
    assert found.source("gdn", "old", "vllm") == "vllm"
    assert found.source("gdn", "old", "sglang") is None
    assert found.source("gdn", "new", "sglang") == "sglang"


def test_rows_that_may_have_run_on_another_layers_tuning_are_not_fitted(tmp_path, monkeypatch):
    columns = {
        "kind": np.array(["x", "x", "x", "x", "y", "x"]),
        "inner": np.array([64, 64, 64, 128, 128, 256]),
        "split": np.array([2, 2, 2, 4, 4, 1]),
        "experts": np.array([8, 8, 16, 8, 8, 12]),
        "chips": np.array([8, 8, 1, 4, 4, 1]),
        "top_k": np.array([1, 2, 1, 2, 2, 2]),
        "latency": np.arange(1.0, 7.0),
    }
    found = tables(tmp_path, monkeypatch, **columns)
    rule = {
        "table": "gemm", "filed_under": ["kind", "inner / split", "experts / chips"],
        "differs_in": ["top_k"], "unless": {"kind": "y"},
    }  # fmt: skip
    found.plan.update(excluded=[], not_fitted=[rule])
    assert len(found.read("gemm", "a", "trtllm")["top_k"]) == 6
    # x_32_1 is the name of two layers and begins x_32_16; x_32_2 and x_256_12 are alone.
    kept = found.read("gemm", "a", "trtllm", fit=True)
    assert kept["experts"].tolist() == [16, 8, 8, 12]
    columns["kind"][4] = "x"
    columns["top_k"][4] = 3
    kept = found.read("gemm", "a", "trtllm", fit=True)
    assert kept["experts"].tolist() == [16, 12]
