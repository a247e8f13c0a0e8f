import pytest

from weir.answers.launch import launch_flags
from weir.answers.placement import Deployment, site_of
from weir.perf.parallel import Layout
from weir.perf.step import Drafts


@pytest.fixture
def flags(catalog):
    def made(framework, layout, model="DeepSeek-R1", chip="H200", **given):
        wanted = Deployment(framework=framework, **given)
        site = site_of(catalog.chip(chip), catalog.model(model), wanted, catalog)
        return launch_flags(site, layout)

    return made


def test_a_checkpoint_in_its_own_format_gets_no_format_flag(flags):
    assert "--quantization" not in flags("vllm", Layout(tp=8))
    assert "--quantization" not in flags("sglang", Layout(tp=8))


@pytest.mark.parametrize(
    ("framework", "weights", "flag"),
    [
        ("vllm", "fp8", "--quantization fp8"),
        ("vllm", "int8_wo", "--quantization gptq"),
        ("sglang", "int8", "--quantization w8a8_int8"),
        ("sglang", "int4_wo", "--quantization awq"),
    ],
)
def test_another_format_is_asked_for_by_its_name_there(flags, framework, weights, flag):
    made = flags(framework, Layout(tp=2), model="Llama-3.1-70B", weights=weights)
    assert flag in made


def test_vllm_counts_ranks_of_the_context_as_tensor_parallel(flags):
    made = flags("vllm", Layout(tp=4, cp=2))
    assert "--tensor-parallel-size 8" in made
    assert "--decode-context-parallel-size 2" in made


def test_drafts_reach_the_command(flags):
    drafts = Drafts(tokens=2, acceptance=0.8)
    assert '"num_speculative_tokens": 2' in flags("vllm", Layout(tp=8), drafts=drafts)
    made = flags("sglang", Layout(tp=8), drafts=drafts)
    assert "--speculative-num-steps 2" in made
    assert "--speculative-num-draft-tokens 3" in made
    assert "--spec" not in flags("sglang", Layout(tp=8))


def test_overlap_is_switched_on_where_experts_are_spread(flags):
    wide = Layout(dp=8, ep=8)
    assert "--enable-dbo" in flags("vllm", wide, exchange_overlap=0.5)
    assert "--enable-two-batch-overlap" in flags("sglang", wide, exchange_overlap=0.5)
    assert "--enable-two-batch-overlap" not in flags("sglang", wide)
    assert "--enable-dbo" not in flags("vllm", Layout(tp=8), exchange_overlap=0.5)


def test_other_frameworks_have_no_command(flags):
    assert flags("trtllm", Layout(tp=8)) == ""
