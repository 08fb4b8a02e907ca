"""The detector: scenes and their faces, maps and the way back, its loss, training, files, and the library with it."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

import tfake
from landmarks.train_detector import train_detector as run_job
from tfake.detector import detector_training as training
from tfake.detector.detector_file import detector_payload, load_detector, save_detector
from tfake.detector.detector_network import DetectorArchitecture, DetectorNetwork, NetworkMaps
from tfake.detector.detector_settings import DetectorSettings
from tfake.detector.detector_targets import detection_loss, encode_faces
from tfake.detector.detector_training import average_precision, fit_calibration, judge, train_detector
from tfake.detector.face_detector import ScoreCalibration, find_faces
from tfake.detector.face_maps import CHANNELS, STRIDE, DetectedFaces, decode_faces, suppress
from tfake.detector.scene_people import FIVE_OF_70, PastedFace, Pose, cut_person
from tfake.detector.scenes import SceneMaker
from tfake.detector.views import make_views, stretch_scene
from tfake.landmarks import detector_job as jobs
from tfake.landmarks.__main__ import main
from tfake.landmarks.detector_job import DetectorJob
from tfake.landmarks.landmark_job import StoredFaces
from tfake.landmarks.landmark_network import Calibration, LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmarker_file import save_landmark_weights
from tfake.training.loop import RunControl, TrainingStoppedError
from tfake.training.training_faces import TrainingFace
from tfake.training.weights_file import CheckpointFile
from tiny_landmarks import CPU, make_faces

pytestmark = pytest.mark.usefixtures("one_thread")
FACES, HELD_OUT = make_faces(6), make_faces(9)[6:]
TINY = {
    "steps": 3,
    "batch": 4,
    "scene_pixels": 96,
    "channels": 16,
    "validate_every": 2,
    "checkpoint_every": 2,
    "precision": "float32",
}
PLAIN = {
    "empty_share": 0.0,
    "rgb_share": 0.0,
    "objects": 0.0,
    "thermal_strength": 0.0,
    "real_world_strength": 0.0,
    "most_people": 1,
}


@pytest.fixture(autouse=True)
def few_scenes(monkeypatch):
    monkeypatch.setattr(training, "VALIDATION_SCENES", 4)
    monkeypatch.setattr(training, "CALIBRATION_SCENES", 8)


def settings(**changes):
    return DetectorSettings.from_mapping({**TINY, **changes})


def face_at(left, top, edge, height=None):
    box = np.array((left, top, left + edge, top + (height or edge)), np.float32)
    return PastedFace(box, (box[:2] + np.array(((1, 1), (3, 1), (2, 2), (1, 3), (3, 3))) * edge / 4).astype(np.float32))


def answer_of(maps):
    """What a network gives that has learnt the maps by heart."""
    heat = np.clip(maps.heat, 1e-6, 1 - 1e-6)
    return torch.from_numpy(np.concatenate((np.log(heat / (1 - heat))[None], maps.values)).astype(np.float32))


def test_what_is_encoded_is_decoded():
    faces = [face_at(10.3, 20.7, 14, 17), face_at(60, 12, 50, 66), face_at(150.5, 100.2, 80)]
    found = decode_faces(answer_of(encode_faces(faces, [], (192, 256))).numpy(), 3.0, 10)
    order = np.argsort(found.boxes[:, 0])
    np.testing.assert_allclose(found.boxes[order], [face.box for face in faces], atol=1e-3)
    np.testing.assert_allclose(found.five[order], [face.five for face in faces], atol=1e-3)


def test_maps_of_a_face():
    face, unsure = face_at(40, 40, 40), face_at(100, 100, 20)
    maps = encode_faces([face], [unsure], (160, 160))
    assert maps.heat.shape == (40, 40)
    assert np.argwhere(maps.heat == 1).tolist() == [[15, 15]]
    assert maps.weights.sum() == pytest.approx(1)
    middles = STRIDE * np.arange(40) + 1.5
    inside = (middles >= 100) & (middles <= 120)
    np.testing.assert_array_equal(maps.counts == 0, np.outer(inside, inside))
    nothing = encode_faces([], [], (160, 160))
    assert nothing.heat.max() == nothing.weights.max() == 0
    # However near a face is, its cells weigh the same together.
    near, far = (encode_faces([face_at(20, 20, edge)], [], (256, 256)) for edge in (200, 100))
    weighed = [
        (part.counts * part.heat)[part.heat > 0].sum() - part.heat[part.counts == 1].sum() for part in (near, far)
    ]
    assert weighed[0] == pytest.approx(weighed[1], rel=0.05)


def test_the_loss_in_closed_form():
    heat = torch.zeros(1, 2, 2)
    heat[0, 0, 0], heat[0, 0, 1] = 1.0, 0.5
    counts, values = torch.tensor([[[1.0, 1.0], [1.0, 0.0]]]), torch.zeros(1, CHANNELS - 1, 2, 2)
    weights = torch.zeros(1, 2, 2)
    weights[0, 0, 0] = 1.0
    answer = torch.zeros(1, CHANNELS, 2, 2)
    answer[0, 1:5, 0, 0], answer[0, 5:, 0, 0] = 0.5, -0.25
    answer[0, 1:, 1, 1] = 9.0  # counts nowhere
    focal, boxes, points = detection_loss(answer, heat, counts, values, weights)
    # p is a half everywhere: right in the cell whose target is a half, and as wrong at the centre as elsewhere.
    assert focal.item() == pytest.approx(0.25 * np.log(2) * 2, rel=1e-5)
    assert boxes.item() == pytest.approx(4 * 0.5)
    assert points.item() == pytest.approx(10 * 0.25)
    empty = detection_loss(answer, torch.zeros_like(heat), counts, values, torch.zeros_like(weights))
    assert [term.item() for term in empty[1:]] == [0, 0]
    assert empty[0].item() == pytest.approx(0.25 * np.log(2) * 3, rel=1e-5)


def test_a_pose_takes_the_points_along():
    face = FACES[0]
    pose = Pose((70.0, 50.0), 30.0, 0.0, mirrored=True)
    person = cut_person(face, "warm", pose, (128, 160), to_floor=False)
    box = person.face.box
    np.testing.assert_allclose((box[:2] + box[2:]) / 2, pose.middle, atol=1e-4)
    assert person.face.size == pytest.approx(30, rel=1e-4)
    assert person.face.five[0, 0] - box[0] == pytest.approx(
        (face.points[:, 0].max() - face.points[FIVE_OF_70[1], 0]) * 30 / np.sqrt(np.prod(np.ptp(face.points, axis=0))),
        abs=1e-3,
    )
    # The disc of skin lies where its points are, and nothing of it elsewhere.
    assert person.image[50, 70] > 34
    assert person.share[50, 70] == 1
    assert person.share[:, :30].max() == 0


def test_a_bust_goes_on_to_the_lower_edge():
    thermal, foreground = np.full((64, 64), 20.0, np.float32), np.zeros((64, 64), np.uint8)
    foreground[20:, 24:40] = 1
    thermal[foreground == 1] = 33
    points = np.random.default_rng(0).uniform(26, 38, (70, 2)).astype(np.float32)
    bust = TrainingFace.of_arrays(np.zeros((64, 64, 3), np.uint8), {"warm": thermal}, foreground, points, np.ones(70))
    pose = Pose((50.0, 20.0), 12.0, 0.0, mirrored=False)
    floor, cut = (cut_person(bust, "warm", pose, (200, 100), to_floor=to_floor) for to_floor in (True, False))
    assert floor.share[-1].max() == pytest.approx(1)
    assert cut.share[-1].max() == 0
    assert floor.image[-1, 50] == pytest.approx(33, abs=0.5)


def test_scenes_follow_from_their_generator_and_hold_their_people():
    maker = SceneMaker(FACES, settings(), [replace(FACES[5], read=unknown_person(FACES[5]))])
    counts = []
    for seed in range(40):
        scene, again = (maker.draw(np.random.default_rng(seed), (96, 128)) for _ in range(2))
        np.testing.assert_array_equal(scene.image, again.image)
        assert scene.image.shape[:2] == (96, 128)
        assert np.isfinite(scene.image).all()
        counts.append(len(scene.faces))
        for face in scene.faces:
            assert face.size >= 0.95 * 12
            middle = (face.box[:2] + face.box[2:]) / 2
            assert (middle >= 0).all()
            assert (middle <= (127, 95)).all()
    assert min(counts) == 0
    assert max(counts) >= 3


def unknown_person(face):
    return lambda kind, variant: () if kind == "foreground" else face.read(kind, variant)


def test_of_two_faces_in_one_place_the_nearer_is_to_be_found(monkeypatch):
    maker = SceneMaker(FACES, settings(**{**PLAIN, "most_people": 2}))
    monkeypatch.setattr(SceneMaker, "_draw_sizes", lambda *rest: [20.0, 40.0])
    seen = [maker.draw(np.random.default_rng(seed), (64, 64)) for seed in range(60)]
    assert all(any(face.size > 35 for face in scene.faces) for scene in seen)
    both = sum(len(scene.faces) == 2 for scene in seen)
    hidden = sum(not any(face.size < 25 for face in (*scene.faces, *scene.unsure)) for scene in seen)
    assert both
    assert hidden


def test_gain_and_offset_of_a_gray_scene_mean_nothing():
    image = np.random.default_rng(0).random((64, 96)).astype(np.float32)
    np.testing.assert_allclose(stretch_scene(0.2 + 0.3 * image), stretch_scene(image), atol=1e-5)
    assert stretch_scene(np.full((8, 8), 0.4, np.float32)).max() == 0


@pytest.mark.parametrize(("shape", "views"), [((120, 160), 1), ((480, 640), 2), ((20, 900), 1)])
def test_views_have_edges_that_the_network_takes(shape, views):
    shown = list(make_views(np.random.default_rng(0).random((*shape, 3)).astype(np.float32), 96))
    assert len(shown) == views
    for view in shown:
        assert not any(edge % 32 for edge in view.image.shape[:2])
        np.testing.assert_allclose(view.scale * shape[::-1], view.image.shape[1::-1])


def test_one_face_is_kept_of_those_that_overlap():
    boxes = np.array(((0, 0, 10, 10), (1, 1, 11, 11), (3, 3, 6, 6), (20, 0, 30, 10)), np.float32)
    faces = DetectedFaces(boxes, np.zeros((4, 5, 2), np.float32), np.array((1, 3, 2, 0), np.float32))
    assert suppress(faces, 0.5).logits.tolist() == [3, 0]


def test_what_was_found_is_judged():
    faces, unsure = [face_at(0, 0, 20), face_at(50, 0, 20)], [face_at(100, 0, 20)]
    boxes = np.array([face_at(x, 0, 20).box for x in (1, 2, 100, 150)])
    found = DetectedFaces(boxes, np.zeros((4, 5, 2), np.float32), np.array((4, 3, 2, 1), np.float32))
    assert judge(found, faces, unsure) == [(4.0, True), (3.0, False), (1.0, False)]


def test_average_precision_of_known_lists():
    assert average_precision(np.array((3.0, 2.0)), np.array((True, True)), 2) == 1
    assert average_precision(np.array((3.0, 2.0)), np.array((False, True)), 1) == 0.5
    assert average_precision(np.array((3.0, 2.0, 1.0)), np.array((True, False, True)), 4) == pytest.approx(5 / 12)
    assert average_precision(np.array(()), np.array((), bool), 3) == 0


def test_calibrated_scores_are_how_often_they_are_right():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, 20000)
    is_right = rng.random(20000) < 1 / (1 + np.exp(-(0.6 * logits - 1)))
    calibration = fit_calibration(logits, is_right)
    assert calibration.slope == pytest.approx(0.6, abs=0.03)
    assert calibration.offset == pytest.approx(-1, abs=0.06)
    assert calibration.confidence(np.array([calibration.logit_of(0.8)]))[0] == pytest.approx(0.8)
    assert fit_calibration(logits[:9], np.ones(9, bool)) == ScoreCalibration()
    assert fit_calibration(logits, ~is_right) == ScoreCalibration()


def train(checkpoint=None, is_stopping=lambda: False, **changes):
    return train_detector(settings(**changes), FACES, HELD_OUT, RunControl(CPU, checkpoint, is_stopping))


def test_a_short_run_learns():
    trained = train(steps=120, batch=8, learning_rate=5e-3, ema_decay=0.9, validate_every=0, **PLAIN)
    losses = trained.losses["total"]
    assert losses.tail(8).mean() < 0.5 * losses.head(4).mean()
    assert trained.average_precision > 0.3
    assert trained.losses.columns.tolist()[:5] == ["step", "total", "centres", "boxes", "points"]
    assert not trained.network.training


def test_an_interrupted_run_ends_with_the_same_weights(tmp_path):
    whole = train()
    file = CheckpointFile(tmp_path / "checkpoint.pt", "run")
    answers = iter([False, True])
    with pytest.raises(TrainingStoppedError, match="after step 2 of 3"):
        train(file, lambda: next(answers))
    resumed = train(file)
    state, expected = resumed.network.state_dict(), whole.network.state_dict()
    assert all(torch.equal(state[name], expected[name]) for name in expected)
    assert resumed.calibration == whole.calibration


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scenes": 3}, "scenes"),
        ({"rgb_share": 1.0}, "rgb_share"),
        ({"least_face_pixels": 2}, "least_face_pixels"),
        ({"backbone": "regnetx_0"}, "regnetx_0"),
        ({"backbone": "vit_tiny_patch16_224"}, "vit_tiny_patch16_224"),
    ],
)
def test_settings_that_cannot_train_are_named(changes, message):
    with pytest.raises((ValueError, RuntimeError), match=message):
        train(**changes)


def test_a_backbone_may_have_learnt_something_else(network):
    learnt = {name: value + 1 for name, value in network.backbone.state_dict().items()}
    with torch.random.fork_rng([]):
        started = DetectorNetwork(DetectorArchitecture())
    started.start_from({**learnt, "s4.weight": torch.zeros(1)})
    assert all(torch.equal(value, learnt[name]) for name, value in started.backbone.state_dict().items())
    with pytest.raises(ValueError, match="another backbone than regnetx_002"):
        started.start_from({"stem.weight": torch.zeros(1)})


def test_without_people_no_run_starts():
    with pytest.raises(ValueError, match="no faces to validate on"):
        train_detector(settings(), FACES, [], RunControl(CPU))
    with pytest.raises(ValueError, match="no faces to make scenes from"):
        train_detector(settings(), [], HELD_OUT, RunControl(CPU))


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return DetectorNetwork(DetectorArchitecture(search_pixels=96)).eval()


def test_the_default_network_is_small(network):
    assert sum(parameter.numel() for parameter in network.parameters()) < 400_000


def test_a_file_gives_back_the_network(tmp_path, network):
    calibration = ScoreCalibration(0.5, -1.0)
    digest = save_detector(tmp_path / "a.pt", network, calibration)
    assert save_detector(tmp_path / "b.pt", network, calibration) == digest
    images = torch.rand(1, 3, 64, 96)
    for source in (tmp_path / "a.pt", detector_payload(network, calibration)):
        loaded, found = load_detector(source)
        assert found == calibration
        with torch.inference_mode():
            assert torch.equal(loaded(images), network(images))


def test_what_is_no_detector_is_refused(tmp_path, network):
    torch.save({"format": "other"}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match=r"tfake-detector-1.*'other'"):
        load_detector(tmp_path / "other.pt")
    payload = detector_payload(network, ScoreCalibration())
    payload["settings"] = {**payload["settings"], "channels": 8}
    with pytest.raises(ValueError, match="tensors do not fit"):
        load_detector(payload)


def put_faces(monkeypatch, faces, shape):
    """Let every picture have faces at known places of a picture of a shape, with a logit of 13.8."""
    maps = encode_faces(faces, [], shape)
    monkeypatch.setattr(DetectorNetwork, "forward", lambda self, images: answer_of(maps)[None])


def test_boxes_come_back_in_the_pictures_pixels(network, monkeypatch):
    put_faces(monkeypatch, [face_at(30, 20, 24)], (96, 96))
    picture = np.random.default_rng(0).random((150, 150, 3), dtype=np.float32)
    found = find_faces(NetworkMaps(network, CPU), picture, 0.0)
    np.testing.assert_allclose(found.boxes, [150 / 96 * (np.array((30, 20, 54, 44)) + 0.5) - 0.5], atol=1e-3)


@pytest.fixture
def landmarks(tmp_path):
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        net = LandmarkNetwork(LandmarkArchitecture(70, image_pixels=64))
    save_landmark_weights(tmp_path / "landmarks.pt", net, Calibration(1.0, 10.0))
    return tmp_path / "landmarks.pt"


def test_the_landmarker_searches_by_its_detector(landmarks, network, monkeypatch):
    put_faces(monkeypatch, [face_at(8, 8, 24), face_at(60, 50, 24)], (96, 96))
    image = np.random.default_rng(1).integers(0, 255, (96, 96), dtype=np.uint8)
    with_it = tfake.ThermalLandmarker(landmarks, "cpu", detector=detector_payload(network, ScoreCalibration(0.5, -2)))
    expected = 1 / (1 + np.exp(-(0.5 * np.log((1 - 1e-6) / 1e-6) - 2)))
    faces = with_it.process(image, sliding_window=True, multi=True)
    np.testing.assert_allclose(faces.confidence, [expected] * 2, rtol=1e-3)
    assert len(with_it.process(image, sliding_window=True)) == 1
    assert np.isnan(with_it.process(image, sliding_window=True, method="windows").confidence).all()
    assert np.isnan(with_it.process(image, boxes=[(1, 1, 30, 30)]).confidence).all()
    surer = tfake.ThermalLandmarker(
        landmarks, "cpu", detector=detector_payload(network, ScoreCalibration(0.5, -2)), confidence=0.999
    )
    assert len(surer.process(image, sliding_window=True, multi=True)) == 0
    doubtful = tfake.ThermalLandmarker(landmarks, "cpu", 1e-6, detector=detector_payload(network, ScoreCalibration()))
    assert len(doubtful.process(image, sliding_window=True, multi=True)) == 0


def test_the_command_line_says_how_sure_the_detector_is(landmarks, network, monkeypatch, tmp_path):
    put_faces(monkeypatch, [face_at(8, 8, 24), face_at(60, 50, 24)], (96, 96))
    save_detector(tmp_path / "detector.pt", network, ScoreCalibration(0.5, -2))
    cv2.imwrite(str(tmp_path / "picture.png"), np.random.default_rng(1).integers(0, 255, (96, 96), dtype=np.uint8))
    names = {name: str(tmp_path / name) for name in ("picture.png", "detector.pt", "out.json")}
    arguments = [names["picture.png"], "-w", str(landmarks), "-o", names["out.json"], "--sliding-window", "--multi"]
    assert main([*arguments, "--detector", names["detector.pt"]]) == 0
    faces = json.loads((tmp_path / "out.json").read_text())["images"][0]["faces"]
    assert [face["confidence"] for face in faces] == [pytest.approx(0.993, abs=0.001)] * 2
    assert main(arguments) == 0
    faces = json.loads((tmp_path / "out.json").read_text())["images"][0]["faces"]
    assert faces
    assert all("confidence" not in face for face in faces)


def test_a_method_that_cannot_be_is_refused(landmarks):
    without = tfake.ThermalLandmarker(landmarks, "cpu")
    image = np.zeros((64, 64), np.uint8)
    with pytest.raises(ValueError, match="needs a detector"):
        without.process(image, sliding_window=True, method="detector")
    with pytest.raises(ValueError, match="one of auto, detector, windows"):
        without.process(image, method="best")
    with pytest.raises(ValueError, match="confidence"):
        tfake.ThermalLandmarker(landmarks, "cpu", confidence=1.0)
    with pytest.raises(ValueError, match="from 1 to 3; found 4"):
        tfake.ThermalLandmarker(landmarks, "cpu", looks=4)
    with pytest.raises(ValueError, match="looks are a detector's"):
        tfake.ThermalLandmarker(landmarks, "cpu", looks=3)


def test_as_many_looks_are_taken_as_one_asks_for(landmarks, network, monkeypatch, tmp_path):
    shapes = []

    def maps(of, image):
        shapes.append(image.shape[1:])
        return np.full((CHANNELS, image.shape[1] // 4, image.shape[2] // 4), -9.0, np.float32)

    monkeypatch.setattr(NetworkMaps, "__call__", maps)
    save_detector(tmp_path / "detector.pt", network, ScoreCalibration(0.5, -2))
    cv2.imwrite(str(tmp_path / "picture.png"), np.random.default_rng(1).integers(0, 255, (96, 96), dtype=np.uint8))
    arguments = [str(tmp_path / "picture.png"), "-w", str(landmarks), "-o", str(tmp_path / "out.json")]
    arguments += ["--sliding-window", "--detector", str(tmp_path / "detector.pt")]
    assert main(arguments) == 0
    plain = list(shapes)
    shapes.clear()
    assert main([*arguments, "--looks", "2"]) == 0
    assert shapes == plain * 2
    shapes.clear()
    assert main([*arguments, "--looks", "3"]) == 0
    assert shapes[: 2 * len(plain)] == plain * 2
    assert len(shapes) > 2 * len(plain), "the third look has a border"


def test_the_job_writes_its_files(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "open_faces", lambda stored, part: FACES if part == "train" else HELD_OUT)
    (tmp_path / "SHA256SUMS").write_text("0  a\n")
    paths = ("weights", "provenance", "losses", "loss_figure", "sample_figure", "checkpoint")
    job = DetectorJob(
        **{name: str(tmp_path / name) for name in paths},
        stored=StoredFaces(str(tmp_path), [], "", 70, ["warm"]),
        sums=[str(tmp_path / "SHA256SUMS")],
        settings=TINY,
        device="cpu",
        threads=1,
    )
    run_job(job)
    record = json.loads((tmp_path / "provenance").read_text())
    assert record["faces"] == 6
    assert record["settings"]["batch"] == 4
    loaded, calibration = load_detector(tmp_path / "weights")
    assert record["calibration"] == vars(calibration)
    assert loaded.architecture.channels == 16
    for figure in ("loss_figure", "sample_figure"):
        assert (tmp_path / figure).read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "checkpoint").exists()
