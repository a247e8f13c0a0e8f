import os
from pathlib import Path

import pytest

from weir.catalog.files import STOCK
from weir.catalog.query import OVERLAY_VARIABLE, Catalog, fold
from weir.core.errors import RecordError, UnknownNameError

CHIP = """\
id = "{id}"
name = "{name}"
designer = "Example"
generation = "generic"
aliases = [{aliases}]

[facts]
tdp = {{value = {tdp}, unit = "W", sources = ["some-datasheet"]}}
"""


def write_chip(
    root: Path, identifier: str, *, name: str = "Example", tdp: float = 123, aliases: str = ""
) -> Path:
    path = root / "chips" / "example" / f"{identifier}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = CHIP.format(id=identifier, name=name, tdp=tdp, aliases=aliases)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    return tmp_path / "mine"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("NVIDIA H20", "nvidia-h20"),
        ("Ascend 910B", "ascend_910b"),
        ("昇腾 910B", "昇腾910b"),
        ("Größe", "GRÖSSE"),
    ],
)
def test_case_and_punctuation_do_not_tell_names_apart(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_letters_and_digits_tell_names_apart() -> None:
    assert fold("H20") != fold("H200")
    assert fold("昇腾 910B") != fold("910B")


def test_a_chip_answers_to_id_name_and_every_alias(catalog: Catalog) -> None:
    for entry in catalog.chips.entries.values():
        assert catalog.chips.find(entry.id) == entry.id
        assert catalog.chip(entry.id) is catalog.chip(entry.names[0])
        for name in entry.names:
            assert fold(name) in {fold(other) for other in (*entry.names, entry.id)}
            assert catalog.chips.find(name.upper()) == catalog.chips.find(name)


def test_a_chinese_name_finds_its_chip(overlay: Path) -> None:
    write_chip(overlay, "ascend-test", aliases='"昇腾 测试"')
    catalog = Catalog(overlay)
    assert catalog.chip("昇腾测试").id == "ascend-test"
    with pytest.raises(UnknownNameError, match="Nearest: 昇腾 测试"):
        catalog.chip("昇腾 测")


def test_an_unknown_chip_comes_with_neighbours_and_the_command_that_lists_all(
    catalog: Catalog,
) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown chip 'Ascend 910X'.*910.*weir chip list"):
        catalog.chip("Ascend 910X")


def test_a_citation_finds_its_source(catalog: Catalog) -> None:
    identifier = next(iter(catalog.sources.entries))
    assert catalog.source(f"{identifier}#page 3").id == identifier


def test_the_stock_has_a_day(catalog: Catalog) -> None:
    assert len(catalog.data_version) == len("2025-07-15")


def test_an_overlay_adds_a_chip_beside_the_stock(catalog: Catalog, overlay: Path) -> None:
    write_chip(overlay, "example-x1", name="Example X1")
    mine = Catalog(overlay)
    assert mine.chip("Example X1").number("tdp") == 123
    assert set(mine.chips.entries) == {*catalog.chips.entries, "example-x1"}
    assert mine.problems == ()


def test_an_overlay_replaces_a_chip_under_all_its_names(catalog: Catalog, overlay: Path) -> None:
    entry = next(item for item in catalog.chips.entries.values() if len(item.names) > 1)
    write_chip(overlay, entry.id, tdp=999)
    mine = Catalog(overlay)
    for name in (*entry.names, entry.id):
        if catalog.chips.find(name) == entry.id:
            assert mine.chip(name).number("tdp") == 999
    assert len(mine.chips.entries) == len(catalog.chips.entries)


def test_the_later_of_two_overlays_wins(tmp_path: Path) -> None:
    for folder, tdp in (("a", 1), ("b", 2)):
        write_chip(tmp_path / folder, "example-x1", tdp=tdp)
    assert Catalog(tmp_path / "a", tmp_path / "b").chip("example-x1").number("tdp") == 2
    assert Catalog(tmp_path / "b", tmp_path / "a").chip("example-x1").number("tdp") == 1


def test_a_name_given_by_an_overlay_beats_the_same_name_of_the_stock(
    catalog: Catalog, overlay: Path
) -> None:
    taken = next(
        name
        for entry in catalog.chips.entries.values()
        for name in entry.names
        if fold(name) not in {fold(key) for key in catalog.chips.entries}
    )
    write_chip(overlay, "zz-example", aliases=f'"{taken}"')
    assert Catalog(overlay).chip(taken).id == "zz-example"


def test_an_id_beats_a_name(catalog: Catalog, overlay: Path) -> None:
    identifier = next(iter(catalog.chips.entries))
    write_chip(overlay, "zz-example", aliases=f'"{identifier}"')
    assert Catalog(overlay).chip(identifier).id == identifier


def test_the_environment_names_overlays_and_the_command_line_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, tdp in (("a", 1), ("b", 2), ("c", 3)):
        write_chip(tmp_path / folder, "example-x1", tdp=tdp)
        write_chip(tmp_path / folder, f"only-{folder}")
    monkeypatch.setenv(OVERLAY_VARIABLE, os.pathsep.join(str(tmp_path / name) for name in "ab"))
    catalog = Catalog.from_environment(tmp_path / "c")
    assert catalog.chip("example-x1").number("tdp") == 3
    assert {"only-a", "only-b", "only-c"} <= set(catalog.chips.entries)
    assert Catalog.from_environment().chip("example-x1").number("tdp") == 2


@pytest.mark.parametrize("setting", ["", os.pathsep])
def test_an_empty_setting_names_no_overlay(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OVERLAY_VARIABLE, setting)
    assert Catalog.from_environment().roots == (STOCK,)


def test_an_overlay_that_is_no_folder_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="is not a folder; give a folder with chips/"):
        Catalog(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["tdp = ", 'id = "h20"\nfacts = 3', "\xff"])
