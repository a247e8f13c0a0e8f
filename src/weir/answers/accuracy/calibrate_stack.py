"""What frameworks add, learned from the serving runs of the calibration chips alone.

The kernels of every run are priced once, on a grid of decoding batches; what is fitted is only how
a framework strings them together, so that a fit takes seconds and never touches the kernels.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir.answers.accuracy.calibrate_pools import with_pools
from weir.answers.accuracy.framework_kernels import framework_kernels
from weir.answers.accuracy.serving_deployments import Deployed, deployed
from weir.answers.accuracy.serving_sample import SampleRow, calibration_chips, read_sample
from weir.answers.accuracy.spread import coverage_spread
from weir.answers.accuracy.validate_serving import alike
from weir.catalog.kernel_tables import plan_of_tables
from weir.catalog.query import Catalog
from weir.catalog.stack import (
    Client,
    Habits,
    KernelFactors,
    Stack,
    load_clients,
    load_stacks,
)
from weir.core.errors import WeirError
from weir.core.provenance import Status
from weir.perf.calibration.least_squares import minimise
from weir.perf.kernels.efficiency import Efficiency
from weir.perf.serving import Priced, closed_loop, price, settle

Array = NDArray[np.float64]

FRAMEWORKS: Final = ("vllm", "sglang", "trtllm")
STACK: Final = "stack.toml"
CLIENTS: Final = "clients.toml"


@dataclass(frozen=True, slots=True)
class Free:
    """One fitted quantity.

    Attributes:
        name: Where it lives.
        start: Where the search begins, so that a fit does not depend on the one before.
        low: Lower bound.
        high: Upper bound.
        is_log: It is searched in logarithms.
    """

    name: str
    start: float
    low: float
    high: float
    is_log: bool = False


FREE: Final = (
    Free("kernel_factor_decode", 0.8, 0.4, 1.6, is_log=True),
    Free("kernel_factor_prefill", 1.0, 0.5, 2.5, is_log=True),
    Free("fused_launch_s", 1e-6, 0.0, 4e-6),
    Free("decode_step_s", 1e-3, 0.0, 8e-3),
    Free("mixed_step_s", 1e-3, 0.0, 5e-3),
    Free("sequence_s", 5e-6, 0.0, 1e-4),
    Free("eager_launch_s", 1e-5, 0.0, 6e-5),
    Free("request_s", 0.03, 0.0, 0.2),
    Free("public.poll_steps", 4.0, 1.0, 40.0),
    Free("maker.in_step", 0.2, 0.0, 1.0),
    Free("maker.poll_steps", 4.0, 1.0, 40.0),
)
# How often these look for requests is a launch option, which is known and not fitted.
_TELL_THEIR_POLL: Final = ("sglang",)
# Where the loss bends from squares to absolute values: about the spread of repeated runs.
TPOT_SCALE: Final = 0.1
TTFT_SCALE: Final = 0.3
# What is thought of kernel factors before any run, in logarithms, and the runs that it is worth.
FACTOR_SPREAD: Final = 0.1
RUNS_OF_DOUBT: Final = 20.0
_ITERATIONS: Final = 25


@dataclass(frozen=True, slots=True)
class StackFit:
    """One framework as fitted.

    Attributes:
        stack: Its parameters.
        habits: How each client runs it.
        runs: Runs it was fitted on.
    """

    stack: Stack
    habits: Mapping[str, Habits]
    runs: int


def calibrate_stack(
    rows: Sequence[SampleRow],
    framework: str,
    catalog: Catalog,
    *,
    kernels: Mapping[str, KernelFactors] | None = None,
    efficiency: Efficiency | None = None,
    iterations: int = _ITERATIONS,
) -> StackFit:
    """Fits one framework to the runs of the calibration chips.

    Args:
        rows: Measured runs of any chips; those of other chips than the calibration chips, and of
            other frameworks, are left out.
        framework: Key of the framework.
        catalog: Where chips and models are looked up.
        kernels: Factors of the framework's kernels; from its tables if left out.
        efficiency: Parameters of the kernels; those of the stock if left out.
        iterations: Most steps of the fit.

    Raises:
        InputError: The kernel tables are needed and not installed.
    """
    kernels = framework_kernels(framework, catalog, efficiency) if kernels is None else kernels
    start, clients = replace(load_stacks()[framework], kernels=kernels), load_clients()
    chosen = _once([r for r in rows if r.chip in calibration_chips() and r.framework == framework])
    cases = _cases(chosen, catalog, clients, efficiency)
    stack, habits = _fit(cases, framework, start, clients, iterations)
    stack = _with_spread(stack, _held_out(cases, framework, start, clients, iterations))
    count = sum(len(case.measured_tpot_s) for case in cases)
    plan = plan_of_tables()
    basis = (
        f"{_plain(start.basis)}; times fitted on {count} serving runs of H100 SXM and B200, and"
        f" factors of kernels on their tables, in {plan['package']} {plan['version']}"
    )
    return StackFit(replace(stack, status=Status.DERIVED, basis=basis), habits, count)


def _fit(
    cases: Sequence["_Case"],
    framework: str,
    start: Stack,
    clients: Mapping[str, Client],
    iterations: int,
) -> tuple[Stack, dict[str, Habits]]:
    known = {key: client.habits(framework) for key, client in clients.items()}
    free = _free(framework)

    def residuals(x: Array) -> Array:
        stack, habits = _unpack(x, free, start, known)
        found = [case.errors(stack, habits) for case in cases]
        tpot = np.concatenate(
            [each[1] for each, case in zip(found, cases, strict=True) if not case.may_draft]
        )
        ttft = np.concatenate([each[0] for each in found])
        return np.concatenate([tpot / TPOT_SCALE, ttft / TTFT_SCALE, _doubt(stack)])

    first = np.array([_inner(each, each.start) for each in free])
    low = np.array([_inner(each, each.low) for each in free])
    high = np.array([_inner(each, each.high) for each in free])
    fit = minimise(residuals, np.clip(first, low, high), low, high, iterations=iterations)
    return _unpack(fit.x, free, start, known)


def _held_out(
    cases: Sequence["_Case"],
    framework: str,
    start: Stack,
    clients: Mapping[str, Client],
    iterations: int,
) -> list["_Spread"]:
    """Errors on each calibration chip of a fit that did not see it, with the widths they had.

    A chip is held out only if the others say something of TPOT. Runs that may have drafted count
    where there are no others.
    """
    found: dict[bool, list[_Spread]] = {False: [], True: []}
    for chip in calibration_chips():
        rest = [case for case in cases if case.chip != chip]
        mine = [case for case in cases if case.chip == chip]
        if not mine or all(case.may_draft for case in rest):
            continue
        stack, habits = _fit(rest, framework, start, clients, iterations)
        bare = replace(stack, step_log_sd=0.0, queue_log_sd=0.0)
        for case in mine:
            found[case.may_draft].append(case.spread(bare, habits))
    return found[False] or found[True]


def _doubt(stack: Stack) -> Array:
    """Residuals that hold the factors on kernels back where runs say little."""
    factors = np.array([stack.kernel_factor_decode, stack.kernel_factor_prefill])
    return np.asarray(np.sqrt(RUNS_OF_DOUBT) * np.log(factors) / FACTOR_SPREAD)


@dataclass(frozen=True, slots=True)
class _Case:
    """Runs of one deployment with their kernels priced.

    A run of the public benchmark does not say whether it drafted tokens, so the TPOT of models with
    multi-token prediction layers is left out.
    """

    chip: str
    may_draft: bool
    turns: int
    found: Deployed
    priced: Priced
    measured_ttft_s: Array
    measured_tpot_s: Array

    def errors(self, stack: Stack, habits: Mapping[str, Habits]) -> tuple[Array, Array]:
        """Logarithms of predicted over measured TTFT and TPOT under a framework's parameters."""
        mine = habits[self.found.client]
        engine = self.found.under(stack, mine).engine
        ttft, tpot = settle(
            engine, self.found.work, self.priced, in_step=mine.in_step, turns=self.turns
        )
        return np.log(ttft / self.measured_ttft_s), np.log(tpot / self.measured_tpot_s)

    def spread(self, stack: Stack, habits: Mapping[str, Habits]) -> "_Spread":
        """Errors, and the widths that kernel intervals alone give."""
        mine = habits[self.found.client]
        engine = self.found.under(stack, mine).engine
        state = closed_loop(
            engine,
            self.found.work,
            self.found.users,
            in_step=mine.in_step,
            turns=self.turns,
            most_sequences=self.found.most_sequences,
        )
        return _Spread(
            tpot=np.log(self.measured_tpot_s / state.tpot_s),
            tpot_down=np.log(state.tpot_s / state.tpot_low_s),
            tpot_up=np.log(state.tpot_high_s / state.tpot_s),
            ttft=np.log(self.measured_ttft_s / state.ttft_s),
            ttft_down=np.log(state.ttft_s / state.ttft_low_s),
            ttft_up=np.log(state.ttft_high_s / state.ttft_s),
        )


