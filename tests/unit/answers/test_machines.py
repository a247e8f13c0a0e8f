import math
from dataclasses import replace

import pytest

from weir.answers.machines import machine_of
from weir.core.errors import InputError


def test_a_published_rate_is_taken_as_it_is(catalog):
    found = machine_of(catalog.chip("H20"), catalog)
    assert found.machine.dense_flop_per_s["bf16"] == 148e12
    assert found.machine.rate_spread_log == 0.0


def test_of_bounds_the_middle_is_taken_and_the_span_is_told(catalog):
    chip = catalog.chip("MI308X")
    low, high = chip.bounds("dense_bf16")
    found = machine_of(chip, catalog)
    assert low < found.machine.dense_flop_per_s["bf16"] < high
    assert found.machine.dense_flop_per_s["bf16"] == pytest.approx(math.sqrt(low * high))
    assert found.machine.rate_spread_log == pytest.approx(math.log(high / low) / 2)
    assert any("bf16 242 to 344.1" in line for line in found.assumptions)


def test_half_a_bound_is_no_rate(catalog):
    chip = catalog.chip("H20")
    open_above = replace(chip.facts["dense_bf16"], value=None, low=148e12, high=math.inf)
    facts = {key: fact for key, fact in chip.facts.items() if key != "dense_fp16"}
    with pytest.raises(InputError, match="dense_bf16"):
        machine_of(replace(chip, facts=facts | {"dense_bf16": open_above}), catalog)
