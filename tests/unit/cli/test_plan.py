import json

import pytest

SHORT = ("--isl", "512", "--osl", "64", "--most-chips", "2")
TRACE = "arrival_s,prompt_tokens,output_tokens\n" + "".join(
    f"{n * 0.5},{300 + n},{20 + n % 7}\n" for n in range(40)
)


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("Qwen3-32B", "--on-chips", " , "), 2, "--on-chips names no chip"),
        (("Qwen3-32B", "--on-chips", "H2O"), 2, "Nearest: H20"),
        (("Qwen33B", "--on-chips", "H20"), 2, "Nearest: Qwen3"),
        (("Qwen3-8B", "--on-chips", "H20", "--isl", "-5"), 2, "--isl is -5"),
        (("Qwen3-8B", "--on-chips", "H20", "--osl", "0"), 2, "--osl is 0"),
        (("Qwen3-8B", "--on-chips", "H20", "--prefix-hit-rate", "1"), 2, "--prefix-hit-rate is 1"),
        (("Qwen3-8B", "--on-chips", "H20", "--osl-cv", "-1"), 2, "--osl-cv is -1"),
        (("Qwen3-8B", "--on-chips", "H20", "--ttft", "0"), 2, "--ttft is 0"),
        (("Qwen3-8B", "--on-chips", "H20", "--tpot", "nan"), 2, "--tpot is nan"),
        (("Qwen3-8B", "--on-chips", "H20", "--load", "-1"), 2, "--load is -1"),
        (("Qwen3-8B", "--on-chips", "H20", "--load", "inf"), 2, "--load is inf"),
        (("Qwen3-8B", "--on-chips", "H20", "--framework", "tgi"), 2, "unknown framework 'tgi'"),
        (("Qwen3-8B", "--on-chips", "H20", "--target", "speed"), 2, "'speed' is not one of"),
        (("Qwen3-8B", "--on-chips", "H20", "--exchange-overlap", "2"), 2, "exchange_overlap is 2"),
        (("Qwen3-8B", "--on-chips", "H20", "--expert-skew", "-1"), 2, "expert_skew is -1"),
        (("Qwen3-8B", "--on-chips", "H20", "--skip-broken"), 2, "needs --trace"),
        (("Qwen3-8B", "--on-chips", "H20", "--trace", "none.csv"), 2, "cannot be read"),
        (("Qwen3-8B", "--on-chips", "HL-328"), 2, "nobody has published its dense_bf16"),
        (("DeepSeek-R1", "--on-chips", "L20", "--most-chips", "2"), 3, "does not fit on up to 2"),
    ],
)
def test_bad_input_has_one_message_and_its_status(refused, words, status, told):
    assert told in refused("plan", *words, status=status)


def test_an_impossible_target_names_the_nearest_that_can_be(refused):
    words = ("plan", "Qwen3-8B", "--on-chips", "H20,H100", *SHORT, "--ttft", "1e-6")
    message = refused(*words, status=3)
    assert message.count("the shortest TTFT is") == 2
    assert "the nearest to both is" in message


def test_a_trace_with_lengths_of_its_own_takes_no_others(refused, tmp_path):
    path = tmp_path / "trace.csv"
    path.write_text(TRACE)
    words = ("plan", "Qwen3-8B", "--on-chips", "H20", "--trace", path)
    assert "brings its own lengths" in refused(*words, "--isl", "100")
    assert "brings its own lengths" in refused(*words, "--isl-cv", "0.5")


def test_a_plan_names_fleet_winner_and_how_to_start(weir):
    words = ("plan", "Qwen3-8B", "--on-chips", "H20,H100,H20", *SHORT, "--load", "5")
    text = weir(*words).out
    for heading in ("Best deployment of each chip", "Smallest fleet", "Which chip when"):
        assert f"\n{heading}\n---" in text
    assert "vllm serve Qwen3-8B --tensor-parallel-size" in text
    assert "sglang.launch_server" in text
    assert "needs fewer chip-hours than" in text
    found = json.loads(weir(*words, "--json").out)
    assert len(found["plan"]["chips"]) == 2
    best = found["plan"]["chips"][0]
    assert best["fleet"]["replicas"] * best["best"]["requests_per_s"] >= 5
    assert [item["prefix_hit_rate"] for item in found["crossovers"]] == [0.0, 0.999]


def test_a_chip_that_cannot_be_judged_is_told_beside_one_that_can(weir):
    done = weir("plan", "Qwen3-8B", "--on-chips", "H20,HL-328", *SHORT)
    assert done.status == 0
    assert (
        "Intel Gaudi 3 HL-328 (China): Intel Gaudi 3 HL-328 (China) cannot be estimated"
        in " ".join(done.out.split())
    )


def test_a_trace_brings_lengths_and_load_and_is_run(weir, tmp_path):
    path = tmp_path / "trace.csv"
    path.write_text(TRACE)
    words = ("plan", "Qwen3-8B", "--on-chips", "H100", "--trace", path, "--most-chips", "1")
    found = json.loads(weir(*words, "--tpot", "0.1", "--json").out)
    assert found["plan"]["requests_per_s"] == pytest.approx(2.0)
    assert found["plan"]["workload"]["isl"] == pytest.approx(319.5)
    assert found["trace"]["requests"] == 40
    assert "The trace on that fleet" in weir(*words, "--tpot", "0.1").out


def test_standard_error_stays_empty_where_it_is_no_terminal(weir):
    assert weir("plan", "Qwen3-8B", "--on-chips", "H100", *SHORT).err == ""


def test_what_is_chosen_by_is_not_always_maximised(weir):
    assert "the least of the others" in " ".join(weir("plan", "--help").out.split())