@dataclass(frozen=True, slots=True)
class _Spread:
    """Logarithms of measured over predicted, and of the ends of the interval over the middle."""

    tpot: Array
    tpot_down: Array
    tpot_up: Array
    ttft: Array
    ttft_down: Array
    ttft_up: Array


def _cases(
    rows: Sequence[SampleRow],
    catalog: Catalog,
    clients: Mapping[str, Client],
    efficiency: Efficiency | None = None,
) -> list[_Case]:
    cases: list[_Case] = []
    for members in alike(rows):
        chosen = [rows[index] for index in members]
        if chosen[0].layout is None or not np.isfinite(chosen[0].concurrency):
            continue
        try:
            found = deployed(chosen, catalog, None, clients, efficiency)
        except WeirError:
            # Refused by the prediction as well, which counts the reason.
            continue
        priced = price(
            found.engine,
            found.work,
            found.users,
            most_sequences=found.most_sequences,
            with_row=True,
        )
        ttft = np.array([row.ttft_s for row in chosen])
        drafts = chosen[0].is_public and found.engine.model.shape.draft_layers > 0
        cases.append(
            _Case(
                chosen[0].chip,
                drafts,
                clients[found.client].turns,
                found,
                priced,
                ttft,
                np.array([row.tpot_s for row in chosen]),
            )
        )
    return cases


