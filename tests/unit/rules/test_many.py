import datetime as dt
import math

import numpy as np
import pytest

from tests.unit.rules.circuits import circuit
from weir.catalog.law_load import load_law
from weir.core.errors import InputError
from weir.rules.determine import determine_inputs
from weir.rules.inputs import ChipColumns, columns
from weir.rules.logic import YES
from weir.rules.many import determine_many
from weir.rules.transaction import Transaction

LAW = load_law()
NAN = math.nan
CHIPS = [
    circuit("H20", sold="no"),
    circuit("big", fp8=2000, memory=4800, designer="Other"),
    circuit("gaming", fp8=650, memory=1000, market="no", io=64),
    circuit("no area", fp8=212.5, area=(NAN, NAN), designer="Other"),
    circuit("range", fp8=325, area=(200.0, 500.0), designer="Other"),
    circuit("contested", fp8=400, area=(300.0, 300.0), market="contested", io=64),
    circuit("open rate", fp8=(200.0, 700.0), area=(700.0, 900.0), designer="AMD"),
]
DAYS = (
    *("2021-06-01", "2022-09-01", "2022-11-01", "2023-10-25", "2023-12-01", "2024-06-01"),
    *("2024-12-15", "2025-03-01", "2025-04-09", "2026-02-01", "2026-08-01", "2026-11-20"),
)
PLACES = ["CN", "MO", "RU", "VN", "AE", "SG", "KH"]


def test_array_mode_is_single_mode():
    cases = [(c, d, p) for c in range(len(CHIPS)) for d in DAYS for p in range(len(PLACES))]
    table = columns(CHIPS).take(np.array([c for c, _, _ in cases]))
    on = np.array([d for _, d, _ in cases], "datetime64[D]")
    found = determine_many(LAW, table, on, PLACES, np.array([p for _, _, p in cases]))
    words = ("no", "unknown", "yes")
    for row, (c, d, p) in enumerate(cases):
        transaction = Transaction(PLACES[p], dt.date.fromisoformat(d))
        single = determine_inputs(CHIPS[c], transaction, LAW, trace_steps=False)
        many = (
            found.eccn_name(row),
            words[found.licence_required[row]],
            found.policy_name(row).replace("undetermined", ""),
        )
        assert many == (single.eccn, single.licence_required.value, single.review.policy), cases[
            row
        ]


def test_columns_from_arrays_are_columns_from_chips():
    chip = CHIPS[1]
    one = columns([chip])
    rate = np.array([chip.rates_flop_per_s["fp8"][0]])
    arrays = ChipColumns.from_arrays(
        {"fp8": (rate, rate)},
        (np.array([814.0]), np.array([814.0])),
        (np.array([4.8e12]), np.array([4.8e12])),
        (np.array([1.028e12]), np.array([1.028e12])),
        np.array([YES], np.int8),
    )
    for metric, bounds in arrays.metrics.items():
        assert [b.tolist() for b in bounds] == [b.tolist() for b in one.metrics[metric]], metric


def test_lengths_that_differ_are_refused():
    with pytest.raises(InputError, match="need 7 days"):
        determine_many(LAW, columns(CHIPS), np.array(["2024-01-01"], "datetime64[D]"), ["CN"])


def test_a_foundry_transaction_needs_its_year():
    with pytest.raises(InputError, match="completion_year"):
        determine_many(
            LAW,
            columns(CHIPS[:1]),
            np.array(["2025-06-01"], "datetime64[D]"),
            ["CN"],
            None,
            Transaction("CN", dt.date(2025, 6, 1), flags={"fabricator_or_osat": "yes"}),
        )
