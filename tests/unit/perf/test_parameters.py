"""Parameter and cache counts against hand arithmetic, the records' own totals and golden rows."""

import csv
from pathlib import Path

import numpy as np
import pytest

from weir.answers.audit import COUNTED, agrees
from weir.catalog.architecture import Attention, FeedForward, Layers, Shape
from weir.catalog.entities import Model
from weir.catalog.query import Catalog
from weir.core.provenance import Fact, Status
from weir.core.units import GIBI, GIGA, KILO, MEBI, MEGA
from weir.perf.parameters import (
    active_as_published,
    active_feed_forward_parameters,
    active_parameters,
    attention_parameters,
    draft_parameters,
    embedding_parameters,
    feed_forward_parameters,
    kv_cache_bytes,
    kv_cache_bytes_per_token,
    output_head_parameters,
    parameter_groups,
    state_bytes,
    state_elements,
    total_as_published,
    total_parameters,
)

STOCK = Catalog()
MODELS = STOCK.models.all()
GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "models.csv"
SCALE = {"count": 1, "billion": GIGA, "million": MEGA, "kB": KILO, "GiB": GIBI, "MiB": MEBI}


def with_published(key: str) -> list:
    return [pytest.param(m, id=m.id) for m in MODELS if key in m.published]


def agrees_as_published(model: Model, key: str) -> None:
    fact, counted = model.published[key], COUNTED[key]
    computed = counted.count(model)
    assert agrees(computed, fact, counted.share, counted.steps), (
        f"{computed / GIGA:.3f} billion, {fact.printed}"
    )


@pytest.mark.parametrize(
    ("computed", "does"), [(46.9, False), (47.0, True), (47.9, True), (48.1, False)]
)
def test_a_figure_printed_without_its_fraction_is_bounded(computed: float, does: bool) -> None:
    cut = Fact(
        "active_parameters",
        47 * GIGA,
        "count",
        "47 billion",
        Status.STATED,
        low=47 * GIGA,
        high=48 * GIGA,
    )
    assert agrees(computed * GIGA, cut, share=0.005, steps=0.5) is does


@pytest.mark.parametrize("model", with_published("total_parameters"))
def test_total_agrees_with_the_published_one(model: Model) -> None:
    agrees_as_published(model, "total_parameters")


@pytest.mark.parametrize("model", with_published("active_parameters"))
def test_active_agrees_with_the_published_one(model: Model) -> None:
    agrees_as_published(model, "active_parameters")


@pytest.mark.parametrize("model", with_published("kv_bytes_per_token"))
def test_cache_per_token_agrees_with_the_published_one(model: Model) -> None:
    fact = model.published["kv_bytes_per_token"]
    assert float(kv_cache_bytes_per_token(model)) == pytest.approx(fact.number, rel=1e-9)


def test_almost_every_model_has_a_total_to_agree_with() -> None:
    without = [model.id for model in MODELS if "total_parameters" not in model.published]
    assert len(without) < len(MODELS) / 20, without


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.id)
def test_groups_sum_to_the_total_and_active_is_a_part(model: Model) -> None:
    groups = parameter_groups(model)
    assert groups.total == total_parameters(model)
    assert 0 < active_parameters(model, "no_embeddings") <= active_parameters(model)
    assert active_parameters(model) <= total_parameters(model)
    has_experts = any(block.experts for block in model.feed_forwards.values())
    assert (active_parameters(model) < total_parameters(model)) == has_experts


def golden_quantity(model: Model, row: dict[str, str]) -> float:
    width = float(row["bytes_per_element"] or "nan")
    context = float(row["context_tokens"] or "nan")
    shape = model.shape
    embeddings = embedding_parameters(shape) + output_head_parameters(shape)
    unwindowed = sum(
        layer.count * (attention.head_dim * 2) * attention.kv_heads
        for layer in model.layers
        for attention in [model.attentions[layer.attention]]
    )
    quantities = {
        "kv_bytes_per_token": lambda: float(kv_cache_bytes_per_token(model, width)),
        "kv_cache_bytes": lambda: float(kv_cache_bytes(model, context, width)),
        "kv_cache_bytes_unwindowed": lambda: unwindowed * context * width,
        "state_bytes": lambda: float(state_bytes(model, width, width)),
        "total_parameters": lambda: total_as_published(model),
        "active_parameters": lambda: active_as_published(model),
        "draft_parameters": lambda: draft_parameters(model),
        "embedding_parameters": lambda: embedding_parameters(shape),
        "non_embedding_parameters": lambda: total_parameters(model) - embeddings,
    }
    return quantities[row["quantity"]]()


with GOLDEN.open(encoding="utf-8", newline="") as stream:
    GOLDEN_ROWS = list(csv.DictReader(stream))


