"""Serving frameworks and the economics of a deployment: parameters with their basis.

The records are plain dataclasses, so that the speed model reads them without the validator.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from weir.catalog.files import STOCK, read_toml
from weir.core.errors import RecordError, UnknownNameError
from weir.core.provenance import Status

CALIBRATION: Final = STOCK / "calibration"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KernelFactors:
    """Time of a framework's kernel over that of the kernel the model prices.

    Attributes:
        launch: Of the part that does not grow with the work.
        groups: Of what goes with the number of experts, with tokens or without.
        decode: Of the rest on the few rows of decode steps.
        prefill: Of the rest on the many rows of prompts.
    """

    launch: float
    groups: float
    decode: float
    prefill: float


SAME_KERNELS: Final = KernelFactors(1.0, 1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Stack:
    """What a serving framework adds to the time of its kernels, and the memory it sets aside.

    Attributes:
        name: What people call it.
        status: How the figures are known.
        basis: Where they come from.
        decode_step_s: Host time of a decode step that its kernels do not hide.
        mixed_step_s: The same for a step with prompt tokens.
        sequence_s: Host time a sequence adds to a step: sampling, detokenising, bookkeeping.
        request_s: Time a request spends outside steps before its first token: network, tokeniser,
            admission.
        eager_launch_s: Host time that each kernel adds to a step with prompt tokens, which runs
            without a captured graph.
        fused_launch_s: Time that fusion and replay from a captured graph save on each kernel of a
            decode step, against kernels that are measured one by one.
        step_log_sd: Standard deviation of the logarithm of measured over estimated step time.
        queue_log_sd: The same of time to first token, over what its steps explain.
        handover_s: Time a request spends between prefill and decode workers, besides the transfer.
        pools_log_sd: The deviation of time to first token where those are apart.
        pools_step_log_sd: What is added there to the deviation of step time.
        memory_fraction: Share of the chip's memory the framework uses,
        is_of_free: or share that the cache gets of what everything else leaves free.
        reserve_bytes: Driver context, libraries and communication set-up.
        cache_block_tokens: Tokens of one block of a paged cache.
        chunk_tokens: Prompt tokens one step takes at most.
        mixes_prompts: Prompt tokens run beside decoding sequences; otherwise in steps of their own.
        poll_steps: Steps between two looks for new requests.
        receive_steps: Steps between two receptions of what has arrived meanwhile, all of which is
            then taken at once.
        kernel_factor_decode: What is left over of kernel times in decode steps after `kernels`,
            such as launches that overlap.
        kernel_factor_prefill: The same in steps with prompt tokens.
        kernels: Factors by "kernel/format" or "kernel/format/generation".
    """

    name: str
    status: Status
    basis: str
    decode_step_s: float
    mixed_step_s: float
    sequence_s: float
    request_s: float
    eager_launch_s: float
    fused_launch_s: float
    step_log_sd: float
    queue_log_sd: float
    handover_s: float
    pools_log_sd: float
    pools_step_log_sd: float
    memory_fraction: float
    is_of_free: bool
    reserve_bytes: float
    cache_block_tokens: int
    chunk_tokens: int
    mixes_prompts: bool
    poll_steps: float
    receive_steps: float
    kernel_factor_decode: float
    kernel_factor_prefill: float
    kernels: Mapping[str, KernelFactors]

    def factors(self, kernel: str, form: str, generation: str) -> KernelFactors:
        """The factors of a kernel in a format on a generation of chips."""
        for key in (f"{kernel}/{form}/{generation}", f"{kernel}/{form}"):
            if key in self.kernels:
                return self.kernels[key]
        return SAME_KERNELS


@dataclass(frozen=True, slots=True)
class Power:
    """Power of a chip at load, as shares of its thermal design power.

    `idle_share` flows always; `compute_share` and `memory_share` are added in proportion to the
    use of arithmetic and of memory bandwidth, up to the thermal design power.
    """

    status: Status
    basis: str
    idle_share: float
    compute_share: float
    memory_share: float


@dataclass(frozen=True, slots=True)
class Host:
    """Power of host, network and fans, as a share of the chips' thermal design power."""

    status: Status
    basis: str
    share_of_chip_power: float


@dataclass(frozen=True, slots=True)
class Facility:
    """Power usage effectiveness of the building and the price of electricity."""

    status: Status
    basis: str
    pue: float
    electricity_usd_per_kwh: float


@dataclass(frozen=True, slots=True)
class Ownership:
    """How a purchase price becomes an hourly one.

    Attributes:
        status: How the figures are known.
        basis: Where they come from.
        years: Straight-line depreciation.
        hours_in_use: Share of hours that are paid by work.
        surcharge: Server, network and facility, over the price of the chips.
    """

    status: Status
    basis: str
    years: float
    hours_in_use: float
    surcharge: float


@dataclass(frozen=True, slots=True)
class Economics:
    """What turns speed into energy and money."""

    power: Power
    host: Host
    facility: Facility
    ownership: Ownership


@dataclass(frozen=True, slots=True)
class Assumption:
    """What stands in for a fact that nobody has published.

    Attributes:
        value: The number in SI.
        status: How it is known.
        text: How an answer says so.
        basis: Why it is reasonable.
    """

    value: float
    status: Status
    text: str
    basis: str


