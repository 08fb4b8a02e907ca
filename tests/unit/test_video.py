"""Videos from end to end: a landmarker that sees warm discs, clips with planted temperatures, and the command line."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from landmark_command import save_random_weights
from tfake.core.radiometry import encode_celsius
from tfake.imaging.crops import square_around
from tfake.labels.conventions import reference_face
from tfake.landmarks import video_command
from tfake.landmarks.__main__ import main
from tfake.landmarks.landmarker import LandmarkDetections, ThermalLandmarker
from tfake.landmarks.temperatures import PLACES
from tfake.landmarks.tracking import FaceTracker
from tfake.landmarks.video import FaceFinder, VideoFrame, _beside, _same_scene, _thumbnail, track_video
from tfake.thermal_io.scales import Scale

FACE = reference_face()[:70, :2]
WALL, SKIN, CANTHUS = 22.0, 33.0, 35.5
RADIUS = 26.0
RATE = 9


def scene(*centres, shape=(120, 200), slope=0.01):
    """A picture of °C with a round face at each centre, whose right inner canthus is warm."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    celsius = WALL + slope * (rows + columns)
    for centre in centres:
        celsius[np.hypot(columns - centre[0], rows - centre[1]) <= RADIUS] = SKIN
    for centre in centres:
        column, row = centre + FACE[39] * RADIUS / 1.5
        celsius[np.hypot(columns - column, rows - row) <= 4] = CANTHUS
    return celsius.astype(np.float32)


class DiscLandmarker:
    """Finds discs of skin: within boxes, or in the whole picture; counts how often it looks."""

    threshold, n_landmarks = 0.06, 70

    def __init__(self):
        self.searches = self.looks = 0

    def process(self, image, sliding_window=False, multi=False, mode="auto", boxes=None):
        celsius = Scale("celsius").convert(image)
        if boxes is None:
            assert sliding_window
            assert multi
            self.searches += 1
            boxes = [(x, 0, x + 2 * RADIUS, image.shape[0]) for x in range(0, image.shape[1], 50)]
            found = [face for face in (self._look(celsius, box) for box in boxes) if face[1] < self.threshold]
            # As of every search, no two faces overlap by much.
            apart = 1.5 * RADIUS
            found = [face for n, face in enumerate(found) if all(abs(face[0] - f[0]).max() > apart for f in found[:n])]
        else:
            self.looks += len(boxes)
            found = [self._look(celsius, box) for box in boxes]
        points = np.array([face[0] for face in found], np.float32).reshape(-1, 70, 2)
        scores = np.array([face[1] for face in found], np.float32)
        return LandmarkDetections(points, np.full(points.shape[:2], 0.5, np.float32), scores)

    def to_whole_face(self, boxes):
        return boxes

    def _look(self, celsius, box):
        left, top, side = square_around(box)
        rows, columns = np.nonzero(celsius > (WALL + SKIN) / 2)
        inside = (columns > left) & (columns < left + side) & (rows > top) & (rows < top + side)
        if inside.sum() < 0.5 * np.pi * RADIUS**2:
            return FACE + np.array([left, top]), 0.3
        middle = np.array([columns[inside].mean(), rows[inside].mean()])
        return middle + FACE * RADIUS / 1.5, 0.03


def walk(count, start=(50.0, 60.0), speed=27.0):
    return [np.array([start[0] + speed * number / RATE, start[1]]) for number in range(count)]


def frames_of(images):
    return [VideoFrame(image, number / RATE) for number, image in enumerate(images)]


@pytest.mark.parametrize("smoothing", ["both", "causal", "none"])
def test_a_face_is_looked_for_where_it_is_expected(smoothing):
    landmarker, centres = DiscLandmarker(), walk(30)
    answers = list(track_video(landmarker, frames_of(scene(c) for c in centres), smoothing, search_every=10))
    assert [answer.frame for answer in answers] == list(range(30))
    assert [answer.time_seconds for answer in answers] == pytest.approx([number / RATE for number in range(30)])
    assert landmarker.searches == 3
    assert landmarker.looks == 29
    # Before it was confirmed, only those know it who look back.
    first = 1 if smoothing == "causal" else 0
    assert [answer.track_ids.tolist() for answer in answers] == [[]] * first + [[0]] * (30 - first)
    for answer, centre in zip(answers[5:], centres[5:], strict=True):
        np.testing.assert_allclose(answer.faces.landmarks[0].mean(axis=0), centre + FACE.mean(0) * RADIUS / 1.5, atol=1)


