import dataclasses
import datetime as dt

from tests.unit.rules.circuits import circuit
from weir.catalog.law_load import load_law
from weir.rules.determine import determine_inputs
from weir.rules.transaction import Transaction

LAW = load_law()
DAY = dt.date(2025, 6, 1)


def _headline(in_prc):
    chip = circuit(fp8=2000.0, designer="Somebody")
    chip = dataclasses.replace(chip, facts={**chip.facts, "designed_in_prc": in_prc})
    return determine_inputs(chip, Transaction("MY", DAY), LAW).headline


def test_no_verdict_is_told_without_a_prominent_warning():
    assert "no U.S. licence requirement was found" in _headline("yes")
    assert "warning: General Prohibition 10" in _headline("yes")
    assert "warning: General Prohibition 10" in _headline("unknown")


def test_a_warning_that_does_not_apply_is_left_out():
    assert "warning" not in _headline("no")
