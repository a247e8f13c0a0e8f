import json
from pathlib import Path

import pytest

from weir.answers.estimate import Estimate


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("H2O", "DeepSeek-R1"), 2, "Nearest: H20"),
        (("H20", "DeepSick"), 2, "Nearest: DeepSeek"),
        (("H20", "DeepSeek-R1", "--tp", "3"), 2, "tp=3 does not divide the 128 attention heads"),
        (("H20", "DeepSeek-R1", "--tp", "8", "--ep", "3"), 2, "use a divisor of it"),
        (("H20", "DeepSeek-R1", "--tp", "0"), 2, "use 1 or more"),
        (("H20", "DeepSeek-R1", "--chips", "8", "--tp", "4"), 2, "leave one out"),
        (("H20", "DeepSeek-R1", "--chips", "0"), 2, "chips is 0"),
        (("H20", "DeepSeek-R1", "--chips", "-8"), 2, "chips is -8"),
        (("H20", "DeepSeek-R1", "--isl", "0"), 2, "(isl) is 0"),
        (("H20", "DeepSeek-R1", "--osl", "-1"), 2, "(osl) is -1"),
        (("H20", "DeepSeek-R1", "--isl", "x"), 2, "not a valid integer"),
        (("H20", "DeepSeek-R1", "--isl-cv", "-1"), 2, "--isl-cv is -1"),
        (("H20", "DeepSeek-R1", "--osl-cv", "nan"), 2, "--osl-cv is nan"),
        (("H20", "DeepSeek-R1", "--users", "0"), 2, "users is 0"),
        (("H20", "DeepSeek-R1", "--users", "nan"), 2, "users is nan"),
        (("H20", "DeepSeek-R1", "--usd-per-hour", "-3"), 2, "use 0 or more USD"),
        (("H20", "DeepSeek-R1", "--usd-per-hour", "nan"), 2, "use 0 or more USD"),
        (("H20", "DeepSeek-R1", "--framework", "torch"), 2, "Known: plain, vllm, sglang"),
        (("H20", "DeepSeek-R1", "--weights", "fp7"), 2, "unknown number format 'fp7'"),
        (("H20", "DeepSeek-R1", "--weights", "nvfp4"), 2, "no published dense fp4 rate"),
        (("H20", "DeepSeek-R1", "--kv-cache", "fp3"), 2, "unknown cache format 'fp3'"),
        (("HL-328", "DeepSeek-R1"), 2, "nobody has published its dense_bf16"),
        (("H20", "DeepSeek-R1", "--chips", "1"), 3, "the weights do not fit"),
        (("H20", "DeepSeek-R1", "--chips", "3"), 3, "use a power of two"),
        (("H20", "DeepSeek-R1", "--users", "1e9"), 3, "does not fit on any number"),
    ],
)
def test_bad_input_has_one_message_and_its_status(refused, words, status, told):
    message = refused("infer", *words, status=status)
    assert told in message
    assert str(Path(__file__).parents[3]) not in message


def test_a_chip_without_bandwidth_names_what_is_missing(refused, tmp_path):
    folder = tmp_path / "mine" / "chips"
    folder.mkdir(parents=True)
    (folder / "bare.toml").write_text(
        'id = "bare"\nname = "Bare"\ndesigner = "Me"\ngeneration = "mine"\n[facts]\n'
        'dense_bf16 = {value = 100, unit = "TFLOP/s", status = "recalled"}\n'
        'memory_capacity = {value = 64, unit = "GB", status = "recalled"}\n',
        encoding="utf-8",
    )
    message = refused("--data", "mine", "infer", "bare", "Llama-3.1-8B")
    assert "nobody has published its memory_bandwidth" in message
    assert "bare.toml" in message


def test_json_holds_every_attribute(weir):
    words = ("infer", "H100", "Llama-3.1-8B", "--isl", "512", "--osl", "64")
    found = json.loads(weir(*words, "--json").out)
    assert list(found) == [*Estimate.__dataclass_fields__, "levers"]
    for name in ("ttft_s", "tpot_s", "output_tokens_per_s_per_chip"):
        assert 0 < found[name]["low"] <= found[name]["value"] <= found[name]["high"]
    assert found["sources"]


def test_the_table_of_the_answer_is_its_csv(weir):
    words = ("infer", "H100", "Llama-3.1-8B", "--isl", "512", "--osl", "64")
    heading, row = weir(*words, "--csv").out.splitlines()
    assert heading.startswith("Chip,Fewest,Chips,TTFT (s)")
    assert row.startswith("NVIDIA H100 SXM 80GB,")


SMALL = ("infer", "H100", "Llama-3.1-8B", "--isl", "512", "--osl", "64", "--chips", "2")


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("--rate", "0"), 2, "the rate is 0"),
        (("--rate", "1e6"), 3, "replicas carry it"),
        (("--prefill-chips", "0"), 2, "prefill chips are 0"),
        (("--prefill-chip", "H20"), 2, "needs --prefill-chips"),
        (("--prefix-hit-rate", "1"), 2, "prefix_hit_rate is 1"),
        (("--draft-tokens", "2"), 2, "needs --acceptance"),
        (("--draft-tokens", "-1"), 2, "use 0 for none"),
        (("--acceptance", "0.5"), 2, "needs --draft-tokens"),
        (("--draft-tokens", "1", "--acceptance", "2"), 2, "use a share from 0 to 1"),
    ],
)
def test_a_close_look_refuses_what_makes_no_sense(refused, words, status, told):
    assert told in refused(*SMALL, *words, status=status)


def test_a_close_look_adds_its_sections_and_data(weir):
    words = (*SMALL, "--rate", "2", "--prefill-chips", "1", "--layouts")
    text = weir(*words).out
    for heading in ("At this rate", "Prefill on chips of its own", "Layouts", "What moves it"):
        assert f"\n{heading}\n---" in text
    found = json.loads(weir(*words, "--json").out)
    assert found["at_rate"]["users"] < found["users"]
    assert {row["layout"]["tp"] for row in found["layouts"]} == {2}
    assert found["apart"]["prefill_chips"] == 1
    assert {lever["name"] for lever in found["levers"]} >= {"memory bandwidth", "links"}


def test_requests_longer_than_the_model_are_told(weir):
    done = weir("infer", "H100", "Qwen3-32B", "--isl", "50000", "--chips", "8")
    assert done.status == 0
    assert "published for up to 40,960 tokens" in done.err


def test_lengths_may_differ(weir):
    words = ("infer", "H100", "Qwen3-8B", "--users", "64", "--json")
    equal, varied = (
        json.loads(weir(*words, *more).out) for more in ((), ("--isl-cv", "1", "--osl-cv", "0.5"))
    )
    assert varied["ttft_s"]["value"] > equal["ttft_s"]["value"]
    assert varied["tpot_s"]["value"] > equal["tpot_s"]["value"]
    told = weir(*words[:-1], "--isl-cv", "1").out
    assert "lengths vary by 100% in and 0% out" in told


def test_formats_may_be_written_large(weir):
    small, large = (
        weir("infer", "H100", "Qwen3-8B", "--chips", "1", "--weights", one, "--kv-cache", one).out
        for one in ("fp8", "FP8")
    )
    assert large == small != ""
