"""Landmark networks, trained small on the stores, scored on other people, and laid side by side."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from runs import TINY, succeed

LANDMARKS = {
    "steps": 2,
    "batch": 4,
    "image_pixels": 32,
    "backbone": "resnet10t",
    "validate_every": 2,
    "variants": ["warm"],
}


@pytest.mark.slow
def test_the_study_runs_from_the_stores(tmp_path):
    config = yaml.safe_load(TINY.read_text())
    # The fewest images of which the split leaves some for validation and some for the test.
    config["source"]["images"] = 13
    config["store"]["shard_images"] = 13
    config["landmarks"] = LANDMARKS
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    cv2.imwrite(str(pictures / "a.png"), np.random.default_rng(0).integers(0, 256, (64, 48), dtype=np.uint8))
    config["landmark_study"] = {"tasks": ["joint_70"], "people": 2, "pictures": {"real": str(pictures)}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    succeed(tmp_path, "landmark_study", config=tmp_path / "config.yaml")
    rows = pd.read_csv(tmp_path / "results/landmark_study/scores.csv")
    assert rows["set"].tolist() == ["rgb", "warm", "other_people_rgb", "other_room", "other_camera"]
    assert (rows["nme"] > 0).all()
    provenance = json.loads((tmp_path / "results/landmarks/joint_70/provenance.json").read_text())
    assert provenance["settings"]["thermal_share"] == 0.5
    assert set(provenance["validation_nme"]) == {"rgb", "warm"}
    assert provenance["faces"] + provenance["validation_faces"] < 13
    page = (tmp_path / "results/landmark_study/index.html").read_text()
    assert "<svg" in page
    assert "Pictures without labels" in page
    found = json.loads((tmp_path / "results/landmark_study/joint_70_pictures.json").read_text())
    assert (found["real"]["pictures"], found["real"]["searched"]) == (1, 1)


def test_dense_points_can_be_asked_for(tmp_path):
    plan = succeed(tmp_path, "landmarks", "results/landmarks/thermal_478/weights.pt", "--dry-run")
    for task in ("joint_70", "joint_478", "thermal_478"):
        assert f"Training the landmark network {task}." in plan
    assert "rgb_70" not in plan
