from dataclasses import replace

import numpy as np
import pytest

from tests.unit.perf.kernels.machines import H100
from weir.catalog.calibration import load_efficiency
from weir.core.errors import InputError
from weir.perf import kernels

EFFICIENCY = load_efficiency()
SHARE = {"all_reduce": 2.0, "all_gather": 1.0, "reduce_scatter": 1.0, "all_to_all": 1.0}


@pytest.mark.parametrize("name", SHARE)
def test_bytes_on_the_wire_are_those_of_the_best_algorithm(name):
    found = getattr(kernels, name)(H100, EFFICIENCY, 8e6, 8, scope="scale_up")
    assert found.link_bytes == pytest.approx(SHARE[name] * 8e6 * 7 / 8)
    assert found.hardware_s == pytest.approx(found.link_bytes / 450e9)
    assert found.time_s > found.hardware_s


@pytest.mark.parametrize("name", SHARE)
def test_one_rank_alone_takes_no_time(name):
    found = getattr(kernels, name)(H100, EFFICIENCY, 1e6, np.array([1, 2]), scope="scale_up")
    assert found.time_s[0] == found.link_bytes[0] == 0.0
    assert found.time_s[1] > 0.0


def test_an_empty_message_still_costs_its_latency():
    found = kernels.all_reduce(H100, EFFICIENCY, 0.0, 8, scope="scale_up")
    assert 0.0 < found.time_s < 1e-4


def test_the_library_is_slower_than_the_framework_on_small_messages():
    own = kernels.all_reduce(H100, EFFICIENCY, 16384, 8, scope="scale_up")
    library = kernels.all_reduce(H100, EFFICIENCY, 16384, 8, scope="scale_up", library=True)
    assert own.time_s < library.time_s


def test_across_domains_the_network_carries_the_bytes():
    found = kernels.p2p(H100, EFFICIENCY, 1e9, scope="scale_out")
    assert found.hardware_s == pytest.approx(1e9 / 50e9)


def test_chips_without_links_talk_over_pcie():
    plain = replace(H100, scale_up_bytes_per_s_per_direction=0.0)
    found = kernels.p2p(plain, EFFICIENCY, 1e9, scope="scale_up")
    assert found.hardware_s == pytest.approx(1e9 / 64e9)


def test_an_unknown_scope_or_rate_is_refused():
    with pytest.raises(InputError, match="unknown collective scope 'rack'"):
        kernels.all_gather(H100, EFFICIENCY, 1.0, 8, scope="rack")
    blind = replace(H100, scale_out_bytes_per_s_per_direction=float("nan"))
    with pytest.raises(InputError, match="scale-out link rate is unknown"):
        kernels.all_gather(blind, EFFICIENCY, 1.0, 8, scope="scale_out")
