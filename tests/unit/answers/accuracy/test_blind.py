from weir.answers.accuracy import blind
from weir.answers.accuracy.blind import CHIPS, FRAMEWORKS, USERS, predict_blind

MODELS = ("Qwen3-32B",)


def test_every_chip_is_predicted_for_every_model_or_says_why_not(catalog, monkeypatch):
    monkeypatch.setattr(blind, "MODELS", MODELS)
    answer = predict_blind(catalog)
    for chip in CHIPS:
        name = catalog.chip(chip).name
        for model in MODELS:
            mine = [
                item
                for item in answer.predictions
                if item.chip == name and item.model == catalog.model(model).name
            ]
            assert len(mine) == len(FRAMEWORKS) * len(USERS)
            assert len({item.estimate.layout for item in mine}) == 1
            for item in mine:
                for value in (item.estimate.ttft_s, item.estimate.tpot_s):
                    assert 0 < value.low < value.value < value.high
