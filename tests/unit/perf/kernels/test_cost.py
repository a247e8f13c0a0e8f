import numpy as np
import pytest

from weir.core.errors import InputError
from weir.perf.kernels.cost import BOUNDS, COMPUTE, LAUNCH, MEMORY, cost, scale, sizes


def made(compute, memory):
    return cost(
        {COMPUTE: compute, MEMORY: memory, LAUNCH: 1e-6},
        np.asarray(compute) + 1e-6,
        0.1,
        hardware_s=compute,
        flop=5.0,
        memory_bytes=7.0,
    )


def test_the_longest_part_is_the_bound():
    found = made(np.array([3e-6, 1e-7, 1e-7]), np.array([1e-6, 2e-6, 1e-8]))
    assert [BOUNDS[index] for index in found.bound] == ["compute", "memory", "launch"]


def test_fields_share_the_broadcast_shape():
    found = made(np.ones((3, 1)), np.ones(4))
    assert {getattr(found, name).shape for name in ("flop", "bound", "low_s", "high_s")} == {(3, 4)}


def test_costs_add_and_the_longer_one_names_the_bound():
    total = made(3e-6, 1e-6) + made(1e-7, 2e-6)
    assert total.time_s == pytest.approx(3e-6 + 1e-7 + 2e-6)
    assert total.flop == 10.0
    assert total.memory_bytes == 14.0
    assert BOUNDS[int(total.bound)] == "compute"
    assert total.low_s < total.time_s < total.high_s


def test_a_count_scales_everything_but_the_bound():
    one = made(3e-6, 1e-6)
    many = scale(one, 61)
    assert many.time_s == pytest.approx(61 * one.time_s)
    assert many.high_s == pytest.approx(61 * one.high_s)
    assert many.flop == 61 * one.flop
    assert (one * 61).time_s == many.time_s == (61 * one).time_s
    assert many.bound == one.bound


def test_a_size_that_is_not_positive_is_refused_with_its_name_and_value():
    with pytest.raises(InputError, match="gemm: n is -2; it must be more than zero"):
        sizes("gemm", m=[1, 2], n=[4, -2])
    with pytest.raises(InputError, match="m is nan"):
        sizes("gemm", m=float("nan"))
    with pytest.raises(InputError, match="bytes is -1; it must be zero or more"):
        sizes("copy", allow_zero=True, bytes=-1)
    assert sizes("copy", allow_zero=True, bytes=0)[0] == 0.0
