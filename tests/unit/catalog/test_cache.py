import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import pytest

from weir.catalog import cache as module
from weir.catalog.cache import DIGEST_BYTES, Cache
from weir.catalog.files import STOCK
from weir.catalog.law import Law
from weir.catalog.law_load import load_law
from weir.catalog.law_stock import stock_law
from weir.catalog.query import Catalog, Shelf


@pytest.fixture
def kept(tmp_path: Path) -> Cache:
    """A cache of two small files that holds a value."""
    folder = tmp_path / "stock" / "chips"
    (folder / "vendor").mkdir(parents=True)
    (folder / "a.toml").write_text("one", encoding="utf-8")
    (folder / "vendor" / "b.toml").write_text("two", encoding="utf-8")
    cache = Cache(folder, tmp_path / "stock" / ".cache")
    cache.remember({"a": 1}, cache.fingerprint())
    return cache


def test_what_was_remembered_is_recalled(kept: Cache) -> None:
    assert kept.recall() == {"a": 1}


def test_nothing_is_recalled_where_nothing_was_remembered(tmp_path: Path) -> None:
    assert Cache(tmp_path / "chips", tmp_path / ".cache").recall() is None


def _edit(folder: Path) -> None:
    (folder / "a.toml").write_text("eno", encoding="utf-8")  # the same length


def _add(folder: Path) -> None:
    (folder / "c.csv").write_text("", encoding="utf-8")


def _remove(folder: Path) -> None:
    (folder / "a.toml").unlink()


def _rename(folder: Path) -> None:
    (folder / "a.toml").rename(folder / "c.toml")


def _move(folder: Path) -> None:
    (folder / "a.toml").rename(folder / "vendor" / "a.toml")


def _shift(folder: Path) -> None:
    (folder / "a.toml").write_text("onetwo", encoding="utf-8")
    (folder / "vendor" / "b.toml").write_text("", encoding="utf-8")


@pytest.mark.parametrize("change", [_edit, _add, _remove, _rename, _move, _shift])
def test_any_change_of_the_files_makes_it_forget(kept: Cache, change) -> None:
    change(kept.folder)
    assert kept.recall() is None


def test_a_change_of_a_file_elsewhere_that_counts_makes_it_forget(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    about = tmp_path / "about.toml"
    about.write_text("1", encoding="utf-8")
    cache = Cache(tmp_path / "rules", tmp_path / ".cache", also=(about,))
    cache.remember({"a": 1}, cache.fingerprint())
    assert cache.recall() == {"a": 1}
    about.write_text("2", encoding="utf-8")
    assert cache.recall() is None


def test_a_change_with_the_old_time_stamp_makes_it_forget(kept: Cache) -> None:
    path = kept.folder / "a.toml"
    stamp = path.stat()
    _edit(kept.folder)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert kept.recall() is None


def test_a_change_of_the_code_makes_it_forget(
    kept: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / "catalog"
    shutil.copytree(STOCK.parent / "catalog", code, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(module, "_CODE", (code, STOCK.parent / "core"))
    module._code_fingerprint.cache_clear()
    kept.remember({"a": 1}, kept.fingerprint())
    assert kept.recall() == {"a": 1}
    with (code / "fields.py").open("a", encoding="utf-8") as file:
        file.write("# another field\n")
    module._code_fingerprint.cache_clear()
    assert kept.recall() is None
    monkeypatch.undo()
    module._code_fingerprint.cache_clear()


@pytest.mark.parametrize("keep", [0, DIGEST_BYTES, 2 * DIGEST_BYTES, -1])
def test_a_cut_file_is_not_used(kept: Cache, keep: int) -> None:
    kept.path.write_bytes(kept.path.read_bytes()[:keep])
    assert kept.recall() is None


def test_a_damaged_file_is_not_used(kept: Cache) -> None:
    content = bytearray(kept.path.read_bytes())
    content[-2] ^= 1
    kept.path.write_bytes(content)
    assert kept.recall() is None


def test_what_was_made_of_other_files_is_not_kept(kept: Cache) -> None:
    before = kept.fingerprint()
    _edit(kept.folder)
    kept.remember({"a": 2}, before)
    assert kept.recall() is None


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "chips").mkdir()
    (tmp_path / "file").write_text("", encoding="utf-8")
    cache = Cache(tmp_path / "chips", tmp_path / "file" / ".cache")
    cache.remember({"a": 1}, cache.fingerprint())
    assert cache.recall() is None


def test_kept_records_equal_read_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere(Cache):
        def __init__(self, folder: Path, also: Sequence[Path] = ()) -> None:
            super().__init__(folder, tmp_path, also)

    monkeypatch.setattr("weir.catalog.query.Cache", Elsewhere)
    fresh, again = Catalog(), Catalog()
    for name in ("chips", "systems", "models", "sources"):
        read: Shelf = getattr(fresh, name)
        recalled: Shelf = getattr(again, name)
        read_entries = dict(read.entries)
        assert (tmp_path / f"{name}.pickle").exists()
        assert dict(recalled.entries) == read_entries
        # NaN is not equal to itself; the pickles are.
        assert [pickle.dumps(item) for item in read.all()] == [
            pickle.dumps(item) for item in recalled.all()
        ]


def _fields(law: Law) -> dict[str, object]:
    """What a law consists of; laws themselves compare by identity."""
    return {item.name: getattr(law, item.name) for item in fields(law)}


def test_the_kept_law_equals_the_read_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Cache(STOCK / "rules", tmp_path, also=(STOCK / "about.toml",))
    monkeypatch.setattr("weir.catalog.law_stock.Cache", lambda *_, **__: kept)
    stock_law.cache_clear()
    read = _fields(stock_law())
    assert read == _fields(load_law(STOCK))
    assert kept.path.exists()
    stock_law.cache_clear()
    monkeypatch.setattr("weir.catalog.law_load.load_law", None)
    recalled = _fields(stock_law())
    stock_law.cache_clear()
    assert recalled == read


def test_a_record_that_was_kept_needs_no_validator() -> None:
    Catalog().chips.entries  # noqa: B018 - fills the cache where it can be filled
    if not Cache(STOCK / "chips").is_writable:
        pytest.skip("the stock cannot be written, so nothing is kept")
    program = (
        "import sys; from weir.catalog.query import Catalog; catalog = Catalog();"
        "catalog.chip(next(iter(catalog.chips.entries)));"
        "sys.exit('pydantic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
