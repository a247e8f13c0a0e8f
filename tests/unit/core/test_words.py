import pytest

from weir.core.words import counted


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 chips"), (1, "1 chip"), (1.0, "1 chip"), (2048, "2,048 chips")]
)
def test_one_thing_is_not_many(count, told):
    assert counted(count, "chip") == told
