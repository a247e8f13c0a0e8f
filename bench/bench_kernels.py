"""Estimates a second of the kernel model, one process.

python bench/bench_kernels.py
"""

import time

import numpy as np

from weir.answers.machines import machine_of
from weir.catalog.calibration import load_efficiency
from weir.catalog.query import Catalog
from weir.perf import kernels

POINTS = 400_000
REPEATS = 3
TARGETS = {"gemm": 1e6, "moe_gemm": None}
DEFAULT_TARGET = 5e6


def main() -> None:
    catalog = Catalog()
    machine = machine_of(catalog.chip("H100"), catalog).machine
    efficiency = load_efficiency()
    draw = np.random.default_rng(0)
    m = draw.integers(1, 8193, POINTS).astype(float)
    n = draw.integers(1, 257, POINTS) * 64.0
    k = draw.integers(1, 257, POINTS) * 64.0
    calls = {
        "gemm": lambda: kernels.gemm(machine, efficiency, m, n, k, dtype="bf16"),
        "attention_prefill": lambda: kernels.attention_prefill(
            machine, efficiency, 2, m, m, 32, 8, 128
        ),
        "attention_decode": lambda: kernels.attention_decode(machine, efficiency, m, k, 32, 8, 128),
        "mla_decode": lambda: kernels.mla_decode(
            machine, efficiency, m, k, 128, kv_lora_rank=512, rope_dim=64
        ),
        "moe_gemm": lambda: kernels.moe_gemm(
            machine, efficiency, m, 4096, 1536, 32, 128, 8, dtype="bf16"
        ),
        "elementwise": lambda: kernels.elementwise(machine, efficiency, m * n, k),
        "all_reduce": lambda: kernels.all_reduce(machine, efficiency, m * k, 8, scope="scale_up"),
    }
    for name, call in calls.items():
        seconds = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
        rate = POINTS / min(seconds)
        target = TARGETS.get(name, DEFAULT_TARGET)
        wanted = f" (target on two cores {target / 1e6:.0f})" if target else ""
        print(f"{name:18s} {rate / 1e6:6.2f} million estimates a second{wanted}")


if __name__ == "__main__":
    main()