@pytest.mark.parametrize("row", GOLDEN_ROWS, ids=lambda r: f"{r['model']}-{r['quantity']}")
def test_golden(row: dict[str, str]) -> None:
    scale = SCALE[row["unit"]]
    counted = golden_quantity(STOCK.model(row["model"]), row) / scale
    assert abs(counted - float(row["value"])) <= float(row["tolerance"]), counted


def tiny(attention: Attention, block: FeedForward, **shape: object) -> Model:
    base = {"hidden": 8, "vocabulary": 10, **shape}
    return Model(
        id="tiny",
        name="Tiny",
        organisation="test",
        aliases=(),
        sources=(),
        status=MODELS[0].status,
        shape=Shape(**base),
        attentions={"a": attention},
        feed_forwards={"f": block},
        layers=(Layers(count=3, attention="a", feed_forward="f"),),
        published={},
        origin="test",
    )


GQA = Attention(kind="gqa", heads=4, kv_heads=2, head_dim=3)
DENSE = FeedForward(kind="gated", intermediate=5)


@pytest.mark.parametrize(
    ("attention", "expected"),
    [
        # q 8·12, k and v 8·6 each, o 12·8
        (GQA, 96 + 48 + 48 + 96),
        # biases of q, k, v: 12 + 6 + 6; of o: 8; two norms of 3; four sinks
        (
            Attention(
                kind="gqa",
                heads=4,
                kv_heads=2,
                head_dim=3,
                bias=True,
                output_bias=True,
                qk_norm="per_head",
                sinks=True,
            ),
            288 + 24 + 8 + 6 + 4,
        ),
        # norms as wide as the projections: 12 + 6
        (Attention(kind="gqa", heads=4, kv_heads=2, head_dim=3, qk_norm="full"), 288 + 18),
        # gate: another 8·12; values of 5: v 8·10, o 20·8
        (
            Attention(
                kind="gqa", heads=4, kv_heads=2, head_dim=3, value_head_dim=5, output_gate=True
            ),
            192 + 48 + 80 + 160,
        ),
        (Attention(kind="gqa", heads=4, kv_heads=2, head_dim=3, shares_cache=True), 192),
        (Attention(kind="gqa", heads=4, kv_heads=2, head_dim=3, value_is_key=True), 240),
        # latent: q 8·4 + 4 + 4·(2·5); kv 8·(6 + 2) + 6; expand 6·2·(3 + 4); o 2·4·8
        (
            Attention(
                kind="mla",
                heads=2,
                value_head_dim=4,
                q_lora_rank=4,
                kv_lora_rank=6,
                qk_nope_head_dim=3,
                qk_rope_head_dim=2,
            ),
            76 + 70 + 84 + 64,
        ),
        # the same with a plain query (8·10) and an indexer on the hidden state:
        # 8·3·2 queries, 8·2 + 2·2 keys, 8·3 weights
        (
            Attention(
                kind="mla",
                heads=2,
                value_head_dim=4,
                kv_lora_rank=6,
                qk_nope_head_dim=3,
                qk_rope_head_dim=2,
                sparse_top_k=7,
                indexer_heads=3,
                indexer_head_dim=2,
            ),
            80 + 70 + 84 + 64 + 48 + 20 + 24,
        ),
        # keys 2·2, values 4·3: q, k, v 8·20, o 12·8, convolution 20·4, gate 8·12,
        # decay and step 2·(8 + 1)·4, norm 3
        (
            Attention(
                kind="linear",
                key_heads=2,
                key_head_dim=2,
                value_heads=4,
                value_head_dim=3,
                conv_kernel=4,
            ),
            160 + 96 + 80 + 96 + 72 + 3,
        ),
        # all three 4 wide: q, k, v 8·12, o 4·8, convolution 12·4, decay 8·2 + 2·4 + 4 + 2,
        # gate 8·2 + 2·4, step 8·2, norm 2
        (
            Attention(
                kind="linear",
                variant="kimi_delta",
                key_heads=2,
                key_head_dim=2,
                value_heads=2,
                value_head_dim=2,
                conv_kernel=4,
                gate_rank=2,
            ),
            96 + 32 + 48 + 30 + 24 + 16 + 2,
        ),
        # q, k, v 8·12, o 4·8, gate 8·4, norm 4
        (
            Attention(
                kind="linear",
                variant="lightning",
                key_heads=2,
                key_head_dim=2,
                value_heads=2,
                value_head_dim=2,
            ),
            96 + 32 + 32 + 4,
        ),
        # inner 6, matrices 2·1·5: in 8·(12 + 10 + 3), convolution 16·5, 3 a head, norm 6, out 48
        (
            Attention(
                kind="mamba2",
                value_heads=3,
                value_head_dim=2,
                conv_kernel=4,
                state_size=5,
                groups=1,
            ),
            200 + 80 + 9 + 6 + 48,
        ),
        (Attention(kind="none", extra_parameters=11), 11),
    ],
)
def test_attention_by_hand(attention: Attention, expected: int) -> None:
    assert attention_parameters(attention, 8) == expected


