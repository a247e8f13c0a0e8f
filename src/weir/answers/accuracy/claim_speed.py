"""Numbers to set beside published claims: what the speed model says."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from weir.answers.accuracy.claim_facts import Arguments, Computation
from weir.answers.disaggregate import disaggregate
from weir.answers.machines import machine_of
from weir.answers.placement import Deployment, Site, site_of
from weir.answers.plan import Candidates, Target, fitting_layouts, search
from weir.catalog.calibration import load_efficiency
from weir.catalog.query import Catalog
from weir.core.errors import NothingFitsError
from weir.perf.burst import Run, bursts
from weir.perf.disaggregated import decode_pools, prefill_pool
from weir.perf.kernels.gemm import gemm
from weir.perf.machine import Machine, rate
from weir.perf.operators import Batch
from weir.perf.parallel import Layout
from weir.perf.serving import Workload
from weir.perf.step import Drafts

# Square products tried for the best share of a rate.
_SIDES: Final = (2048.0, 4096.0, 8192.0, 12288.0, 16384.0)
_FULL_LOAD: Final = 1.0 - 1e-6
# Tokens of an answer long enough that prefill does not count, and short enough to hold no cache.
_LONG_ANSWER: Final = 256


def _site(catalog: Catalog, given: Arguments) -> Site:
    chip, model = catalog.chip(given["chip"]), catalog.model(given["model"])
    return site_of(chip, model, _deployment(given), catalog)


def _deployment(given: Arguments) -> Deployment:
    return Deployment(
        framework=given.get("framework", "vllm"),
        weights=given.get("weights") or None,
        drafts=Drafts(int(given.get("draft_tokens", 0)), float(given.get("acceptance", 0))),
        exchange_overlap=float(given.get("overlap", 0)),
    )


def _found(catalog: Catalog, given: Arguments, chip: str, work: Workload) -> Candidates:
    return search(
        chip, given["model"], work, catalog,
        deployment=_deployment(given), most_chips=int(given["most_chips"]),
    )  # fmt: skip


def fastest_user(catalog: Catalog, given: Arguments) -> float:
    """Most tokens/s that one user can see with an empty context, over all layouts."""
    found = _found(catalog, given, given["chip"], Workload(isl=1, osl=_LONG_ANSWER))
    return float(np.max(found.tokens_per_s_per_user))


def best_rate(catalog: Catalog, given: Arguments) -> float:
    """Most output tokens/s per chip at a speed that each user sees.

    Raises:
        NothingFitsError: No layout reaches the speed.
    """
    work = Workload(
        float(given["isl"]), float(given["osl"]), prefix_hit_rate=float(given.get("hits", 0))
    )
    return _best(_found(catalog, given, given["chip"], work), float(given["speed"]))


def _best(found: Candidates, speed: float) -> float:
    reached = found.tokens_per_s_per_chip[found.meets(Target(tpot_s=1.0 / speed))]
    if not len(reached):
        fastest = float(np.max(found.tokens_per_s_per_user))
        raise NothingFitsError(
            f"{found.chip.name} reaches no {speed:g} tokens/s per user; at most {fastest:.3g}"
        )
    return float(np.max(reached))


def split_rate(catalog: Catalog, given: Arguments) -> float:
    """Output tokens/s per chip of both kinds at a speed that each user sees, prompts apart.

    Raises:
        NothingFitsError: No decode pool reaches the speed.
    """
    found = disaggregate(
        given["model"], given["chip"], None, Workload(float(given["isl"]), float(given["osl"])),
        Target(tpot_s=1.0 / float(given["speed"])), catalog,
        deployment=_deployment(given), most_chips=int(given["most_chips"]),
    )  # fmt: skip
    return found.best.tokens_per_s_per_chip


def chip_hours_ratio(catalog: Catalog, given: Arguments) -> float:
    """Chip-hours of one chip over those of another for the same tokens at the same speed."""
    other = {**given, "chip": given["other"]}
    return best_rate(catalog, other) / best_rate(catalog, given)


def batch_rate(catalog: Catalog, given: Arguments) -> float:
    """Output tokens/s of one chip that answers one batch of requests of equal length."""
    work, count = Workload(float(given["isl"]), float(given["osl"])), float(given["batch"])
    engine = _site(catalog, given).engine(Layout())
    return bursts(engine, [Run(work, requests=count, room=count)])[0].output_tokens_per_s_per_chip


def prefill_rate(catalog: Catalog, given: Arguments) -> float:
    """Prompt tokens/s of so many chips that only prefill, hits included, in the best layout."""
    site = _site(catalog, given)
    work = Workload(float(given["isl"]), 1.0, prefix_hit_rate=float(given["hits"]))
    layouts, _ = fitting_layouts(site, work, int(given["most_chips"]))
    pools = [prefill_pool(site.engine(each), work, load=_FULL_LOAD) for each in layouts]
    best = max(float(pool.requests_per_s) / pool.engine.layout.chips for pool in pools)
    return best * float(given["isl"]) * float(given["chips"])


def decode_rate(catalog: Catalog, given: Arguments) -> float:
    """Output tokens/s of so many chips that only decode, in the best layout.

    The cache is full, or holds `sequences_per_chip`.
    """
    site = _site(catalog, given)
    work = Workload(float(given["isl"]), float(given["osl"]))
    layouts, most = fitting_layouts(site, work, int(given["most_chips"]))
    each_chip = float(given.get("sequences_per_chip", np.inf))
    batches = [
        np.asarray(min(held, each_chip * layout.chips))
        for held, layout in zip(most, layouts, strict=True)
    ]
    pools = decode_pools([site.engine(each) for each in layouts], work, batches)
    rates = [float(pool.sequences / pool.tpot_s) / pool.engine.layout.chips for pool in pools]
    return max(rates) * float(given["chips"])


def best_gemm_share(catalog: Catalog, given: Arguments) -> float:
    """Best share of the dense rate that square matrix products reach."""
    machine = machine_of(catalog.chip(given["chip"]), catalog).machine
    side = np.array(_SIDES)
    cost = gemm(machine, load_efficiency(), side, side, side, dtype=given["dtype"])
    dense = np.asarray(rate(machine, given["dtype"]))
    return float(np.max(cost.flop / cost.time_s / dense))


def step_ratio(catalog: Catalog, given: Arguments) -> float:
    """Time of a step on a changed chip over that on the chip it is compared with.

    Arguments `bandwidth` and `compute` change the chip; `base_bandwidth` changes the one it is
    compared with. Memory is not asked to hold the model.
    """
    site = _site(catalog, given)
    engine = site.engine(Layout(tp=int(given["tp"])))
    count, isl = float(given["batch"]), float(given["isl"])
    if given["phase"] == "prefill":
        batch = Batch(prefill_sequences=count, prefill_tokens=isl, prefill_context=isl)
    else:
        context = isl + float(given["osl"])
        batch = Batch(decode_sequences=count, decode_context=context)
    machine = engine.machine
    changed = _changed(machine, given.get("bandwidth"), given.get("compute"))
    base = _changed(machine, given.get("base_bandwidth"), None)
    times = [replace(engine, machine=each).step(batch).kernel_s for each in (changed, base)]
    return float(times[0] / times[1])


def _changed(machine: Machine, bandwidth: str | None, compute: str | None) -> Machine:
    if bandwidth is not None:
        machine = replace(machine, memory_bandwidth_bytes_per_s=float(bandwidth))
    if compute is not None:
        share = float(compute)
        rates = {name: value * share for name, value in machine.dense_flop_per_s.items()}
        machine = replace(machine, dense_flop_per_s=rates)
    return machine


COMPUTATIONS: Final[Mapping[str, Computation]] = {
    each.__name__: each
    for each in (
        fastest_user, best_rate, split_rate, chip_hours_ratio, batch_rate, prefill_rate,
        decode_rate, best_gemm_share, step_ratio,
    )
}  # fmt: skip
