from dataclasses import replace

import numpy as np
import pytest

from tests.unit.perf.kernels.machines import H20, H100
from weir.catalog.calibration import GENERIC, Table, load_efficiency, parse_efficiency
from weir.perf.calibration.cases import Case
from weir.perf.calibration.fit import (
    fit_format,
    free_parameters,
    pooled,
    replaced,
    residuals,
    without_chance,
)
from weir.perf.calibration.text import to_toml
from weir.perf.kernels.collectives import CollectiveParameters
from weir.perf.kernels.gemm import GemmParameters
from weir.perf.kernels.moe import MoeParameters

EFFICIENCY = load_efficiency()


def collective(efficiency, machine=H100):
    """Times that the model itself gives with some parameters."""
    sizes = np.repeat(np.geomspace(1e3, 1e9, 40), 3)
    arguments = {"message_bytes": sizes, "ranks": np.tile([2.0, 4.0, 8.0], 40), "scope": "scale_up"}
    case = Case("all_gather", "scale_up", "chip", "nccl", machine, arguments, np.ones(120))
    return replace(case, measured_s=case.estimate(efficiency).time_s)


def changed(**values):
    table = EFFICIENCY.tables["all_gather"]
    generation = {**table.generation, "hopper": {**table.generation["hopper"], **values}}
    return replaced(EFFICIENCY, "all_gather", Table(table.shared, generation, table.dtype))


def test_a_fit_finds_the_parameters_that_made_the_times():
    truth = {"launch_s": 4e-6, "rank_s": 2e-6, "link_efficiency": 0.5, "ramp_bytes": 3e6}
    cases = [collective(changed(**truth))]
    found, _ = fit_format(CollectiveParameters, cases, EFFICIENCY, reference="scale_up")
    parameters = found.of(CollectiveParameters, "all_gather", "hopper", "scale_up")
    for name, value in truth.items():
        assert getattr(parameters, name) == pytest.approx(value, 0.05)
    assert np.max(np.abs(residuals(cases, found))) < 0.02


def test_generations_have_their_own_values_only_of_what_belongs_to_them():
    frees = list(free_parameters(GemmParameters, ["ada", "hopper"], "bf16", "bf16"))
    levels = {(free.name, free.level, free.key) for free in frees}
    assert ("matrix_efficiency", "shared", "") in levels
    assert ("launch_s", "generation", "hopper") in levels
    assert not any(free.name == "interval_log" for free in frees)


def test_what_a_kernel_never_reads_is_not_fitted():
    frees = list(free_parameters(GemmParameters, ["ada"], "bf16", "bf16", frozenset({"launch_s"})))
    assert "launch_s" not in {free.name for free in frees}
    assert "tile_s" in {free.name for free in frees}


def test_another_format_moves_only_what_formats_differ_in():
    frees = list(free_parameters(GemmParameters, ["hopper"], "fp8", "bf16"))
    assert {(free.level, free.key) for free in frees} == {("dtype", "fp8"), ("dtype", "fp8/hopper")}
    assert "wave_quantisation" not in {free.name for free in frees}


def test_the_generic_set_is_the_geometric_mean_and_sets_by_hand_replace_parts_of_it():
    table = Table({}, {"a": {"launch_s": 1e-6, "tile_s": 4e-6}, "b": {"launch_s": 4e-6}})
    found = pooled(GemmParameters, table, {"systolic": {"tile_s": 0.0}})
    assert found.generation[GENERIC] == pytest.approx({"launch_s": 2e-6, "tile_s": 4e-6})
    assert found.generation["systolic"] == pytest.approx({"launch_s": 2e-6, "tile_s": 0.0})


