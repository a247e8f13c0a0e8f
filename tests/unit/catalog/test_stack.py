import pytest

from weir.catalog.stack import (
    load_assumptions,
    load_clients,
    load_economics,
    load_stack,
    load_stacks,
)
from weir.core.errors import RecordError, UnknownNameError

STACK = """
[mine]
name = "Mine"
status = "estimated"
basis = "made up"
decode_step_s = 1e-3
mixed_step_s = 1e-3
sequence_s = 0.0
request_s = 0
eager_launch_s = 0.0
fused_launch_s = 0.0
step_log_sd = 0.1
queue_log_sd = 0.5
handover_s = 0
pools_log_sd = 0.5
pools_step_log_sd = 0.0
memory_fraction = 0.9
is_of_free = false
reserve_bytes = 1e9
cache_block_tokens = 16
chunk_tokens = 4096
mixes_prompts = true
poll_steps = 1
receive_steps = 1
kernel_factor_decode = 1.0
kernel_factor_prefill = 1.0
[mine.kernels]
"gemm/fp8" = {launch = 0.9, groups = 0.9, decode = 0.9, prefill = 1.0}
"gemm/fp8/hopper" = {launch = 0.8, groups = 0.8, decode = 0.8, prefill = 1.1}
"""


def written(tmp_path, text):
    path = tmp_path / "stack.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["vllm", "vLLM", "VLLM", "TensorRT-LLM", "trtllm", "SGLang"])
def test_frameworks_answer_to_key_and_name(name):
    assert load_stack(name).name


def test_an_unknown_framework_is_refused_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="vllm"):
        load_stack("vlm")


def test_every_framework_says_how_it_is_known():
    for stack in load_stacks().values():
        assert stack.basis
        assert 0 < stack.memory_fraction <= 1
        assert stack.kernel_factor_decode > 0


def test_the_most_specific_kernel_factor_counts(tmp_path):
    stack = load_stacks(written(tmp_path, STACK))["mine"]
    assert stack.factors("gemm", "fp8", "hopper").decode == 0.8
    assert stack.factors("gemm", "fp8", "ada").decode == 0.9
    assert stack.factors("gemm", "bf16", "hopper").decode == 1.0


def test_a_users_own_file_is_read(tmp_path):
    assert load_stacks(written(tmp_path, STACK))["mine"].chunk_tokens == 4096


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sequence_s = 0.0\n", "", "mine.sequence_s: is required"),
        ("sequence_s", "sequenze_s", "mine.sequenze_s: unknown key"),
        ("request_s = 0\n", "request_s = -1\n", "mine.request_s: must be a number of at least 0"),
        ("request_s = 0\n", 'request_s = "x"\n', "mine.request_s: must be a number"),
        ("mixes_prompts = true", "mixes_prompts = 1", "mine.mixes_prompts: must be true or false"),
        ('"estimated"', '"guessed"', "mine.status: must be one of"),
        ("[mine.kernels]", "[mine.kernel]", "mine.kernels: is required"),
        ("decode = 0.9, ", "", "mine.kernels.gemm/fp8.decode: is required"),
        ("[mine]", "[mine", "is not valid TOML"),
    ],
)
def test_a_broken_file_says_where(tmp_path, old, new, message):
    with pytest.raises(RecordError, match=message):
        load_stacks(written(tmp_path, STACK.replace(old, new)))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(RecordError, match="cannot be read"):
        load_stacks(tmp_path / "none.toml")


def test_the_other_assumptions_are_complete():
    economics = load_economics()
    assert economics.facility.pue >= 1
    assert all(item.text and item.basis for item in load_assumptions().values())
    for client in load_clients().values():
        for framework in load_stacks():
            assert 0 <= client.habits(framework).in_step <= 1
            assert client.habits(framework).poll_steps >= 1
