import numpy as np
import pytest

from weir.answers.accuracy.framework_kernels import KernelRows, fit_factors


def rows(count, *, launch, groups, few, many, groups_s=1e-4, seed=1):
    """Calls of all sizes, measured as a framework with the given factors would run them."""
    draw = np.random.default_rng(seed)
    tokens = np.exp(draw.uniform(0.0, np.log(8192), count))
    experts = draw.integers(1, 256, count).astype(float)
    launch_s, work_s = np.full(count, 2e-5), 1e-6 * tokens
    each_s = groups_s * experts / 256
    is_few = tokens <= 256
    measured = launch * launch_s + groups * each_s + np.where(is_few, few, many) * work_s
    return KernelRows(launch_s, each_s, work_s, measured, is_few)


def test_launches_experts_and_work_are_told_apart():
    found = fit_factors(rows(800, launch=2.0, groups=0.5, few=0.8, many=1.2))
    assert found.launch == pytest.approx(2.0, rel=0.05)
    assert found.groups == pytest.approx(0.5, rel=0.2)
    assert found.decode == pytest.approx(0.8, rel=0.05)
    assert found.prefill == pytest.approx(1.2, rel=0.05)


def test_too_few_rows_of_a_kind_share_the_factor_of_the_other():
    found = fit_factors(rows(30, launch=1.0, groups=1.0, few=0.5, many=0.5))
    assert found.decode == found.prefill == pytest.approx(0.5, rel=0.1)


def test_a_wild_row_does_not_bend_the_factors():
    good = rows(400, launch=1.0, groups=1.0, few=1.0, many=1.0)
    good.measured_s[::20] *= 30.0
    found = fit_factors(good)
    assert found.prefill == pytest.approx(1.0, rel=0.1)
    assert found.launch == pytest.approx(1.0, rel=0.15)


def test_what_never_occurs_goes_with_the_rest():
    found = fit_factors(rows(400, launch=1.5, groups=1.5, few=1.5, many=1.5, groups_s=0.0))
    assert found.groups == pytest.approx(1.5, rel=1e-3)


def test_joined_rows_keep_their_order():
    one, other = (
        rows(3, launch=1, groups=1, few=1, many=1),
        rows(2, launch=1, groups=1, few=1, many=1),
    )
    both = one.joined(other)
    assert both.measured_s.tolist() == [*one.measured_s, *other.measured_s]
    assert both.is_few.dtype == bool
