"""The study of the loss's terms, run small: arms of every kind are trained and scored."""

import json

import pandas as pd
import pytest
import yaml

from runs import TINY, succeed

ARMS = ("mse", "full_wrong_prior", "within_class_r_every_room")


@pytest.mark.slow
def test_arms_are_trained_and_scored(tmp_path):
    config = yaml.safe_load(TINY.read_text())
    config["ablation"] = {"bank_images": 3, "heldout_images": 3, "cost_steps": 1}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    targets = [f"results/ablation/scores/heldout/cold/{arm}/0.json" for arm in ARMS]
    succeed(tmp_path, *targets, "results/ablation/cost.json", config=tmp_path / "config.yaml")
    for target in targets:
        scores = json.loads((tmp_path / target).read_text())
        assert scores["face_mae"] > 0
        assert scores["background_sd"] == 0
    provenance = json.loads((tmp_path / f"results/ablation/every_room/{ARMS[2]}/0/provenance.json").read_text())
    assert (provenance["ambient_celsius"], provenance["supervision"]) == ([20.0, 26.0], "within_class")
    losses = pd.read_csv(tmp_path / "results/ablation/cold/mse/0/losses.csv")
    assert (losses[["wasserstein", "prior"]] == 0).all(axis=None)
    assert json.loads((tmp_path / "results/ablation/cost.json").read_text())["speedup"] > 0
