"""`snakemake face_classification`: from rendered sequences to networks, answers, scores and the page."""

import json

import pandas as pd
import pytest

from runs import configured, run, succeed
from tfake.classification.classifier_network import load_classifier

#: By this seed each of three people is in a part of their own.
SPLIT_SEED = 13
TINY = {
    "steps": 2,
    "batch": 2,
    "image_pixels": 32,
    "validate_every": 1,
    "split_seed": SPLIT_SEED,
    "bootstrap_draws": 100,
    "expression": {"frames": 2, "classifiers": {"mean": {"backbone": "resnet10t"}, "gru": None}},
}


def test_apparent_sex_is_refused_before_any_job(tmp_path):
    config = configured(tmp_path, face_classification={**TINY, "attributes": ["apparent_sex"]})
    done = run(tmp_path, "--dry-run", "face_classification", config=config)
    assert done.returncode != 0
    assert "not to be used on people" in " ".join(done.stdout.split())


@pytest.mark.slow
def test_the_study_runs_from_the_sequences(tmp_path):
    config = configured(
        tmp_path, sequences__subjects=3, sequences__expressions=["smile", "talk"], face_classification=TINY
    )
    succeed(tmp_path, "face_classification", config=config)
    results = tmp_path / "results/face_classification"
    folder = results / "expression/synthetic/mean/seed0"
    made = json.loads((folder / "provenance.json").read_text())
    assert made["settings"]["checkpoint_every"] == 100
    assert made["people"] == {"synthetic": 1, "real": 0, "validation": 1}
    assert load_classifier(folder / "weights.pt").architecture.classes == ("smile", "talk")
    scores = pd.read_csv(results / "scores.csv")
    assert set(scores["method"]) == {"majority", "landmark_motion", "mean"}
    assert set(scores["set"]) == {"other_people", "other_camera"}
    assert (scores["subjects"] == 1).all()
    assert "linear model" in (results / "index.html").read_text()
