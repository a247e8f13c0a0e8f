from dataclasses import asdict

import pytest

from weir.catalog.calibration import START, load_efficiency, parse_efficiency, read_efficiency
from weir.catalog.query import Catalog
from weir.core.errors import InputError, RecordError, UnknownNameError
from weir.perf.kernels.attention import PrefillParameters
from weir.perf.kernels.gemm import GemmParameters

EFFICIENCY = load_efficiency()
HEAD = {
    "kin": {"beta": "alpha"},
    "kin_interval_log": {"kin": 0.1, "generic": 0.2},
    "assumed": {
        "cores": 1.0, "boost_clock_hz": 1.0, "last_level_cache_bytes": 1.0, "interval_log": 0.1,
        "chip_log": 0.05, "beyond_log": 0.1, "beyond_most_log": 0.5,
    },
}  # fmt: skip


def test_a_generation_without_traits_takes_those_of_its_kin_and_any_other_the_generic_ones():
    assert EFFICIENCY.traits("gemm", "hopper") == "hopper"
    assert EFFICIENCY.traits("gemm", "blackwell-geforce") == "ada"
    assert EFFICIENCY.traits("gemm", "tpu-v6e") == "systolic"
    assert EFFICIENCY.traits("gemm", "never-heard-of") == "generic"


def test_energy_belongs_to_the_process_and_everything_else_to_the_cores():
    geforce, ada, blackwell = (
        EFFICIENCY.of(GemmParameters, "gemm", name, "bf16")
        for name in ("blackwell-geforce", "ada", "blackwell")
    )
    assert geforce.energy_j_s2_per_flop == blackwell.energy_j_s2_per_flop
    assert geforce.step_s == ada.step_s != blackwell.step_s


def test_blackwell_ultra_is_blackwell_with_twice_the_exponentials():
    chips = [Catalog().chip(name) for name in ("b300-sxm", "gb300", "b30a")]
    assert {chip.generation for chip in chips} == {"blackwell-ultra"}
    assert EFFICIENCY.traits("gemm", "blackwell-ultra") == "blackwell"
    assert not EFFICIENCY.is_foreign("gemm", "blackwell-ultra")
    for kernel, dtype in (("attention_prefill", "fp8-fp8"), ("attention_prefill", "bf16-bf16")):
        ultra, plain = (
            asdict(EFFICIENCY.of(PrefillParameters, kernel, name, dtype))
            for name in ("blackwell-ultra", "blackwell")
        )
        twice = ultra.pop("exponentials_per_clock")
        # Calibration rounds to four digits.
        assert twice == pytest.approx(2.0 * plain.pop("exponentials_per_clock"), rel=1e-3)
        assert ultra == plain
    ultra, plain = (
        EFFICIENCY.of(GemmParameters, "gemm", name, "bf16")
        for name in ("blackwell-ultra", "blackwell")
    )
    assert ultra == plain


def test_a_generation_with_traits_and_process_of_one_other_runs_its_kernels():
    assert EFFICIENCY.family("blackwell-ultra") == "blackwell"
    # The process of one and the traits of another, or its own kernels, make no family.
    for name in ("blackwell-geforce", "hopper", "blackwell", "ascend"):
        assert EFFICIENCY.family(name) == name


def test_the_most_specific_value_wins():
    text = {
        **HEAD,
        "k": {
            "shared": {"x": 1.0, "y": 1.0, "z": 1.0, "w": 1.0},
            "generation": {"alpha": {"y": 2.0, "z": 2.0, "w": 2.0}},
            "dtype": {"fp8": {"z": 3.0, "w": 3.0}, "fp8/alpha": {"w": 4.0}},
        },
    }
    table = parse_efficiency(text, "text").tables["k"]
    assert table.values("alpha", "fp8") == {"x": 1.0, "y": 2.0, "z": 3.0, "w": 4.0}


