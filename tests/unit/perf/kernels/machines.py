"""Machines for the tests of the kernel model."""

from dataclasses import replace

from weir.perf.machine import Machine

H100 = Machine(
    name="H100",
    generation="hopper",
    dense_flop_per_s={"bf16": 989e12, "fp8": 1979e12},
    memory_capacity_bytes=80 * 2**30,
    memory_bandwidth_bytes_per_s=3.35e12,
    memory_type="HBM3",
    cores=132.0,
    boost_clock_hz=1.83e9,
    last_level_cache_bytes=50 * 2**20,
    shared_memory_per_core_bytes=228e3,
    tdp_w=700.0,
    scale_up_bytes_per_s_per_direction=450e9,
    scale_up_domain=8.0,
    scale_out_bytes_per_s_per_direction=50e9,
    pcie_bytes_per_s_per_direction=64e9,
)
# The same matrix units at a seventh of the rate, under half the power and more bandwidth.
H20 = replace(
    H100,
    name="H20",
    dense_flop_per_s={"bf16": 148e12, "fp8": 296e12},
    memory_bandwidth_bytes_per_s=4.0e12,
    cores=78.0,
    boost_clock_hz=1.98e9,
    tdp_w=400.0,
)
# Nothing but the two indispensable facts.
BARE = Machine(
    name="bare",
    generation="unheard-of",
    dense_flop_per_s={"bf16": 400e12},
    memory_capacity_bytes=64 * 2**30,
    memory_bandwidth_bytes_per_s=1.6e12,
)
# A chip without bulk copies, and one with the same matrix units and newer conversions.
L40S = Machine(
    name="L40S",
    generation="ada",
    dense_flop_per_s={"bf16": 362e12, "fp8": 733e12},
    memory_capacity_bytes=48 * 2**30,
    memory_bandwidth_bytes_per_s=864e9,
    memory_type="GDDR6",
    cores=142.0,
    boost_clock_hz=2.52e9,
    last_level_cache_bytes=96 * 2**20,
    tdp_w=350.0,
)
GEFORCE = replace(L40S, name="GeForce", generation="blackwell-geforce")
B200 = Machine(
    name="B200",
    generation="blackwell",
    dense_flop_per_s={"bf16": 2250e12, "fp8": 4500e12},
    memory_capacity_bytes=180e9,
    memory_bandwidth_bytes_per_s=8e12,
    memory_type="HBM3e",
    cores=148.0,
    boost_clock_hz=1.965e9,
    last_level_cache_bytes=126 * 2**20,
    tdp_w=1000.0,
)
