import datetime as dt
from dataclasses import replace

from tests.unit.rules.circuits import circuit
from weir.catalog.law_load import load_law
from weir.core.units import TERA
from weir.rules.determine import determine_inputs
from weir.rules.transaction import Transaction

LAW = load_law()
JOB = Transaction("CN", dt.date(2024, 6, 1))
CHIP = circuit(fp8=550, area=(5000.0, 5000.0), designer="Other")  # TPP 4,400, density 0.88


def notices(*variants):
    found = determine_inputs(CHIP, JOB, LAW, trace_steps=False, variants=variants)
    return [item.text for item in found.notices if item.kind == "sensitivity"]


def faster(rate):
    return replace(CHIP, rates_flop_per_s={"fp8": (rate * TERA, rate * TERA)})


def test_a_source_that_would_change_the_verdict_is_told():
    (text,) = notices(("with dense fp8 600 TFLOP/s (other)", faster(600)))
    assert text.startswith("with dense fp8 600 TFLOP/s (other): classification 3A090.a")


def test_a_source_that_changes_nothing_is_not():
    assert notices(("slower", faster(500)), ("slightly faster", faster(599))) == []


def test_uncertain_variants_are_settled_like_the_chip_itself():
    vague = replace(CHIP, area_mm2=(2000.0, 2750.0))  # density 1.6 to 2.2: 3A090.b.1 throughout
    (text,) = notices(("another area", vague))
    assert "3A090.b, licence required yes" in text
