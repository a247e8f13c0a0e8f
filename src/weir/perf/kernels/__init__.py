"""Time models of the kernels that language models are made of.

Every kernel is a function of a machine, the learned parameters and its shapes; shapes and machine
columns are numbers or arrays that broadcast, and the result is a `Cost`.
"""

from weir.perf.kernels.attention import attention_prefill
from weir.perf.kernels.collectives import (
    all_gather,
    all_reduce,
    all_to_all,
    p2p,
    reduce_scatter,
)
from weir.perf.kernels.convolution import convolution_decode, convolution_prefill
from weir.perf.kernels.cost import BOUNDS, Cost, scale
from weir.perf.kernels.decode import attention_decode
from weir.perf.kernels.efficiency import Efficiency
from weir.perf.kernels.elementwise import elementwise
from weir.perf.kernels.gemm import gemm
from weir.perf.kernels.linear_attention import linear_decode, linear_prefill
from weir.perf.kernels.mamba import mamba_decode, mamba_prefill
from weir.perf.kernels.mla import mla_decode, mla_prefill
from weir.perf.kernels.moe import moe_gemm
from weir.perf.kernels.sparse_attention import (
    indexer_decode,
    indexer_prefill,
    key_selection,
    sparse_mla,
    sparse_mla_prefill,
)

__all__ = [
    "BOUNDS",
    "Cost",
    "Efficiency",
    "all_gather",
    "all_reduce",
    "all_to_all",
    "attention_decode",
    "attention_prefill",
    "convolution_decode",
    "convolution_prefill",
    "elementwise",
    "gemm",
    "indexer_decode",
    "indexer_prefill",
    "key_selection",
    "linear_decode",
    "linear_prefill",
    "mamba_decode",
    "mamba_prefill",
    "mla_decode",
    "mla_prefill",
    "moe_gemm",
    "p2p",
    "reduce_scatter",
    "scale",
    "sparse_mla",
    "sparse_mla_prefill",
]
