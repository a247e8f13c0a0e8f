import datetime as dt

from tests.unit.rules.circuits import circuit
from weir.catalog.law_load import load_law
from weir.rules.evaluate import evaluate
from weir.rules.inputs import columns
from weir.rules.logic import Answer
from weir.rules.scene import Scene, law_on
from weir.rules.transaction import Transaction, resolve
from weir.rules.verdicts import verdicts

LAW = load_law()


def test_verdicts_row_by_row():
    day = dt.date(2024, 6, 1)
    chips = columns([circuit("small", fp8=100), circuit("big", fp8=2000)])
    outcome = evaluate(Scene(law_on(LAW, day), resolve(LAW, Transaction("CN", day)), chips))
    assert verdicts(outcome, 0, 2) == [
        ("none", Answer.NO, ""),
        ("3A090.a", Answer.YES, "presumption_of_denial"),
    ]
    assert verdicts(outcome, 1, 2) == verdicts(outcome, 0, 2)[1:]


def test_one_answer_for_all_rows_is_repeated():
    day = dt.date(2020, 1, 1)
    chips = columns([circuit("a"), circuit("b")])
    outcome = evaluate(Scene(law_on(LAW, day), resolve(LAW, Transaction("CN", day)), chips))
    assert verdicts(outcome, 0, 2) == [("not yet", Answer.NO, "")] * 2
