"""Measured rows of sparse attention as calls of the kernel model.

The rows hold single kernels of one model (GLM-5: 64 heads over a latent of rank 512 with a rotary
part of 64, an indexer of 32 heads of 128, 2,048 keys kept); those of the paged indexer are of
another (DeepSeek-V4: 64 heads of 128, one key for four tokens).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np

from weir.perf.calibration.cases import MLA_RANK, MLA_ROPE, Case
from weir.perf.calibration.columns import Columns, floats
from weir.perf.machine import Machine

# Sizes that the columns do not state; the collectors of the tables read them from the published
# configurations of the two models.
INDEXER_HEADS: Final = 32.0
PAGED_INDEXER_HEADS: Final = 64.0
INDEXER_DIM: Final = 128.0
# New tokens of a sequence up to which a row is one of decoding.
MOST_DRAFTS: Final = 8.0
KEYS_KEPT: Final = 2048.0
# Scores with clear winners, as those of a trained indexer; the other kind are all alike.
CLEAR_WINNERS: Final = "top_last"


def indexer_prefill_cases(
    columns: Columns, machine: Machine, chip: str, framework: str
) -> Iterator[Case]:
    """Scores of the indexer over contexts that lie in one piece."""
    batch, tokens, past = floats(columns, "batch_size", "isl", "step")
    arguments = {
        "batch": batch, "q_tokens": tokens, "kv_tokens": past + tokens, "heads": INDEXER_HEADS,
        "head_dim": INDEXER_DIM, "dtype": "fp8",
    }  # fmt: skip
    yield Case("indexer_prefill", "fp8", chip, framework, machine, arguments, columns["latency"])


def indexer_decode_cases(
    columns: Columns, machine: Machine, chip: str, framework: str
) -> Iterator[Case]:
    """Scores of the indexer over paged contexts, for one new token or a few drafts."""
    batch, tokens, past, ratio = floats(columns, "batch_size", "isl", "step", "compress_ratio")
    arguments = {
        "batch": batch, "tokens": tokens,
        "kv_tokens": np.maximum(np.floor((past + tokens) / ratio), 1.0),
        "heads": PAGED_INDEXER_HEADS, "head_dim": INDEXER_DIM, "dtype": "fp8",
        "cache_pool_bytes": 1.0,
    }  # fmt: skip
    whole = Case("indexer_decode", "fp8", chip, framework, machine, arguments, columns["latency"])
    yield whole.take(np.nonzero(tokens <= MOST_DRAFTS)[0])


def selection_cases(
    columns: Columns, machine: Machine, chip: str, framework: str
) -> Iterator[Case]:
    """Selection of keys, each query among those that it sees."""
    batch, tokens, past = floats(columns, "batch_size", "isl", "step")
    arguments = {
        "batch": batch, "q_tokens": tokens, "kv_tokens": past + tokens, "top_k": KEYS_KEPT,
    }  # fmt: skip
    whole = Case("key_selection", "", chip, framework, machine, arguments, columns["latency"])
    yield whole.take(np.nonzero(columns["score_mode"] == CLEAR_WINNERS)[0])


def sparse_attention_cases(
    columns: Columns, machine: Machine, chip: str, framework: str
) -> Iterator[Case]:
    """Attention to the selected keys, 16-bit latents."""
    batch, tokens, past, heads = floats(columns, "batch_size", "isl", "step", "num_heads")
    arguments = {
        "batch": batch, "q_tokens": tokens, "kv_tokens": past + tokens, "heads": heads,
        "top_k": KEYS_KEPT, "kv_lora_rank": MLA_RANK, "rope_dim": MLA_ROPE,
    }  # fmt: skip
    yield Case("sparse_mla", "", chip, framework, machine, arguments, columns["latency"])


TABLES: Final[Mapping[str, Callable[[Columns, Machine, str, str], Iterator[Case]]]] = {
    "indexer_scores": indexer_prefill_cases,
    "paged_indexer_scores": indexer_decode_cases,
    "indexer_selection": selection_cases,
    "sparse_mla": sparse_attention_cases,
}
