from dataclasses import replace

import numpy as np
import pytest

from weir.answers.accuracy.calibrate_pools import with_pools
from weir.answers.accuracy.serving_sample import Pools, SampleRow
from weir.answers.accuracy.spread import coverage_spread
from weir.answers.accuracy.validate_serving import predict
from weir.catalog.query import Catalog
from weir.catalog.stack import load_clients, load_stacks
from weir.perf.parallel import Layout

CATALOG = Catalog()
STACKS = {"vllm": replace(load_stacks()["vllm"], handover_s=0.0)}


def run(chip, users, osl=1024.0):
    return SampleRow(
        id=f"{chip}-{users}-{osl}",
        chip=chip,
        model="x/Llama-3.1-8B",
        framework="vllm",
        mode="disagg",
        isl=1024.0,
        osl=osl,
        concurrency=users,
        layout=None,
        pools=Pools(Layout(), 1, Layout(), 1),
        weights="",
        experts="",
        is_public=True,
        ttft_s=1.0,
        tpot_s=1.0,
    )


def measured(rows, stacks):
    """Runs with the times that the model itself gives."""
    found = predict(rows, CATALOG, stacks, load_clients()).predictions
    return [replace(item.row, ttft_s=item.ttft_s, tpot_s=item.tpot_s) for item in found]


@pytest.fixture(scope="module")
def rows():
    slow = {"vllm": replace(STACKS["vllm"], handover_s=0.08)}
    chips = ("h100_sxm", "b200_sxm", "h200_sxm")
    return measured([run(chip, users) for chip in chips for users in (1.0, 2.0, 8.0)], slow)


def test_the_time_between_workers_is_found(rows):
    found = with_pools(STACKS, load_clients(), rows, CATALOG)["vllm"]
    assert found.handover_s == pytest.approx(0.08, rel=0.05)


def test_runs_of_other_chips_change_nothing(rows):
    broken = [replace(r, ttft_s=9.0) if r.chip == "h200_sxm" else r for r in rows]
    clients = load_clients()
    assert with_pools(STACKS, clients, broken, CATALOG) == with_pools(
        STACKS, clients, rows, CATALOG
    )


def test_without_runs_nothing_is_changed():
    assert with_pools(STACKS, load_clients(), [], CATALOG) == STACKS


def test_a_spread_makes_the_interval_hold_four_fifths():
    error = np.random.default_rng(3).normal(0.0, 0.6, 4000)
    found = coverage_spread(error, np.full(4000, 0.2), np.full(4000, 0.2))
    half = np.hypot(0.2, 1.2815515655446004 * found)
    assert np.mean(np.abs(error) <= half) == pytest.approx(0.8, abs=0.01)
