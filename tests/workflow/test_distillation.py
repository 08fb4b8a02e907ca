"""`snakemake distillation`: a teacher, thermal students by two arms, small ones by both routes, scored and compared."""

import json

import pandas as pd
import pytest
import yaml

import tfake
from mesh_faces import write_annotated
from runs import TINY, succeed
from tfake.landmarks.landmarker_file import load_landmark_weights


@pytest.mark.slow
def test_the_study_runs_from_the_stores(tmp_path):
    write_annotated(tmp_path / "annotated")
    config = yaml.safe_load(TINY.read_text())
    # The fewest images of which the split leaves some for validation and some for the test.
    config["source"]["images"] = 13
    config["store"]["shard_images"] = 13
    config["variants"] = {"warm": None, "cold": None}
    config["landmarks"] = {
        "steps": 2,
        "batch": 4,
        "image_pixels": 32,
        "backbone": "resnet10t",
        "validate_every": 2,
    }
    config["landmark_study"] = {"people": 2}
    others = ("fd", "ld", "fd_ld", "fi", "ri", "dikd_steady", "all")
    config["distillation"] = {
        "teacher": {"backbone": "lcnet_050", "image_pixels": 64},
        "students": {"small": {"backbone": "lcnet_050"}, "tiny": None},
        "arms": dict.fromkeys(others),
        "gradient_every": 1,
        "seeds": [0],
    }
    config["evaluation"] = {"sets": {"mine": {"kind": "point_files", "path": str(tmp_path / "annotated")}}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    succeed(tmp_path, "distillation", config=tmp_path / "config.yaml")
    results = tmp_path / "results/distillation"
    students = results / "thermal/direct"
    folder = students / "dikd/0/thermal_70"
    made = json.loads((folder / "provenance.json").read_text())
    assert made["distillation"]["weights"] == {"fi": 1.0, "ri": 1.0}
    assert len(made["distillation"]["teacher_sha256"]) == 1
    assert made["settings"]["thermal_share"] == 1.0
    losses = pd.read_csv(folder / "losses.csv")
    assert (losses[["gradient_truth", "gradient_fi", "gradient_ri"]] > 0).all(axis=None)
    plain = json.loads((students / "none/0/thermal_70/provenance.json").read_text())
    assert plain["distillation"]["teacher_sha256"] == []
    # A student of the thermal network was taught by its file, and is an ordinary one itself.
    small = json.loads((results / "small/levels/dikd/0/thermal_70/provenance.json").read_text())
    assert small["distillation"]["teacher_sees"] == "same"
    network, _ = load_landmark_weights(results / "small/levels/dikd/0/thermal_70/weights.pt")
    assert network.architecture.backbone == "lcnet_050"
    assert tfake.ThermalLandmarker(folder / "weights.pt", "cpu").n_landmarks == 70
    rows = pd.read_csv(results / "scores.csv")
    assert set(rows["set"]) == {"rgb", "heat", "other_people_rgb", "other_room", "other_camera", "mine", "mean"}
    assert len(rows.groupby(["student", "route", "arm"])) == 5
    assert (rows["nme"] > 0).all()
    page = (results / "index.html").read_text()
    assert "a single seed, which tells nothing of chance" in page
    assert "gradient norm" in page
