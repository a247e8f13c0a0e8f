"""Measures matrix products, attention and copies on the GPU at hand, as a CSV file.

    python bench/measure_kernels.py --chip H100 --out bench.csv
    weir calibrate --measured bench.csv

Needs PyTorch with CUDA, and nothing of Weir but the names of the columns. Every call is captured
in a CUDA graph and repeated; weights and contexts are taken in turn from a pool four times the
last-level cache, so that they come from memory as they do inside a model. The median of the
repeats is written.
"""

import argparse
import csv
import itertools
import statistics
from pathlib import Path

import torch
from torch.nn import functional

from weir.catalog.measured import COLUMNS

REPEATS = 20
CALLS_PER_GRAPH = 8
CACHES = 4
SHAPES_N_K = ((1024, 4096), (4096, 4096), (6144, 4096), (4096, 14336), (28672, 4096), (8192, 28672))
ROWS = (1, 8, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192)
HEADS = ((32, 8), (64, 8), (32, 32))
HEAD_DIM = 128


def seconds(call, pool: int) -> float:
    """Median time of one call; `call(i)` uses copy i of the pool."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for index in range(3):
            call(index % pool)
    torch.cuda.synchronize()
    count = max(CALLS_PER_GRAPH, pool)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for index in range(count):
            call(index % pool)
    graph.replay()
    times = []
    for _ in range(REPEATS):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        graph.replay()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end) / 1e3 / count)
    return statistics.median(times)


def copies(size: int, cache: int) -> int:
    """Copies that together exceed the cache several times over, within reason."""
    return max(1, min(64, -(-CACHES * cache // size)))


def products(cache: int):
    for (n, k), m in itertools.product(SHAPES_N_K, ROWS):
        pool = copies(2 * n * k, cache)
        weights = [torch.randn(n, k, device="cuda", dtype=torch.bfloat16) for _ in range(pool)]
        rows = torch.randn(m, k, device="cuda", dtype=torch.bfloat16)
        taken = seconds(lambda i, a=rows, w=weights: functional.linear(a, w[i]), pool)
        yield {"kernel": "gemm", "dtype": "bf16", "m": m, "n": n, "k": k, "measured_s": taken}


def prefills():
    for (heads, kv_heads), tokens, batch in itertools.product(
        HEADS, (128, 512, 1024, 2048, 4096, 8192), (1, 4)
    ):
        q = torch.randn(batch, heads, tokens, HEAD_DIM, device="cuda", dtype=torch.bfloat16)
        k, v = (
            torch.randn(batch, kv_heads, tokens, HEAD_DIM, device="cuda", dtype=torch.bfloat16)
            for _ in range(2)
        )

        def call(_, q=q, k=k, v=v):
            functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)

        yield {
            "kernel": "attention_prefill", "dtype": "bf16", "batch": batch, "q_tokens": tokens,
            "kv_tokens": tokens, "heads": heads, "kv_heads": kv_heads, "head_dim": HEAD_DIM,
            "measured_s": seconds(call, 1),
        }  # fmt: skip


def decodes(cache: int):
    for (heads, kv_heads), tokens, batch in itertools.product(
        HEADS, (128, 1024, 4096, 16384), (1, 8, 32, 128)
    ):
        size = 2 * batch * kv_heads * tokens * HEAD_DIM * 2
        if size > 8e9:
            continue
        pool = copies(size, cache)
        shape = (batch, kv_heads, tokens, HEAD_DIM)
        held = [
            [torch.randn(shape, device="cuda", dtype=torch.bfloat16) for _ in range(2)]
            for _ in range(pool)
        ]
        q = torch.randn(batch, heads, 1, HEAD_DIM, device="cuda", dtype=torch.bfloat16)

        def call(i, q=q, held=held):
            functional.scaled_dot_product_attention(q, held[i][0], held[i][1], enable_gqa=True)

        yield {
            "kernel": "attention_decode", "dtype": "bf16", "batch": batch, "kv_tokens": tokens,
            "heads": heads, "kv_heads": kv_heads, "head_dim": HEAD_DIM,
            "measured_s": seconds(call, pool),
        }  # fmt: skip


def moves(cache: int):
    for size in (2**exponent for exponent in range(12, 32, 2)):
        pool = copies(2 * size, cache)
        pairs = [
            [torch.empty(size, device="cuda", dtype=torch.uint8) for _ in range(2)]
            for _ in range(pool)
        ]
        taken = seconds(lambda i, p=pairs: p[i][0].copy_(p[i][1]), pool)
        yield {
            "kernel": "elementwise", "dtype": "", "bytes_read": size, "bytes_written": size,
            "measured_s": taken,
        }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chip", required=True, help="name of the chip in Weir's catalogue")
    parser.add_argument("--out", required=True, help="CSV file to write")
    given = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("no CUDA device: there is nothing to measure here")
    cache = torch.cuda.get_device_properties(0).L2_cache_size
    stack = f"torch {torch.__version__}, CUDA {torch.version.cuda}"
    with Path(given.out).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in itertools.chain(products(cache), prefills(), decodes(cache), moves(cache)):
            writer.writerow({"chip": given.chip, "framework": stack, **row})


if __name__ == "__main__":
    with torch.inference_mode():
        main()
