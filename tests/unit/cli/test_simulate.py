import json

import pytest

BASE = ("simulate", "Qwen3-8B", "--chip", "H100", "--chips", "1")
LOAD = ("--rate", "4", "--count", "60", "--isl", "300", "--osl", "20")
BROKEN = (
    "TIMESTAMP,ContextTokens,GeneratedTokens\n"
    "2024-05-10 00:00:00,374,44\n"
    "2024-05-10 00:00:02,many,55\n"
    "2024-05-10 00:00:03,100\n"
    "2024-05-10 00:00:04,879,9\n"
)


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ((), 2, "no load is given"),
        (("--rate", "0"), 2, "requests_per_s must be a number above 0"),
        (("--rate", "1", "--users", "2"), 2, "give one"),
        (("--users", "0"), 2, "users must be a number above 0"),
        (("--users", "2", "--burstiness", "1"), 2, "--burstiness needs --rate"),
        (("--rate", "1", "--count", "0"), 2, "--count is 0"),
        (("--rate", "1", "--isl", "-4"), 2, "--isl is -4"),
        (("--rate", "1", "--spread", "-1"), 2, "--spread is -1"),
        (("--rate", "1", "--ttft", "0"), 2, "--ttft is 0"),
        (("--rate", "1", "--policy", "best"), 2, "unknown policy 'best'"),
        (("--rate", "1", "--replicas", "0"), 2, "replicas is 0"),
        (("--rate", "1", "--decode-chips", "4"), 2, "need --decode-chip"),
        (("--rate", "1", "--decode-chip", "H20", "--decode-chips", "0"), 2, "--decode-chips is 0"),
        (("--rate", "1", "--skip-broken"), 2, "--skip-broken needs --trace"),
        (("--rate", "1", "--speed-up", "2"), 2, "--speed-up needs --trace"),
        (("--trace", "none.csv"), 2, "cannot be read"),
        (("--trace", "none.csv", "--isl", "4"), 2, "brings its own lengths"),
        (("--rate", "1", "--framework", "tgi"), 2, "unknown framework 'tgi'"),
        (("--rate", "1", "--tp", "3"), 2, "does not divide"),
    ],
)
def test_bad_input_has_one_message_and_its_status(refused, words, status, told):
    assert told in refused(*BASE, *words, status=status)


def test_a_model_that_does_not_fit_names_what_would(refused):
    words = ("simulate", "DeepSeek-R1", "--chip", "H20", "--chips", "2", "--rate", "1")
    assert "hold it with up to" in refused(*words, status=3)


def test_percentiles_stand_with_their_counts(weir):
    text = weir(*BASE, *LOAD, "--ttft", "2", "--tpot", "0.5").out
    row = next(line.split() for line in text.splitlines() if line.startswith("ITL"))
    assert row[1] == f"{60 * 19:,}"
    assert "goodput, requests/s" in text
    assert "Fewer than 5 observations lie beyond the p99 of TTFT, TPOT" in text
    assert "have TTFT up to 2 s and TPOT up to 500 ms" in " ".join(text.split())


def test_json_holds_every_request_and_one_seed_gives_one_answer(weir):
    first = json.loads(weir(*BASE, *LOAD, "--json").out)
    assert len(first["per_request"]["ttft_s"]) == 60
    assert "outcome" not in first
    assert json.loads(weir(*BASE, *LOAD, "--json").out) == first
    other = json.loads(weir(*BASE, *LOAD, "--seed", "2", "--json").out)
    assert other["per_request"]["arrival_s"] != first["per_request"]["arrival_s"]


def test_broken_lines_are_listed_and_the_rest_runs_on_request(weir, refused, tmp_path):
    path = tmp_path / "trace.csv"
    path.write_text(BROKEN)
    message = refused(*BASE, "--trace", path)
    assert "line 3: ContextTokens cannot be understood (got 'many')" in message
    assert "line 4: has 2 fields" in message
    assert "the other 2 lines are good; run them with --skip-broken" in message
    done = weir(*BASE, "--trace", path, "--skip-broken", "--json")
    assert json.loads(done.out)["requests"] == 2
    assert done.err.count("left out") == 2


def test_lengths_without_times_need_a_load(weir, refused, tmp_path):
    path = tmp_path / "lengths.csv"
    path.write_text("prompt_tokens,output_tokens\n100,20\n200,30\n")
    assert "say how requests arrive" in refused(*BASE, "--trace", path)
    done = weir(*BASE, "--trace", path, "--users", "1", "--json")
    assert json.loads(done.out)["requests"] == 2


def test_prefill_and_decode_apart_are_two_fleets(weir):
    words = (*LOAD, "--decode-chip", "H20", "--decode-chips", "1", "--json")
    found = json.loads(weir(*BASE, *words).out)
    assert [fleet["chip"] for fleet in found["fleets"]] == [
        "NVIDIA H100 SXM 80GB",
        "NVIDIA H20 96GB",
    ]
    assert found["policy"] == "disaggregated"


def test_a_load_beyond_the_replica_is_told(weir):
    heavy = ("--rate", "400", "--count", "400", "--isl", "2000", "--osl", "20")
    assert "waiting line still grew" in weir(*BASE, *heavy).out
    assert "waiting line still grew" not in weir(*BASE, *LOAD).out
