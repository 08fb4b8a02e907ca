"""train_landmarker: it learns, stops and goes on to the bit, and writes what tells how it was made."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from landmarks.train_landmarker import train_landmarker
from tfake.landmarks import landmark_job as jobs
from tfake.landmarks.landmark_job import LandmarkJob, StoredFaces
from tfake.landmarks.landmark_training import train_landmarks
from tfake.landmarks.landmarker_file import load_landmark_weights, save_landmark_weights
from tfake.training import training_job
from tfake.training.loop import RunControl, TrainingStoppedError
from tfake.training.weights_file import CheckpointFile
from tiny_landmarks import CPU, TINY, make_faces, settings

pytestmark = pytest.mark.usefixtures("one_thread")
FACES, HELD_OUT = make_faces(6), make_faces(9)[6:]


def train(checkpoint=None, is_stopping=lambda: False, **changes):
    return train_landmarks(settings(**changes), FACES, HELD_OUT, 70, RunControl(CPU, checkpoint, is_stopping))


def test_one_seed_gives_one_file(tmp_path):
    digests = []
    for number, seed in enumerate((1, 1, 2)):
        trained = train(seed=seed)
        digests.append(save_landmark_weights(tmp_path / f"{number}.pt", trained.network, trained.calibration))
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_every_step_is_recorded():
    losses = train().losses
    names = ["step", "total", "faces", "textures", "distance", "gradient_norm", "learning_rate", "validation"]
    assert losses.columns.tolist() == names
    assert losses["validation"].notna().tolist() == [False, True, True]
    assert np.isfinite(losses.drop(columns="validation").to_numpy()).all()


def test_a_short_run_learns():
    quiet = {
        "rotation_degrees": 0,
        "background_share": 0.0,
        "crop_scale": [1.2, 1.6],
        "thermal_strength": 0.2,
        "real_world_strength": 0.0,
    }
    trained = train(steps=40, learning_rate=5e-3, batch=8, validate_every=8, **quiet)
    measured = trained.losses["validation"].dropna()
    assert measured.iloc[-1] < 0.9 * measured.iloc[0]
    assert trained.losses["faces"].tail(5).mean() < trained.losses["faces"].head(5).mean() - 0.3
    assert set(trained.validation_nme) == {"rgb", "warm"}
    assert trained.calibration.threshold > 0
    assert not trained.network.training


def test_the_plain_likelihood_is_the_total_without_beta():
    losses = train(nll_beta=0.0, texture_share=0.0).losses
    np.testing.assert_allclose(losses["total"], losses["faces"], rtol=1e-5)


def test_an_interrupted_run_ends_with_the_same_weights(tmp_path):
    whole = train(steps=5)
    file = CheckpointFile(tmp_path / "checkpoint.pt", "run")
    answers = iter([False, False, True])
    with pytest.raises(TrainingStoppedError, match="after step 3 of 5"):
        train(file, lambda: next(answers), steps=5)
    resumed = train(file, steps=5)
    state, expected = resumed.network.state_dict(), whole.network.state_dict()
    assert all(torch.equal(state[name], expected[name]) for name in expected)
    pd.testing.assert_frame_equal(resumed.losses, whole.losses)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batches": 3}, "batches"),
        ({"thermal_share": 1.2}, "thermal_share"),
        ({"crop_scale": [2.0, 1.0]}, "crop_scale"),
        ({"image_pixels": 100}, "image_pixels.*multiple of 32"),
        ({"head": "fc"}, "head"),
        ({"patience": 2, "validate_every": 0}, "patience"),
    ],
)
def test_settings_that_cannot_train_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        train(**changes)


def test_without_validation_faces_the_run_does_not_start():
    with pytest.raises(ValueError, match="no faces to validate on"):
        train_landmarks(settings(), FACES, [], 70, RunControl(CPU))


def test_the_job_writes_its_files(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "open_faces", lambda stored, part, *rest: FACES if part == "train" else HELD_OUT)
    sums = tmp_path / "SHA256SUMS"
    sums.write_text("0  a\n")
    stored = StoredFaces(str(tmp_path), [], "", 70, ["warm"])
    job = LandmarkJob(
        **{name: str(tmp_path / name) for name in ("weights", "provenance", "losses", "loss_figure", "sample_figure")},
        checkpoint=str(tmp_path / "checkpoint.pt"),
        stored=stored,
        sums=[str(sums)],
        task="joint_70",
        settings=TINY,
        device="cpu",
        threads=1,
    )
    train_landmarker(job)
    record = json.loads((tmp_path / "provenance").read_text())
    assert record["task"] == "joint_70"
    assert record["faces"] == 6
    assert set(record["validation_nme"]) == {"rgb", "warm"}
    assert record["versions"]["torch"]
    network, calibration = load_landmark_weights(tmp_path / "weights")
    assert record["calibration"]["threshold"] == calibration.threshold
    assert network.architecture.landmarks == 70
    assert len(pd.read_csv(tmp_path / "losses")) == 3
    for figure in ("loss_figure", "sample_figure"):
        assert (tmp_path / figure).read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "checkpoint.pt").exists()
    first = (tmp_path / "weights").read_bytes()
    train_landmarker(replace(job, settings={**TINY, "seed": 9}))
    assert (tmp_path / "weights").read_bytes() != first


def test_faces_of_other_runs_are_learnt_from(tmp_path, monkeypatch):
    opened = []

    def opening(stored, part, *rest):
        opened.append((stored.results, part))
        return FACES[:2] if stored.results == "other" else FACES if part == "train" else HELD_OUT

    monkeypatch.setattr(jobs, "open_faces", opening)
    (tmp_path / "SHA256SUMS").write_text("0  a\n")
    job = LandmarkJob(
        **{name: str(tmp_path / name) for name in ("weights", "provenance", "losses", "loss_figure", "sample_figure")},
        checkpoint=str(tmp_path / "checkpoint.pt"),
        stored=StoredFaces("own", [], "", 70, ["warm"]),
        sums=[str(tmp_path / "SHA256SUMS")],
        task="joint_70",
        settings=TINY | {"others_share": 0.5},
        device="cpu",
        threads=1,
    )
    train_landmarker(job)
    without = (tmp_path / "weights").read_bytes()
    train_landmarker(replace(job, others=[StoredFaces("other", [], "", 70, ["warm"])] * 2))
    assert ("other", "train") in opened
    assert ("other", "validation") not in opened
    assert json.loads((tmp_path / "provenance").read_text())["others"] == 4
    assert (tmp_path / "weights").read_bytes() != without


class ReachedError(Exception):
    """The training would begin."""


def reach(*arguments, **named):
    raise ReachedError


def test_a_checkpoint_is_known_by_what_the_weights_depend_on(tmp_path, monkeypatch):
    named = []
    monkeypatch.setattr(jobs, "open_faces", lambda *rest: FACES)
    monkeypatch.setattr(
        training_job,
        "find_checkpoint",
        lambda path, precisions, digest: (named.append(digest(precisions[0])), precisions[0]),
    )
    monkeypatch.setattr(jobs, "train_landmarks", reach)
    (tmp_path / "SHA256SUMS").write_text("0  a\n")
    paths = ("weights", "provenance", "losses", "loss_figure", "sample_figure", "checkpoint")
    job = LandmarkJob(
        **{name: str(tmp_path / name) for name in paths},
        stored=StoredFaces(str(tmp_path), [], "", 70, ["warm"]),
        sums=[str(tmp_path / "SHA256SUMS")],
        task="joint_70",
        settings=TINY,
        device="cpu",
        threads=1,
    )
    for changes in ({}, {"checkpoint_every": 9, "compile": True}, {"seed": 9}):
        with pytest.raises(ReachedError):
            train_landmarker(replace(job, settings={**TINY, **changes}))
    assert named[0] == named[1] != named[2]
