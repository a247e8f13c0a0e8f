from dataclasses import replace

import numpy as np
import pytest

from weir.answers.accuracy.calibrate_stack import (
    calibrate_stack,
    clients_toml,
    stack_toml,
    with_habits_of,
)
from weir.answers.accuracy.serving_sample import SampleRow
from weir.answers.accuracy.validate_serving import predict
from weir.catalog.query import Catalog
from weir.catalog.stack import Habits, KernelFactors, load_clients, load_stacks
from weir.perf.parallel import Layout

CATALOG = Catalog()


def run(chip, model, layout, isl, osl, users):
    return SampleRow(
        id=f"{chip}-{model}-{layout}-{isl}-{osl}-{users}",
        chip=chip,
        model=f"x/{model}",
        framework="vllm",
        mode="agg",
        isl=isl,
        osl=osl,
        concurrency=users,
        layout=layout,
        pools=None,
        weights="",
        experts="",
        is_public=True,
        ttft_s=1.0,
        tpot_s=1.0,
    )


RUNS = [
    run(chip, model, layout, isl, osl, users)
    for chip in ("h100_sxm", "b200_sxm")
    for model, layout in (("Llama-3.1-8B", Layout()), ("Qwen3-32B", Layout(tp=2)))
    for isl, osl in ((1024.0, 1024.0), (4096.0, 256.0))
    for users in (1.0, 8.0, 64.0)
]


@pytest.fixture(scope="module")
def fitted():
    """A fit to runs that the model itself produced with other parameters."""
    stocks, clients = load_stacks(), load_clients()
    start = replace(stocks["vllm"], kernels={})
    truth = replace(start, decode_step_s=3e-3, kernel_factor_decode=0.9, request_s=20e-3)
    found = predict(RUNS, CATALOG, {"vllm": truth}, clients)
    rows = [replace(item.row, ttft_s=item.ttft_s, tpot_s=item.tpot_s) for item in found.predictions]
    return truth, rows, calibrate_stack(rows, "vllm", CATALOG, kernels={}, iterations=30)


def test_a_fit_explains_the_runs_it_was_made_on(fitted):
    _, rows, fit = fitted
    clients = load_clients()
    changed = with_habits_of(clients, "vllm", fit.habits)
    found = predict(rows, CATALOG, {"vllm": fit.stack}, changed)
    tpot = [abs(np.log(item.tpot_s / item.row.tpot_s)) for item in found.predicted]
    ttft = [abs(np.log(item.ttft_s / item.row.ttft_s)) for item in found.predicted]
    assert np.median(tpot) < 0.03
    assert np.median(ttft) < 0.1
    assert fit.runs == len(rows)


def test_only_calibration_chips_and_the_framework_are_read(fitted):
    _, rows, fit = fitted
    others = [replace(rows[0], chip="h200_sxm", tpot_s=9.0), replace(rows[0], framework="sglang")]
    again = calibrate_stack([*rows, *others], "vllm", CATALOG, kernels={}, iterations=30)
    assert again.stack == fit.stack


def test_what_is_written_is_read_back(tmp_path):
    stacks = dict(load_stacks())
    factors = {"gemm/fp8": KernelFactors(0.75, 0.625, 0.5, 1.25)}
    stacks["vllm"] = replace(stacks["vllm"], decode_step_s=1.25e-3, kernels=factors)
    path = tmp_path / "stack.toml"
    path.write_text(stack_toml(stacks), encoding="utf-8")
    read = load_stacks(path)
    assert read["vllm"].decode_step_s == pytest.approx(1.25e-3)
    assert read["vllm"].kernels == factors
    assert list(read) == list(stacks)


def test_clients_change_for_one_framework_only(tmp_path):
    before = load_clients()
    path = tmp_path / "clients.toml"
    changed = with_habits_of(before, "vllm", {"public": Habits(0.25, 3.0)})
    path.write_text(clients_toml(changed), encoding="utf-8")
    after = load_clients(path)
    assert after["public"].habits("vllm") == Habits(0.25, 3.0)
    assert after["maker"] == before["maker"]
    assert after["public"].habits("sglang") == before["public"].habits("sglang")


def test_a_chip_whose_runs_may_all_have_drafted_is_never_all_there_is():
    """Without the other chip there is no TPOT to learn from, so only this one is held out."""
    rows = [
        run("h100_sxm", "Llama-3.1-8B", Layout(), 1024.0, 1024.0, 8.0),
        run("b200_sxm", "DeepSeek-R1", Layout(tp=8), 1024.0, 1024.0, 8.0),
    ]
    fit = calibrate_stack(rows, "vllm", CATALOG, kernels={}, iterations=2)
    assert fit.runs == 2
    assert fit.stack.step_log_sd > 0.1  # the runs are made up: each took a second
