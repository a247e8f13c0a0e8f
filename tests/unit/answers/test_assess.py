import datetime as dt
from dataclasses import replace

import pytest

from weir.answers.assess import Unavailable, assess, last_change, status, try_estimate
from weir.answers.classify import determine
from weir.answers.estimate import Estimate
from weir.catalog.law_stock import stock_law
from weir.core.errors import InputError, RecordError, UnknownNameError
from weir.perf.serving import Workload
from weir.rules.transaction import Transaction

LAW = stock_law()
TO_CHINA = Transaction("CN", dt.date(2025, 7, 15))
SHORT = Workload(isl=512, osl=64)


@pytest.fixture(scope="module")
def answer(catalog):
    chip, model = catalog.chip("H20"), catalog.model("Llama-3.1-8B")
    return assess(
        chip, TO_CHINA, catalog, LAW, model=model, workload=SHORT, beside=("H20", "HL-328", "L4")
    )


def test_the_last_change_is_the_letter(answer):
    assert answer.changed_on == dt.date(2025, 4, 9)
    assert answer.before is not None
    assert answer.before.on == dt.date(2025, 4, 8)
    assert status(answer.before) != status(answer.now)
    assert answer.before.trace is not None


def test_nothing_changed_between_the_last_change_and_the_day(catalog, answer):
    chip = catalog.chip("H20")
    for day in (answer.changed_on, dt.date(2025, 6, 1), TO_CHINA.on):
        there = determine(chip, replace(TO_CHINA, on=day), LAW, trace=False)
        assert status(there) == status(answer.now)


def test_before_any_rule_nothing_had_changed(catalog):
    early = Transaction("CN", dt.date(2019, 1, 1))
    chip = catalog.chip("H20")
    now = determine(chip, early, LAW, trace=False)
    day, before = last_change(chip, early, LAW, now)
    assert (day is None) == (before is None)


def test_the_chip_is_not_put_beside_itself(answer):
    assert [peer.chip.name for peer in answer.peers] == [
        "Intel Gaudi 3 HL-328 (China)",
        "NVIDIA L4",
    ]


def test_what_cannot_be_estimated_says_why(answer):
    assert isinstance(answer.estimate, Estimate)
    unknown, known = (peer.estimate for peer in answer.peers)
    assert isinstance(unknown, Unavailable)
    assert "dense_bf16" in unknown.reason
    assert not unknown.reason.endswith(".")
    assert isinstance(known, Estimate)


def test_no_model_means_no_estimate(catalog):
    found = assess(catalog.chip("H20"), TO_CHINA, catalog, LAW, beside=())
    assert found.estimate is None
    assert found.peers == ()
    assert try_estimate(catalog.chip("H20"), None, SHORT, catalog, TO_CHINA.on) is None


def test_every_citation_is_a_listed_document(answer):
    listed = [source.id for source in answer.sources]
    assert len(listed) == len(set(listed))
    cited = {source for sources in answer.authorities.values() for source in sources}
    cited |= {source for sources in answer.authorities_before.values() for source in sources}
    cited |= set(answer.now.sources)
    cited |= {citation.partition("#")[0] for citation in answer.estimate.sources}
    assert cited <= set(listed)


def test_pictures_are_computed_only_where_they_are_asked_for(catalog, answer):
    assert answer.law_map is None
    assert answer.frontiers == ()
    chip, model = catalog.chip("H20"), catalog.model("Llama-3.1-8B")
    drawn = assess(
        chip, TO_CHINA, catalog, LAW, model=model, workload=SHORT, beside=("L4",), pictures=True
    )
    assert drawn.law_map is not None
    assert len(drawn.law_map.places) == len(catalog.chips.all())
    (own,) = [place for place in drawn.law_map.places if place.chip_id == chip.id]
    assert own.licence_required == drawn.now.licence_required
    assert [item.chip for item in drawn.frontiers] == ["NVIDIA H20 96GB", "NVIDIA L4"]


@pytest.mark.parametrize("work", [Workload(isl=0, osl=1), Workload(isl=1, osl=-1)])
def test_requests_without_tokens_are_refused(catalog, work):
    with pytest.raises(InputError, match="a request has at least 1"):
        assess(catalog.chip("H20"), TO_CHINA, catalog, LAW, workload=work, beside=())


def test_an_unknown_chip_beside_it_is_refused(catalog):
    with pytest.raises(UnknownNameError):
        assess(catalog.chip("H20"), TO_CHINA, catalog, LAW, beside=("nope",))


def test_broken_data_is_no_answer(catalog, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RecordError("kernels.toml", ["is not valid TOML"])

    monkeypatch.setattr("weir.answers.assess.estimate", broken)
    with pytest.raises(RecordError):
        try_estimate(catalog.chip("H20"), catalog.model("DeepSeek-R1"), SHORT, catalog, TO_CHINA.on)