@dataclass(frozen=True, slots=True)
class Habits:
    """How a benchmark runs one framework.

    Attributes:
        in_step: How far users stay in step: 0 at any time, 1 all together.
        poll_steps: Steps between two looks for new requests, as its launch options set them.
    """

    in_step: float
    poll_steps: float


@dataclass(frozen=True, slots=True)
class Client:
    """How the client of a measured serving run sends its requests.

    Attributes:
        status: How the figures are known.
        basis: Where they come from.
        length_share: Mean length of prompts and outputs over the nominal one.
        length_cv: Coefficient of variation of both.
        turns: Requests each user sends one after the other; 0 where unknown.
        frameworks: Habits by framework.
    """

    status: Status
    basis: str
    length_share: float
    length_cv: float
    turns: int
    frameworks: Mapping[str, Habits]

    def habits(self, framework: str) -> Habits:
        """The habits with a framework, by its key."""
        return self.frameworks.get(framework, NO_HABITS)


NO_HABITS: Final = Habits(in_step=0.0, poll_steps=1.0)


def load_stacks(path: Path = CALIBRATION / "stack.toml") -> Mapping[str, Stack]:
    """Every framework by its key.

    Raises:
        RecordError: The file is missing, is not TOML, or lacks or adds keys.
    """
    return {key: _stack(table, key, path) for key, table in read_toml(path).items()}


def _stack(table: object, key: str, path: Path) -> Stack:
    kernels = _inner(KernelFactors, table, key, "kernels", path)
    return replace(_record(Stack, _without(table, "kernels"), key, path), kernels=kernels)


def _inner(kind: type[T], table: object, key: str, name: str, path: Path) -> dict[str, T]:
    """Records of a kind in a table inside a table."""
    found = table.get(name) if isinstance(table, dict) else None
    if not isinstance(found, dict):
        raise RecordError(path, [f"{key}.{name}: is required, a table"])
    return {each: _record(kind, item, f"{key}.{name}.{each}", path) for each, item in found.items()}


def _without(table: object, name: str) -> object:
    return {**table, name: ""} if isinstance(table, dict) else table


@cache
def _stock() -> Mapping[str, Stack]:
    return load_stacks()


def framework_key(framework: str) -> str:
    """The key of a framework by its name; case and punctuation do not matter.

    Raises:
        UnknownNameError: No such framework; the message lists the nearest names.
    """
    known = _stock()
    folded = "".join(ch for ch in framework.casefold() if ch.isalnum())
    for key, stack in known.items():
        names = (key, stack.name)
        if folded in {"".join(ch for ch in n.casefold() if ch.isalnum()) for n in names}:
            return key
    hint = f"Known: {', '.join(known)}."
    raise UnknownNameError("framework", framework, known, hint)


def load_stack(framework: str) -> Stack:
    """One framework by name, see `framework_key`.

    Raises:
        UnknownNameError: No such framework.
    """
    return _stock()[framework_key(framework)]


def load_economics(path: Path = CALIBRATION / "economics.toml") -> Economics:
    """The stock's assumptions on energy and money.

    Raises:
        RecordError: The file is missing, is not TOML, or lacks or adds keys.
    """
    raw = read_toml(path)
    missing = [f"{item.name}: is required" for item in fields(Economics) if item.name not in raw]
    if missing:
        raise RecordError(path, missing)
    return Economics(
        power=_record(Power, raw["power"], "power", path),
        host=_record(Host, raw["host"], "host", path),
        facility=_record(Facility, raw["facility"], "facility", path),
        ownership=_record(Ownership, raw["ownership"], "ownership", path),
    )


@cache
def load_clients(path: Path = CALIBRATION / "clients.toml") -> Mapping[str, Client]:
    """The clients of measured runs, by key.

    Raises:
        RecordError: The file is missing, is not TOML, or lacks or adds keys.
    """
    return {
        key: replace(
            _record(Client, _without(table, "frameworks"), key, path),
            frameworks=_inner(Habits, table, key, "frameworks", path),
        )
        for key, table in read_toml(path).items()
    }


@cache
def load_assumptions(path: Path = CALIBRATION / "assumptions.toml") -> Mapping[str, Assumption]:
    """The stand-ins for unpublished facts, by key.

    Raises:
        RecordError: The file is missing, is not TOML, or lacks or adds keys.
    """
    return {key: _record(Assumption, table, key, path) for key, table in read_toml(path).items()}


def _record(kind: type[T], table: object, key: str, path: Path) -> T:
    if not isinstance(table, dict):
        raise RecordError(path, [f"{key}: must be a table"])
    names = {item.name: item.type for item in fields(kind)}  # type: ignore[arg-type]
    problems = [f"{key}.{name}: is required" for name in names if name not in table]
    problems += [f"{key}.{name}: unknown key" for name in table if name not in names]
    values: dict[str, Any] = {}
    for name, wanted in names.items():
        value = table.get(name)
        if wanted is bool and name in table:
            if not isinstance(value, bool):
                problems.append(f"{key}.{name}: must be true or false (got {value!r})")
        elif wanted in {float, int} and name in table:
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                problems.append(f"{key}.{name}: must be a number of at least 0 (got {value!r})")
        elif name in table and not isinstance(value, str):
            problems.append(f"{key}.{name}: must be text (got {value!r})")
        values[name] = value
    if "status" in names:
        try:
            values["status"] = Status(values.get("status") or "")
        except ValueError:
            problems.append(f"{key}.status: must be one of {', '.join(Status)}")
    if problems:
        raise RecordError(path, problems)
    return kind(**values)
