from dataclasses import replace

import numpy as np
import pytest

from tests.unit.perf.kernels.machines import H100
from weir.catalog.calibration import load_efficiency
from weir.core.errors import InputError
from weir.perf import kernels

EFFICIENCY = load_efficiency()
PLAIN = replace(H100, scale_up_bytes_per_s_per_direction=0.0)
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
    found = kernels.p2p(PLAIN, EFFICIENCY, 1e9, scope="scale_up")
    assert found.hardware_s == pytest.approx(1e9 / 64e9)


def test_an_unknown_scope_or_rate_is_refused():
    with pytest.raises(InputError, match="unknown collective scope 'rack'"):
        kernels.all_gather(H100, EFFICIENCY, 1.0, 8, scope="rack")
    blind = replace(H100, scale_out_bytes_per_s_per_direction=float("nan"))
    with pytest.raises(InputError, match="scale-out link rate is unknown"):
        kernels.all_gather(blind, EFFICIENCY, 1.0, 8, scope="scale_out")


def test_one_shot_sends_the_whole_buffer_to_every_rank_and_two_shots_win_where_that_is_much():
    table = EFFICIENCY.tables["all_reduce"]
    fast = {**table.generation["hopper"], "short_efficiency": 0.7, "long_s": 5e-6, "launch_s": 0.0}
    efficiency = replace(
        EFFICIENCY,
        tables={
            **EFFICIENCY.tables,
            "all_reduce": replace(table, shared={**table.shared, "rank_s": 0.0},
                                  generation={**table.generation, "hopper": fast}),
        },
    )  # fmt: skip
    small = kernels.all_reduce(H100, efficiency, 64e3, 8, scope="scale_up")
    assert small.time_s == pytest.approx(7 * 64e3 / (0.7 * 450e9))
    large = kernels.all_reduce(H100, efficiency, 64e6, 8, scope="scale_up")
    assert large.time_s < 7 * 64e6 / (0.7 * 450e9)


def test_a_single_peer_does_not_fill_all_links():
    table = EFFICIENCY.tables["all_to_all"]
    hopper = {**table.generation["hopper"], "link_efficiency": 0.8, "peer_efficiency": 0.3}
    efficiency = replace(
        EFFICIENCY,
        tables={
            **EFFICIENCY.tables,
            "all_to_all": replace(table, generation={**table.generation, "hopper": hopper}),
        },
    )
    for ranks, share in zip((2, 3, 8), (0.3, 0.6, 0.8), strict=True):
        found = kernels.all_to_all(H100, efficiency, 1e12, ranks, scope="scale_up")
        assert found.hardware_s / found.time_s == pytest.approx(share, rel=0.01)
    left = table.shared["pcie_doubling_share"]
    for ranks, share in zip((2, 4, 8), (0.8, 0.8 * left, 0.8 * left**2), strict=True):
        found = kernels.all_to_all(PLAIN, efficiency, 1e12, ranks, scope="scale_up")
        assert found.hardware_s / found.time_s == pytest.approx(share, rel=0.01)


def test_frameworks_call_the_library_where_chips_have_no_links():
    ranks, message = np.array([2, 4, 8]), np.array([1e3, 1e6, 1e8])
    own = kernels.all_reduce(PLAIN, EFFICIENCY, message, ranks, scope="scale_up")
    library = kernels.all_reduce(PLAIN, EFFICIENCY, message, ranks, scope="scale_up", library=True)
    assert np.array_equal(own.time_s, library.time_s)
    links = np.array([[450e9], [0.0]])
    both = replace(H100, scale_up_bytes_per_s_per_direction=links)
    found = kernels.all_reduce(both, EFFICIENCY, message, ranks, scope="scale_up")
    linked = kernels.all_reduce(H100, EFFICIENCY, message, ranks, scope="scale_up")
    assert np.array_equal(found.time_s, np.stack([linked.time_s, own.time_s]))


def test_every_rank_adds_more_over_pcie():
    shared = EFFICIENCY.tables["all_gather"].shared
    for chip, hop in ((H100, 1.0), (PLAIN, shared["pcie_hop_ratio"])):
        found = kernels.all_gather(chip, EFFICIENCY, 0.0, np.array([2, 5]), scope="scale_up")
        assert found.time_s[1] - found.time_s[0] == pytest.approx(3.0 * hop * shared["rank_s"])


def test_the_network_has_no_way_for_short_messages():
    small = kernels.all_reduce(H100, EFFICIENCY, 1e3, 8, scope="scale_out")
    table = EFFICIENCY.tables["all_reduce"]
    assert small.time_s > table.dtype["scale_out"]["launch_s"]
    large = kernels.all_reduce(H100, EFFICIENCY, 1e9, 8, scope="scale_out")
    ideal = large.hardware_s / table.generation["hopper"]["link_efficiency"]
    assert large.time_s == pytest.approx(ideal, rel=0.1)
