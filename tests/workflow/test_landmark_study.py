"""Landmark networks, trained small on the stores, scored on other people, and laid side by side."""

import json

import pandas as pd
import yaml

from runs import TINY, succeed

LANDMARKS = {"steps": 2, "batch": 4, "image_pixels": 32, "backbone": "resnet10t", "validate_every": 2}


def test_the_study_runs_from_the_stores(tmp_path):
    config = yaml.safe_load(TINY.read_text())
    # The fewest images of which the split leaves some for validation and some for the test.
    config["source"]["images"] = 22
    config["store"]["shard_images"] = 11
    config["landmarks"] = LANDMARKS
    config["landmark_study"] = {"tasks": ["joint_70", "thermal_478"], "people": 2}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    succeed(tmp_path, "landmark_study", config=tmp_path / "config.yaml")
    rows = pd.read_csv(tmp_path / "results/landmark_study/scores.csv")
    sets = rows.groupby("task")["set"].apply(list)
    assert sets["joint_70"] == ["rgb", "warm", "cold", "other_people_rgb", "other_room", "other_camera"]
    assert sets["thermal_478"] == ["rgb", "warm", "cold"]
    assert (rows["nme"] > 0).all()
    provenance = json.loads((tmp_path / "results/landmarks/thermal_478/provenance.json").read_text())
    assert provenance["architecture"]["landmarks"] == 478
    assert provenance["settings"]["thermal_share"] == 1.0
    assert set(provenance["validation_nme"]) == {"cold", "warm"}
    assert provenance["faces"] + provenance["validation_faces"] < 22
    assert "<svg" in (tmp_path / "results/landmark_study/index.html").read_text()