def test_a_face_behind_something_is_known_from_both_sides():
    images = [scene(centre) for centre in walk(24)]
    images[10:13] = [scene()] * 3
    landmarker = DiscLandmarker()
    answers = list(track_video(landmarker, frames_of(images), "both"))
    assert [answer.track_ids.tolist() for answer in answers] == [[0]] * 24
    assert [bool(answer.observed[0]) for answer in answers] == [True] * 10 + [False] * 3 + [True] * 11
    hidden = answers[11].faces.landmarks[0].mean(axis=0) - FACE.mean(0) * RADIUS / 1.5
    np.testing.assert_allclose(hidden, walk(24)[11], atol=1)
    causal = list(track_video(DiscLandmarker(), frames_of(images), "causal"))
    assert [len(answer) for answer in causal[9:14]] == [1, 0, 0, 0, 1]


class CloseFaces:
    """Finds two faces beside one another in any picture; where it is told where to look, both are the one in front."""

    threshold, n_landmarks = 0.06, 70

    def __init__(self, apart):
        self.points = np.array([FACE * 20 + 60, FACE * 20 + (60 + apart, 66)], np.float32)
        self.searches = 0

    def process(self, image, sliding_window=False, multi=False, mode="auto", boxes=None):
        self.searches += boxes is None
        points = self.points if boxes is None else self.points[:1].repeat(len(boxes), axis=0)
        scores = np.linspace(0.02, 0.03, len(points), dtype=np.float32)
        return LandmarkDetections(points, np.full(points.shape[:2], 0.5, np.float32), scores)

    @staticmethod
    def to_whole_face(boxes):
        return boxes


def test_faces_that_touch_are_searched_for_and_stay_two():
    width = float(np.ptp(FACE[:, 0])) * 20
    frames = [VideoFrame(np.full((120, 200), 25.0, np.float32), number / RATE) for number in range(8)]
    close = CloseFaces(0.6 * width)
    answers = list(track_video(close, frames, "causal"))
    assert close.searches == 8
    assert all(answer.track_ids.tolist() == [0, 1] for answer in answers[1:])
    # Farther apart each is looked for where it is, which is cheaper.
    apart = CloseFaces(1.5 * width)
    list(track_video(apart, frames, "causal"))
    assert apart.searches < 8


def test_who_comes_in_is_found_by_the_next_search():
    images = [scene((50, 60), *([(150, 60)] if number >= 7 else [])) for number in range(20)]
    answers = list(track_video(DiscLandmarker(), frames_of(images), "both", search_every=5))
    first = next(answer.frame for answer in answers if len(answer) == 2)
    assert 7 <= first <= 11
    assert answers[-1].track_ids.tolist() == [0, 1]


def test_a_cut_and_a_recording_that_begins_anew_are_other_people():
    first, other, hidden = scene((50, 60)), scene(slope=-0.01), scene()
    for images, seconds, last in (
        ([first] * 5 + [hidden] * 4 + [first] * 5, range(14), 0),
        ([first] * 5 + [other] * 4 + [first] * 5, range(14), 1),
        ([first] * 10, [*range(5), *range(5)], 1),
    ):
        finder = FaceFinder(DiscLandmarker(), FaceTracker())
        answers = [finder.find(VideoFrame(image, time / RATE)) for image, time in zip(images, seconds, strict=True)]
        assert [answer.track_ids.tolist() for answer in answers[1:5]] == [[0]] * 4
        assert answers[-1].track_ids.tolist() == [last]


