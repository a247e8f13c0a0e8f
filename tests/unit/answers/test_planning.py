import numpy as np
import pytest

from weir.answers.placement import Deployment
from weir.answers.plan import Target
from weir.answers.planning import Wanted, planning, steps_of, workload_of
from weir.catalog.traces import Trace
from weir.core.errors import UnknownNameError
from weir.perf.serving import Workload


def wanted(*chips, **given):
    usual = {
        "workload": Workload(512, 64),
        "target": Target(tpot_s=0.05),
        "objective": "throughput",
        "requests_per_s": None,
        "deployment": Deployment(),
        "most_chips": 2,
    }
    return Wanted(chips=chips, **{**usual, **given})


def trace(arrivals=(0.0, 1.0, 4.0), hashes=None):
    return Trace(
        origin="made up",
        format="made up",
        arrival_s=None if arrivals is None else np.array(arrivals),
        prompt_tokens=np.array([1024, 512, 1024]),
        output_tokens=np.array([10, 20, 30]),
        block_hashes=hashes,
    )


def test_a_trace_becomes_its_means_its_hits_and_its_rate():
    work, rate = workload_of(trace())
    assert (work.isl, work.osl, work.prefix_hit_rate) == (pytest.approx(2560 / 3), 20.0, 0.0)
    assert rate == pytest.approx(2 / 4.0)
    # The third prompt repeats the first, but for its last token, which is always computed.
    hit, _ = workload_of(trace(hashes=((1, 2), (3,), (1, 2))))
    assert hit.prefix_hit_rate == pytest.approx(1023 / 2560)


@pytest.mark.parametrize("arrivals", [None, (0.0, 0.0, 0.0)])
def test_a_trace_without_times_has_no_rate(arrivals):
    assert workload_of(trace(arrivals))[1] is None


def test_the_best_is_looked_at_closely_and_agrees_with_the_plan(catalog):
    steps = []
    answer = planning("Qwen3-8B", wanted("H20", "H100"), catalog, progress=steps.append)
    assert len(steps) == steps_of(answer.wanted, compare=True, has_trace=False)
    for item in answer.plan.chips:
        close = answer.estimates[item.chip]
        assert close.layout == item.best.layout
        assert close.tpot_s.value == pytest.approx(item.best.tpot_s, rel=0.25)
        assert set(answer.other_flags[item.chip]) == {"vllm", "sglang"}
    assert {one.prefix_hit_rate for one in answer.crossovers} == {0.0, 0.999}
    assert answer.sources


def test_one_chip_has_nothing_to_be_compared_with(catalog):
    assert planning("Qwen3-8B", wanted("H100"), catalog).crossovers == ()
    assert planning("Qwen3-8B", wanted("H100", "H20"), catalog, compare=False).crossovers == ()


def test_a_trace_runs_on_the_fleet_of_the_best_chip(catalog):
    answer = planning(
        "Qwen3-8B", wanted("H100", requests_per_s=0.5), catalog, trace=trace(), compare=False
    )
    fleet = answer.plan.chips[0].fleet
    assert answer.trace.requests == 3
    assert answer.trace.chips == fleet.chips
    without_load = planning("Qwen3-8B", wanted("H100"), catalog, trace=trace(), compare=False)
    assert without_load.trace is None


def test_prompts_on_another_chip_are_searched_for_each_decode_chip(catalog):
    steps = []
    asked = wanted("H20", "HL-328", prefill_on="H100")
    answer = planning("Qwen3-8B", asked, catalog, compare=False, progress=steps.append)
    assert len(steps) <= steps_of(asked, compare=False, has_trace=False)
    best = answer.splits["NVIDIA H20 96GB"].best
    assert (best.prefill_chip, best.decode_chip) == ("NVIDIA H100 SXM 80GB", "NVIDIA H20 96GB")
    assert best.tpot_s <= asked.target.tpot_s
    assert "dense_bf16" in answer.splits["Intel Gaudi 3 HL-328 (China)"]
    with pytest.raises(UnknownNameError):
        planning("Qwen3-8B", wanted("H20", prefill_on="H2O"), catalog)
