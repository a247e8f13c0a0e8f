"""Time to a plan, as a user waits for it, beside the peer's command where that is installed.

The peer is NVIDIA's aiconfigurator (`pip install aiconfigurator` in an environment of its own);
`WEIR_PEER=/path/to/bin/aiconfigurator`, or one on the PATH, runs it in turn with ours. It plans
one kind of system at a time and only those it has measured tables of, so the case both can do is
H200 with TensorRT-LLM; each answers with its own search and its own defaults for the rest.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

RUNS = 3
OURS = {
    "weir plan Qwen3-32B --on-chips H20": 1.0,
    "weir plan Qwen3-32B --on-chips H200 --framework trtllm": 1.0,
    "weir plan DeepSeek-V3 --on-chips H200 --framework trtllm --most-chips 128": 3.0,
    "weir plan DeepSeek-V3 --on-chips H20 --most-chips 128": 3.0,
}
LENGTHS = "--isl 4096 --osl 1536 --ttft 5000 --tpot 50"
PEER = {
    "Qwen/Qwen3-32B": f"--total-gpus 32 {LENGTHS}",
    "deepseek-ai/DeepSeek-V3": f"--total-gpus 128 {LENGTHS}",
}


def seconds(command: list[str]) -> float | None:
    """Wall time of one run; None where the command fails."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    # A user's second run finds compiled modules; so do ours.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    done = subprocess.run(
        command, env=environment, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return None if done.returncode else time.perf_counter() - start


def main() -> None:
    print(f"{'command':<78} {'first':>8} {'median':>8} {'target':>8}")
    for command, target in OURS.items():
        first = seconds(command.split())
        runs = sorted(took for _ in range(RUNS) if (took := seconds(command.split())) is not None)
        if first is None or not runs:
            raise SystemExit(f"failed: {command}")
        median = runs[len(runs) // 2]
        verdict = "ok" if median < target else "SLOW"
        print(f"{command:<78} {first:7.2f}s {median:7.2f}s {target:7.2f}s {verdict}")
    peer = os.environ.get("WEIR_PEER") or shutil.which("aiconfigurator")
    if peer is None:
        print("aiconfigurator is not installed; set WEIR_PEER to its command to run it beside")
        return
    for model, rest in PEER.items():
        command = f"cli default --model-path {model} --system h200_sxm --backend trtllm {rest}"
        took = seconds([peer, *command.split()])
        shown = "failed" if took is None else f"{took:7.2f}s"
        print(f"aiconfigurator {command}\n{shown:>87}")


if __name__ == "__main__":
    main()