def _plain(basis: str) -> str:
    return basis.partition("; times ")[0]


def _once(rows: Sequence[SampleRow]) -> list[SampleRow]:
    """Each measurement once: the sample repeats runs that stand in several exports."""
    found: dict[tuple[object, ...], SampleRow] = {}
    for row in rows:
        key = (row.chip, row.model, row.framework, row.layout, row.weights, row.isl, row.osl)
        found.setdefault((*key, row.concurrency, round(row.ttft_s, 6), round(row.tpot_s, 6)), row)
    return list(found.values())


def _inner(free: Free, value: float) -> float:
    return float(np.log(value)) if free.is_log else value / free.high


def _outer(free: Free, value: float) -> float:
    return float(np.exp(value)) if free.is_log else value * free.high


def _free(framework: str) -> tuple[Free, ...]:
    """What is fitted of a framework."""
    if framework in _TELL_THEIR_POLL:
        return tuple(each for each in FREE if not each.name.endswith(".poll_steps"))
    return FREE


def _unpack(
    x: Array, free: Sequence[Free], stack: Stack, known: Mapping[str, Habits]
) -> tuple[Stack, dict[str, Habits]]:
    values = {each.name: _outer(each, float(v)) for each, v in zip(free, x, strict=True)}
    habits = dict(known)
    for name, value in values.items():
        client, dot, field = name.partition(".")
        if dot:
            habits[client] = replace(habits[client], **{field: value})
    plain = {name: value for name, value in values.items() if "." not in name}
    return replace(stack, **plain), habits  # type: ignore[arg-type]


