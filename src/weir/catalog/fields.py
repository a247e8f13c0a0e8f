"""The facts a chip and a system can have: the one table that schema, columns and pages share."""

from dataclasses import dataclass
from typing import Final

_SUFFIX: Final = {"text": "", "flag": "", "date": "", "count": "", "tpp_per_mm2": "", "tpp": ""}


@dataclass(frozen=True, slots=True)
class Field:
    """One kind of fact.

    Attributes:
        key: The key in the data files.
        dimension: What the number measures, or "text", "flag", "date".
        group: The heading it stands under on a datasheet.
        label: What people read.
        about: What it means, and what it does not.
        choices: The allowed words of a text fact; empty for any text.
    """

    key: str
    dimension: str
    group: str
    label: str
    about: str = ""
    choices: tuple[str, ...] = ()

    @property
    def display(self) -> str:
        """The dimension to write a number for people in: integer rates are no FLOP/s."""
        return "op_per_s" if self.key.startswith("dense_int") else self.dimension

    @property
    def column(self) -> str:
        """The name inside Weir: the key with its SI unit."""
        suffix = _SUFFIX.get(self.dimension, f"_{self.dimension}")
        return f"{self.key}{suffix}"


DTYPES: Final = ("fp64", "fp32", "tf32", "bf16", "fp16", "fp8", "int8", "fp6", "fp4", "int4")
YES_NO_CONTESTED: Final = ("yes", "no", "contested")


def _rate(dtype: str, about: str) -> Field:
    return Field(f"dense_{dtype}", "flop_per_s", "Dense rates", f"{dtype.upper()} dense", about)


_RATES = (
    _rate("fp64", "Matrix rate where the chip has one, otherwise vector."),
    _rate("fp32", "Vector rate; the matrix rate where it is higher."),
    _rate("tf32", "19-bit inputs, FP32 accumulation."),
    _rate("bf16", "FP32 accumulation."),
    _rate("fp16", "The highest rate the vendor claims; on GeForce with FP16 accumulation."),
    _rate("fp8", "The highest rate the vendor claims."),
    _rate("int8", "INT32 accumulation."),
    _rate("fp6", ""),
    _rate("fp4", "NVFP4 or MXFP4."),
    _rate("int4", ""),
)

CHIP_FIELDS: Final = {
    field.key: field
    for field in (
        Field("designer_country", "text", "Identity", "Designer's country", "ISO 3166 code."),
        Field("architecture", "text", "Identity", "Architecture"),
        Field("form_factor", "text", "Identity", "Form factor"),
        Field(
            "availability",
            "text",
            "Identity",
            "Status",
            "Whether the part could be bought.",
            ("shipped", "announced", "cancelled", "rumoured", "paper"),
        ),
        Field("launched", "date", "Identity", "Launch", "Day of announcement or first sale."),
        Field(
            "marketed_for_datacentre",
            "text",
            "Identity",
            "Marketed for data centres",
            "Designed or marketed for use in datacenters, in the sense of ECCN 3A090.",
            YES_NO_CONTESTED,
        ),
        Field(
            "commercially_available_us",
            "text",
            "Identity",
            "Sold in the U.S.",
            "Commercially available in the United States.",
            YES_NO_CONTESTED,
        ),
        Field("foundry", "text", "Identity", "Foundry"),
        Field("process_node", "text", "Identity", "Process"),
        Field("non_planar_node", "flag", "Identity", "Non-planar transistors"),
        *_RATES,
        Field("memory_capacity", "bytes", "Memory", "Capacity"),
        Field("memory_type", "text", "Memory", "Type"),
        Field("is_hbm", "flag", "Memory", "High-bandwidth memory"),
        Field(
            "memory_stacks",
            "count",
            "Memory",
            "Stacks",
            "HBM stacks in the package; what the check of capacity and bandwidth divides by.",
        ),
        Field("memory_bandwidth", "bytes_per_s", "Memory", "Bandwidth"),
        Field("scale_up_link", "text", "Links", "Scale-up link"),
        Field(
            "scale_up_bidirectional",
            "bytes_per_s",
            "Links",
            "Scale-up, bidirectional",
            "All links to other chips of the scale-up domain, both directions added.",
        ),
        Field(
            "scale_up_per_direction",
            "bytes_per_s",
            "Links",
            "Scale-up, per direction",
            "The same, one direction.",
        ),
        Field("scale_up_domain", "count", "Links", "Scale-up domain", "Chips of the usual node."),
        Field("pcie_generation", "count", "Links", "PCIe generation"),
        Field("pcie_lanes", "count", "Links", "PCIe lanes"),
        Field("pcie_bidirectional", "bytes_per_s", "Links", "PCIe, bidirectional"),
        Field(
            "io_total_bidirectional",
            "bytes_per_s",
            "Links",
            "All I/O, bidirectional",
            "Links and PCIe, both directions, without volatile memory.",
        ),
        Field(
            "scale_out_per_direction",
            "bytes_per_s",
            "Links",
            "Network per chip, per direction",
            "The NIC share of one chip in the reference node: a property of the system.",
        ),
        Field("transistors", "count", "Die", "Transistors"),
        Field("logic_dies", "count", "Die", "Logic dies"),
        Field("die_area_compute", "mm2", "Die", "Compute die area"),
        Field(
            "die_area_applicable",
            "mm2",
            "Die",
            "Applicable die area",
            "All logic dies on a non-planar node; what performance density divides by.",
        ),
        Field("cores", "count", "Compute", "Cores", "SMs, CUs, or what the vendor counts."),
        Field("core_type", "text", "Compute", "Core type"),
        Field("boost_clock", "hz", "Compute", "Boost clock"),
        Field("last_level_cache", "bytes", "Compute", "Last-level cache"),
        Field("shared_memory_per_core", "bytes", "Compute", "Shared memory per core"),
        Field("sram_total", "bytes", "Compute", "On-chip SRAM, total"),
        Field("tdp", "w", "Power", "Thermal design power"),
        Field("published_tpp", "tpp", "Published metrics", "TPP as published"),
        Field(
            "published_performance_density",
            "tpp_per_mm2",
            "Published metrics",
            "Performance density as published",
        ),
    )
}

SYSTEM_FIELDS: Final = {
    field.key: field
    for field in (
        Field("chips_per_node", "count", "System", "Chips per node"),
        Field("scale_up_domain", "count", "System", "Scale-up domain", "Chips that share links."),
        Field("scale_up_topology", "text", "System", "Scale-up topology"),
        Field(
            "scale_up_per_direction", "bytes_per_s", "System", "Scale-up per chip, per direction"
        ),
        Field("nics_per_node", "count", "System", "NICs per node"),
        Field("nic_per_direction", "bytes_per_s", "System", "One NIC, per direction"),
        Field("host", "text", "System", "Host"),
        Field("power", "w", "System", "Power of the node"),
    )
}

PUBLISHED_FIELDS: Final = {
    field.key: field
    for field in (
        Field("total_parameters", "count", "Published", "Total parameters"),
        Field("active_parameters", "count", "Published", "Active parameters per token"),
        Field("kv_bytes_per_token", "bytes", "Published", "KV cache per token"),
    )
}

DTYPE_BITS: Final = {
    "fp64": 64,
    "fp32": 32,
    "tf32": 19,
    "bf16": 16,
    "fp16": 16,
    "fp8": 8,
    "int8": 8,
    "fp6": 6,
    "fp4": 4,
    "int4": 4,
}