def test_feed_forward_by_hand() -> None:
    assert feed_forward_parameters(DENSE, 8) == 3 * 8 * 5
    assert feed_forward_parameters(FeedForward(kind="plain", intermediate=5, bias=True), 8) == 93
    assert feed_forward_parameters(FeedForward(kind="none"), 8) == 0


def test_mixture_of_experts_by_hand() -> None:
    block = FeedForward(
        kind="gated",
        experts=4,
        experts_per_token=2,
        expert_intermediate=5,
        shared_experts=1,
        shared_intermediate=6,
        shared_gate=True,
        router_bias=True,
    )
    router, shared, expert = 8 * 4 + 4, 3 * 8 * 6 + 8, 3 * 8 * 5
    assert feed_forward_parameters(block, 8) == router + shared + 4 * expert
    assert active_feed_forward_parameters(block, 8) == router + shared + 2 * expert


def test_latent_experts_work_at_their_own_width() -> None:
    block = FeedForward(
        kind="plain", experts=4, experts_per_token=1, expert_intermediate=5, latent=2
    )
    # one expert 2·2·5, router 8·4, projections 8·2 down and 2·8 up
    assert feed_forward_parameters(block, 8) == 4 * 20 + 32 + 32


def test_whole_model_by_hand() -> None:
    model = tiny(GQA, DENSE)
    # embedding and head 80 each; layers 3·(288 + 120 + 2·8); final norm 8
    assert total_parameters(model) == 160 + 3 * 424 + 8
    tied = tiny(GQA, DENSE, tied_embeddings=True, positions=4, norm="layer", final_norms=2)
    assert total_parameters(tied) == 80 + 32 + 3 * (408 + 32) + 32


def test_publisher_conventions() -> None:
    block = FeedForward(kind="gated", experts=4, experts_per_token=2, expert_intermediate=5)
    plain = tiny(GQA, block)
    draft = tiny(GQA, block, draft_layers=1, total_counts="with_draft", vision_parameters=7)
    # one more layer, a 16·8 projection, three more norms
    one_layer = attention_parameters(GQA, 8) + feed_forward_parameters(block, 8) + 16
    assert draft_parameters(draft) == one_layer + 128 + 24
    assert total_as_published(draft) == total_parameters(plain) + draft_parameters(draft) + 7
    bare = tiny(GQA, block, total_counts="no_embeddings", active_counts="no_input_embedding")
    assert total_as_published(bare) == total_parameters(plain) - 160
    assert active_as_published(bare) == active_parameters(plain) - 80


def test_a_tied_matrix_is_not_left_out_as_input_embedding() -> None:
    model = tiny(GQA, DENSE, tied_embeddings=True)
    assert active_parameters(model, "no_input_embedding") == active_parameters(model)
    assert active_parameters(model, "no_embeddings") == active_parameters(model) - 80


def test_window_caps_the_cache_and_arrays_broadcast() -> None:
    full, windowed = tiny(GQA, DENSE), tiny(Attention("gqa", 4, 2, 3, window=16), DENSE)
    per_token = 3 * 2 * 6 * 2
    contexts = np.array([1, 16, 17, 1000])
    assert kv_cache_bytes(full, contexts).tolist() == [per_token * c for c in contexts]
    assert kv_cache_bytes(windowed, contexts).tolist() == [per_token * min(c, 16) for c in contexts]
    table = kv_cache_bytes(full, contexts[:, None], np.array([1.0, 2.0]))
    assert table.shape == (4, 2)
    assert table[:, 1].tolist() == (2 * table[:, 0]).tolist()


def test_indexer_keys_are_cached_at_their_own_width() -> None:
    model = STOCK.model("deepseek-v3.2")
    base = STOCK.model("deepseek-v3")
    extra = kv_cache_bytes(model, 1.0, 2.0, 1.0) - kv_cache_bytes(base, 1.0)
    assert extra == 61 * 128


def test_states_do_not_grow() -> None:
    linear = Attention(
        "linear", key_heads=2, key_head_dim=2, value_heads=4, value_head_dim=3, conv_kernel=4
    )
    assert state_elements(linear) == (4 * 3 * 2, 3 * (4 + 4 + 12))
    model = tiny(linear, DENSE)
    assert kv_cache_bytes(model, 1e6) == 0
    assert state_bytes(model) == 3 * (24 * 4 + 60 * 2)
    mamba = Attention(
        "mamba2", value_heads=3, value_head_dim=2, conv_kernel=4, state_size=5, groups=1
    )
    assert state_elements(mamba) == (6 * 5, 3 * (6 + 10))
    assert state_elements(GQA) == (0, 0)
