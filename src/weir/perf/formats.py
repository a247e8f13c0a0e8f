"""Number formats: what they weigh in memory, which rate they run at, and what stands in for them.

A model is published in one format; a chip may have no arithmetic for it. `choose_precision` makes
the substitution explicit: it returns the formats that will be used and a sentence for every
departure from the published ones.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from weir.core.errors import InputError, MissingRateError
from weir.core.units import BITS_PER_BYTE


@dataclass(frozen=True, slots=True)
class Format:
    """A number format of weights.

    Attributes:
        bits: Bits of one element.
        scale_bits: Bits of one shared scale; 0 without one.
        block: Elements that share a scale.
        rate: The arithmetic its matrix products run in, a key of a chip's dense rates.
        kernel: The kernel family that multiplies it.
    """

    bits: int
    scale_bits: int
    block: int
    rate: str
    kernel: str

    @property
    def bytes_per_element(self) -> float:
        """Memory of one element with its share of the scale."""
        return (self.bits + self.scale_bits / self.block) / BITS_PER_BYTE


# Block sizes are part of the formats' definitions: 128 x 128 with an FP32 scale in DeepSeek-V3
# (arXiv:2412.19437, 3.3.2), 32 with an E8M0 scale in MXFP4 (OCP MX v1.0), 16 with an E4M3 scale in
# NVFP4, 128 with an FP16 scale and zero in the usual INT4 weight-only checkpoints.
FORMATS: Final = {
    "bf16": Format(16, 0, 1, "bf16", "bf16"),
    "fp16": Format(16, 0, 1, "fp16", "bf16"),
    "fp8": Format(8, 0, 1, "fp8", "fp8"),
    "fp8_block": Format(8, 32, 128 * 128, "fp8", "fp8_block"),
    "int8": Format(8, 0, 1, "int8", "int8"),
    "int8_wo": Format(8, 0, 1, "bf16", "int8_wo"),
    "int4_wo": Format(4, 32, 128, "bf16", "int4_wo"),
    "nvfp4": Format(4, 8, 16, "fp4", "nvfp4"),
    "mxfp4": Format(4, 8, 32, "fp4", "mxfp4"),
    "mxfp4_wo": Format(4, 8, 32, "bf16", "mxfp4_wo"),
    "nvfp4_wo": Format(4, 8, 16, "bf16", "nvfp4_wo"),
}
CACHE_FORMATS: Final = ("bf16", "fp16", "fp8", "int8")
_SIXTEEN_BIT: Final = ("bf16", "fp16")
# What a published format is on disk: the FP8 checkpoints of DeepSeek and Qwen are block-scaled.
_PUBLISHED: Final = {
    "bf16": "bf16",
    "fp16": "fp16",
    "fp32": "bf16",
    "fp8": "fp8_block",
    "fp4": "mxfp4",
    "int4": "int4_wo",
    "int8": "int8",
}
_ASKED: Final = {"fp4": "nvfp4", "int4": "int4_wo", "fp32": "bf16"}


@dataclass(frozen=True, slots=True)
class Precision:
    """The formats a deployment uses; each a key of `FORMATS`.

    Attributes:
        weights: Projections, dense feed-forward and shared experts.
        experts: Routed experts.
        kv_cache: Keys, values and latents.
        collectives: What travels in all-reduce and combine.
        base: The 16-bit format of embeddings, norms, router and activations.
    """

    weights: str
    experts: str
    kv_cache: str
    collectives: str = "bf16"
    base: str = "bf16"


def bytes_of(name: str) -> float:
    """Bytes of one element in a format.

    Raises:
        InputError: The format is unknown.
    """
    if name not in FORMATS:
        raise InputError(f"unknown number format '{name}'; known: {', '.join(FORMATS)}")
    return FORMATS[name].bytes_per_element


def choose_precision(
    weight_format: str,
    expert_format: str | None,
    rates: Collection[str],
    *,
    weights: str | None = None,
    kv_cache: str | None = None,
    chip: str = "the chip",
) -> tuple[Precision, tuple[str, ...]]:
    """The formats that a chip can run a model in, and what had to give way.

    Args:
        weight_format: The format the model is published in.
        expert_format: The published format of routed experts where it differs.
        rates: Number formats the chip has a dense rate for.
        weights: A format the user insists on, for all weights.
        kv_cache: A format the user insists on for the cache; 16-bit otherwise.
        chip: Name for messages.

    Returns:
        The precision and one sentence for each departure from the published formats.

    Raises:
        MissingRateError: The chip has no 16-bit matrix rate, or not that of a format asked for.
        InputError: A format that does not exist.
    """
    base = next((name for name in _SIXTEEN_BIT if name in rates), None)
    if base is None:
        raise MissingRateError(
            f"{chip} has no published dense bf16 or fp16 rate, which every model needs for its"
            " attention; add the rate with its source to the chip's record"
        )
    notes: list[str] = []
    if base != "bf16":
        notes.append(f"{chip} has no published bf16 rate; fp16 stands in for it.")
    if weights is not None:
        chosen = _asked(weights, rates, chip)
        experts = chosen
    else:
        chosen = _published(weight_format, rates, base, chip, "weights", notes)
        experts = chosen
        if expert_format is not None and expert_format != weight_format:
            experts = _published(expert_format, rates, base, chip, "routed experts", notes)
    cache = kv_cache or base
    if cache not in CACHE_FORMATS:
        raise InputError(f"unknown cache format '{cache}'; known: {', '.join(CACHE_FORMATS)}")
    return Precision(chosen, experts, cache, base, base), tuple(notes)


def _asked(name: str, rates: Collection[str], chip: str) -> str:
    name = _ASKED.get(name, name)
    if name not in FORMATS:
        known = ", ".join((*FORMATS, *_ASKED))
        raise InputError(f"unknown number format '{name}'; known: {known}")
    need = FORMATS[name].rate
    if need not in rates and not (need in _SIXTEEN_BIT and set(_SIXTEEN_BIT) & set(rates)):
        have = ", ".join(sorted(rates)) or "none"
        raise MissingRateError(
            f"{chip} has no published dense {need} rate, which {name} weights need; it has: {have}."
            " Choose a weight-only format or one of these"
        )
    return name


def _published(
    published: str, rates: Collection[str], base: str, chip: str, what: str, notes: list[str]
) -> str:
    name = _PUBLISHED[published]
    if name in _SIXTEEN_BIT:
        return base
    if FORMATS[name].rate in rates or FORMATS[name].rate in _SIXTEEN_BIT:
        return name
    if name == "fp8_block":
        if "int8" in rates:
            notes.append(
                f"{chip} has no fp8 arithmetic: {what} published in fp8 run as int8 with int8"
                " activations (W8A8), the same size in memory; accuracy is not judged."
            )
            return "int8"
        notes.append(
            f"{chip} has neither fp8 nor int8 arithmetic: {what} published in fp8 are converted to"
            f" {base}, twice the memory."
        )
        return base
    if name == "int8":
        notes.append(f"{chip} has no int8 arithmetic: int8 {what} multiply in {base}.")
        return "int8_wo"
    notes.append(
        f"{chip} has no fp4 arithmetic: {what} stay 4-bit in memory and multiply in {base}."
    )
    return f"{name}_wo"
