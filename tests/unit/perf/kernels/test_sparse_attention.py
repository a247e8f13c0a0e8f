from dataclasses import replace

import numpy as np
import pytest

from tests.unit.perf.kernels.machines import BARE, H100
from weir.catalog.calibration import load_efficiency
from weir.core.errors import InputError, MissingRateError, UnknownNameError
from weir.perf.kernels import (
    indexer_decode,
    indexer_prefill,
    key_selection,
    mla_prefill,
    sparse_mla,
    sparse_mla_prefill,
)

EFFICIENCY = load_efficiency()
KEPT = 2048
LATENT = {"kv_lora_rank": 512, "rope_dim": 64}


def scores(batch, q, kv, machine=H100, **words):
    return indexer_prefill(machine, EFFICIENCY, batch, q, kv, 64, 128, **words)


def attend(q, kv, heads=128, machine=H100):
    return sparse_mla(machine, EFFICIENCY, 1, q, kv, heads, KEPT, **LATENT)


def test_the_indexer_scores_every_token_that_a_query_sees():
    found = scores(2, 4, 10)
    pairs = 2 * (7 + 8 + 9 + 10)
    assert found.flop == pairs * 2 * 64 * 128
    # Keys with a scale each, queries with a weight for each head, and a score for each pair.
    assert found.memory_bytes == 2 * 10 * (128 + 4) + 2 * 4 * 64 * (128 + 4) + pairs * 4


def test_a_decoding_indexer_reads_every_key_once_whatever_the_drafts():
    one = indexer_decode(H100, EFFICIENCY, 8, 10000, 64, 128)
    four = indexer_decode(H100, EFFICIENCY, 8, 10000, 64, 128, tokens=4)
    assert one.flop == 8 * 10000 * 2 * 64 * 128
    assert four.flop == 8 * (9997 + 9998 + 9999 + 10000) * 2 * 64 * 128
    assert one.memory_bytes < four.memory_bytes < 2 * one.memory_bytes


def test_a_decoding_indexer_approaches_the_memory_bandwidth():
    found = indexer_decode(H100, EFFICIENCY, 256, 131072, 64, 128)
    assert 0.3 < found.hardware_s / found.time_s < 1.0


def test_few_queries_wait_for_a_block_to_scan_the_context():
    # One block or a hundred take the same, because the cores have one each.
    assert scores(1, 2, 65536).time_s == pytest.approx(scores(1, 200, 65536).time_s, rel=0.1)
    assert scores(1, 20000, 65536).time_s > 20 * scores(1, 200, 65536).time_s


def test_queries_that_see_no_more_than_are_kept_look_through_nothing():
    short = key_selection(H100, EFFICIENCY, 4, KEPT, KEPT, KEPT)
    assert short.memory_bytes == 4 * KEPT * KEPT * 4
    one_more = key_selection(H100, EFFICIENCY, 4, KEPT, KEPT + 1, KEPT)
    # The last query of each sequence looks through 2,049 scores.
    assert one_more.memory_bytes == short.memory_bytes + 4 * (KEPT + 1) * 4


def test_attention_to_selected_keys_does_not_grow_with_the_context():
    near, far = attend(64, 4096), attend(64, 131072)
    assert near.flop == far.flop == 64 * 128 * KEPT * 2 * (512 + 64 + 512)
    assert far.time_s < 1.2 * near.time_s


def test_the_latents_of_selected_keys_are_read_not_those_of_the_context():
    assert attend(1, 131072).memory_bytes == KEPT * 576 * 2 + 128 * 1088 * 2


def test_heads_are_padded_to_what_the_kernel_asks():
    blackwell = replace(H100, generation="blackwell")
    few, more = attend(4096, 8192, 64, blackwell), attend(4096, 8192, 128, blackwell)
    assert few.flop * 2 == more.flop
    assert few.time_s == pytest.approx(more.time_s, rel=0.02)
    assert attend(4096, 8192, 16).time_s == pytest.approx(attend(4096, 8192, 64).time_s, rel=0.02)


def test_a_context_of_no_more_keys_than_are_kept_is_attended_in_full():
    contexts = np.array([512.0, KEPT, KEPT + 1.0, 8192.0])
    found = sparse_mla_prefill(
        H100, EFFICIENCY, 1, 512, contexts, 128, KEPT, head_dim=128, **LATENT
    )
    whole = mla_prefill(H100, EFFICIENCY, 1, 512, contexts, 128, head_dim=128, **LATENT)
    sparse = sparse_mla(H100, EFFICIENCY, 1, 512, contexts, 128, KEPT, **LATENT)
    assert found.time_s.tolist() == [*whole.time_s[:2], *sparse.time_s[2:]]
    assert found.flop.tolist() == [*whole.flop[:2], *sparse.flop[2:]]


def test_more_tokens_never_take_less_time():
    many = np.arange(1.0, 6000.0)
    for found in (
        scores(1, many, 8192.0),
        scores(1, 1, many),
        indexer_decode(H100, EFFICIENCY, many, 4096, 64, 128),
        indexer_decode(H100, EFFICIENCY, 1, many, 64, 128),
        key_selection(H100, EFFICIENCY, 1, many, 8192.0, KEPT),
        key_selection(H100, EFFICIENCY, 1, 1, many, KEPT),
        attend(many, 8192.0),
    ):
        assert np.all(found.time_s > 0.0)
        assert np.all(np.diff(found.time_s) >= -1e-15)


def test_a_chip_without_the_format_is_refused():
    with pytest.raises(MissingRateError, match="no published dense rate for fp8"):
        scores(1, 16, 16, BARE)
    assert scores(1, 16, 16, BARE, dtype="bf16").time_s > 0.0


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="indexer_prefill: q_tokens is 0"):
        scores(1, 0, 16)
    with pytest.raises(InputError, match="indexer_decode: kv_tokens is -1"):
        indexer_decode(H100, EFFICIENCY, 1, -1, 64, 128)
    with pytest.raises(InputError, match="key_selection: top_k is 0"):
        key_selection(H100, EFFICIENCY, 1, 1, 1, 0)
    with pytest.raises(InputError, match="sparse_mla: heads is 0"):
        attend(1, 1, heads=0)
    with pytest.raises(UnknownNameError, match="fp12"):
        scores(1, 1, 1, dtype="fp12")
    with pytest.raises(UnknownNameError, match="fp12"):
        sparse_mla(H100, EFFICIENCY, 1, 1, 1, 1, KEPT, kv_dtype="fp12", **LATENT)
