"""Learned parameters of the kernel model, as the calibration file holds them.

The records are plain dataclasses, so that the speed model reads them without the validator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from weir.catalog.files import STOCK, read_toml
from weir.core.errors import InputError, RecordError, UnknownNameError

P = TypeVar("P")

FOLDER: Final = STOCK / "calibration"
KERNELS: Final = FOLDER / "kernels.toml"
START: Final = FOLDER / "start.toml"
GENERIC: Final = "generic"
_HEAD: Final = ("kin", "kin_interval_log", "assumed")
_NOT_KERNELS: Final = (
    *_HEAD, "kin_format", "kin_kernels", "kin_energy", "kin_conversion", "kin_launch", "scaled",
    "reference",
)  # fmt: skip
_LAUNCH: Final = "launch_s"
_ENERGY: Final = "energy_j_s2_per_flop"
# What instructions that convert a narrow cache bound, in the formats that need them.
_CONVERSION: Final = "single_bytes_per_clock"


@dataclass(frozen=True)
class Assumed:
    """What stands in for facts that a chip does not publish.

    Attributes:
        cores: Cores.
        boost_clock_hz: Clock.
        last_level_cache_bytes: Last-level cache.
        interval_log: Widening of the interval of the logarithm of a time, per unknown fact.
        chip_log: What the times of all rows of a chip may err by together although its generation
            was fitted, as the half width of an 80 % interval of the logarithm.
        beyond_log: The same per doubling of an argument beyond what was fitted.
        beyond_most_log: The most that arguments beyond what was fitted add.
    """

    cores: float
    boost_clock_hz: float
    last_level_cache_bytes: float
    interval_log: float
    chip_log: float
    beyond_log: float
    beyond_most_log: float


@dataclass(frozen=True)
class Table:
    """Values of one kernel's parameters, from the most general to the most specific.

    Attributes:
        shared: Values for all chips and formats.
        generation: By trait set: "hopper", "generic", …
        dtype: By number format, or format and trait set: "fp8", "fp8/hopper".
        seen: Smallest and largest value of each argument among the rows that were fitted.
    """

    shared: Mapping[str, float]
    generation: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    dtype: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    seen: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def values(self, traits: str, dtype: str, kernels: str = "") -> dict[str, float]:
        """The values of a trait set in a format.

        Args:
            traits: The trait set.
            dtype: The format.
            kernels: The trait set whose kernels of the format are run, if it is another.
        """
        return {
            **self.shared,
            **self.generation.get(traits, {}),
            **self.dtype.get(dtype, {}),
            **self.dtype.get(f"{dtype}/{kernels or traits}", {}),
        }


@dataclass(frozen=True)
class Efficiency:
    """All learned parameters.

    Attributes:
        tables: By kernel: "gemm", "attention_prefill", …
        kin: The trait set that serves a generation without one of its own, such as
            "blackwell-geforce" = "ada"; any generation that is not listed is "generic".
        kin_interval_log: Widening of the interval where another trait set stands in: "kin" where
            no chip could be left out to learn it; what "generic" and others add on top.
        kin_format: By kernel, the format that serves one without measurements.
        kin_kernels: By generation and format, the trait set whose kernels it runs where its kin has
            none in that format.
        kin_energy: The trait set whose energy of an operation serves a generation that is made in
            another process than its kin.
        kin_conversion: The trait set whose conversions of narrow formats serve a generation whose
            instructions are newer than those of its kin.
        kin_launch: By kernel, the trait set whose launch serves a generation that, unlike its kin,
            can start a kernel before the last has ended.
        reference: The frameworks whose kernels the parameters describe, under "frameworks", and by
            kernel what is stated of their own code ("fp8_block/blackwell-geforce").
        scaled: Trait sets that calibration makes of a fitted one by factors that a vendor states.
        assumed: What stands in for unknown facts.
    """

    tables: Mapping[str, Table]
    kin: Mapping[str, str]
    kin_interval_log: Mapping[str, float]
    assumed: Assumed
    kin_format: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    kin_kernels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    kin_energy: Mapping[str, str] = field(default_factory=dict)
    kin_conversion: Mapping[str, str] = field(default_factory=dict)
    kin_launch: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    reference: Mapping[str, Sequence[str]] = field(default_factory=dict)
    scaled: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    _cache: dict[tuple[type[Any], str, str, str], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def of(self, kind: type[P], kernel: str, generation: str, dtype: str = "") -> P:
        """The parameters of a kernel on a generation of chips in a number format.

        Args:
            kind: Parameter class of the kernel.
            kernel: Key of `tables`.
            generation: Generation of the chip.
            dtype: Kernel format; empty where the kernel has none.

        Raises:
            UnknownNameError: No such kernel format.
            InputError: A parameter has no value, or one outside its bounds.
        """
        key = kind, kernel, generation, dtype
        if key not in self._cache:
            self._cache[key] = self._read(kind, kernel, generation, dtype)
        found: P = self._cache[key]
        return found

    def traits(self, kernel: str, generation: str) -> str:
        """The trait set that serves a generation in a kernel."""
        sets = self.tables[kernel].generation
        if generation in sets:
            return generation
        kin = self.kin.get(generation, GENERIC)
        return kin if kin in sets else GENERIC

    def served(self, kernel: str, generation: str, dtype: str) -> dict[str, float]:
        """The values that serve a generation in a format, but for what is stated of it alone."""
        traits = self.traits(kernel, generation)
        kernels = self.kin_kernels.get(generation, {}).get(dtype, traits)
        return self.tables[kernel].values(traits, dtype, kernels)

    def family(self, generation: str) -> str:
        """The generation whose kernels a generation runs.

        Where both its traits and its process are those of one other, it is that one with other
        numbers; else it is its own.
        """
        kin = self.kin.get(generation, generation)
        return kin if self.kin_energy.get(generation) == kin else generation

    def under(self, framework: str) -> "Efficiency":
        """The parameters without what is stated of another framework's own code.

        Args:
            framework: Key of the framework whose kernels run.
        """
        if framework in self.reference.get("frameworks", ()):
            return self
        tables = dict(self.tables)
        for kernel, gone in self.reference.items():
            if kernel in tables:
                old = tables[kernel]
                kept = {name: part for name, part in old.dtype.items() if name not in gone}
                tables[kernel] = replace(old, dtype=kept)
        return replace(self, tables=tables)

    def has_own_kernels(self, kernel: str, generation: str, dtype: str) -> bool:
        """Whether a generation that another's traits serve runs kernels of its own in a format."""
        table = self.tables[kernel]
        return generation not in table.generation and f"{dtype}/{generation}" in table.dtype

    def is_foreign(self, kernel: str, generation: str) -> bool:
        """Whether the energy of an operation on a generation is that of another process."""
        return self.traits(kernel, generation) != generation and generation not in self.kin_energy

    def _read(self, kind: type[P], kernel: str, generation: str, dtype: str) -> P:
        table = self.tables[kernel]
        traits = self.traits(kernel, generation)
        if dtype and dtype not in table.dtype:
            formats = {name.partition("/")[0] for name in table.dtype}
            raise UnknownNameError("kernel number format", dtype, formats)
        # What is stated of a generation's kernels holds although another's traits serve it.
        own = table.dtype.get(f"{dtype}/{generation}", {})
        values = {**self.served(kernel, generation, dtype), **own}
        process = self.kin_energy.get(generation, traits)
        if process != traits and _ENERGY in values and generation not in table.generation:
            values[_ENERGY] = table.values(process, dtype)[_ENERGY]
        newer = table.dtype.get(f"{dtype}/{self.kin_conversion.get(generation)}", {})
        if _CONVERSION in newer and generation not in table.generation:
            values[_CONVERSION] = newer[_CONVERSION]
        starter = self.kin_launch.get(kernel, {}).get(generation)
        if starter and generation not in table.generation:
            values[_LAUNCH] = table.values(starter, dtype)[_LAUNCH]
        chosen: dict[str, float] = {}
        for item in fields(kind):  # type: ignore[arg-type]
            if item.name not in values:
                raise InputError(
                    f"calibration: {kernel}.{item.name} has no value for generation '{traits}' "
                    f"and format '{dtype}'. Run 'weir calibrate' or add it."
                )
            value = float(values[item.name])
            if not item.metadata["low"] <= value <= item.metadata["high"]:
                raise InputError(
                    f"calibration: {kernel}.{item.name} is {value:g} {item.metadata['unit']}; "
                    f"it must lie in [{item.metadata['low']:g}, {item.metadata['high']:g}]."
                )
            chosen[item.name] = value
        return kind(**chosen)