def test_a_broken_overlay_record_does_not_hide_the_stock(
    catalog: Catalog, overlay: Path, text: str
) -> None:
    identifier = next(iter(catalog.chips.entries))
    path = write_chip(overlay, identifier)
    path.write_text(text, encoding="latin-1")
    mine = Catalog(overlay)
    for name in (identifier, *catalog.chips.entries[identifier].names):
        assert mine.chip(name).origin == catalog.chip(name).origin
    assert [chip.id for chip in mine.chips.all()] == list(catalog.chips.entries)
    assert {problem.path for problem in mine.problems} == {str(path)}


def test_a_broken_new_record_stops_only_who_asks_for_it(catalog: Catalog, overlay: Path) -> None:
    path = write_chip(overlay, "example-x1")
    path.write_text("tdp = ", encoding="utf-8")
    mine = Catalog(overlay)
    assert [chip.id for chip in mine.chips.all()] == list(catalog.chips.entries)
    assert [problem.path for problem in mine.problems] == [str(path)]
    with pytest.raises(RecordError, match=r"example-x1\.toml: 1 problem\n.*not valid TOML"):
        mine.chip("example-x1")


def test_an_audit_tells_every_problem_of_an_overlay_and_goes_on(overlay: Path) -> None:
    good = write_chip(overlay, "good")
    bad = write_chip(overlay, "bad", tdp=-1)
    told = [problem for _, problems in Catalog(overlay).chips.audit() for problem in problems]
    assert [(problem.path, problem.message) for problem in told] == [
        (str(bad), "facts.tdp: cannot be negative, but is -1")
    ]
    assert good.exists()


def test_two_files_of_one_id_in_a_folder_are_told(overlay: Path) -> None:
    first = write_chip(overlay, "example-x1")
    second = overlay / "chips" / "zz" / "example-x1.toml"
    second.parent.mkdir()
    second.write_text(first.read_text(encoding="utf-8"), encoding="utf-8")
    catalog = Catalog(overlay)
    told = [problem for _, problems in catalog.chips.audit() for problem in problems]
    assert [problem.path for problem in told] == [str(second)]
    assert f"stands also in {first}" in told[0].message
    assert catalog.chip("example-x1").origin == str(first)


def test_an_unreadable_place_does_not_stop_the_others(catalog: Catalog, overlay: Path) -> None:
    (overlay / "chips" / "folder.toml").mkdir(parents=True)
    (overlay / "chips" / "dangling.toml").symlink_to(overlay / "nowhere.toml")
    assert len(Catalog(overlay).chips.all()) == len(catalog.chips.entries)


def test_a_broken_price_list_of_an_overlay_does_not_hide_the_stock(
    catalog: Catalog, overlay: Path
) -> None:
    (overlay / "prices").mkdir()
    (overlay / "prices" / "mine.csv").write_text("chip,price\n", encoding="utf-8")
    mine = Catalog(overlay)
    assert mine.offers == catalog.offers
    assert [problem.path for problem in mine.problems] == [str(overlay / "prices" / "mine.csv")]


def test_the_node_of_a_chip_is_made_of_it(catalog: Catalog) -> None:
    made_of = {system.chip for system in catalog.systems.all()}
    for identifier in made_of & set(catalog.chips.entries):
        system = catalog.system_of(catalog.chip(identifier))
        assert system is not None
        assert system.chip == identifier


def test_a_chip_of_no_node_has_none(overlay: Path) -> None:
    write_chip(overlay, "example-x1")
    catalog = Catalog(overlay)
    assert catalog.system_of(catalog.chip("example-x1")) is None
