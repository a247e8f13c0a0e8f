from dataclasses import replace

import numpy as np
import pytest

from weir.answers.machines import machine_of
from weir.catalog.calibration import load_efficiency
from weir.catalog.query import Catalog
from weir.catalog.stack import KernelFactors, load_stack
from weir.core.errors import LayoutError
from weir.perf.formats import Precision
from weir.perf.operators import Batch, Routing
from weir.perf.parallel import Layout
from weir.perf.step import Engine

CATALOG = Catalog()
FP8 = Precision("fp8_block", "fp8_block", "bf16")
BF16 = Precision("bf16", "bf16", "bf16")
PLAIN = load_stack("plain")


def engine(chip="H100", model="DeepSeek-R1", layout=None, precision=FP8, stack=PLAIN):
    machine = machine_of(CATALOG.chip(chip), CATALOG).machine
    return Engine(
        CATALOG.model(model), layout or Layout(tp=8), precision, machine, load_efficiency(), stack
    )


def decode(sequences, context=1024.0):
    return Batch(decode_sequences=sequences, decode_context=context)


def test_hardware_kernels_and_stack_are_kept_apart():
    step = engine().step(decode(8.0))
    assert 0 < step.hardware_s < step.kernel_s < step.time_s
    assert step.kernel_s + step.stack_s == pytest.approx(step.time_s)
    assert step.kernel_s == pytest.approx(sum(float(s) for s in step.by_part().values()))
    assert step.time_s == pytest.approx(sum(float(s) for s in step.by_bound().values()))


def test_the_interval_holds_the_estimate_and_is_wider_for_a_stack_less_well_known():
    narrow = engine().step(decode(8.0))
    wide = engine(stack=replace(PLAIN, step_log_sd=0.5)).step(decode(8.0))
    assert narrow.low_s < narrow.time_s < narrow.high_s
    assert wide.low_s < narrow.low_s
    assert wide.high_s > narrow.high_s


def test_a_decode_step_reads_the_weights_it_needs_at_least_once():
    step = engine("H100", "Llama-3.1-8B", Layout(), BF16).step(decode(1.0))
    # All weights but the input embedding: 8.03 B less 128,256 x 4,096, in bf16.
    weights = 2 * (8.03e9 - 128256 * 4096)
    assert step.memory_bytes == pytest.approx(weights, rel=0.02)
    assert step.hardware_s == pytest.approx(weights / 3.35e12, rel=0.05)


def test_a_step_grows_with_batch_and_context():
    times = engine().step(decode(np.array([1.0, 8.0, 64.0, 256.0]))).time_s
    assert np.all(np.diff(times) > 0)
    times = engine().step(decode(8.0, np.array([100.0, 1e3, 1e4, 1e5]))).time_s
    assert np.all(np.diff(times) > 0)


def test_a_grid_gives_what_its_points_give():
    sequences, context = np.array([[1.0], [32.0]]), np.array([100.0, 5000.0, 20000.0])
    grid = engine().step(decode(sequences, context))
    assert grid.time_s.shape == (2, 3)
    for i, j in np.ndindex(2, 3):
        point = engine().step(decode(float(sequences[i, 0]), float(context[j])))
        assert grid.time_s[i, j] == pytest.approx(float(point.time_s), rel=1e-12)


def test_chips_may_be_a_column():
    one, other = (machine_of(CATALOG.chip(name), CATALOG).machine for name in ("H100", "H200"))
    both = replace(
        one,
        memory_bandwidth_bytes_per_s=np.array(
            [one.memory_bandwidth_bytes_per_s, other.memory_bandwidth_bytes_per_s]
        ),
    )
    step = replace(engine(), machine=both).step(decode(8.0))
    assert step.time_s[1] < step.time_s[0]
    assert step.time_s[0] == pytest.approx(float(engine().step(decode(8.0)).time_s))


def test_sums_across_domains_cost_more_than_inside():
    inside = engine(layout=Layout(tp=8)).step(decode(64.0))
    across = engine(layout=Layout(tp=16)).step(decode(64.0))
    link = {
        layout: float(step.by_part()["communication"])
        for layout, step in (("inside", inside), ("across", across))
    }
    assert link["across"] > 1.5 * link["inside"]


def test_two_levels_carry_a_share_of_the_buffer_over_each_adapter():
    step = engine(layout=Layout(tp=16)).step(
        Batch(prefill_sequences=1, prefill_tokens=8192, prefill_context=8192)
    )
    total = next(x.cost for x in step.operators if x.operator.name == "sum after attention")
    buffer = 8192 * 7168 * 2
    # Reduce-scatter and gather inside (7/8 each), all-reduce of an eighth over two domains (2/2).
    expected = 61 * buffer * (2 * 7 / 8 + 2 * 0.5 / 8)
    assert float(total.link_bytes) == pytest.approx(expected)


