import json


def test_list_names_every_system(weir, catalog) -> None:
    out = weir("system", "list").out
    assert all(identifier in out for identifier in catalog.systems.entries)


def test_list_of_one_chip(weir, catalog) -> None:
    found = json.loads(weir("system", "list", "--chip", "H20", "--json").out)
    assert {item["chip"] for item in found} == {"h20-96"}
    assert len(found) == sum(s.chip == "h20-96" for s in catalog.systems.all())


def test_show_prints_each_fact_with_its_sources(weir, catalog) -> None:
    for entry in catalog.systems.entries:
        done = weir("system", "show", entry, "--md")
        assert done.status == 0
        system = catalog.systems.get(entry)
        assert system.name in done.out
        for fact in system.facts.values():
            assert fact.status.value in done.out


def test_unknown_names_are_answered_with_the_nearest(weir) -> None:
    done = weir("system", "show", "GB200 NVL27")
    assert done.status == 2
    assert "NVL72" in done.err
    assert weir("system", "list", "--chip", "H21").status == 2