def in_a_crowd(*centres):
    """Finds faces of 40 pixels around each frame's centres, which overlap; told where to look, it finds none."""

    def process(image, sliding_window=False, multi=False, mode="auto", boxes=None):
        points = [FACE * 20 + centre for centre in next(frames)] if boxes is None else []
        points = np.array(points, np.float32).reshape(-1, 70, 2)
        scores = np.full(len(points), 0.02, np.float32)
        return LandmarkDetections(points, np.full(points.shape[:2], 0.5, np.float32), scores)

    frames = iter(centres)
    return SimpleNamespace(threshold=0.06, n_landmarks=70, process=process, to_whole_face=lambda boxes: boxes)


def test_a_crowd_keeps_its_numbers_where_the_camera_turns_and_loses_them_at_a_cut():
    rng = np.random.default_rng(0)
    walls = [np.kron(rng.uniform(20, 30, (15, 40)), np.ones((8, 8))).astype(np.float32) for _ in range(6)]
    apart = 0.65 * 20 * float(np.ptp(FACE[:, 0]))
    crowd = np.array([(40.0 + apart * number, 60.0) for number in range(4)])
    turning = [crowd + (6.0 * number, 0.0) for number in range(6)]
    # Of the other crowd, one is by chance where somebody was.
    cut = [crowd] * 4 + [crowd + (3 * apart, 0.0)] * 2
    for centres, pictures, last in (
        (turning, walls, [0, 1, 2, 3]),
        (cut, [walls[0]] * 4 + [walls[1]] * 2, [4, 5, 6, 7]),
    ):
        finder = FaceFinder(in_a_crowd(*centres), FaceTracker())
        answers = [finder.find(VideoFrame(image, number / RATE)) for number, image in enumerate(pictures)]
        assert answers[3].track_ids.tolist() == [0, 1, 2, 3]
        assert answers[-1].track_ids.tolist() == last
        places = answers[-1].faces.landmarks.mean(axis=1)[:, 0]
        np.testing.assert_allclose(places, centres[-1][:, 0] + 20 * FACE[:, 0].mean(), atol=apart / 2)


def test_a_cut_is_seen_in_the_cold_too():
    first, other = scene((50, 60)), scene((50, 60), slope=-0.01)
    seen, cold = (_thumbnail(VideoFrame(first - below, 0.0)) for below in (0, 30))
    np.testing.assert_allclose(cold, seen, atol=1e-5)
    beside = _beside(np.array([[20, 30, 80, 90]]), first.shape)
    assert _same_scene(cold, cold, beside)
    assert not _same_scene(cold, _thumbnail(VideoFrame(other - 30, 1.0)), beside)


def test_what_cannot_be_meant():
    with pytest.raises(ValueError, match="smoothing must be one of both, causal, none; found 'rts'"):
        next(track_video(DiscLandmarker(), [], "rts"))
    with pytest.raises(ValueError, match="search_every: expected 1 or more"):
        FaceFinder(DiscLandmarker(), FaceTracker(), 0)


