"""The main job as a user runs it: one command, five formats, each fact with its document.

`main_job.csv` names what the answer must hold, as a path into its JSON: `a.b[c].d` is the item of
the list `a.b` whose id or name is `c`. Speeds move as the model learns, so that of them only order
and honesty are tested.
"""

import csv
import io
import json
import math
import re
from pathlib import Path

import pytest

from weir.answers.assess import Assessment
from weir.catalog.files import STOCK
from weir.cli.main import run

JOB = ("assess", "H20", "--to", "CN", "--on", "2025-07-15", "--model", "DeepSeek-R1")
BESIDE = ("h100-sxm", "h800-sxm", "h200-sxm", "a800-sxm-80", "ascend-910b3", "ascend-910c")
BOUNDS = {"compute", "memory", "link", "launch", "stack", "power"}
with Path(__file__).with_name("main_job.csv").open(encoding="utf-8", newline="") as file:
    EXPECTED = [(row["where"], row["expected"]) for row in csv.DictReader(file)]
WIDTH = 100
MOST_LINES = 380  # without notes and sources, which grow with what is cited


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The answer in every format, each written by its own command."""
    folder = tmp_path_factory.mktemp("main_job")
    page = folder / "page.html"
    assert run([*JOB, "--output", str(folder / "text"), "--html", str(page)]) == 0
    for style in ("json", "md", "csv"):
        assert run([*JOB, f"--{style}", "--output", str(folder / style)]) == 0
    return folder


@pytest.fixture(scope="module")
def answer(folder):
    return json.loads((folder / "json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def text(folder):
    return (folder / "text").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def words(text):
    return " ".join(text.split())


def at(answer, where):
    for name, key in re.findall(r"([a-z_0-9]+)(?:\[([^\]]+)\])?", where):
        answer = answer[name]
        if key:
            (answer,) = [item for item in answer if key in {item.get("id"), item.get("name")}]
    return answer


def of(answer, dotted):
    for name in dotted.split("."):
        answer = answer[name]
    return answer


@pytest.mark.parametrize(("where", "expected"), EXPECTED)
def test_the_answer_holds(answer, where, expected):
    found = at(answer, where)
    if isinstance(found, float):
        assert found == pytest.approx(float(expected), rel=1e-5)
    else:
        assert str(found) == expected


@pytest.mark.parametrize(
    "said",
    [
        "148 x 16 (bf16) = 148 x 16 (fp16) = 296 x 8 (fp8)",
        "814 mm2",
        "TPP ≥ 2,400 no 2,368 32 below (1.33%)",
        "performance density ≥ 3.2 no 2.90909 0.2909 below (9.09%)",
        "applies: Letter of 9 April 2025 to NVIDIA",
        "memory 4,000 GB/s",
        "binding on its recipients; binds NVIDIA",
        "This has no legal force: the letter still requires a licence. Only licensing practice",
        "Review policy: unpublished; no review policy has been published",
        "The last change came on 2025-04-09.",
        "The day before the change, 2025-04-08:",
        "the parties against the Entity List",
        "its KV cache takes 70.272 kB a token in bf16",
        "First speed model",
        "80 % interval",
        "not legal advice",
    ],
)
def test_the_text_says(words, said):
    assert said in words


def test_the_text_is_short_narrow_and_never_says_cleared(text):
    body = text.partition("\nNotes\n-----")[0]
    assert len(body.splitlines()) <= MOST_LINES
    assert all(len(line) <= WIDTH for line in body.splitlines())
    assert "cleared" not in text.lower()


def test_json_has_the_documented_keys(answer, root):
    assert list(answer) == list(Assessment.__dataclass_fields__)
    page = (root / "docs" / "reference" / "answers-as-json.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE) == list(answer)


def test_json_is_plain_and_tells_nothing_of_this_machine(folder, root):
    raw = (folder / "json").read_text(encoding="utf-8")
    assert str(root) not in raw
    assert str(Path.home()) + "/" not in raw
    for word in ("NaN", "Infinity", "np.", "array(", "PosixPath"):
        assert word not in raw


def test_json_is_the_same_each_time(folder, capsys):
    assert run([*JOB, "--json"]) == 0
    assert capsys.readouterr().out == (folder / "json").read_text(encoding="utf-8")


def test_the_six_others_stand_beside_it_in_order(answer):
    assert tuple(peer["chip"]["id"] for peer in answer["peers"]) == BESIDE


@pytest.mark.parametrize(
    "quantity",
    [
        "ttft_s",
        "tpot_s",
        "request_s",
        "prefill.time",
        "decode.time",
        "output_tokens_per_s_per_chip",
        "output_tokens_per_s_per_user",
    ],
)
def test_every_interval_holds_its_value(answer, quantity):
    for speed in (answer["estimate"], *(peer["estimate"] for peer in answer["peers"])):
        found = of(speed, quantity)
        assert 0 < found["low"] <= found["value"] <= found["high"] < math.inf, speed["chip"]


def test_every_step_says_what_bounds_it_and_what_is_unknown_is_null(answer):
    for speed in (answer["estimate"], *(peer["estimate"] for peer in answer["peers"])):
        for phase in ("prefill", "decode"):
            spent = speed[phase]["by_bound"]
            assert set(spent) <= BOUNDS
            assert sum(spent.values()) == pytest.approx(speed[phase]["time"]["value"], rel=1e-6)
        for name in ("energy_j_per_output_token", "usd_per_million_output_tokens"):
            assert speed[name] is None or speed[name] > 0
        assert speed["memory"]["weights_bytes"] > 0
        assert speed["assumptions"]


def test_a_chip_without_a_price_has_no_cost(answer):
    for peer in answer["peers"]:
        speed = peer["estimate"]
        assert (speed["price"]["usd_per_hour"] is None) == (
            speed["usd_per_million_output_tokens"] is None
        )


def citations(value):
    """Every source id that stands under a key named `sources` or `authorities`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "sources" and inner and isinstance(inner[0], str):
                yield from (citation.partition("#")[0] for citation in inner)
            elif key.startswith("authorities"):
                yield from (source for sources in inner.values() for source in sources)
            else:
                yield from citations(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from citations(inner)


def test_every_citation_leads_to_a_record(answer):
    cited = set(citations(answer))
    records = {path.stem for path in (STOCK / "sources").rglob("*.toml")}
    assert cited
    assert cited <= records
    own = {source["id"] for source in answer["sources"]}
    assert set(answer["now"]["sources"]) <= own


def test_every_note_of_the_text_leads_to_a_record(text):
    notes = text.partition("\nNotes\n-----")[2].partition("\nSources\n")[0]
    ids = re.findall(r"^\[\d+\]\s+([^,\s]+)", notes, re.MULTILINE)
    assert ids
    records = {path.stem for path in (STOCK / "sources").rglob("*.toml")}
    assert set(ids) <= records
    numbers = {int(n) for mark in re.findall(r"\[([\d, ]+)\]", text) for n in mark.split(",")}
    assert set(range(1, len(ids) + 1)) <= numbers


def test_the_page_has_both_pictures_and_needs_nothing_else(folder):
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    for key in ("law-map", "frontier"):
        assert f'id="{key}"' in page
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!https?://|#|data:)', page)


def test_the_csv_is_law_and_speed_of_each_chip(folder):
    rows = list(csv.DictReader(io.StringIO((folder / "csv").read_text(encoding="utf-8"))))
    assert len(rows) == len(BESIDE) + 1
    assert rows[0]["Chip"] == "NVIDIA H20 96GB"
    assert (rows[0]["TPP"], rows[0]["TPP status"]) == ("2,368", "derived")
    assert {row["Licence"] for row in rows} == {"required"}


def test_markdown_says_the_same(folder):
    page = (folder / "md").read_text(encoding="utf-8")
    assert page.startswith("# NVIDIA H20 96GB to China on 2025-07-15, DeepSeek-R1")
    assert "70.272 kB" in page
    assert "not legal advice" in page
