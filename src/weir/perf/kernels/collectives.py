"""Collectives: a fixed latency, a latency per rank, and bytes over the links of one chip.

The bytes that a chip sends are those of the bandwidth-optimal algorithms (Thakur, Rabenseifner and
Gropp, 2005, sections 4.1 and 4.4): (n - 1)/n of the buffer for all-gather, reduce-scatter and
all-to-all, twice that for all-reduce. Short messages go another way, which starts at once and moves
bytes slower: the communication library's low-latency protocol, whose words carry their own flags
(the same bytes at a lower rate), or the serving frameworks' one-shot all-reduce, in which every
rank sends its whole buffer to every other. The faster way counts, as in those libraries.

Chips without scale-up links talk over PCIe. There the serving frameworks call the library too
(TensorRT-LLM, `AllreducePlugin::selectImplementation`: without NVLink its automatic choice is
NCCL), a hop takes longer, and since NCCL sends nothing directly from chip to chip across a host
bridge (`graph/paths.cc`), what passes between more than two chips passes through the memory of the
host, which all of them share.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weir.core.errors import InputError
from weir.perf.kernels.cost import LAUNCH, LINK, Cost, choose, cost, sizes
from weir.perf.kernels.efficiency import Efficiency, parameter, widening
from weir.perf.machine import Machine

Array = NDArray[np.float64]

SCOPES: Final = ("scale_up", "scale_out")
# An all-reduce is a reduce-scatter and an all-gather.
ALL_REDUCE_TRIPS: Final = 2.0
# Chips that may sit on one PCIe switch, so that no other shares their way.
_PAIR: Final = 2.0


@dataclass(frozen=True)
class CollectiveParameters:
    """What is learned about one collective in one scope.

    Attributes:
        launch_s: Fixed time of a call.
        rank_s: Added per further rank.
        link_efficiency: Share of the link rate that long messages reach.
        peer_efficiency: Share of the link rate that traffic with a single peer reaches.
        ramp_bytes: Traffic at which the links have reached three quarters of their rate.
        short_efficiency: Share of the link rate that the way for short messages reaches.
        long_s: What the way for long messages takes longer before the first byte.
        pcie_hop_ratio: Latency of a rank over PCIe to that over scale-up links.
        pcie_doubling_share: Share of a pair's rate over PCIe that is left for each doubling of the
            chips, which share the host.
        interval_log: Half width of the 80 % interval of the logarithm of the time.
    """

    launch_s: float = parameter("s", 0.0, 1e-3, per="generation")
    rank_s: float = parameter("s", 0.0, 1e-4)
    link_efficiency: float = parameter("1", 0.01, 1.2, per="generation")
    peer_efficiency: float = parameter("1", 0.01, 2.0, per="generation")
    ramp_bytes: float = parameter("bytes", 1.0, 1e9, per="generation")
    short_efficiency: float = parameter("1", 1e-4, 1.2, per="generation")
    long_s: float = parameter("s", 0.0, 1e-3, per="generation")
    pcie_hop_ratio: float = parameter("1", 1.0, 10.0, per="fixed")
    pcie_doubling_share: float = parameter("1", 0.1, 1.0, per="fixed")
    interval_log: float = parameter("1", 0.0, 3.0, per="fixed format")


def all_reduce(
    machine: Machine,
    eff: Efficiency,
    message_bytes: ArrayLike,
    ranks: ArrayLike,
    *,
    scope: str,
    library: bool = False,
) -> Cost:
    """Sum of a buffer over all ranks, left on every rank.

    Inside a scale-up domain serving frameworks have kernels of their own, which write to the memory
    of the other ranks directly; training uses the communication library, and so does everyone where
    chips have no scale-up links.

    Args:
        machine: The chip or chips.
        eff: Learned parameters.
        message_bytes: The buffer of one rank.
        ranks: Chips.
        scope: "scale_up" inside one scale-up domain, "scale_out" across.
        library: Use the communication library inside a scale-up domain too.

    Raises:
        InputError: A size is not positive, the scope is unknown, or its link rate is.
    """
    if library or scope != "scale_up":
        name = "all_reduce_library" if library else "all_reduce"
        return _collective(name, machine, eff, message_bytes, ranks, scope, ALL_REDUCE_TRIPS)
    linked = has_links(machine)
    if np.all(linked):
        return _own_all_reduce(machine, eff, message_bytes, ranks)
    general = _collective(
        "all_reduce_library", machine, eff, message_bytes, ranks, scope, ALL_REDUCE_TRIPS
    )
    if not np.any(linked):
        return general
    return choose(linked, _own_all_reduce(machine, eff, message_bytes, ranks), general)


def _own_all_reduce(
    machine: Machine, eff: Efficiency, message_bytes: ArrayLike, ranks: ArrayLike
) -> Cost:
    """The all-reduce of the serving frameworks inside a scale-up domain."""
    (message,) = sizes("all_reduce", allow_zero=True, message_bytes=message_bytes)
    (count,) = sizes("all_reduce", ranks=ranks)
    sent, one_shot = (trips * message * (count - 1.0) for trips in (ALL_REDUCE_TRIPS / count, 1.0))
    return _priced("all_reduce", machine, eff, message, sent, count, "scale_up", one_shot)


def has_links(machine: Machine) -> NDArray[np.bool_]:
    """Whether chips have scale-up links; those without talk over PCIe."""
    links = np.asarray(machine.scale_up_bytes_per_s_per_direction, dtype=np.float64)
    return np.asarray(links > 0.0)


def all_gather(
    machine: Machine, eff: Efficiency, message_bytes: ArrayLike, ranks: ArrayLike, *, scope: str
) -> Cost:
    """Pieces of all ranks put together on every rank; `message_bytes` is the whole."""
    return _collective("all_gather", machine, eff, message_bytes, ranks, scope, 1.0)


def reduce_scatter(
    machine: Machine, eff: Efficiency, message_bytes: ArrayLike, ranks: ArrayLike, *, scope: str
) -> Cost:
    """Sum of a buffer of `message_bytes` over all ranks, each left with its piece."""
    return _collective("reduce_scatter", machine, eff, message_bytes, ranks, scope, 1.0)


def all_to_all(
    machine: Machine, eff: Efficiency, message_bytes: ArrayLike, ranks: ArrayLike, *, scope: str
) -> Cost:
    """Every rank sends an equal piece of its `message_bytes` to every rank."""
    return _collective("all_to_all", machine, eff, message_bytes, ranks, scope, 1.0)


def p2p(
    machine: Machine,
    eff: Efficiency,
    message_bytes: ArrayLike,
    ranks: ArrayLike = 2,
    *,
    scope: str,
) -> Cost:
    """`message_bytes` from one chip to another."""
    (message,) = sizes("p2p", allow_zero=True, message_bytes=message_bytes)
    return _priced(
        "p2p", machine, eff, message, message, np.asarray(ranks, dtype=np.float64), scope
    )


def _collective(
    name: str,
    machine: Machine,
    eff: Efficiency,
    message_bytes: ArrayLike,
    ranks: ArrayLike,
    scope: str,
    trips: float,
) -> Cost:
    (message,) = sizes(name, allow_zero=True, message_bytes=message_bytes)
    (count,) = sizes(name, ranks=ranks)
    sent = trips * message * (count - 1.0) / count
    return _priced(name, machine, eff, message, sent, count, scope)


def _priced(
    name: str,
    machine: Machine,
    eff: Efficiency,
    message: Array,
    sent: Array,
    ranks: Array,
    scope: str,
    one_shot: Array | None = None,
) -> Cost:
    """Time to send `sent` bytes from every rank; one rank alone takes none.

    Args:
        name: Key of the table of parameters.
        machine: The chip or chips.
        eff: Learned parameters.
        message: The buffer.
        sent: Bytes that a rank sends the way for long messages.
        ranks: Chips.
        scope: Over which links.
        one_shot: Bytes that it sends the way for short messages; as many if not given.
    """
    rate = _link(machine, scope)
    p = eff.of(CollectiveParameters, name, machine.generation, scope)
    link, hop = rate, np.asarray(1.0)
    if scope == "scale_up" and not np.all(has_links(machine)):
        pairs = np.maximum(ranks, _PAIR) / _PAIR
        link = rate * np.where(has_links(machine), 1.0, p.pcie_doubling_share ** np.log2(pairs))
        hop = np.where(has_links(machine), 1.0, p.pcie_hop_ratio)
    alone = ranks <= 1.0
    peers = np.maximum(ranks - 1.0, 0.0)
    share = _share(p, machine, scope, peers)
    long = sent / (link * share) * (1.0 + p.ramp_bytes / (p.ramp_bytes + sent)) + p.long_s
    short = (sent if one_shot is None else one_shot) / (link * p.short_efficiency)
    wire = np.minimum(short, long)
    launch = p.launch_s + p.rank_s * hop * peers
    hardware = sent / rate
    return cost(
        {LINK: wire, LAUNCH: launch},
        np.where(alone, 0.0, launch + wire),
        p.interval_log + widening(eff, name, machine, message_bytes=message, ranks=ranks),
        hardware_s=np.where(alone, 0.0, hardware),
        link_bytes=np.where(alone, 0.0, sent),
    )


def _share(p: CollectiveParameters, machine: Machine, scope: str, peers: Array) -> Array:
    """Share of the link rate that long messages reach, which few peers may not fill."""
    # A PCIe or network port is one link, full with a single peer.
    several = has_links(machine) & (scope == "scale_up")
    filled: Array = np.minimum(p.link_efficiency, p.peer_efficiency * np.maximum(peers, 1.0))
    return np.where(several, filled, p.link_efficiency)


def _link(machine: Machine, scope: str) -> Array:
    """Rate of one chip's links in one direction; chips without scale-up links talk over PCIe."""
    if scope not in SCOPES:
        raise InputError(f"unknown collective scope '{scope}'; known: {', '.join(SCOPES)}")
    pcie = np.asarray(machine.pcie_bytes_per_s_per_direction, dtype=np.float64)
    if scope == "scale_out":
        found = np.asarray(machine.scale_out_bytes_per_s_per_direction, dtype=np.float64)
    else:
        links = np.asarray(machine.scale_up_bytes_per_s_per_direction, dtype=np.float64)
        found = np.where(has_links(machine), links, pcie)
    if not np.all(found > 0.0):
        raise InputError(
            f"{machine.name}: the {scope.replace('_', '-')} link rate is unknown, so collectives "
            "over it cannot be timed. Use one chip, or add the rate to the chip's record."
        )
    return found
