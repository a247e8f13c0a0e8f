import numpy as np
import pytest

from weir.answers.accuracy.measured_factors import measured_factors
from weir.answers.machines import machine_of
from weir.catalog.calibration import load_efficiency
from weir.catalog.measured import COLUMNS
from weir.catalog.query import Catalog
from weir.core.errors import RecordError
from weir.perf import kernels

CATALOG = Catalog()


def written(tmp_path, chip, factor):
    """Times of the model on a chip, times a factor, with one wild row."""
    machine = machine_of(CATALOG.chip("H100"), CATALOG).machine
    m = np.array([1.0, 16.0, 256.0, 4096.0, 64.0])
    times = kernels.gemm(machine, load_efficiency(), m, 4096, 4096, dtype="bf16").time_s * factor
    times[4] *= 10.0
    lines = [",".join(COLUMNS)]
    for rows, time in zip(m, times, strict=True):
        row = {
            "chip": chip, "framework": "mine", "kernel": "gemm", "dtype": "bf16", "m": rows,
            "n": 4096, "k": 4096, "measured_s": time,
        }  # fmt: skip
        lines.append(",".join(str(row.get(name, "")) for name in COLUMNS))
    path = tmp_path / "bench.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_the_factor_is_the_median_of_measured_over_estimated(tmp_path):
    (found,) = measured_factors(written(tmp_path, "H100", 1.3), CATALOG)
    assert found.factor == pytest.approx(1.3)
    assert found.before.mdape == pytest.approx(1.0 - 1.0 / 1.3)
    assert found.after.mdape == pytest.approx(0.0, abs=1e-9)
    assert found.before.count == 5


def test_what_the_catalogue_does_not_know_is_told_with_its_line(tmp_path):
    path = written(tmp_path, "H1OO", 1.0)
    path.write_text(path.read_text().replace("H1OO,mine,gemm,bf16", "H100,mine,gemm,fp3", 1))
    with pytest.raises(RecordError) as caught:
        measured_factors(path, CATALOG)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["line 2", "line 3"]
    assert "unknown kernel number format 'fp3'" in caught.value.problems[0]
    assert "unknown chip 'H1OO'" in caught.value.problems[1]
