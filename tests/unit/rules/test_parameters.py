import datetime as dt

import pytest

from tests.unit.rules.circuits import circuit
from weir.catalog.law import Overlay
from weir.catalog.law_load import load_law
from weir.core.errors import InputError
from weir.rules.determine import determine_inputs
from weir.rules.logic import Answer
from weir.rules.parameters import apply_overlay, overlay_of, parse_set
from weir.rules.transaction import Transaction

LAW = load_law()
DAY = dt.date(2024, 6, 1)
CHIP = circuit(fp8=550, area=(5000.0, 5000.0), io=64, memory=500)  # TPP 4,400, density 0.88


def licence(law, destination="CN", on=DAY, chip=CHIP):
    found = determine_inputs(chip, Transaction(destination, on), law, trace_steps=False)
    return found.licence_required


def test_an_overlay_of_nothing_is_the_identity():
    assert apply_overlay(LAW) is LAW
    assert apply_overlay(LAW, Overlay("nothing")) is LAW


def test_a_lower_threshold_captures():
    changed = apply_overlay(LAW, overlay_of(["3A090.a.1.tpp=4000"]))
    assert (licence(LAW), licence(changed)) == (Answer.NO, Answer.YES)
    assert changed.overlay == ("3A090.a.1.tpp=4000",)


def test_the_data_stay_as_they_are():
    apply_overlay(LAW, overlay_of(["3A090.a.1.tpp=1"]))
    assert licence(LAW) is Answer.NO


def test_overlays_compose_in_order():
    down, up = overlay_of(["3A090.a.1.tpp=4000"]), overlay_of(["3A090.a.1.tpp=4500"])
    assert licence(apply_overlay(LAW, down, up)) is Answer.NO
    assert licence(apply_overlay(LAW, up, down)) is Answer.YES
    assert licence(apply_overlay(apply_overlay(LAW, down), up)) is Answer.NO


def test_a_unit_may_be_given():
    changed = apply_overlay(LAW, overlay_of(["letter-2025-04.intel.memory_bandwidth=0.4 TB/s"]))
    chip = circuit(fp8=100, io=64, memory=500, designer="Intel")
    day = dt.date(2025, 6, 1)
    assert (licence(LAW, on=day, chip=chip), licence(changed, on=day, chip=chip)) == (
        Answer.NO,
        Answer.YES,
    )


def test_dates_scopes_and_enforcement_can_be_moved():
    late = apply_overlay(LAW, overlay_of(["3A090.a.1.effective=2024-07-01"]))
    big = circuit(fp8=2000)
    assert licence(LAW, chip=big) is Answer.YES
    # the text of 2022 stands until the later version begins: 1,028 GB/s of I/O, TPP 16,000
    assert licence(late, chip=circuit(fp8=2000, io=64, area=(9000.0, 9000.0))) is Answer.NO
    wider = apply_overlay(LAW, overlay_of(["zone.d1-d4-d5.countries=MY SG"]))
    assert (licence(LAW, "MY", chip=big), licence(wider, "MY", chip=big)) == (Answer.NO, Answer.YES)
    worldwide = apply_overlay(LAW, overlay_of(["742.6(a)(6)(iii)(A).worldwide.enforced=true"]))
    day = dt.date(2025, 6, 1)
    assert (licence(LAW, "DE", day, big), licence(worldwide, "DE", day, big)) == (
        Answer.NO,
        Answer.YES,
    )


def test_a_provision_can_be_left_out():
    gone = apply_overlay(LAW, Overlay("no note 2", removed=("3A090.note-2",)))
    gaming = circuit(fp8=400, area=(379.0, 379.0), market="no", io=64, memory=700)
    assert (licence(LAW, chip=gaming), licence(gone, chip=gaming)) == (Answer.NO, Answer.YES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3A090.a.1", "write PATH=VALUE"),
        ("3A090.a.1=4", "add what to change"),
        ("3A090.a.1.tp=4", "did you mean tpp"),
        ("3A090.b.1.tpp=4", r"3A090.b.1.tpp.ge or 3A090.b.1.tpp.lt"),
        ("3A090.zz.tpp=4", "unknown provision"),
        ("3A090.a.1.tpp=4 GB/s", "does not measure TPP"),
        ("3A090.a.1.tpp=many", "needs a number"),
        ("3A090.a.1.tpp=-4", "finite number of at least 0"),
        ("3A090.a.1.tpp=nan", "finite number of at least 0"),
        ("3A090.a.1.tpp=1e400", "finite number of at least 0"),
        ("3A090.a.1.effective=2024-02-30", "is not a date"),
        ("3A090.a.1.enforced=perhaps", "true or false"),
        ("zone.nowhere.countries=CN", "unknown zone"),
        ("zone.china.countries=XX", "unknown country"),
        ("zone.china.groups=Z:9", "unknown country group"),
        ("zone.china.planets=CN", "countries, groups and except_groups"),
    ],
)
def test_a_path_that_is_not_understood_says_what_is_allowed(text, message):
    with pytest.raises(InputError, match=message):
        apply_overlay(LAW, overlay_of([text]))


def test_parse_set_reads_numbers_units_and_words():
    assert parse_set("a.b=4,800").value == 4800
    assert (parse_set("a.b=1.4 TB/s").value, parse_set("a.b=1.4 TB/s").unit) == (1.4, "TB/s")
    assert parse_set("a.b=2024-01-01").value == "2024-01-01"


def test_an_unknown_policy_is_refused():
    with pytest.raises(InputError, match="policy"):
        apply_overlay(LAW, overlay_of(["742.6(b)(10).denial.policy=generous"]))