def test_a_format_reaches_generations_it_was_not_measured_on_as_a_ratio():
    table = Table(
        {},
        {"a": {"step_s": 1e-9}, "b": {"step_s": 4e-9}},
        {"bf16": {}, "fp8": {}, "fp8/a": {"step_s": 3e-9}},
    )
    found = pooled(GemmParameters, table, {})
    assert found.dtype["fp8/a"] == {"step_s": 3e-9}
    assert found.dtype["fp8/b"]["step_s"] == pytest.approx(12e-9)
    assert found.dtype[f"fp8/{GENERIC}"]["step_s"] == pytest.approx(6e-9)


def test_a_cost_that_a_generation_does_not_have_tells_nothing_of_a_format():
    table = Table(
        {},
        {
            "a": {"step_s": 1e-9, "core_cache_bytes_per_clock": 60.0},
            "b": {"step_s": 1e-23, "core_cache_bytes_per_clock": 60.0},
            "c": {"step_s": 2e-9, "core_cache_bytes_per_clock": 30.0},
        },
        {
            "fp8": {},
            "fp8/a": {"step_s": 3e-9, "core_cache_bytes_per_clock": 90.0},
            "fp8/b": {"step_s": 1e-15, "core_cache_bytes_per_clock": 1e9},
        },
    )
    found = pooled(GemmParameters, table, {}).dtype["fp8/c"]
    assert found["step_s"] == pytest.approx(6e-9)
    # Per byte a and b take 2/60 of a clock in the reference format and 1/90 in this one.
    assert found["core_cache_bytes_per_clock"] == pytest.approx(90.0)


def test_the_file_gives_back_the_parameters():
    import tomllib

    again = parse_efficiency(tomllib.loads(to_toml(EFFICIENCY)), "text")
    assert again == replace(EFFICIENCY, kin_format={})


def test_cases_weigh_the_same_however_long():
    long, other = collective(changed(launch_s=2e-6)), collective(changed(launch_s=8e-6))
    short = other.take(np.arange(0, 120, 4))
    found, _ = fit_format(
        CollectiveParameters, [long, short, short], EFFICIENCY, reference="scale_up"
    )
    # Two cases of 30 rows outvote one of 120.
    assert found.tables["all_gather"].generation["hopper"]["launch_s"] > 5e-6


def test_a_case_of_another_chip_of_the_generation_shares_its_traits():
    cases = [collective(EFFICIENCY), collective(EFFICIENCY, H20)]
    assert np.max(np.abs(residuals(cases, EFFICIENCY))) == 0.0


def test_a_format_adds_to_what_passes_once_and_multiplies_the_rest():
    table = Table(
        {},
        {
            "a": {"launch_s": 2e-6, "step_s": 1e-9},
            "b": {"launch_s": 5e-6, "step_s": 3e-9},
        },
        {"fp8/a": {"launch_s": 3e-6, "step_s": 2e-9}, "fp8/c": {"least_tile": 64.0}},
    )
    found = pooled(GemmParameters, table, {})
    assert found.dtype["fp8/b"] == pytest.approx({"launch_s": 6e-6, "step_s": 6e-9})
    assert found.dtype["fp8/c"] == {"least_tile": 64.0}


def test_what_is_stated_of_the_kernels_of_one_generation_says_nothing_of_another():
    table = Table(
        {"tile_columns": 128.0, "lowest_tile": 0.0},
        {"a": {"step_s": 1e-9}, "b": {"step_s": 2e-9}},
        {"mxfp4/a": {"step_s": 2e-9, "tile_columns": 256.0, "lowest_tile": 8.0},
         "bf16/a": {"least_tile": 32.0}},
    )  # fmt: skip
    found = pooled(MoeParameters, table, {})
    assert found.dtype["mxfp4/b"] == pytest.approx({"step_s": 4e-9})
    assert found.values("b", "mxfp4")["tile_columns"] == 128.0
    assert "bf16/b" not in found.dtype


def test_what_no_row_depends_on_goes_back_to_its_start():
    found = without_chance(lambda u: u[:2] * u[1], np.array([2.0, 3.0, 4.0]), np.ones(3))
    assert list(found) == [2.0, 3.0, 1.0]
