from weir.answers.models.card import model_card
from weir.report.document import Table, numbered_notes, walk
from weir.report.model_card import model_document, model_list_document


def tables(document):
    return {block.caption: block for block in walk(document) if isinstance(block, Table)}


def test_counted_and_published_stand_beside_each_other(catalog):
    document = model_document(model_card(catalog.model("DeepSeek-R1"), catalog))
    table = tables(document)["Counted from the architecture, beside what is published"]
    rows = {row[0].text: row for row in table.full_rows}
    assert rows["KV cache per token, bf16"][1].text == "70.272 kB"
    total = rows["Total parameters"]
    assert total[2].cites
    assert total[3].text.endswith("%")


def test_parts_that_a_model_lacks_are_left_out(catalog):
    dense = tables(model_document(model_card(catalog.model("Llama-3.1-8B"), catalog)))
    sparse = tables(model_document(model_card(catalog.model("DeepSeek-R1"), catalog)))
    name = "Parameters by what they do"
    assert "routed experts" not in {row[0].text for row in dense[name].full_rows}
    assert "routed experts" in {row[0].text for row in sparse[name].full_rows}
    assert all(float(row[1].text.replace(",", "")) > 0 for row in sparse[name].full_rows)


def test_every_model_has_a_page_and_a_row(catalog):
    cards = [model_card(model, catalog) for model in catalog.models.all()]
    for card in cards:
        assert all(note.source is not None for note in numbered_notes(model_document(card)))
    (table,) = tables(model_list_document(cards, "2026-01-01")).values()
    assert [row[0].text for row in table.full_rows] == [card.model.id for card in cards]
