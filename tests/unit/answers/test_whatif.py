import datetime as dt

from weir.answers.changes import inputs_of
from weir.answers.whatif import what_if
from weir.catalog.law import Overlay
from weir.catalog.law_load import load_law
from weir.catalog.query import Catalog
from weir.rules.parameters import overlay_of
from weir.rules.transaction import Transaction

LAW = load_law()
CATALOG = Catalog()
CHIPS = inputs_of(
    CATALOG.chip(name) for name in ("H20", "H100 SXM", "RTX 4090", "RTX 4090 D", "L40", "T4")
)
JOB = Transaction("CN", dt.date(2024, 6, 1))


def test_a_lower_line_captures_and_names_the_gaming_parts():
    lower = overlay_of(["3A090.a.1.tpp=4500", "3A090.note-2.tpp=4500"])
    found = what_if(CHIPS, JOB, LAW, lower)
    assert [flip.chip_id for flip in found.captured] == ["rtx-4090d"]
    assert [flip.chip_id for flip in found.collateral] == ["rtx-4090d"]
    assert found.released == ()
    assert found.unchanged == len(CHIPS) - len(found.flips)


def test_a_higher_line_releases():
    higher = overlay_of(["3A090.a.1.tpp=6000", "3A090.note-2.tpp=6000"])
    found = what_if(CHIPS, JOB, LAW, higher)
    assert [flip.chip_id for flip in found.released] == ["rtx-4090"]


def test_the_maps_show_the_moved_line():
    found = what_if(CHIPS, JOB, LAW, overlay_of(["3A090.b.2.performance_density.ge=2.5"]))
    before = {zone.clause: zone.y_low for zone in found.zones_before}
    after = {zone.clause: zone.y_low for zone in found.zones_after}
    assert (before["3A090.b.2"], after["3A090.b.2"]) == (3.2, 2.5)
    assert [flip.chip_id for flip in found.captured] == ["h20-96"]  # 2,368 / 814 = 2.91


def test_an_overlay_of_nothing_changes_nothing():
    found = what_if(CHIPS, JOB, LAW, Overlay("nothing"))
    assert found.flips == ()
    assert found.zones_before == found.zones_after


def test_what_is_changed_is_told_number_by_number():
    overlay = overlay_of(
        [
            "3A090.b.1.tpp.lt=4000",
            "742.6(b)(10)(iii)(A)(1).policy=presumption_of_denial",
            "zone.china.countries=CN HK",
        ]
    )
    found = {
        item.what: (item.before, item.after) for item in what_if(CHIPS, JOB, LAW, overlay).moved
    }
    assert found == {
        "3A090.b.1": ("TPP < 4,800", "TPP < 4,000"),
        "742.6(b)(10)(iii)(A)(1)": ("case by case", "presumption of denial"),
        "zone.china": ("CN", "CN HK"),
    }
    assert what_if(CHIPS, JOB, LAW, Overlay("nothing")).moved == ()


def test_what_is_left_out_does_not_exist_any_more():
    found = what_if(CHIPS, JOB, LAW, Overlay("x", removed=("3A090.note-2",))).moved
    (gone,) = [item for item in found if item.what == "3A090.note-2"]
    assert gone.before.startswith("TPP < 4,800")
    assert gone.after == ""
