"""Tasks on sequences: measures of a landmarker that knows the truth, totals by hand, and the study from end to end."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from landmark_command import save_random_weights
from studies.describe_sequence_tasks import describe_sequence_tasks
from studies.follow_scenes import follow_scenes
from studies.follow_sequences import follow_sequences
from tfake.landmarks.landmarker import LandmarkDetections
from tfake.reader.sequences import open_sequences
from tfake.studies.motion_measures import MotionSums
from tfake.studies.sequence_scores import Bootstrap, breathing_table, scene_table, sequence_table, summarise
from tfake.studies.sequence_tasks import WAYS, film_breathing, measure_sequence
from tfake.studies.sequence_tasks_page import render_tasks
from tfake.studies.track_measures import TrackCounts
from tiny_sequences import FRAMES, sequence_plan, write_sequences

pytestmark = pytest.mark.usefixtures("one_thread")
TINY = {"subjects": 2, "expressions": ["talk"], "frames": FRAMES, "image_pixels": 64}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_sequences(folder, sequence_plan(**TINY))
    return folder


class Oracle:
    """A landmarker that knows the frames it is shown; ``shift`` is its error, and it sees a face beside in some."""

    threshold, n_landmarks = 0.06, 70

    def __init__(self, sequence, shift=0.0, beside=()):
        points = sequence.read("landmarks_70") + np.float32(shift)
        self._points = {image.tobytes(): own for image, own in zip(sequence.read("thermal"), points, strict=True)}
        self._beside = [sequence.read("thermal")[number].tobytes() for number in beside]

    def process(self, image, sliding_window=False, multi=False, mode="auto", boxes=None):
        points = self._points[image.tobytes()]
        count = 1 if boxes is None else len(boxes)
        found = [points] * count
        if boxes is None and image.tobytes() in self._beside:
            found.append(points * np.float32(0.1))
        found = np.array(found, np.float32).reshape(-1, 70, 2)
        scores = np.linspace(0.02, 0.03, len(found), dtype=np.float32)
        return LandmarkDetections(found, np.full(found.shape[:2], 0.5, np.float32), scores)

    @staticmethod
    def to_whole_face(boxes):
        return boxes


def test_a_landmarker_that_knows_the_truth_has_no_error(results):
    sequences = open_sequences(results)
    record = measure_sequence(Oracle(sequences[0]), sequences[0], sequences.frames_per_second)
    assert record["detections"] == [[pytest.approx(0.02), True]] * FRAMES
    assert record["ways"]["frames"] == {"motion": {**record["ways"]["frames"]["motion"], "frames": FRAMES, "error": 0}}
    both = record["ways"]["both"]
    assert TrackCounts(**both["tracks"]) == TrackCounts(FRAMES, FRAMES, FRAMES, 0, FRAMES)
    # A face is one from its second frame on, where what comes later is not waited for.
    assert TrackCounts(**record["ways"]["causal"]["tracks"]).misses == 1
    assert record["breathing"]["true_rate"] == pytest.approx(
        float(sequences[0].curves()["breaths_per_minute"][0]), abs=1e-6
    )
    for points in ("found", "true_points"):
        assert not record["breathing"][points]["valid"]
        assert "shorter than 25 s" in record["breathing"][points]["reason"]


def test_a_shift_is_an_error_and_a_face_beside_is_a_false_one(results):
    sequence = open_sequences(results)[1]
    record = measure_sequence(Oracle(sequence, shift=0.5, beside=(1, 2)), sequence, 16.0)
    size = np.sqrt(np.ptp(sequence.read("landmarks_70"), axis=1).prod(axis=1))
    motion = MotionSums(**record["ways"]["frames"]["motion"])
    assert motion.nme == pytest.approx((0.5 * np.sqrt(2) / size).mean(), rel=1e-4)
    assert motion.mean_jitter == pytest.approx(0, abs=1e-5)
    found = summarise([record], [], Bootstrap(5, 0))["localisation"]
    assert found["recall"]["value"] == 1.0
    assert found["false_faces_per_1000_frames"]["value"] == pytest.approx(1000 * 2 / FRAMES)


def test_a_film_without_a_face_has_no_rate():
    found = film_breathing(np.zeros((3, 8, 8), np.float32), np.arange(3.0), np.full((3, 70, 2), np.nan))
    assert not found.valid
    assert found.reason == "0 temperatures with a time, fewer than 2"


def record_of(subject, *, jitter=(0.04, 0.01), lag=0.2, switches=0, rate=15.4, valid=True):
    """What one film of 100 frames came to: its jitters alone and followed, and a rate of 15 breaths a minute read."""
    tracks = {"truths": 100, "answers": 100, "matches": 100, "switches": switches, "identity_matches": 100 - switches}

    def motion(own):
        return {"frames": 100, "error": 3.0, "triples": 98, "jitter": 98 * own, "delay": 50.0 * lag, "motion": 50.0}

    told = {"breaths_per_minute": rate, "peak_share": 0.8, "seconds": 30.0, "valid": valid, "reason": ""}
    return {
        "sequence_id": f"{subject}_talk",
        "subject_id": subject,
        "expression": "talk",
        "state": "rest",
        "frames": 100,
        "ways": {
            "frames": {"motion": motion(jitter[0])},
            "causal": {"motion": motion(jitter[1]), "tracks": tracks},
            "both": {"motion": motion(jitter[1]), "tracks": tracks},
        },
        "detections": [[0.1, True]] * 90 + [[0.9, False]] * 5,
        "breathing": {"true_rate": 15.0, "found": told, "true_points": told},
    }


def scene_of(number, group, kind, switches):
    tracks = {"truths": 50, "answers": 50, "matches": 50, "switches": switches, "identity_matches": 50 - 10 * switches}
    return {
        "scene": number,
        "group": group,
        "kind": kind,
        "sequences": ["a_talk", "b_talk"],
        "frames": 25,
        "least_visible": 0.0,
        "ways": {"causal": {"tracks": tracks}, "both": {"tracks": tracks}},
    }


def test_totals_are_told_by_hand():
    records = [record_of("s0000"), record_of("s0001", jitter=(0.02, 0.02), lag=0.6, switches=2, rate=16.8)]
    scenes = [scene_of(0, "g0", "pass", 0), scene_of(1, "g1", "return", 1)]
    found = summarise(records, scenes, Bootstrap(200, 0))
    assert (found["sequences"], found["subjects"], found["frames"]) == (2, 2, 200)
    assert found["localisation"]["recall"]["value"] == pytest.approx(0.9)
    assert found["localisation"]["average_precision"]["value"] == pytest.approx(0.9)
    assert found["localisation"]["false_faces_per_1000_frames"]["value"] == pytest.approx(50)
    both = found["ways"]["both"]
    assert both["nme"] == {"value": pytest.approx(0.03), "low": pytest.approx(0.03), "high": pytest.approx(0.03)}
    assert both["lag_frames"]["value"] == pytest.approx(0.4)
    assert (both["lag_frames"]["low"], both["lag_frames"]["high"]) == pytest.approx((0.2, 0.6))
    assert both["mota"]["value"] == pytest.approx(0.99)
    assert both["idf1"]["value"] == pytest.approx(0.99)
    assert both["switches"] == 2
    assert "mota" not in found["ways"]["frames"]
    # Sums, not the mean of two ratios: (.01 + .02) / (.04 + .02).
    assert found["jitter_ratio"]["value"] == pytest.approx(0.5)
    assert found["scenes"]["all"]["ways"]["both"]["idf1"]["value"] == pytest.approx(0.9)
    assert found["scenes"]["pass"]["ways"]["both"]["idf1"]["value"] == 1.0
    assert found["scenes"]["return"]["ways"]["both"]["switches"] == 1
    breathing = found["breathing"]["found"]
    assert (breathing["told"], breathing["within"]) == (2, 1)
    assert breathing["worst_error"] == pytest.approx(1.8)
    assert breathing["mean_error"]["value"] == pytest.approx(1.1)
    assert [row["met"] for row in found["asked"]] == [True, True, True, False, False]


def test_what_was_not_measured_is_neither_met_nor_missed():
    found = summarise([record_of("s0000", rate=None, valid=False)], [], Bootstrap(10, 0))
    assert found["asked"][-1]["met"] is None
    assert found["scenes"] == {}
    assert np.isnan(found["ways"]["both"]["nme"]["low"])
    assert [row["what"] for row in found["asked"]][-1].startswith("error of the breathing rate")


def test_the_page_says_what_was_measured():
    records = [record_of("s0000"), record_of("s0001", switches=4, rate=None, valid=False)]
    scenes = [scene_of(0, "g0", "pass", 0)]
    found = summarise(records, scenes, Bootstrap(20, 0)) | {"interval_draws": 20}
    tables = sequence_table(records), scene_table(scenes), breathing_table(records)
    page = render_tasks(found, *tables, "package")
    assert page.count('class="ok"') + page.count('class="fault"') == 5
    assert "s0001_talk" in page
    assert "a_talk b_talk" in page
    alone = summarise(records[1:], [], Bootstrap(20, 0)) | {"interval_draws": 20}
    page = render_tasks(alone, sequence_table(records[1:]), scene_table([]), breathing_table(records[1:]), "mine.pt")
    assert "not measured" in page
    assert "None: it takes two people" in page
    assert "mine.pt" in page


def test_from_a_store_to_the_page(results, tmp_path):
    weights = str(save_random_weights(tmp_path / "w.pt"))
    people = [f"{tmp_path}/{subject}.json" for subject in ("s0000", "s0001")]
    for path, subject in zip(people, ("s0000", "s0001"), strict=True):
        follow_sequences(path, str(results), subject, weights, "cpu", 1)
    scenes = f"{tmp_path}/scenes.json"
    crossings = {"scenes": 2, "people": 3, "seconds": 4.0, "seed": 0}
    follow_scenes(scenes, str(results), crossings, weights, "cpu", 1)
    made = json.loads((tmp_path / "scenes.json").read_text())
    assert [scene["kind"] for scene in made] == ["pass", "return"]
    assert all(len(scene["sequences"]) == 2 for scene in made)
    out = SimpleNamespace(page=f"{tmp_path}/index.html", summary=f"{tmp_path}/summary.json")
    describe_sequence_tasks(str(tmp_path), out.page, out.summary, people, [scenes], 10, 0, weights)
    table = pd.read_csv(tmp_path / "sequences.csv")
    assert len(table) == 2 * len(WAYS)
    assert len(pd.read_csv(tmp_path / "scenes.csv")) == 2 * 2
    assert len(pd.read_csv(tmp_path / "breathing.csv")) == 2 * 2
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["frames"] == 2 * FRAMES
    with pytest.raises(ValueError, match="expected sequences of s0009, found those of s0000, s0001"):
        follow_sequences(people[0], str(results), "s0009", weights, "cpu", 1)