def _with_spread(stack: Stack, held: Sequence[_Spread]) -> Stack:
    """Spreads at which four fifths of the runs of a chip that was held out lie in the interval."""
    if not held:
        return stack

    def joined(name: str) -> Array:
        return np.concatenate([getattr(each, name) for each in held])

    tpot = coverage_spread(joined("tpot"), joined("tpot_down"), joined("tpot_up"))
    ttft = coverage_spread(joined("ttft"), joined("ttft_down"), joined("ttft_up"))
    queue = float(np.sqrt(max(ttft**2 - tpot**2, 0.0)))
    return replace(stack, step_log_sd=tpot, queue_log_sd=queue)


def stack_files(
    catalog: Catalog,
    *,
    path: Path | None = None,
    efficiency: Efficiency | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, str]:
    """Every framework fitted: the texts of `stack.toml` and `clients.toml`.

    Args:
        catalog: Where chips and models are looked up.
        path: The serving runs; those of the installed package if left out.
        efficiency: Parameters of the kernels; those of the stock if left out.
        progress: Told what is being done.

    Raises:
        InputError: The package with runs and tables is not installed.
    """
    rows = read_sample(path)
    stacks = dict(load_stacks())
    clients = dict(load_clients())
    for framework in FRAMEWORKS:
        progress(f"fitting {framework}")
        fit = calibrate_stack(rows, framework, catalog, efficiency=efficiency)
        stacks[framework] = fit.stack
        clients = with_habits_of(clients, framework, fit.habits)
    progress("fitting what runs between prefill and decode workers")
    stacks = with_pools(stacks, clients, rows, catalog, efficiency)
    return {STACK: stack_toml(stacks), CLIENTS: clients_toml(clients)}


HEADER: Final = """\
# What a serving framework adds to its kernels, and the memory it sets aside.
# Times in seconds, memory in bytes. `status` and `basis` say how a block is known; blocks that are
# derived are written by the fit of weir.answers.accuracy.calibrate_stack.
"""


def stack_toml(stacks: Mapping[str, Stack]) -> str:
    """The text of `stack.toml` for frameworks by key."""
    return "\n\n".join([HEADER.rstrip(), *(_block(*item) for item in stacks.items())]) + "\n"


def _block(key: str, stack: Stack) -> str:
    values = asdict(stack)
    kernels = values.pop("kernels")
    lines = [f"[{key}]", *(f"{name} = {_toml(value)}" for name, value in values.items())]
    lines.append(f"[{key}.kernels]")
    lines += [_inline(f'"{name}"', factors) for name, factors in sorted(kernels.items())]
    return "\n".join(lines)


CLIENTS_HEADER: Final = """\
# How the clients of measured serving runs send requests: what a benchmark does, not a chip. The
# habits with each framework are written by the fit of weir.answers.accuracy.calibrate_stack.
"""


def clients_toml(clients: Mapping[str, Client]) -> str:
    """The text of `clients.toml` for clients by key."""
    blocks = []
    for key, client in clients.items():
        values = asdict(client)
        frameworks = values.pop("frameworks")
        lines = [f"[{key}]", *(f"{name} = {_toml(value)}" for name, value in values.items())]
        lines += [f"[{key}.frameworks]", *(_inline(*item) for item in frameworks.items())]
        blocks.append("\n".join(lines))
    return "\n\n".join([CLIENTS_HEADER.rstrip(), *blocks]) + "\n"


def _inline(name: str, values: Mapping[str, float]) -> str:
    inside = ", ".join(f"{field} = {_toml(value)}" for field, value in values.items())
    return f"{name} = {{ {inside} }}"


def with_habits_of(
    clients: Mapping[str, Client], framework: str, habits: Mapping[str, Habits]
) -> dict[str, Client]:
    """Clients with what a fit found for one framework."""
    return {
        key: replace(client, frameworks={**client.frameworks, framework: habits[key]})
        if key in habits
        else client
        for key, client in clients.items()
    }


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}"
    return f'"{value}"' if isinstance(value, str) else str(value)
