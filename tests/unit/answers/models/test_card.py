import pytest

from weir.answers.models.card import Agreement, model_card


@pytest.mark.parametrize("name", ["DeepSeek-R1", "Llama-3.1-8B", "gpt-oss-120b"])
def test_parts_add_up_and_documents_are_listed(catalog, name):
    card = model_card(catalog.model(name), catalog)
    assert card.total.computed > 0
    assert 0 < card.active.computed <= card.total.computed
    assert card.sources
    listed = {source.id for source in card.sources}
    assert {citation.partition("#")[0] for citation in card.model.sources} <= listed


def test_the_cache_of_deepseek_is_counted_in_bf16(catalog):
    model = catalog.model("DeepSeek-R1")
    card = model_card(model, catalog)
    (attention,) = model.attentions.values()
    width = attention.kv_lora_rank + attention.qk_rope_head_dim
    layers = sum(layer.count for layer in model.layers)
    assert card.kv_bytes_per_token_bf16.computed == 2 * width * layers


def test_nothing_published_means_no_difference():
    assert Agreement("total_parameters", 1e9, None).difference is None


def test_the_difference_is_relative_to_what_is_published(catalog):
    total = model_card(catalog.model("DeepSeek-R1"), catalog).total
    assert total.published is not None
    assert total.difference == pytest.approx(total.computed / total.published.number - 1)
