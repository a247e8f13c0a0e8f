"""The calibration file as text: TOML with one value a line, rounded so that reruns agree."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Final

from weir.catalog.calibration import Efficiency

_HEADER: Final = """\
# Learned parameters of the kernel model, written by `weir calibrate`; do not edit.
# SI units; every parameter is declared with its meaning, unit and bounds in weir/perf/kernels.
"""


def to_toml(efficiency: Efficiency) -> str:
    """The calibration file of some parameters."""
    lines = [_HEADER]
    lines += _table("kin", efficiency.kin)
    for generation in sorted(efficiency.kin_kernels):
        lines += _table(f"kin_kernels.{generation}", efficiency.kin_kernels[generation])
    lines += _table("kin_energy", efficiency.kin_energy)
    lines += _table("kin_conversion", efficiency.kin_conversion)
    for kernel, starters in efficiency.kin_launch.items():
        lines += _table(f"kin_launch.{kernel}", starters)
    lines += _names("reference", efficiency.reference)
    lines += _table("kin_interval_log", efficiency.kin_interval_log)
    lines += _table("assumed", asdict(efficiency.assumed))
    for kernel, table in efficiency.tables.items():
        lines += _table(f"{kernel}.shared", table.shared)
        lines += _ranges(f"{kernel}.seen", table.seen)
        for name in sorted(table.generation):
            lines += _table(f"{kernel}.generation.{name}", table.generation[name])
        for name in sorted(table.dtype):
            lines += _table(f'{kernel}.dtype."{name}"', table.dtype[name])
    return "\n".join(lines)


def _table(name: str, values: Mapping[str, float] | Mapping[str, str]) -> Iterator[str]:
    yield f"[{name}]"
    for key in sorted(values):
        value = values[key]
        yield f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {_number(value)}"
    yield ""


def _names(name: str, lists: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield f"[{name}]"
    for key in sorted(lists):
        quoted = ", ".join(f'"{item}"' for item in lists[key])
        yield f"{key} = [{quoted}]"
    yield ""


def _ranges(name: str, ranges: Mapping[str, Sequence[float]]) -> Iterator[str]:
    if not ranges:
        return
    yield f"[{name}]"
    for key in sorted(ranges):
        yield f"{key} = [{', '.join(_number(bound) for bound in ranges[key])}]"
    yield ""


def _number(value: float) -> str:
    """Four digits: far below what the fits determine."""
    text = f"{value:.4g}"
    return text if any(mark in text for mark in ".en") else f"{text}.0"
