import numpy as np
import pytest

from weir.answers.placement import Deployment, site_of
from weir.perf.batching import Workload, decode_batch, prompt_batch
from weir.perf.burst import Run, bursts
from weir.perf.parallel import Layout


@pytest.fixture(scope="module")
def engine(catalog):
    def made(framework="trtllm", layout=None):
        wanted = Deployment(framework=framework)
        site = site_of(catalog.chip("H100"), catalog.model("Qwen3-8B"), wanted, catalog)
        return site.engine(layout or Layout())

    return made


def test_one_request_takes_its_prompt_and_its_steps(engine):
    one = engine()
    work = Workload(isl=8192.0, osl=101.0)
    (burst,) = bursts(one, [Run(work, requests=1.0, room=8.0)])
    prompt = one.step(prompt_batch(one, work, 1.0)).time_s
    step = one.step(decode_batch(one, work, np.asarray(1.0))).time_s
    assert burst.seconds == pytest.approx(float(prompt + 100.0 * step), rel=1e-3)
    assert burst.output_tokens_per_s_per_chip == pytest.approx(101.0 / burst.seconds)
    assert burst.low_s < burst.seconds < burst.high_s


def test_waves_without_room_for_more_take_their_number_of_times(engine):
    work = Workload(isl=128.0, osl=512.0)
    once, thrice = bursts(engine(), [Run(work, 32.0, 32.0), Run(work, 96.0, 32.0)])
    assert thrice.seconds == pytest.approx(3.0 * once.seconds, rel=0.02)


def test_a_burst_does_not_depend_on_those_priced_beside_it(engine):
    run = Run(Workload(1000.0, 1000.0), 500.0, 100.0)
    alone = bursts(engine(), [run])[0]
    beside = bursts(engine(), [Run(Workload(128.0, 64.0), 9.0, 3.0), run])[1]
    assert beside.seconds == pytest.approx(alone.seconds, rel=1e-9)


def test_a_framework_that_does_not_mix_stops_decoding_for_prompts(engine):
    work = Workload(isl=4096.0, osl=256.0)
    apart = engine("sglang")
    assert not apart.stack.mixes_prompts
    short, long = bursts(apart, [Run(work, 64.0, 64.0), Run(work, 64.0, 1.0)])
    assert short.seconds < long.seconds


def test_stages_work_as_so_many_replicas(engine):
    work = Workload(isl=512.0, osl=256.0)
    (burst,) = bursts(engine(layout=Layout(pp=2)), [Run(work, 64.0, 64.0)])
    assert burst.output_tokens_per_s_per_chip > 0.0
