"""How the public benchmark launched its servers: options its records do not repeat.

The options stand in the benchmark's own scripts and sweep definitions (SemiAnalysisAI/InferenceX on
GitHub, Apache-2.0, `benchmarks/single_node/*.sh` and `.github/configs/nvidia-master.yaml` with its
history, as of 27 April 2026). They are inputs of a run, set before it was measured.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from weir.catalog.stack import CALIBRATION, Stack
from weir.core.errors import InputError

_LAUNCHES: Final = CALIBRATION / "launches.csv"
_POOLS: Final = CALIBRATION / "pools.csv"


@dataclass(frozen=True, slots=True)
class Run:
    """What a run says of itself.

    Attributes:
        framework: Key of the framework.
        model: Model name.
        precision: Precision as the benchmark names it.
        chip: Identifier of the chip.
        image: Container image.
        chips: Chips of the replica.
        users: Requests under way.
        isl: Nominal prompt tokens.
    """

    framework: str
    model: str
    precision: str
    chip: str
    image: str
    chips: int
    users: float
    isl: float


@dataclass(frozen=True, slots=True)
class Launch:
    """Options of a server that are not the framework's defaults.

    Attributes:
        receive_steps: Steps between two receptions of requests; None where not stated.
        chunk_tokens: Prompt tokens one step takes at most; None where not stated.
    """

    receive_steps: float | None = None
    chunk_tokens: int | None = None

    def applied(self, stack: Stack) -> Stack:
        """The framework with these options."""
        receive = stack.receive_steps if self.receive_steps is None else self.receive_steps
        chunk = stack.chunk_tokens if self.chunk_tokens is None else self.chunk_tokens
        return replace(stack, receive_steps=receive, chunk_tokens=chunk)


AS_DEFAULT: Final = Launch()


def launch_of(run: Run, path: Path = _LAUNCHES) -> Launch:
    """The options of a run of the public benchmark; the defaults where no script is known.

    Raises:
        InputError: The file cannot be read.
    """
    found = AS_DEFAULT
    for row in _rows(path):
        if _is_of(row, run):
            found = _launch(row, run)
    return found


def _is_of(row: Mapping[str, str], run: Run) -> bool:
    """Whether a row is about a run; of two that are, the later one has more users."""
    return (
        row["framework"] == run.framework
        and run.model.startswith(row["model"])
        and row["precision"] == run.precision
        and run.chip in row["chips"].split()
        and row["image"] in run.image
        and row["replica_chips"] in ("", str(run.chips))
        and run.users >= float(row["from_users"])
    )


def _launch(row: Mapping[str, str], run: Run) -> Launch:
    chunk = int(row["chunk_tokens"]) if row["chunk_tokens"] else None
    if row["chunk_prompts"]:
        chunk = int(float(row["chunk_prompts"]) * run.isl)
    return Launch(float(row["receive_steps"]) if row["receive_steps"] else None, chunk)


@dataclass(frozen=True, slots=True)
class PoolRun:
    """What identifies a disaggregated run of the public benchmark.

    Attributes:
        chip: Identifier of the chip.
        precision: Precision as the benchmark names it.
        image: Container image without its registry.
        isl: Nominal prompt tokens.
        osl: Nominal output tokens.
        users: Requests under way.
        prefill_workers: Prefill workers.
        decode_workers: Decode workers.
        decode_chips: Chips of a decode worker.
        decode_dp: Data-parallel attention groups of a decode worker.
    """

    chip: str
    precision: str
    image: str
    isl: int
    osl: int
    users: int
    prefill_workers: int
    decode_workers: int
    decode_chips: int
    decode_dp: int


def places_of(run: PoolRun, path: Path = _POOLS) -> float | None:
    """Sequences that a decode worker was launched for; None where the benchmark does not say.

    The sweep names the largest batch of a rank; a worker has one rank for each attention group.

    Raises:
        InputError: The file cannot be read.
    """
    batch = _batches(path).get(run)
    return None if batch is None else float(batch * run.decode_dp)


@cache
def _batches(path: Path) -> Mapping[PoolRun, int]:
    numbers = (
        *("isl", "osl", "users", "prefill_workers"),
        *("decode_workers", "decode_chips", "decode_dp"),
    )
    return {
        PoolRun(
            row["chip"], row["precision"], row["image"], *(int(row[name]) for name in numbers)
        ): int(row["batch_per_rank"])
        for row in _rows(path)
    }


@cache
def _rows(path: Path) -> tuple[Mapping[str, str], ...]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return tuple(csv.DictReader(file))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
