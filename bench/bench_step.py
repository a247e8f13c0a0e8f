"""Speed of the whole-model step: points per second over batch and context, and one by one."""

import time

import numpy as np

from weir.answers.estimate import estimate
from weir.answers.placement import Deployment, site_of
from weir.catalog.query import Catalog
from weir.perf.operators import Batch
from weir.perf.parallel import Layout

POINTS = (200, 500)


def main() -> None:
    catalog = Catalog()
    for chip, model, layout in (
        ("H20", "DeepSeek-R1", Layout(tp=8, pp=2, ep=8)),
        ("H100", "Llama-3.1-70B", Layout(tp=4)),
    ):
        site = site_of(catalog.chip(chip), catalog.model(model), Deployment(), catalog)
        engine = site.engine(layout)
        batch = np.linspace(1.0, 256.0, POINTS[0])[:, np.newaxis]
        context = np.linspace(128.0, 32768.0, POINTS[1])
        engine.step(Batch(decode_sequences=1.0, decode_context=100.0))
        start = time.perf_counter()
        engine.step(Batch(decode_sequences=batch, decode_context=context))
        grid = time.perf_counter() - start
        flat = Batch(
            decode_sequences=np.broadcast_to(batch, POINTS).ravel().copy(),
            decode_context=np.broadcast_to(context, POINTS).ravel().copy(),
        )
        start = time.perf_counter()
        engine.step(flat)
        each = time.perf_counter() - start
        count = POINTS[0] * POINTS[1]
        print(f"{chip} {model} {layout}: {count} decode steps as a grid {grid:.3f} s,", end=" ")
        print(f"as a flat list {each:.3f} s ({count / each:,.0f} a second)")
    estimate("H20", "DeepSeek-R1", catalog=catalog)
    start = time.perf_counter()
    for chip in ("H20", "H100", "H800", "H200", "A800", "Ascend 910B", "Ascend 910C"):
        estimate(chip, "DeepSeek-R1", catalog=catalog)
    print(f"seven estimates of DeepSeek-R1: {time.perf_counter() - start:.3f} s")


if __name__ == "__main__":
    main()
