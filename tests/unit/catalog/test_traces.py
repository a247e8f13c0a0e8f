import json

import pytest

from weir.catalog.traces import read_trace
from weir.core.errors import RecordError

AZURE = """TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:46.6805900,374,44
2023-11-16 18:15:50.9951690,396,109
2023-11-16 18:15:51.2224670,879,55
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="trace.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def mooncake(*rows):
    keys = ("timestamp", "input_length", "output_length", "hash_ids")
    return "\n".join(json.dumps(dict(zip(keys, row, strict=True))) for row in rows)


def test_azure_times_count_from_the_first(write):
    trace = read_trace(write(AZURE))
    assert trace.format == "Azure LLM inference"
    assert trace.arrival_s == pytest.approx([0.0, 4.314579, 4.541877], abs=1e-6)
    assert trace.prompt_tokens.tolist() == [374, 396, 879]
    assert trace.output_tokens.tolist() == [44, 109, 55]
    assert trace.block_hashes is None
    assert len(trace) == 3


def test_azure_times_may_carry_an_offset(write):
    rows = "2024-05-10 00:00:00.009930+00:00,2162,5\n2024-05-10 02:00:01.009930+02:00,2399,6\n"
    trace = read_trace(write("TIMESTAMP,ContextTokens,GeneratedTokens\n" + rows))
    assert trace.arrival_s.tolist() == [0.0, 1.0]


def test_mooncake_times_are_milliseconds_and_hashes_are_kept(write):
    trace = read_trace(write(mooncake((500, 600, 20, [0, 1]), (2500, 700, 30, [0, 2]))))
    assert trace.format == "Mooncake"
    assert trace.arrival_s.tolist() == [0.0, 2.0]
    assert trace.block_hashes == ((0, 1), (0, 2))
    assert trace.hash_block_tokens == 512


def test_lines_are_sorted_by_time_and_ties_keep_their_order(write):
    rows = ((5, 1, 1, [5]), (0, 2, 2, [0]), (5, 3, 3, [6]))
    trace = read_trace(write(mooncake(*rows)))
    assert trace.prompt_tokens.tolist() == [2, 1, 3]
    assert trace.block_hashes == ((0,), (5,), (6,))


@pytest.mark.parametrize(
    ("text", "name", "timed"),
    [
        ("arrived_at,num_prefill_tokens,num_decode_tokens\n1,9,4\n", "Vidur", True),
        ("num_prefill_tokens,num_decode_tokens\n9,4\n", "Vidur lengths", False),
        (
            "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
            "5,ChatGPT,9,4,13,Conversation log\n",
            "BurstGPT",
            True,
        ),
        ("prompt_tokens,output_tokens,arrival_s\n9,4,3.5\n", "lengths with times", True),
        ("prompt_tokens,output_tokens\n9,4\n", "lengths", False),
        ('{"prompt_len": 9, "output_len": 4}\n', "lengths", False),
        ('\ufeff\n{"input_length": 9, "output_length": 4.0}\n\n', "lengths", False),
    ],
)
def test_formats_are_known_by_their_columns(write, text, name, timed):
    trace = read_trace(write(text))
    assert trace.format == name
    assert (trace.arrival_s is not None) is timed
    assert (trace.prompt_tokens.tolist(), trace.output_tokens.tolist()) == ([9], [4])


BROKEN = """TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:46,374,44
yesterday,396,109
2023-11-16 18:15:47,0,55
2023-11-16 18:15:48,12.5,55

2023-11-16 18:15:49,12
2023-11-16 18:15:50,12,
2023-11-16 18:15:51,10,5
"""
COMPLAINTS = [
    "line 3: TIMESTAMP cannot be understood (got 'yesterday')",
    "line 4: ContextTokens must be a whole number of at least 1 (got '0')",
    "line 5: ContextTokens must be a whole number of at least 1 (got '12.5')",
    "line 7: has 2 fields, not the 3 fields as in the header",
    "line 8: GeneratedTokens cannot be understood (got '')",
]


def test_broken_lines_are_named_by_number(write):
    with pytest.raises(RecordError) as error:
        read_trace(write(BROKEN))
    *complaints, last = error.value.problems
    assert complaints == COMPLAINTS
    assert last == "the other 2 lines are good; skip the broken ones to run them"


def test_the_rest_runs_on_request(write):
    trace = read_trace(write(BROKEN), skip_broken=True)
    assert trace.arrival_s.tolist() == [0.0, 5.0]
    assert list(trace.problems) == COMPLAINTS


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"timestamp": 0', "line 2: is not JSON"),
        ("[1, 2]", "line 2: is not a JSON object"),
        (mooncake((True, 5, 5, [])), "line 2: timestamp cannot be understood (got True)"),
        (mooncake((float("inf"), 5, 5, [])), "line 2: timestamp must be finite"),
        (mooncake((0, 5, 5, "no")), "line 2: hash_ids must be a list of whole numbers"),
        ('{"timestamp": 0, "input_length": 5}', "line 2: hash_ids must be a list"),
        (
            '{"timestamp": 0, "hash_ids": [], "input_length": 5}',
            "line 2: output_length is missing",
        ),
    ],
)
def test_broken_json_lines_are_named_by_number(write, line, complaint):
    with pytest.raises(RecordError) as error:
        read_trace(write(mooncake((0, 5, 5, [])) + "\n" + line))
    assert error.value.problems[0].startswith(complaint)


def test_many_broken_lines_are_not_all_shown(write):
    with pytest.raises(RecordError) as error:
        read_trace(write("prompt_tokens,output_tokens\n1,1\n" + "x,1\n" * 50))
    assert "and 30 more broken lines" in error.value.problems


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("prompt_tokens,output_tokens\n", "has no requests"),
        ("prompt_tokens,output_tokens\nx,1\n", "line 2: prompt_tokens cannot be understood"),
        ('[{"conversations": []}]', "text must be counted with the model's tokeniser first"),
        ("a,b\n1,2\n", "line 2: no known format has the columns a, b"),
    ],
)
def test_files_that_are_no_traces_say_why(write, text, complaint):
    for skip in (False, True):
        with pytest.raises(RecordError, match=complaint):
            read_trace(write(text), skip_broken=skip)


def test_files_that_cannot_be_read_say_so(tmp_path):
    with pytest.raises(RecordError, match="cannot be read: No such file"):
        read_trace(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(b"prompt_tokens,output_tokens\n\xff,1\n")
    with pytest.raises(RecordError, match=r"is not UTF-8 text \(byte 28\)"):
        read_trace(tmp_path / "latin.csv")


def test_a_line_that_no_parser_takes_is_a_broken_line(write):
    good = "prompt_tokens,output_tokens\n10,2\n"
    path = write(f"{good}{'9' * 200_000},1\n11,3\n")
    with pytest.raises(RecordError, match="line 3: is not CSV: field larger than field limit"):
        read_trace(path)
    assert read_trace(path, skip_broken=True).prompt_tokens.tolist() == [10, 11]
    deep = write('{"prompt_tokens": 1, "output_tokens": ' + "[" * 200_000)
    with pytest.raises(RecordError, match="nested too deeply"):
        read_trace(deep)


def test_one_good_line_is_told_as_one(write):
    with pytest.raises(RecordError, match="the other 1 line is good"):
        read_trace(write("prompt_tokens,output_tokens\n10,2\n11,nan\n"))
