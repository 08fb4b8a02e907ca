"""The evaluation from a folder to its page: every method on every face, or a message where the folder is not there."""

import json
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from annotated_sets import charlotte_cells, seen_from, write_charlotte
from studies.compare_test_sets import compare_test_sets
from studies.evaluate_test_set import evaluate_test_set
from tfake.landmarks.adapter_training import AdapterSettings
from tfake.landmarks.landmark_network import Calibration, LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmarker import LandmarkDetections
from tfake.landmarks.landmarker_file import save_landmark_weights
from tfake.reader import open_dataset
from tfake.studies.landmark_methods import BASELINES, Method, mean_face
from tfake.studies.method_scoring import cross_fitted_errors, run_methods, with_adapted_errors
from tfake.test_sets import annotated_faces, catalogue
from tfake.test_sets.annotated_faces import AnnotatedFace, AnnotatedSet, box_of
from tfake.test_sets.read_log import ReadLog
from tiny_dataset import make_dataset

SETTINGS = {"facemesh": False, "adapt": True, "most_images": None, "min_window_fraction": 0.2}
SETTINGS |= {"iou_threshold": 0.5, "failure_above": 0.1}
SETTINGS |= {"high_above_pixels": None, "device": "cpu", "threads": 1, "results": "results"}


def places(folder, name):
    (folder / name).mkdir()
    files = {"scores": "scores.json", "faces": "faces.csv", "read_log": "account.csv"}
    return {key: str(folder / name / file) for key, file in files.items()}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        network = LandmarkNetwork(LandmarkArchitecture(70, "test_efficientnet", image_pixels=32))
    path = tmp_path_factory.mktemp("weights") / "weights.pt"
    save_landmark_weights(path, network, Calibration())
    return str(path)


def test_a_set_is_scored_and_a_missing_one_described(tmp_path, weights, one_thread):
    rows = [charlotte_cells("R1001", seen_from("charlotte73")), charlotte_cells("R1002", seen_from("charlotte43", -50))]
    rows += [charlotte_cells("R1003", seen_from("charlotte73")[:44])]
    (tmp_path / "set").mkdir()
    write_charlotte(tmp_path / "set", {"S1": rows}, ("R1001", "R1002", "R1003"))
    made = places(tmp_path, "charlotte")
    evaluate_test_set(
        **made, name="charlotte", kind="charlotte", path=str(tmp_path / "set"), landmarkers={"net": weights}, **SETTINGS
    )
    scores = json.loads((tmp_path / "charlotte/scores.json").read_text())
    assert list(scores["methods"]) == ["net", "net, box given", "mean face, box given"]
    assert scores["account"]["rows"] == 3
    assert scores["account"]["faults"]["left_out"] == {"points_44": 1}
    # The mean face in its own box is where it is annotated, to the pixel that annotations are rounded to.
    mean = scores["methods"]["mean face, box given"]
    assert mean["errors"]["box"]["found"] == 2
    assert 0 < mean["columns"]["Front"] < 0.01
    assert mean["columns"]["Side"] > 0.1
    assert mean["detection"] == {}
    faces = pd.read_csv(made["faces"])
    assert len(faces) == 6
    gone = places(tmp_path, "tfw")
    evaluate_test_set(**gone, name="tfw", kind="tfw", path=None, landmarkers={}, **SETTINGS)
    assert "github.com/IS2AI/TFW" in json.loads((tmp_path / "tfw/scores.json").read_text())["missing"]
    page = tmp_path / "index.html"
    compare_test_sets(
        str(page),
        str(tmp_path / "scores.csv"),
        [made["scores"], gone["scores"]],
        [made["faces"], gone["faces"]],
        failure_above=0.1,
    )
    assert "github.com/IS2AI/TFW" in page.read_text()
    assert set(pd.read_csv(tmp_path / "scores.csv")["set"]) == {"charlotte"}


@pytest.mark.parametrize("points", [70, 478])
def test_a_variant_is_a_set_by_its_name(tmp_path, monkeypatch, points):
    results = make_dataset(tmp_path / "results")
    # So few faces leave the test part empty.
    monkeypatch.setattr(
        annotated_faces,
        "open_dataset",
        lambda results, names, split, **options: open_dataset(results, names, **options),
    )
    made = places(tmp_path, "own")
    kind = f"variant_{points}"
    settings = SETTINGS | {"results": str(results), "adapt": False}
    evaluate_test_set(**made, name="own", kind=kind, path="warm", landmarkers={}, **settings)
    scores = json.loads((tmp_path / "own/scores.json").read_text())
    assert scores["missing"] is None
    assert scores["account"]["rows"] == len(open_dataset(results, ("warm",), statuses=None))
    mean = scores["methods"]["mean face, box given"]
    assert mean["errors"]["box"]["found"] == scores["account"]["used"] > 0


def annotated(count, offset):
    """Faces of two subjects, annotated with a habit: every point is moved by the same fraction of the face."""
    faces = []
    for number in range(count):
        size = 15.0 + number % 20
        points = seen_from("ibug68", -30 + number % 60, size)
        subject = {"subject": f"S{number % 2}", "view": "front"}
        faces.append(
            AnnotatedFace(f"f{number}", f"i{number}", "ibug68", points + offset * size, box_of(points), subject)
        )
    return faces


