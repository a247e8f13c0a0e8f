import numpy as np
import pytest

from weir.core.errors import InputError
from weir.sim.steps import DecodeRuns, StepTable

DECODE = ([1, 8, 64], [1.0, 100.0, 4000.0])
MIXED = ([1, 512, 2048], [1.0, 3000.0], [0, 64], [1.0, 4000.0])


def decode_law(n, c):
    return 0.01 + 1e-4 * n + 1e-6 * c + 1e-7 * n * c


def mixed_law(p, pc, n, c):
    return decode_law(n, c) + 1e-5 * p * (1 + 1e-3 * pc) + 1e-9 * p * pc * n * c


@pytest.fixture
def table():
    return StepTable(*DECODE, decode_law(*np.ix_(*DECODE)), *MIXED, mixed_law(*np.ix_(*MIXED)))


@pytest.mark.parametrize("n", [1, 5, 8, 63, 64, 100])
@pytest.mark.parametrize("c", [1.0, 57.3, 100.0, 3999.9, 9000.0])
def test_a_law_linear_in_each_argument_comes_back(table, n, c):
    assert table.step_s(0, 0.0, n, c) == pytest.approx(decode_law(n, c), rel=1e-12)
    for p, pc in [(1, 1.0), (300, 150.5), (512, 2.0), (5000, 4000.0)]:
        assert table.step_s(p, pc, n, c) == pytest.approx(mixed_law(p, pc, n, c), rel=1e-12)
    assert table.step_s(7, 4.0, 0, 0.0) == pytest.approx(mixed_law(7, 4.0, 0, 0.0), rel=1e-12)


def test_runs_are_bit_for_bit_what_single_steps_are(table):
    assert isinstance(table, DecodeRuns)
    contexts = np.linspace(0.3, 5000.0, 997)
    for n in (1, 3, 8, 50, 80):
        single = [table.step_s(0, 0.0, n, c) for c in contexts.tolist()]
        assert table.decode_steps_s(n, contexts).tolist() == single


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({0: [8, 1, 64]}, "decode_sequences must be a rising grid"),
        ({4: [1.0]}, "prefill_context must be a rising grid of at least two"),
        ({2: np.ones((3, 2))}, r"decode_s must have shape \(3, 3\) \(got \(3, 2\)\)"),
        ({7: np.full((3, 2, 2, 2), np.nan)}, "mixed_s must hold finite times"),
    ],
)
def test_tables_that_make_no_sense_are_refused(change, message):
    parts = [*DECODE, np.ones((3, 3)), *MIXED, np.ones((3, 2, 2, 2))]
    for place, value in change.items():
        parts[place] = value
    with pytest.raises(InputError, match=message):
        StepTable(*parts)
