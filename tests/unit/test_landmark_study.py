"""The study: evaluate_landmarker scores unknown faces, compare_landmarkers lays networks side by side."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from studies import evaluate_landmarker as script
from studies.compare_landmarkers import compare_landmarkers
from studies.evaluate_landmarker import evaluate_landmarker
from studies.search_pictures import search_pictures
from tfake.landmarks.landmark_job import StoredFaces
from tfake.landmarks.landmark_network import Calibration, LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.landmarker_file import save_landmark_weights
from tfake.landmarks.scoring import Scores, center_crops, score
from tfake.landmarks.search import SearchSettings
from tfake.studies.landmark_page import compare, gather
from tfake.studies.landmark_study import record_cheaply, score_sets, search_folder
from tiny_landmarks import CPU, Oracle, make_faces

pytestmark = pytest.mark.usefixtures("one_thread")
FACES = make_faces(5)


def build():
    torch.manual_seed(0)
    return LandmarkNetwork(LandmarkArchitecture(70, "resnet10t", "heatmap", 32)).eval()


def test_nme_is_the_distance_over_the_box():
    crops = center_crops(FACES, "warm", 32)
    found = score(Oracle(crops[1], 0.03), crops, CPU)
    box = np.ptp(crops[1], axis=1)
    np.testing.assert_allclose(found.errors, 0.03 / np.sqrt(box[:, 0] * box[:, 1]), rtol=1e-4)
    assert score(Oracle(crops[1], 0.0), crops, CPU).nme == pytest.approx(0, abs=1e-6)


def test_points_without_weight_do_not_count():
    weights = np.array([[1.0, 0.0]])
    scores = Scores(np.array([[0.1, 9.0]]), np.array([[0.1, 0.1]]), weights, np.array([0.5]))
    assert scores.nme == pytest.approx(0.2)
    assert scores.counted[0].tolist() == [0.1]


def test_the_cheap_camera_stretches_and_blurs():
    celsius = np.random.default_rng(0).normal(30, 1, (128, 128)).astype(np.float32)
    seen = record_cheaply(celsius, 23.0, 1, 0)
    assert seen.shape == celsius.shape
    assert 20 <= seen.min() < 21
    assert 39 < seen.max() <= 40
    np.testing.assert_array_equal(seen, record_cheaply(celsius, 23.0, 1, 0))


def test_every_set_is_scored():
    rows, arrays = score_sets(build(), Calibration(1.0, 0.2), {"rgb": (FACES, None), "warm": (FACES, "warm")}, CPU)
    assert set(rows) == {"rgb", "warm"}
    for name, row in rows.items():
        assert row["faces"] == 5
        assert row["nme"] == pytest.approx(arrays[f"{name}_errors"].mean())
        assert arrays[f"{name}_elsewhere"].shape == (20,)
        assert all(0 <= row[key] <= 1 for key in ("failures", "auroc_textures", "auroc_elsewhere", "found"))


def records():
    row = {"faces": 5, "median": 0.1, "failures": 0.0, "calibration_error": 0.1, "auroc_textures": 1.0}
    row |= {"auroc_elsewhere": 1.0, "found": 1.0, "false_elsewhere": 0.0, "curve": [[0.01, 0.02], [0.01, 0.03]]}
    errors = {"joint_70": (0.04, 0.05), "rgb_70": (0.05, 0.1)}
    return [
        {
            "task": task,
            "landmarks": 70,
            "calibration": {"temperature": 1.0, "threshold": 0.1},
            "sets": {"rgb": {**row, "nme": rgb}, "warm": {**row, "nme": warm}},
        }
        for task, (rgb, warm) in errors.items()
    ]


def test_what_the_table_says():
    rows = gather(records())
    assert rows["spectrum"].tolist() == ["rgb", "thermal"] * 2
    found = compare(rows)
    assert found["nme"]["joint_70"] == {"rgb": 0.04, "thermal": 0.05}
    assert found["70"]["joint_over_rgb_on_thermal"] == pytest.approx(0.5)
    assert found["70"]["joint_over_rgb_on_rgb"] == pytest.approx(0.8)
    assert "478" not in found


@pytest.mark.slow
def test_the_scripts_write_their_files(tmp_path, monkeypatch):
    monkeypatch.setattr(script, "open_faces", lambda stored, part: FACES)
    monkeypatch.setattr(script, "read_people", lambda *rest: [rename(face) for face in FACES])
    monkeypatch.setattr(script, "read_index", lambda path: None)
    save_landmark_weights(tmp_path / "weights.pt", build(), Calibration(1.0, 0.2))
    stored = StoredFaces(str(tmp_path), [], "", 70, ["warm"])
    paths = {}
    for task in ("joint_70", "rgb_70"):
        paths[task] = [str(tmp_path / f"{task}.{suffix}") for suffix in ("json", "npz", "png")]
        evaluate_landmarker(
            *paths[task], str(tmp_path / "weights.pt"), stored, ("", "", ""), 96, 23.0, task, device="cpu"
        )
    record = json.loads((tmp_path / "joint_70.json").read_text())
    assert list(record["sets"]) == ["rgb", "warm", "other_people_rgb", "other_room", "other_camera"]
    scores, points, figures = (list(kind) for kind in zip(*paths.values(), strict=True))
    out = {name: str(tmp_path / name) for name in ("table", "summary", "page")}
    folder = tmp_path / "pictures"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), FACES[0].rgb[0])
    (folder / "b.png").write_bytes(b"no picture")
    (folder / "c.npy").write_bytes(b"")
    cv2.imwrite(str(folder / "d.png"), np.full((40, 40), 60000, np.uint16))  # counts of no temperature
    searched = []
    for task in paths:
        searched.append((str(tmp_path / f"{task}_pictures.json"), str(tmp_path / f"{task}_pictures.png")))
        search_pictures(*searched[-1], str(tmp_path / "weights.pt"), {"real": str(folder)}, task, device="cpu")
    counts = json.loads(Path(searched[0][0]).read_text())["real"]
    assert (counts["pictures"], counts["searched"], counts["unreadable"]) == (4, 1, 3)
    assert counts["found"] in (0, 1)
    findings, picture_figures = (list(kind) for kind in zip(*searched, strict=True))
    others = {"findings": findings, "picture_figures": picture_figures, "ambient_celsius": 23.0}
    compare_landmarkers(**out, scores=scores, points=points, figures=figures, **others)
    assert len(pd.read_csv(out["table"])) == 10
    assert json.loads((tmp_path / "summary").read_text())["70"]["joint_over_rgb_on_thermal"] == pytest.approx(1.0)
    page = (tmp_path / "page").read_text()
    assert "1.00 times the error of RGB alone" in " ".join(page.split())
    assert page.count("data:image/png") == 4
    assert "Pictures without labels" in page
    none = {"findings": [], "picture_figures": [], "ambient_celsius": 23.0}
    compare_landmarkers(**out, scores=scores, points=points, figures=figures, **none)
    assert "Pictures without labels" not in (tmp_path / "page").read_text()


def test_large_drawings_are_kept_small(tmp_path):
    save_landmark_weights(tmp_path / "weights.pt", build(), Calibration(1.0, 0.2))
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((400, 1000, 3), np.uint8))
    landmarker = ThermalLandmarker(tmp_path / "weights.pt", "cpu", search=SearchSettings(min_window_fraction=0.9))
    _, drawn = search_folder(landmarker, tmp_path, 1)
    assert drawn[0][1].shape == (192, 480, 3)


def rename(face):
    names = ("other_room", "other_camera")
    return replace(face, variants=names, read=lambda kind, name: face.read(kind, name and "warm"))