def exact_method(faces):
    """Finds the 70 points exactly; not at all in the first image."""
    by_image = {face.image: number for number, face in enumerate(faces)}

    def detect(image, asked):
        number = int(image[0, 0])
        assert f"i{number}" in by_image
        points = seen_from("face70", -30 + number % 60, 15.0 + number % 20)[None].astype(np.float32)
        keep = slice(0, 0) if number == 0 else slice(None)
        sigma = np.full((1, 70), 0.5, np.float32)
        return LandmarkDetections(points[keep], sigma[keep], np.full(1, number / 100, np.float32)[keep])

    return Method("exact", "face70", False, detect)


def test_adapters_take_an_annotators_habit_away_without_seeing_the_subject(one_thread):
    faces = annotated(120, np.array((0.0, 0.12)))
    log = ReadLog()
    for face in faces:
        log.enter(face.name)
    test_set = AnnotatedSet(tuple(faces), log, lambda name: np.full((140, 160), float(name[1:])))
    method = exact_method(faces)
    predictions = run_methods(test_set, [method], 0.3)
    assert len(predictions.detections) == 119
    assert all(detection["right"] for detection in predictions.detections)
    settings = AdapterSettings(width=32, steps=150, batch=32, jitter=0.0)
    adapted = cross_fitted_errors(predictions, faces, [method], settings)
    assert len(adapted) == 119
    table = with_adapted_errors(predictions.face_table(), adapted)
    found = table[table["found"]].groupby("method")["nme_box"].mean()
    assert found["exact, adapted"] < 0.2 * found["exact"]
    missed = table[~table["found"]]
    assert list(missed["nme_box"]) == [np.inf, np.inf]


def test_sets_of_one_subject_teach_no_adapter():
    faces = annotated(40, np.zeros(2))[::2]
    test_set = AnnotatedSet(tuple(faces), ReadLog(), lambda name: np.full((140, 160), float(name[1:])))
    method = exact_method(faces)
    predictions = run_methods(test_set, [method], 0.3, most_images=5)
    assert len(predictions.rows) == 5
    assert cross_fitted_errors(predictions, faces, [method], AdapterSettings()) == {}


def test_an_image_that_cannot_be_read_is_excluded_in_the_log():
    faces = annotated(4, np.zeros(2))
    log = ReadLog()
    for face in faces:
        log.enter(face.name)

    def read(name):
        if name == "i2":
            raise ValueError("broken")
        return np.zeros((140, 160))

    with mean_face() as method:
        predictions = run_methods(AnnotatedSet(tuple(faces), log, read), [method], 0.5)
    assert len(predictions.rows) == 3
    assert log.summary()["faults"]["left_out"] == {"unreadable_image": 1}


def open_toy(folder):
    """A set of one's own: a text file a face, with the name of its image and 70 points."""
    faces, log = [], ReadLog()
    for path in sorted(Path(folder).glob("*.txt")):
        with log.reading(path.name):
            points = np.loadtxt(path)
            faces.append(AnnotatedFace(path.name, path.stem, "face70", points, box_of(points)).checked())
    return AnnotatedSet(tuple(faces), log, lambda name: np.full((140, 160), 90, np.uint8))


@contextmanager
def corner():
    """A baseline of one's own: a face in the image's corner."""

    def detect(image, faces):
        points = seen_from("face70", middle=(20.0, 20.0), size=10.0)[None].astype(np.float32)
        return LandmarkDetections(points, np.ones((1, 70), np.float32), np.ones(1, np.float32))

    yield Method("corner", "face70", False, detect)


def test_a_set_and_a_method_of_one_s_own_take_a_function_and_an_entry_each(tmp_path, monkeypatch):
    monkeypatch.setitem(catalogue.KINDS, "toy", catalogue.SetKind("toy faces", f"{__name__}:open_toy", "me", "texts"))
    monkeypatch.setitem(BASELINES, "corner", corner)
    (tmp_path / "set").mkdir()
    np.savetxt(tmp_path / "set/a.txt", seen_from("face70"))
    np.savetxt(tmp_path / "set/b.txt", np.zeros((70, 2)))
    made = places(tmp_path, "toy")
    evaluate_test_set(**made, name="mine", kind="toy", path=str(tmp_path / "set"), landmarkers={}, **SETTINGS)
    scores = json.loads((tmp_path / "toy/scores.json").read_text())
    assert scores["account"]["faults"]["left_out"] == {"no_extent": 1}
    assert list(scores["methods"]) == ["mean face, box given", "corner"]
    assert scores["methods"]["mean face, box given"]["errors"]["box"]["nme"] < 0.01
    assert scores["methods"]["corner"]["detection"] == {"precision": 0.0, "recall": 0.0, "average_precision": 0.0}
    evaluate_test_set(**made, name="mine", kind="toy", path=None, landmarkers={}, **SETTINGS)
    assert "Ask for it at me" in json.loads((tmp_path / "toy/scores.json").read_text())["missing"]
