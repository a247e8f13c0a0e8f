"""Wall time of whole commands, as a user waits for them: `make bench`.

The first run after a change of data or code validates the stock and keeps it; it is shown apart.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

RUNS = 7
TARGETS = {
    "weir --version": 0.15,
    "weir --help": 0.3,
    "weir chip show H20": 0.5,
    "weir check H20 --to CN --on 2025-07-15": 0.5,
    "weir infer H20 DeepSeek-R1": 1.0,
    "weir assess H20 --to CN --on 2025-07-15 --model DeepSeek-R1": 1.0,
}


def seconds(command: str) -> float:
    """Wall time of one run."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    subprocess.run(command.split(), env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    print(f"{'command':<62} {'first':>7} {'median':>7} {'target':>7}")
    for command, target in TARGETS.items():
        first = seconds(command)
        runs = sorted(seconds(command) for _ in range(RUNS))
        median = runs[RUNS // 2]
        verdict = "ok" if median < target else "SLOW"
        print(f"{command:<62} {first:6.3f}s {median:6.3f}s {target:6.2f}s {verdict}")


if __name__ == "__main__":
    main()