def test_a_parameter_without_a_value_or_out_of_bounds_is_named():
    shared = {"shared": {}, "dtype": {"bf16": {}}}
    with pytest.raises(InputError, match=r"gemm\.launch_s has no value for generation 'generic'"):
        parse_efficiency({**HEAD, "gemm": shared}, "x").of(GemmParameters, "gemm", "hopper", "bf16")
    table = {**EFFICIENCY.tables["gemm"].shared, "wave_quantisation": 7.0}
    broken = {"shared": table, "generation": EFFICIENCY.tables["gemm"].generation}
    with pytest.raises(InputError, match=r"wave_quantisation is 7 1; it must lie in \[0, 1\]"):
        parse_efficiency({**HEAD, "gemm": {**broken, "dtype": {"bf16": {}}}}, "x").of(
            GemmParameters, "gemm", "hopper", "bf16"
        )


def test_an_unknown_format_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"fp8_blok.*fp8_block"):
        EFFICIENCY.of(GemmParameters, "gemm", "hopper", "fp8_blok")


def test_a_broken_file_is_refused_with_its_problem(tmp_path):
    missing = tmp_path / "none.toml"
    with pytest.raises(RecordError, match="cannot be read"):
        read_efficiency(missing)
    broken = tmp_path / "broken.toml"
    broken.write_text("a = ", encoding="utf-8")
    with pytest.raises(RecordError, match="is not valid TOML"):
        read_efficiency(broken)
    headless = tmp_path / "headless.toml"
    headless.write_text("[gemm.shared]\n", encoding="utf-8")
    with pytest.raises(RecordError, match="kin: is missing"):
        read_efficiency(headless)


def test_fits_start_from_the_same_energy_for_every_generation():
    start = read_efficiency(START)
    energies = {
        part["energy_j_s2_per_flop"]
        for part in (start.tables["gemm"].shared, *start.tables["gemm"].generation.values())
        if "energy_j_s2_per_flop" in part
    }
    assert len(energies) == 1


def test_what_is_stated_of_a_generation_holds_although_its_kin_serve_it():
    text = {
        **HEAD,
        "gemm": {
            "shared": asdict(EFFICIENCY.of(GemmParameters, "gemm", "hopper", "bf16")),
            "generation": {"alpha": {}},
            "dtype": {"bf16": {"least_tile": 256.0}, "bf16/beta": {"least_tile": 64.0}},
        },
    }
    efficiency = parse_efficiency(text, "here")
    assert efficiency.of(GemmParameters, "gemm", "alpha", "bf16").least_tile == 256.0
    assert efficiency.of(GemmParameters, "gemm", "beta", "bf16").least_tile == 64.0


def test_a_format_that_the_kin_do_not_have_is_run_by_the_kernels_of_another():
    geforce, ada, blackwell = (
        EFFICIENCY.of(GemmParameters, "gemm", name, "nvfp4")
        for name in ("blackwell-geforce", "ada", "blackwell")
    )
    assert geforce.step_s == blackwell.step_s != ada.step_s
    # What is of the silicon and not of the kernel stays that of the kin.
    assert geforce.vector_step_share == ada.vector_step_share != blackwell.vector_step_share


def test_what_is_stated_of_one_frameworks_code_does_not_hold_for_others():
    key = "fp8_block/blackwell-geforce"
    assert key in EFFICIENCY.tables["moe_gemm"].dtype
    for same in ("trtllm", "plain"):
        assert load_efficiency(same).tables == EFFICIENCY.tables
    other = load_efficiency("vllm")
    for kernel in ("gemm", "moe_gemm"):
        assert key not in other.tables[kernel].dtype
    assert other.tables["attention_decode"] == EFFICIENCY.tables["attention_decode"]
    # Without kernels of its own there, a generation runs those of its kin.
    found = other.of(GemmParameters, "gemm", "blackwell-geforce", "fp8_block")
    assert found.quantise_chains == 0.0
    assert found.step_s == other.of(GemmParameters, "gemm", "ada", "fp8_block").step_s
