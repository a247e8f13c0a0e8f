"""Number formats as kernels see them: bytes of each operand and the arithmetic they run in."""

from dataclasses import dataclass
from typing import Final

from weir.core.errors import UnknownNameError

BF16_BYTES: Final = 2.0


@dataclass(frozen=True, slots=True)
class KernelFormat:
    """A kernel family of matrix products.

    Attributes:
        rate: Key of the chip's dense rates.
        weight_bytes: One weight with its share of scales.
        activation_bytes: One activation as the kernel reads it.
        quantises: The call first converts 16-bit activations, in a kernel of its own.
    """

    rate: str
    weight_bytes: float
    activation_bytes: float
    quantises: bool = False


# Scales: one FP32 per 128 x 128 weights (fp8_block), FP16 scale and zero per 128 (int4_wo), one
# byte per 16 (nvfp4) or 32 (mxfp4); the same definitions as `weir.perf.formats`.
KERNEL_FORMATS: Final = {
    "bf16": KernelFormat("bf16", 2.0, 2.0),
    "fp8": KernelFormat("fp8", 1.0, 1.0, quantises=True),
    "fp8_block": KernelFormat("fp8", 1.0 + 4.0 / 16384.0, 1.0 + 4.0 / 128.0, quantises=True),
    "int8": KernelFormat("int8", 1.0, 1.0, quantises=True),
    "int8_wo": KernelFormat("bf16", 1.0, 2.0),
    "int4_wo": KernelFormat("bf16", 0.5 + 4.0 / 128.0, 2.0),
    "nvfp4": KernelFormat("fp4", 0.5 + 1.0 / 16.0, 0.5 + 1.0 / 16.0, quantises=True),
    # The other NVFP4 kernel of routed experts, made for few tokens.
    "nvfp4_latency": KernelFormat("fp4", 0.5 + 1.0 / 16.0, 0.5 + 1.0 / 16.0, quantises=True),
    # MXFP4 weights meet MXFP8 activations, so the product runs at the 8-bit rate.
    "mxfp4": KernelFormat("fp8", 0.5 + 1.0 / 32.0, 1.0 + 1.0 / 32.0, quantises=True),
    "nvfp4_wo": KernelFormat("bf16", 0.5 + 1.0 / 16.0, 2.0),
    "mxfp4_wo": KernelFormat("bf16", 0.5 + 1.0 / 32.0, 2.0),
}

CACHE_BYTES: Final = {"bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "int8": 1.0}


def kernel_format(dtype: str) -> KernelFormat:
    """The kernel family of a format.

    Raises:
        UnknownNameError: No such family.
    """
    found = KERNEL_FORMATS.get(dtype)
    if found is None:
        raise UnknownNameError("number format", dtype, KERNEL_FORMATS)
    return found


def cache_bytes(kv_dtype: str) -> float:
    """Bytes of one cached key or value element.

    Raises:
        UnknownNameError: No such cache format.
    """
    found = CACHE_BYTES.get(kv_dtype)
    if found is None:
        raise UnknownNameError("cache format", kv_dtype, CACHE_BYTES)
    return found
