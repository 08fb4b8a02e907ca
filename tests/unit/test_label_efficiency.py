"""The study of few labels: nested draws, curves, the labels that a method needs, its plan and its page."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch

from landmarks.train_landmarker import train_landmarker
from planned import plan_of, wildcards
from studies import score_finetuned as script
from studies.compare_label_efficiency import compare_label_efficiency
from studies.score_finetuned import score_finetuned
from tfake.config.faults import ConfigError
from tfake.landmarks import landmark_job as jobs
from tfake.landmarks.few_labels import choose_labelled
from tfake.landmarks.landmark_job import LandmarkJob, StoredFaces
from tfake.landmarks.landmark_network import Calibration, LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmark_training import train_landmarks
from tfake.landmarks.landmarker_file import load_landmark_weights, save_landmark_weights
from tfake.landmarks.scoring import center_crops
from tfake.studies.label_curves import best_saving, build_curves, labels_needed, saving_at, summarise
from tfake.studies.label_efficiency import score_annotated, score_crops
from tfake.test_sets.annotated_faces import AnnotatedFace, AnnotatedSet, box_of
from tfake.test_sets.read_log import ReadLog
from tfake.training.loop import RunControl
from tiny_landmarks import CPU, TINY, Oracle, make_faces, settings

pytestmark = pytest.mark.usefixtures("one_thread")
PEOPLE = [f"p{number // 3}" for number in range(30)]


def build(seed=0):
    torch.manual_seed(seed)
    return LandmarkNetwork(LandmarkArchitecture(70, "resnet10t", "heatmap", 32)).eval()


@pytest.mark.parametrize("draw", range(4))
def test_labels_are_drawn_person_by_person_and_nested(draw):
    sets = [choose_labelled(PEOPLE, draw, count=count) for count in (1, 3, 6, 14, 30)]
    sets.append(choose_labelled(PEOPLE, draw, fraction=0.2))
    assert [len(chosen) for chosen in sets] == [1, 3, 6, 14, 30, 6]
    for smaller, larger in pairwise(sets[:-1]):
        assert set(smaller) < set(larger)
    assert sets[-1] == sets[2]
    # Two whole people, not six.
    assert len({PEOPLE[index] for index in sets[2]}) == 2
    assert choose_labelled(PEOPLE, draw, fraction=0.001) == sets[0]


def test_another_draw_labels_others():
    draws = {tuple(choose_labelled(PEOPLE, draw, count=3)) for draw in range(8)}
    assert len(draws) > 3


@pytest.mark.parametrize(
    "wrong", [{}, {"fraction": 0.1, "count": 3}, {"fraction": 0.0}, {"fraction": 1.1}, {"count": 31}, {"count": 0}]
)
def test_labels_that_are_not_there_are_refused(wrong):
    with pytest.raises(ValueError, match="label"):
        choose_labelled(PEOPLE, 0, **wrong)


def test_the_labels_needed_lie_between_the_points_over_the_logarithm():
    assert labels_needed([10, 1000], [0.3, 0.1], 0.2) == pytest.approx(100)
    assert labels_needed([10, 1000], [0.3, 0.1], 0.3) == 10
    assert labels_needed([10, 1000], [0.3, 0.1], 0.1) == pytest.approx(1000)
    assert labels_needed([10, 1000], [0.3, 0.1], 0.09) is None
    assert labels_needed([10, 100, 1000], [0.3, 0.35, 0.1], 0.25) == pytest.approx(100 * 10**0.4)


def scores():
    rows = []
    errors = {"scratch": {10: 0.4, 100: 0.2, 1000: 0.1}, "dense": {10: 0.2, 100: 0.1, 1000: 0.08}}
    for method, curve in errors.items():
        for images, error in curve.items():
            for draw, offset in ((0, -0.01), (1, 0.01)):
                about = {"method": method, "mode": "full", "budget": "equal", "labels": f"{images}n", "draw": draw}
                found = {"nme_box": error + offset, "nme_inter_ocular": 2 * error, "failures": 0.5}
                rows.append(about | {"seed": 0, "images": images, "set": "warm", "faces": 5} | found)
    return pd.DataFrame(rows)


def test_curves_average_draws_and_tell_what_is_saved():
    curves = build_curves(scores())
    assert curves["method"].tolist() == ["scratch"] * 3 + ["dense"] * 3
    assert curves["images"].tolist() == [10, 100, 1000] * 2
    np.testing.assert_allclose(curves["nme_box"], [0.4, 0.2, 0.1, 0.2, 0.1, 0.08])
    np.testing.assert_allclose(curves["nme_box_std"], np.sqrt(2) * 0.01)
    assert (curves["runs"] == 2).all()
    table = summarise(curves, "scratch").set_index("method")
    assert table.loc["dense", "saved_at_fewest"] == pytest.approx(0.5)
    assert table.loc["dense", "needed"] == pytest.approx(100)
    assert table.loc["dense", "needed_share"] == pytest.approx(0.1)
    assert table.loc["scratch", "needed"] == pytest.approx(1000)
    savings = saving_at(curves, "scratch", 100)
    assert savings == {("dense", "full"): pytest.approx(0.5)}
    assert best_saving(savings, ["dense"]) == ("dense, full", pytest.approx(0.5))
    assert best_saving(savings, ["masked"]) is None


def test_either_error_is_the_distance_over_its_own_length():
    crops = center_crops(make_faces(4), "warm", 32)
    (row,) = score_crops(Oracle(crops[1], 0.03), {"warm": crops}, 0.1, CPU)
    size = np.sqrt(np.ptp(crops[1], axis=1).prod(axis=1))
    between = np.linalg.norm(crops[1][:, 36] - crops[1][:, 45], axis=1)
    assert row["nme_box"] == pytest.approx((0.03 / size).mean(), rel=1e-4)
    assert row["nme_inter_ocular"] == pytest.approx((0.03 / between).mean(), rel=1e-4)
    assert (row["set"], row["faces"], row["failures"]) == ("warm", 4, 0.0)
    (row,) = score_crops(Oracle(crops[1], 0.2), {"warm": crops}, 0.1, CPU)
    assert row["failures"] == 1.0


def test_an_annotated_set_is_scored_in_its_boxes(tmp_path):
    save_landmark_weights(tmp_path / "weights.pt", build(), Calibration(1.0, 0.2))
    points = make_faces(1)[0].points[:68].astype(float)
    face = AnnotatedFace("a", "a", "ibug68", points, box_of(points))
    annotated = AnnotatedSet((face,), ReadLog(), lambda name: make_faces(1)[0].thermal("warm")[0])
    (row,) = score_annotated(str(tmp_path / "weights.pt"), {"mine": annotated}, 0.1, "cpu")
    assert (row["set"], row["faces"]) == ("mine", 1)
    between = np.linalg.norm(points[36] - points[45])
    assert row["nme_inter_ocular"] / row["nme_box"] == pytest.approx(face.size / between, rel=1e-5)


def test_a_frozen_backbone_stays_as_it_begins(tmp_path):
    save_landmark_weights(tmp_path / "weights.pt", given := build(1), Calibration())
    chosen = settings(steps=2, validate_every=1)
    faces = make_faces(3)
    trained = train_landmarks(
        chosen, faces, faces, 70, RunControl(CPU), initial=tmp_path / "weights.pt", is_frozen=True
    )
    state, before = trained.network.body.state_dict(), given.body.state_dict()
    same = {name: torch.equal(state[name], before[name]) for name in before}
    assert all(kept for name, kept in same.items() if name.startswith("backbone."))
    assert not any(kept for name, kept in same.items() if name.startswith("maps."))


def test_the_job_learns_from_the_labelled_faces_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "open_faces", lambda stored, part, *rest: make_faces(6 if part == "train" else 2))
    (tmp_path / "SHA256SUMS").write_text("0  a\n")
    paths = ("weights", "provenance", "losses", "loss_figure", "sample_figure", "checkpoint")
    job = LandmarkJob(
        **{name: str(tmp_path / name) for name in paths},
        stored=StoredFaces(str(tmp_path), [], "", 70, ["warm"]),
        sums=[str(tmp_path / "SHA256SUMS")],
        task="thermal_70",
        settings=TINY | {"thermal_share": 1.0},
        device="cpu",
        threads=1,
        labels={"count": 2, "draw": 1},
    )
    train_landmarker(job)
    record = json.loads((tmp_path / "provenance").read_text())
    assert (record["faces"], record["labels"], record["is_frozen"]) == (2, {"count": 2, "draw": 1}, False)
    first = load_landmark_weights(tmp_path / "weights")[0].body.maps.weight
    train_landmarker(replace(job, labels={"count": 2, "draw": 2}))
    assert not torch.equal(load_landmark_weights(tmp_path / "weights")[0].body.maps.weight, first)


METHODS = {
    "scratch": "random",
    "dense": "dense",
    "supervised": "package",
    "mine": "results/landmarks/joint_70/weights.pt",
}


def study(**changes):
    block = {"methods": METHODS, "fractions": [0.05], "counts": [10], "draws": 2, "steps": 40} | changes
    plan = plan_of(label_efficiency=block)
    # Those of the default would stay beside them.
    plan.config["label_efficiency"]["methods"] = block["methods"]
    return plan


def test_the_plan_names_every_run_once():
    plan = study(modes=["full", "frozen"]).label_efficiency
    assert set(plan.labels) == {"5pc", "100pc", "10n"}
    runs = plan.runs
    assert len({run["weights"] for run in runs}) == len(runs) == len(plan.weights)
    # Two draws of two numbers of labels and one of all; at random there is nothing to freeze.
    assert len(runs) == (2 * 2 + 1) * (1 + 2 * 3)
    job = wildcards(method="dense", mode="frozen", budget="equal", labels="10n", draw="1", seed="3", task="thermal_70")
    assert plan.initial(job) == ["results/pretraining/dense/encoder.pt"]
    assert plan.labelled(job) == {"count": 10, "draw": 1}
    assert plan.is_frozen(job)
    chosen = plan.settings(job)
    assert (chosen["seed"], chosen["steps"], chosen["patience"], chosen["thermal_share"]) == (3, 40, 0, 1.0)
    job.budget, job.method = "tuned", "scratch"
    chosen = plan.settings(job)
    assert plan.initial(job) == []
    assert (chosen["steps"], chosen["schedule"]) == (160, "constant")
    assert chosen["patience"] > 0
    assert chosen["validate_every"] == 10
    job.method = "supervised"
    assert plan.initial(job)[0].endswith("landmarker.pt")
    assert plan.pretrained == ["dense"]
    assert plan.pretraining == ["results/pretraining/dense/provenance.json"]
    plan.check_files()


def test_what_the_study_lacks_is_named():
    with pytest.raises(ConfigError, match=r"label_efficiency\.methods\.wrong: there is no rotations.*pretexts are"):
        study(methods={"scratch": "random", "wrong": "rotations"}).label_efficiency.check_files()
    with pytest.raises(ConfigError, match=r"label_efficiency\.sets: expected annotated sets.*found nowhere"):
        study(sets=["nowhere"]).label_efficiency.check_files()


def test_the_scripts_write_scores_curves_and_a_page(tmp_path, monkeypatch):
    faces = make_faces(4)
    monkeypatch.setattr(script, "open_faces", lambda stored, part: faces)
    monkeypatch.setattr(script, "read_people", lambda *rest: [rename(face) for face in faces])
    monkeypatch.setattr(script, "read_index", lambda path: None)
    runs = []
    for number, (method, images) in enumerate((m, i) for m in ("scratch", "dense") for i in (10, 100)):
        folder = tmp_path / str(number)
        folder.mkdir()
        save_landmark_weights(folder / "weights.pt", build(number), Calibration(1.0, 0.2))
        (folder / "provenance.json").write_text(json.dumps({"faces": images}))
        about = {"method": method, "mode": "full", "budget": "equal", "labels": f"{images}n", "draw": 0, "seed": 0}
        runs.append(about | {"weights": str(folder / "weights.pt")})
    stored = StoredFaces(str(tmp_path), [], "", 70, ["warm"])
    score_finetuned(str(tmp_path / "scores.csv"), runs, stored, ("", "", ""), 96, 23.0, 0.1, {}, "cpu")
    table = pd.read_csv(tmp_path / "scores.csv")
    assert table.groupby("method").size().to_dict() == {"scratch": 6, "dense": 6}
    assert set(table["set"]) == {"warm", "other_room", "other_camera"}
    record = {"name": "dense", "tasks": {"rotation": {"measure": "turns", "value": 0.5, "on": "held-out people"}}}
    (tmp_path / "dense.json").write_text(json.dumps(record))
    out = {name: str(tmp_path / name) for name in ("page", "curves")}
    others = {"reference": "scratch", "failure_above": 0.1, "ambient_celsius": 23.0, "pretrained": ["dense"]}
    files = {"scores": str(tmp_path / "scores.csv"), "pretraining": [str(tmp_path / "dense.json")]}
    compare_label_efficiency(**out, **files, **others)
    curves = pd.read_csv(tmp_path / "curves")
    assert len(curves) == 12
    page = " ".join((tmp_path / "page").read_text().split())
    assert "At 10 labelled faces, of the encoders that were pretrained here, dense, full has the least error" in page
    assert "<td>0.5000</td> <td>held-out people</td><td>100 %</td>" in page
    saved = saving_at(build_curves(table), "scratch", 10)["dense", "full"]
    assert f"{100 * saved:.0f} % less than scratch" in page
    assert ("does not reach" in page) == (saved < 0.3)


def rename(face):
    names = ("other_room", "other_camera")
    return replace(face, variants=names, read=lambda kind, name: face.read(kind, name and "warm"))
