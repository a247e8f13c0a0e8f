from dataclasses import replace

import numpy as np
import pytest

from tests.unit.perf.kernels.machines import BARE, H100
from weir.core.errors import MissingRateError
from weir.perf.machine import known, rate, unknown_share


def test_a_format_without_a_published_rate_is_refused_with_those_there_are():
    with pytest.raises(MissingRateError, match=r"H100 has no .* rate for fp4; it has bf16, fp8"):
        rate(H100, "fp4")


def test_a_rate_that_is_unknown_is_no_rate():
    with pytest.raises(MissingRateError, match="none at all"):
        rate(replace(H100, dense_flop_per_s={"fp8": float("nan")}), "fp8")


def test_fp16_and_bf16_stand_in_for_each_other():
    assert rate(H100, "fp16") == rate(H100, "bf16")


def test_unknown_columns_are_named():
    assert H100.unknown == ()
    assert "cores" in BARE.unknown
    assert "memory_bandwidth_bytes_per_s" not in BARE.unknown


def test_assumptions_replace_only_what_is_unknown():
    assert known(float("nan"), 3.0) == 3.0
    assert known(2.0, 3.0) == 2.0
    assert known(np.array([np.nan, 2.0]), 3.0).tolist() == [3.0, 2.0]
    assert np.asarray(unknown_share(np.array([np.nan, 1.0]), float("nan"))).tolist() == [2.0, 1.0]
