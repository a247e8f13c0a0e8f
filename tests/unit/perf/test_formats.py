import pytest

from weir.core.errors import InputError, MissingRateError
from weir.perf.formats import FORMATS, bytes_of, choose_precision

HOPPER = {"bf16", "fp16", "fp8", "int8"}
AMPERE = {"bf16", "fp16", "int8"}


def test_a_scale_adds_its_share_to_every_element():
    # NVFP4: 4 bits, and 8 bits of scale for 16 elements: 4.5 bits.
    assert bytes_of("nvfp4") == pytest.approx(4.5 / 8)
    # Block-scaled FP8: one FP32 for 128 x 128 weights.
    assert bytes_of("fp8_block") == pytest.approx(1 + 4 / 16384)


def test_every_format_names_a_kernel_that_is_a_format():
    assert {f.kernel for f in FORMATS.values()} <= set(FORMATS)


def test_a_chip_with_the_arithmetic_runs_the_published_format():
    precision, notes = choose_precision("fp8", None, HOPPER)
    assert precision.weights == precision.experts == "fp8_block"
    assert precision.kv_cache == "bf16"
    assert notes == ()


def test_fp8_weights_become_int8_where_there_is_no_fp8_and_the_answer_says_so():
    precision, notes = choose_precision("fp8", None, AMPERE, chip="A100")
    assert precision.weights == "int8"
    assert len(notes) == 1
    assert "A100" in notes[0]
    assert "int8" in notes[0]


def test_fp8_weights_double_where_there_is_neither_fp8_nor_int8():
    precision, notes = choose_precision("fp8", None, {"bf16"})
    assert precision.weights == "bf16"
    assert "twice the memory" in notes[0]


def test_four_bit_experts_stay_four_bit_without_four_bit_arithmetic():
    precision, notes = choose_precision("bf16", "fp4", HOPPER)
    assert precision.weights == "bf16"
    assert precision.experts == "mxfp4_wo"
    assert "routed experts" in notes[0]


def test_fp16_stands_in_for_a_missing_bf16_rate_and_the_answer_says_so():
    precision, notes = choose_precision("bf16", None, {"fp16"})
    assert precision.weights == "fp16"
    assert notes


def test_a_chip_without_sixteen_bit_rates_is_refused():
    with pytest.raises(MissingRateError, match="no published dense bf16 or fp16 rate"):
        choose_precision("bf16", None, {"int8"}, chip="X")


def test_a_format_that_the_chip_cannot_multiply_is_refused_when_asked_for():
    with pytest.raises(MissingRateError, match="no published dense fp8 rate"):
        choose_precision("bf16", None, AMPERE, weights="fp8")


@pytest.mark.parametrize("key", ["weights", "kv_cache"])
def test_unknown_formats_are_refused_with_the_known_ones(key):
    with pytest.raises(InputError, match="known: bf16"):
        choose_precision("bf16", None, HOPPER, **{key: "fp7"})
