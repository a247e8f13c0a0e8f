"""Chips that several tests use."""

from weir.core.units import GIGA, TERA
from weir.rules.inputs import ChipInputs


def circuit(
    name="circuit",
    *,
    fp8=296.0,
    area=(814.0, 814.0),
    memory=4000.0,
    io=1028.0,
    market="yes",
    designer="NVIDIA",
    sold="yes",
):
    low, high = fp8 if isinstance(fp8, tuple) else (fp8, fp8)
    return ChipInputs(
        id=name,
        name=name,
        designer=designer,
        rates_flop_per_s={"fp8": (low * TERA, high * TERA)},
        area_mm2=area,
        memory_bytes_per_s=(memory * GIGA, memory * GIGA),
        io_bytes_per_s=(io * GIGA, io * GIGA),
        facts={"datacentre": market, "commercially_available_us": sold},
    )
