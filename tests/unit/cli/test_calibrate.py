import weir.answers.accuracy.calibrate_kernels as kernels
import weir.answers.accuracy.calibrate_stack as stack
from weir.catalog.calibration import KERNELS, load_efficiency
from weir.catalog.measured import COLUMNS


def row(measured_s, m=16):
    values = {"chip": "H100", "framework": "mine", "kernel": "gemm", "dtype": "bf16", "m": m}
    values |= {"n": 4096, "k": 4096, "measured_s": measured_s}
    return ",".join(str(values.get(name, "")) for name in COLUMNS)


def test_rows_of_ones_own_give_a_factor_and_fit_nothing(weir, tmp_path):
    path = tmp_path / "bench.csv"
    path.write_text("\n".join([",".join(COLUMNS), row(2e-5), row(3e-5, 64)]), encoding="utf-8")
    ran = weir("calibrate", "--measured", path)
    assert ran.status == 0
    assert ran.out.startswith("NVIDIA H100 SXM 80GB, mine, gemm bf16: 2 rows, factor ")


def test_a_wrong_row_is_named_with_line_and_column(weir, tmp_path):
    path = tmp_path / "bench.csv"
    path.write_text("\n".join([",".join(COLUMNS), row("NaN")]), encoding="utf-8")
    ran = weir("calibrate", "--measured", path)
    assert ran.status == 2
    assert "line 2, column measured_s: 'NaN' is not a number above zero" in ran.err


def test_what_to_do_must_be_said(weir):
    ran = weir("calibrate")
    assert ran.status == 2
    assert "--out DIR" in ran.err
    assert "--measured CSV" in ran.err


def test_a_folder_that_is_not_there_is_refused_before_any_fit(weir, tmp_path):
    ran = weir("calibrate", "--out", tmp_path / "none")
    assert ran.status == 2
    assert "does not exist" in ran.err


def test_one_command_writes_kernels_and_what_frameworks_add(weir, tmp_path, monkeypatch):
    """Frameworks are fitted with the kernels just written, not with those of the stock."""
    fitted, seen = KERNELS.read_text(encoding="utf-8"), []

    def stack_files(catalog, *, efficiency, progress):
        seen.append(efficiency)
        return {"stack.toml": "a\n", "clients.toml": "b\n"}

    monkeypatch.setattr(kernels, "calibrate", lambda catalog, progress: None)
    files = {"kernels.toml": fitted, "manifest.toml": "m\n"}
    monkeypatch.setattr(kernels, "files", lambda found, today: files)
    monkeypatch.setattr(stack, "stack_files", stack_files)
    ran = weir("calibrate", "--out", tmp_path)
    assert ran.status == 0
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert written == {**files, "stack.toml": "a\n", "clients.toml": "b\n"}
    assert seen[0].tables == load_efficiency().tables