def parse_efficiency(text: Mapping[str, Any], path: object) -> Efficiency:
    """Parameters from a parsed calibration file.

    Raises:
        RecordError: A part is missing or is not what it should be.
    """
    missing = [f"{name}: is missing" for name in _HEAD if name not in text]
    if missing:
        raise RecordError(path, missing)
    problems = [
        f"{kernel}.shared: is missing"
        for kernel, table in text.items()
        if kernel not in _NOT_KERNELS and "shared" not in table
    ]
    if problems:
        raise RecordError(path, problems)
    return Efficiency(
        tables={
            kernel: Table(
                table["shared"],
                table.get("generation", {}),
                table.get("dtype", {}),
                table.get("seen", {}),
            )
            for kernel, table in text.items()
            if kernel not in _NOT_KERNELS
        },
        kin=text["kin"],
        kin_interval_log=text["kin_interval_log"],
        assumed=Assumed(**text["assumed"]),
        kin_format=text.get("kin_format", {}),
        kin_kernels=text.get("kin_kernels", {}),
        kin_energy=text.get("kin_energy", {}),
        kin_conversion=text.get("kin_conversion", {}),
        kin_launch=text.get("kin_launch", {}),
        reference=text.get("reference", {}),
        scaled=text.get("scaled", {}),
    )


@cache
def load_efficiency(framework: str = "") -> Efficiency:
    """The parameters that `weir calibrate` wrote.

    Args:
        framework: Key of the framework whose kernels run; of the reference if left out.
    """
    return load_efficiency().under(framework) if framework else read_efficiency(KERNELS)


def read_efficiency(path: Path) -> Efficiency:
    """The parameters of a calibration file.

    Raises:
        RecordError: The file cannot be read or is incomplete.
    """
    return parse_efficiency(read_toml(path), path)
