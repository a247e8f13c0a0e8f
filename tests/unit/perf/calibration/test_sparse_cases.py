import numpy as np
import pytest

from tests.unit.perf.kernels.machines import H100
from weir.catalog.calibration import load_efficiency
from weir.perf.calibration.sparse_cases import TABLES

EFFICIENCY = load_efficiency()


def cases(table, **values):
    columns = {name: np.asarray(value) for name, value in values.items()}
    columns["latency"] = np.full(len(columns["isl"]), 1e-5)
    (case,) = TABLES[table](columns, H100, "h100", "sglang")
    return case


def test_contexts_are_what_is_cached_and_what_is_new():
    case = cases("indexer_scores", batch_size=[2], isl=[16], step=[100])
    assert case.arguments["kv_tokens"].tolist() == [116]
    assert case.dtype == "fp8"


def test_a_paged_context_holds_one_key_for_several_tokens_and_long_prompts_are_left_out():
    case = cases(
        "paged_indexer_scores", batch_size=[2, 2, 2], isl=[1, 4, 1024], step=[1023, 0, 0],
        compress_ratio=[4, 4, 4],
    )  # fmt: skip
    assert case.arguments["kv_tokens"].tolist() == [256, 1]
    assert len(case.measured_s) == 2


def test_only_scores_with_clear_winners_are_read():
    case = cases(
        "indexer_selection", batch_size=[1, 1], isl=[8, 8], step=[4096, 4096],
        score_mode=["flat", "top_last"],
    )  # fmt: skip
    assert len(case.measured_s) == 1


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_case_can_be_priced(table):
    case = cases(
        table, batch_size=[2], isl=[8], step=[4096], num_heads=[64], compress_ratio=[4],
        score_mode=["top_last"],
    )  # fmt: skip
    assert np.all(case.estimate(EFFICIENCY).time_s > 0.0)