def test_pipeline_stages_each_add_their_host_time():
    one = engine(layout=Layout(tp=8)).step(decode(8.0))
    two = engine(layout=Layout(tp=8, pp=2)).step(decode(8.0))
    assert float(two.stack_s) == pytest.approx(2 * float(one.stack_s), rel=1e-6)


def test_a_prompt_is_at_least_as_long_as_its_launches():
    slow = replace(PLAIN, eager_launch_s=1e-3)
    step = engine(stack=slow).step(
        Batch(prefill_sequences=1, prefill_tokens=16, prefill_context=16)
    )
    launches = sum(item.operator.count for item in step.operators)
    assert float(step.time_s) >= 1e-3 * launches


def test_a_layout_that_does_not_divide_is_refused():
    with pytest.raises(LayoutError):
        engine(layout=Layout(tp=3)).step(decode(1.0))


def test_a_frameworks_own_kernels_take_the_place_of_the_priced_ones():
    plain = engine().step(decode(8.0))
    stack = replace(PLAIN, kernels={"moe_gemm/fp8_block": KernelFactors(0.5, 0.5, 0.5, 1.0)})
    faster = engine(stack=stack).step(decode(8.0))
    experts = sum(
        float(item.time_s) for item in plain.operators if item.operator.kernel == "moe_gemm"
    )
    assert float(plain.kernel_s - faster.kernel_s) == pytest.approx(experts / 2)


def test_what_a_kernel_takes_without_work_has_factors_of_its_own():
    plain = engine().step(decode(8.0))
    bare = replace(PLAIN, kernels={"moe_gemm/fp8_block": KernelFactors(0.0, 0.0, 1.0, 1.0)})
    faster = engine(stack=bare).step(decode(8.0))
    costs = [item.cost for item in plain.operators if item.operator.kernel == "moe_gemm"]
    saved = sum(float(cost.launch_s + cost.groups_s) for cost in costs)
    assert 0.0 < saved < sum(float(cost.time_s) for cost in costs)
    assert float(plain.kernel_s - faster.kernel_s) == pytest.approx(saved)


def test_a_frameworks_factor_for_a_generation_holds_for_its_family():
    stack = replace(
        PLAIN, kernels={"moe_gemm/fp8_block/blackwell": KernelFactors(0.5, 0.5, 0.5, 1.0)}
    )
    slow, fast = (engine("B300", stack=chosen).step(decode(8.0)) for chosen in (PLAIN, stack))
    assert fast.kernel_s < slow.kernel_s


def test_launches_saved_never_beat_the_datasheet():
    step = engine(stack=replace(PLAIN, fused_launch_s=1.0)).step(decode(8.0))
    assert step.kernel_s == pytest.approx(float(step.hardware_s))


def test_exchanges_beside_kernels_take_no_time_of_their_own():
    layout = Layout(dp=8, ep=8)
    alone = engine(layout=layout).step(decode(64.0))
    beside = replace(engine(layout=layout), exchange_overlap=1.0).step(decode(64.0))
    exchanges = sum(
        float(item.time_s) for item in alone.operators if item.operator.kernel == "all_to_all"
    )
    assert exchanges > 0
    assert float(alone.time_s - beside.time_s) == pytest.approx(exchanges)


def test_a_skewed_router_slows_the_busiest_chip():
    layout = Layout(tp=8, ep=8)
    prompts = Batch(prefill_sequences=8.0, prefill_tokens=4096.0, prefill_context=4096.0)
    even = engine(layout=layout).step(prompts)
    skewed = replace(engine(layout=layout), routing=Routing(1.2)).step(prompts)
    assert skewed.by_part()["experts"] > even.by_part()["experts"]


def test_a_framework_may_have_its_own_kernel_of_one_kind_of_linear_attention():
    found = {}
    for variant in ("gated_delta", "kimi_delta"):
        stack = replace(
            PLAIN, kernels={f"linear_decode/{variant}": KernelFactors(0.5, 0.5, 0.5, 1.0)}
        )
        step = engine("H100", "qwen3-next-80b-a3b", Layout(tp=2), BF16, stack).step(decode(64.0))
        (update,) = [item for item in step.operators if item.operator.name == "state update"]
        found[variant] = float(update.time_s / update.cost.time_s)
    assert found["gated_delta"] == pytest.approx(0.5, rel=1e-6)
    assert found["kimi_delta"] == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("name", [model.id for model in CATALOG.models.all()])
def test_every_model_has_a_step_with_prompts_and_decoding(name):
    batch = replace(decode(4.0), prefill_sequences=1.0, prefill_tokens=64.0, prefill_context=3000.0)
    step = engine("H100", name, Layout(), BF16).step(batch)
    assert 0.0 < step.hardware_s < step.time_s < np.inf
