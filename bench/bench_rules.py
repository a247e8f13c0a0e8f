"""Speed of the law in processor time: OMP_NUM_THREADS=1 python bench/bench_rules.py"""

import datetime as dt
import time

import numpy as np

from weir.catalog.law_load import load_law
from weir.catalog.query import Catalog
from weir.rules.determine import determine_inputs
from weir.rules.inputs import ChipColumns, Identity
from weir.rules.logic import YES
from weir.rules.many import determine_many
from weir.rules.transaction import Transaction

ROWS = 1_000_000
DESTINATIONS = ("CN", "HK", "MO", "RU", "VN", "SA", "AE", "SG", "MY", "DE")


def best(action, repeat=5):
    """The least processor time of one run in seconds, so that a busy machine tells the same."""
    times = []
    for _ in range(repeat):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return min(times)


def synthetic(rows, share_without_area=0.0):
    rng = np.random.default_rng(1)
    rate = rng.uniform(50e12, 5000e12, rows)
    area = rng.uniform(100, 2500, rows)
    area_low = np.where(rng.random(rows) < share_without_area, np.nan, area)
    memory, io = rng.uniform(1e11, 9e12, rows), rng.uniform(3e10, 2e12, rows)
    return lambda: ChipColumns.from_arrays(
        rates_flop_per_s={"fp8": (rate, rate)},
        area_mm2=(area_low, area_low),
        memory_bytes_per_s=(memory, memory),
        io_bytes_per_s=(io, io),
        datacentre=np.full(rows, YES, np.int8),
        identities=(Identity("synthetic", designer="NVIDIA"),),
    )


def main():
    start = time.perf_counter()
    law = load_law()
    print(f"load the law: {(time.perf_counter() - start) * 1e3:.0f} ms")
    days = np.random.default_rng(2).integers(0, 1700, ROWS) + np.datetime64("2022-01-01")
    for share in (0.0, 0.01):
        make = synthetic(ROWS, share)
        took = best(lambda make=make: determine_many(law, make(), days, ("CN",)))
        label = f"{share:.0%} of them without a die area"
        print(f"{ROWS:,} chip-days to China, {label}: {took:.2f} s = {ROWS / took:,.0f} / s")
    from weir.answers.classify import chip_inputs, determine

    catalog = Catalog()
    chip = catalog.chip("H20")
    transaction = Transaction("CN", dt.date(2025, 7, 15))
    took = best(lambda: determine(chip, transaction, law), 50)
    print(f"one traced determination, H20 to China: {took * 1e3:.2f} ms")
    every = [
        best(lambda chip=chip: determine(chip, transaction, law), 20)
        for chip in catalog.chips.all()
    ]
    print(
        f"the same of each of {len(every)} chips, many with uncertain facts: median "
        f"{np.median(every) * 1e3:.2f} ms, mean {np.mean(every) * 1e3:.2f} ms, "
        f"most {max(every) * 1e3:.2f} ms"
    )
    inputs = chip_inputs(chip)
    took = best(lambda: determine_inputs(inputs, transaction, law, trace_steps=False), 50)
    print(f"one determination without trace: {took * 1e3:.2f} ms")
    chips = catalog.chips.all()
    from weir.answers.history import status_table

    took = best(lambda: status_table(law, chips, DESTINATIONS), 3)
    print(f"history of {len(chips)} chips to {len(DESTINATIONS)} destinations: {took:.2f} s")


if __name__ == "__main__":
    main()
