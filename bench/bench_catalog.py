"""Time to find one chip and to load the whole stock, with and without what was kept of it."""

import subprocess
import sys
import tempfile
from pathlib import Path

from weir.catalog.cache import FOLDER
from weir.catalog.files import STOCK

RUNS = 7
PROGRAM = """
import sys, time
from weir.catalog.query import Catalog
if sys.argv[1] == "cold":
    import weir.catalog.load
start = time.perf_counter()
catalog = Catalog()
if sys.argv[2] == "one":
    catalog.chip("H20")
else:
    shelves = (catalog.chips, catalog.systems, catalog.models, catalog.sources)
    records = [item for shelf in shelves for item in shelf.all()]
    catalog.offers
    print(len(records), end=" ")
print(time.perf_counter() - start)
"""
CASES = (
    ("one chip by name, kept", "kept", "one", 0.020),
    ("whole stock, kept", "kept", "all", 0.1),
    ("whole stock, validated anew", "cold", "all", 0.6),
)


def seconds(state: str, what: str) -> float:
    """Time after import in a fresh interpreter."""
    keep = STOCK / FOLDER
    if state == "cold" and keep.exists():
        # Set aside, not deleted: another program may be reading.
        with tempfile.TemporaryDirectory(dir=STOCK.parent) as aside:
            keep.rename(Path(aside) / FOLDER)
            return _run(state, what)
    return _run(state, what)


def _run(state: str, what: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, state, what], capture_output=True, check=True, text=True
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    count = {name: len(list((STOCK / name).rglob("*.toml"))) for name in ("chips", "sources")}
    print(f"{count['chips']} chips, {count['sources']} sources")
    print(f"{'case':<30} {'median':>8} {'target':>8}")
    for label, state, what, target in CASES:
        if state == "kept":
            _run(state, "all")
        median = sorted(seconds(state, what) for _ in range(RUNS))[RUNS // 2]
        verdict = "ok" if median < target else "SLOW"
        print(f"{label:<30} {median * 1e3:6.1f}ms {target * 1e3:6.0f}ms {verdict}")


if __name__ == "__main__":
    main()
