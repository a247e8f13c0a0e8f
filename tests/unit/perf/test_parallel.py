import pytest

from weir.catalog.query import Catalog
from weir.core.errors import LayoutError
from weir.perf.parallel import Layout, check_layout, layouts


@pytest.fixture(scope="module")
def catalog():
    return Catalog()


def test_chips_and_expert_width_follow_from_the_degrees():
    layout = Layout(tp=4, dp=8, pp=2, ep=16)
    assert layout.chips == 4 * 8 * 2
    assert layout.expert_group == 32
    assert layout.moe_tp == 2
    assert str(layout) == "tp4 pp2 dp8 ep16"


def test_context_parallel_chips_share_dense_layers():
    layout = Layout(tp=2, cp=4)
    assert layout.chips == 8
    assert layout.dense_tp == 8


@pytest.mark.parametrize("name", ["tp", "pp", "dp", "ep", "cp"])
def test_degrees_below_one_are_refused(name):
    with pytest.raises(LayoutError, match=f"{name}=0"):
        Layout(**{name: 0})


def test_experts_must_divide_the_chips_of_a_stage():
    with pytest.raises(LayoutError, match="ep=3 does not divide the 8 chips"):
        Layout(tp=8, ep=3)


@pytest.mark.parametrize(
    ("model", "layout", "message"),
    [
        ("Llama-3.1-8B", Layout(tp=3), "tp=3 does not divide the 32 attention heads"),
        ("Llama-3.1-8B", Layout(tp=2, ep=2), "has no experts"),
        ("Llama-3.1-8B", Layout(pp=64), "more than the 32 layers"),
        ("DeepSeek-R1", Layout(tp=4, cp=64), "tp x cp=256 does not divide the 128"),
        ("gpt-oss-120b", Layout(dp=3, ep=3), "ep=3 does not divide the 128 experts"),
    ],
)
def test_a_layout_that_does_not_divide_is_refused_with_what_would(catalog, model, layout, message):
    with pytest.raises(LayoutError, match=message):
        check_layout(catalog.model(model), layout)


def test_key_value_heads_may_be_copied_but_not_cut(catalog):
    qwen = catalog.model("Qwen3-30B-A3B")  # 32 heads, 4 key-value heads
    check_layout(qwen, Layout(tp=8))
    with pytest.raises(LayoutError):
        check_layout(qwen, Layout(tp=6))


def test_every_proposed_layout_is_legal_and_uses_all_chips(catalog):
    model = catalog.model("DeepSeek-R1")
    found = layouts(model, 16, scale_up_domain=8)
    assert len(found) == len(set(found)) > 5
    for layout in found:
        assert layout.chips == 16
        assert layout.tp <= 8
        check_layout(model, layout)


def test_a_dense_model_gets_no_expert_or_data_parallelism(catalog):
    found = layouts(catalog.model("Llama-3.1-70B"), 8, scale_up_domain=8)
    assert {(x.dp, x.ep) for x in found} == {(1, 1)}
    assert Layout(tp=8) in found
    assert Layout(tp=4, pp=2) in found