def test_the_library_follows_files_and_images(tmp_path):
    images = [scene(centre) for centre in walk(3)]
    np.savez(tmp_path / "clip.npz", counts=encode_celsius(np.array(images)))
    landmarker = ThermalLandmarker(save_random_weights(tmp_path / "w.pt"), "cpu")
    assert [answer.time_seconds for answer in landmarker.process_video(images, search_every=9)] == [None] * 3
    from_file = list(landmarker.process_video(tmp_path / "clip.npz", rate=RATE, search_every=9))
    assert [answer.time_seconds for answer in from_file] == pytest.approx([number / RATE for number in range(3)])
    assert all(answer.faces.landmarks.shape[1:] == (70, 2) for answer in from_file)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """The command line on discs of skin; what it wrote and said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tfake.landmarks.__main__.ThermalLandmarker", lambda *_, **options: DiscLandmarker())
    images = [scene(centre) for centre in walk(20)]
    np.savez(tmp_path / "clip.npz", counts=encode_celsius(np.array(images)))
    np.save(tmp_path / "gray.npy", (np.array(images) * 5).astype(np.uint8))
    (tmp_path / "w.pt").touch()

    def call(*arguments):
        status = main([*arguments, "-w", "w.pt", "-o", "out.json"])
        written = json.loads((tmp_path / "out.json").read_text()) if (tmp_path / "out.json").is_file() else None
        assert not list(tmp_path.rglob("*.part*"))
        return status, written, capsys.readouterr().err

    return call


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_planted_temperatures_come_back_as_a_table(run, tmp_path, suffix):
    arguments = ("clip.npz", "--track", "--rate", "9", "--temperatures", f"t.{suffix}", "--draw", "drawn.mp4")
    status, written, _ = run(*arguments)
    assert status == 0
    faces = [entry["faces"] for entry in written["images"]]
    assert [[face["track_id"] for face in found] for found in faces] == [[0]] * 20
    assert written["images"][9]["time_seconds"] == 1.0
    assert written["summary"]["tracks"] == 1
    assert "shorter than 25 s" in written["summary"]["breathing"][0]["reason"]
    table = pd.read_csv(tmp_path / "t.csv") if suffix == "csv" else pd.read_parquet(tmp_path / "t.parquet")
    assert len(table) == 20 * (len(PLACES) + 1)
    assert table["time_seconds"].max() == pytest.approx(19 / 9)
    for place, celsius in (("right_inner_canthus", CANTHUS), ("left_inner_canthus", SKIN), ("nose_tip", SKIN)):
        found = table[table["place"] == place]
        assert found["valid"].all()
        np.testing.assert_allclose(found["celsius"], celsius, atol=0.05)
    assert (tmp_path / "drawn.mp4").stat().st_size > 1000


def test_a_clip_without_times_has_none(run, tmp_path):
    status, written, _ = run("clip.npz", "--track", "--temperatures", "t.csv")
    assert status == 0
    assert {entry["time_seconds"] for entry in written["images"]} == {None}
    assert pd.read_csv(tmp_path / "t.csv")["time_seconds"].isna().all()
    assert "with a time, fewer than 2" in written["summary"]["breathing"][0]["reason"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gray.npy", "--track", "--temperatures", "t.csv"), "expected temperatures, found 8-bit gray values"),
        (("clip.npz", "--track", "--temperatures", "t.xlsx"), "name a file .csv or .parquet; found t.xlsx"),
        (("clip.npz", "--temperatures", "t.csv"), "--temperatures: only with --track"),
        (("clip.npz", "--track", "--multi"), "leave out --sliding-window and --multi"),
        (("clip.npz", "--track", "--rate", "0"), "--rate: expected frames a second above 0, found 0.0"),
        (("clip.npz", "--track", "--search-every", "0"), "search_every: expected 1 or more"),
    ],
)
def test_what_cannot_be_asked_for_says_so(run, tmp_path, arguments, message):
    status, written, err = run(*arguments)
    assert status == 1
    assert written is None
    assert message in err
    assert not (tmp_path / "t.csv").exists()


def test_a_folder_s_pictures_are_frames_and_a_bad_one_costs_no_other(run, tmp_path):
    (tmp_path / "frames").mkdir()
    for number, centre in enumerate(walk(6)):
        np.save(tmp_path / f"frames/{number}.npy", scene(centre))
    (tmp_path / "frames/3.npy").write_bytes(b"\x93NUMPY cut")
    status, written, err = run("frames", "--track", "--rate", "9", "--temperatures", "t.csv")
    assert status == 1
    assert "not read: 3.npy" in err
    assert [[face["track_id"] for face in entry["faces"]] for entry in written["images"]] == [[0]] * 5
    assert pd.read_csv(tmp_path / "t.csv")["image"].unique().tolist() == [f"{n}.npy" for n in (0, 1, 2, 4, 5)]


def test_one_picture_is_a_clip_of_one(run, tmp_path):
    np.save(tmp_path / "one.npy", scene((50, 60)))
    status, written, _ = run("one.npy", "--track", "--temperatures", "t.csv")
    assert status == 0
    assert [face["track_id"] for face in written["images"][0]["faces"]] == [0]
    assert video_command.SEARCH_EVERY > 1
