from pathlib import Path

from weir.catalog.citations import calibration_files, citations_in


def test_citations_are_found_at_any_depth(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(
        'sources = ["a", "b#page 1"]\nname = "no citation"\n'
        '[facts]\ntdp = {value = 1, sources = ["c"], alternatives = [{sources = ["d"]}]}\n'
        '[[groups.x]]\ncountry = "AE"\nsource = "e"\n',
        encoding="utf-8",
    )
    assert citations_in(path) == (
        ("sources", "a"),
        ("sources", "b#page 1"),
        ("facts.tdp", "c"),
        ("facts.tdp.alternatives", "d"),
        ("groups.x", "e"),
    )


def test_a_file_that_cannot_be_read_cites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    assert citations_in(path) == ()
    path.write_bytes(b"\xff")
    assert citations_in(path) == ()


def test_the_stock_has_calibration_files() -> None:
    assert "kernels.toml" in {path.name for path in calibration_files()}
