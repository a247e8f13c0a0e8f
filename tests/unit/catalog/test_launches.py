from dataclasses import replace

import pytest

from weir.catalog.launches import AS_DEFAULT, Launch, PoolRun, Run, launch_of, places_of
from weir.catalog.stack import load_stack
from weir.core.errors import InputError

HEAD = (
    "framework,model,precision,chips,image,replica_chips,from_users,receive_steps,chunk_tokens,"
    "chunk_prompts,script\n"
)
RUN = Run("sglang", "Some-7B", "fp8", "b200-sxm", "sglang:v1", 8, 16.0, 1024.0)


@pytest.fixture
def launches(tmp_path):
    path = tmp_path / "launches.csv"
    rows = (
        "sglang,Some,fp8,b200-sxm h200-sxm,,8,1,10,16384,,a.sh",
        "sglang,Some,fp8,b200-sxm h200-sxm,,8,16,30,16384,,a.sh",
        "vllm,Some,fp8,b200-sxm,v2,,1,,,2,b.sh",
    )
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_run_has_the_options_of_its_script(launches):
    assert launch_of(RUN, launches) == Launch(30.0, 16384)
    assert launch_of(replace(RUN, users=15.0), launches) == Launch(10.0, 16384)
    assert launch_of(replace(RUN, chip="h200-sxm"), launches).receive_steps == 30.0


@pytest.mark.parametrize(
    "other", [{"chips": 4}, {"precision": "fp4"}, {"chip": "h100-sxm"}, {"model": "Other-7B"}]
)
def test_another_run_has_the_defaults(launches, other):
    assert launch_of(replace(RUN, **other), launches) == AS_DEFAULT


def test_a_budget_may_be_so_many_prompts(launches):
    run = replace(RUN, framework="vllm", image="vllm:v2", chips=2)
    assert launch_of(run, launches) == Launch(None, 2048)
    assert launch_of(replace(run, image="vllm:v1"), launches) == AS_DEFAULT


def test_options_replace_those_of_the_framework_and_nothing_else():
    stack = load_stack("sglang")
    changed = Launch(30.0, 16384).applied(stack)
    assert (changed.receive_steps, changed.chunk_tokens) == (30.0, 16384)
    assert replace(changed, receive_steps=stack.receive_steps, chunk_tokens=8192) == stack
    assert AS_DEFAULT.applied(stack) == stack


def test_a_worker_has_the_places_of_all_its_ranks(tmp_path):
    path = tmp_path / "pools.csv"
    path.write_text(
        "chip,model,precision,image,isl,osl,users,prefill_workers,decode_workers,decode_chips,"
        "decode_dp,batch_per_rank\ngb200,m,fp4,i:1,1024,1024,64,1,2,8,4,16\n",
        encoding="utf-8",
    )
    run = PoolRun("gb200", "fp4", "i:1", 1024, 1024, 64, 1, 2, 8, 4)
    assert places_of(run, path) == 64.0
    assert places_of(replace(run, users=65), path) is None


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        launch_of(RUN, tmp_path / "none.csv")
