"""The library: images of every kind, one answer, TFAN's files, search, drawing, export and the command line."""

import json

import cv2
import numpy as np
import pytest
import torch

import tfake
from tfake.core.radiometry import encode_celsius
from tfake.imaging.crops import crop_squares, square_around, square_around_image, to_image_coordinates
from tfake.landmarks.__main__ import main
from tfake.landmarks.landmark_network import Calibration, LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmarker import LandmarkDetections, ThermalLandmarker
from tfake.landmarks.landmarker_file import TfanNetwork, load_tfan, save_landmark_weights
from tfake.landmarks.outputs import draw_faces
from tfake.landmarks.preprocessing import preprocess, read_image
from tfake.landmarks.search import SearchSettings


def test_a_point_is_valid_where_its_deviation_is_small_for_its_face():
    corners = np.array(((0, 0), (100, 0), (100, 25), (0, 25)), np.float32)  # sqrt(w h) = 50
    faces = LandmarkDetections(
        np.stack((corners, 2 * corners)), np.array(((4.9, 5.1, 1, 12),) * 2, np.float32), np.zeros(2, np.float32)
    )
    np.testing.assert_array_equal(faces.valid, [[True, False, True, False], [True, True, True, False]])
    assert LandmarkDetections(np.empty((0, 70, 2)), np.empty((0, 70)), np.empty(0)).valid.shape == (0, 70)


SKIN = np.random.default_rng(0).uniform(18, 42, (48, 64)).astype(np.float32)


def test_temperatures_have_one_window_for_all_images():
    seen = preprocess(SKIN)
    assert seen.shape == (48, 64, 3)
    np.testing.assert_allclose(seen[..., 1], np.clip((SKIN - 20) / 20, 0, 1), atol=1e-6)
    # TFAN stretches each scene; here a cold corner changes nothing else.
    colder = SKIN.copy()
    colder[:4, :4] = 5.0
    np.testing.assert_array_equal(preprocess(colder)[4:], seen[4:])
    assert np.abs(preprocess(encode_celsius(SKIN)) - seen).max() < 0.0004
    holed = SKIN.copy()
    holed[0, 0] = np.nan
    assert preprocess(holed)[0, 0, 0] == 0


def test_a_scene_s_own_window_holds_what_the_fixed_one_cuts_off():
    seen = preprocess(SKIN, window="scene")
    assert np.ptp(seen[..., 0]) == 1
    # Neither a room as cold as a winter's day nor a camera that is ten kelvins off changes anything.
    np.testing.assert_allclose(preprocess(SKIN - 25, window="scene"), seen, atol=1e-5)
    # A lamp of a few pixels sets nothing, and noise stays noise.
    lamp = np.random.default_rng(0).uniform(18, 42, (100, 100)).astype(np.float32)
    plain = preprocess(lamp, window="scene")
    lamp[0, :3] = 300
    np.testing.assert_allclose(preprocess(lamp, window="scene")[1:], plain[1:], atol=0.01)
    assert np.ptp(preprocess(30 + 0.01 * SKIN, window="scene")) < 0.25
    with pytest.raises(ValueError, match="window must be one of fixed, scene; found 'wide'"):
        preprocess(SKIN, window="wide")


def test_pixels_are_taken_by_their_range():
    gray = np.array([[0, 128, 255]], np.uint8)
    np.testing.assert_allclose(preprocess(gray)[0, :, 0], (0, 128 / 255, 1))
    frame = np.zeros((2, 2, 3), np.uint8)
    frame[..., 0] = 255
    np.testing.assert_array_equal(preprocess(frame)[0, 0], (0, 0, 1))
    np.testing.assert_allclose(preprocess(np.array([[0, 65535]], np.uint16), "pixel")[0, :, 2], (0, 1))


@pytest.mark.parametrize(
    ("image", "mode", "message"),
    [
        (SKIN, "celsius", "mode must be"),
        (np.zeros((2, 2, 4), np.uint8), "auto", r"\(H, W\) or \(H, W, 3\)"),
        (np.zeros((4, 4), np.uint8), "temperature", "uint16 counts"),
        (np.full((4, 4), 60000, np.uint16), "auto", "326.9 °C"),
        (np.zeros((4, 4), np.int64), "auto", "uint8, uint16 or float; found int64"),
    ],
)
def test_what_cannot_be_an_image_is_refused(image, mode, message):
    with pytest.raises(ValueError, match=message):
        preprocess(image, mode)


def test_crops_and_their_way_back():
    image = np.zeros((40, 60, 3), np.float32)
    image[10:14, 20:24] = 1
    # A crop of 8 pixels on 8 pixels is the pixels themselves.
    square = np.array([[17.5, 7.5, 8.0]])
    np.testing.assert_allclose(crop_squares(image, square, 8)[0, 0], image[8:16, 18:26, 0], atol=1e-6)
    points, sigma = to_image_coordinates(np.array([[[0.5, 0.5, 0.1]]]), square)
    np.testing.assert_allclose(points, [[[21.5, 11.5]]])
    assert sigma[0, 0] == pytest.approx(0.8)
    np.testing.assert_allclose(square_around_image((40, 60)), (-0.5, -10.5, 60))
    np.testing.assert_allclose(square_around((10, 20, 30, 60), 1.5), (-10, 10, 60))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        network = LandmarkNetwork(LandmarkArchitecture(70, image_pixels=64))
    path = tmp_path_factory.mktemp("weights") / "weights.pt"
    save_landmark_weights(path, network, Calibration())
    return path


def test_the_answer_is_of_one_kind(weights):
    landmarker = tfake.ThermalLandmarker(weights, "cpu", threshold=10.0)
    assert isinstance(landmarker, ThermalLandmarker)
    answers = [
        landmarker.process(SKIN),
        landmarker.process(encode_celsius(SKIN), sliding_window=True),
        landmarker.process((SKIN * 6).astype(np.uint8), sliding_window=True, multi=True),
        landmarker.process(SKIN, mode="temperature", boxes=[(5, 5, 30, 40), (20, 5, 60, 40)]),
    ]
    for faces in answers:
        assert isinstance(faces, LandmarkDetections)
        landmarks, sigma = faces
        assert landmarks.shape == (len(faces), 70, 2)
        assert sigma.shape == (len(faces), 70)
        assert faces.boxes.shape == (len(faces), 4)
        assert (sigma > 0).all()
    assert [len(answers[0]), len(answers[1]), len(answers[3])] == [1, 1, 2]
    assert len(answers[2]) > 1
    nobody = ThermalLandmarker(weights, "cpu", threshold=0.0).process(SKIN, sliding_window=True, multi=True)
    assert nobody.landmarks.shape == (0, 70, 2)
    assert nobody.boxes.shape == (0, 4)


def test_a_landmarker_says_what_it_cannot_load(tmp_path, weights):
    with pytest.raises(FileNotFoundError):
        ThermalLandmarker(tmp_path / "no.pt", "cpu")
    (tmp_path / "text.pt").write_text("text")
    with pytest.raises(ValueError, match="torch cannot read it"):
        ThermalLandmarker(tmp_path / "text.pt", "cpu")
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="tfake-landmarks-1"):
        ThermalLandmarker(tmp_path / "other.pt", "cpu")
    with pytest.raises(ValueError, match="device must be"):
        ThermalLandmarker(weights, "gpu0")


@pytest.mark.parametrize("points", [70, 478])
def test_tfan_s_released_state_dicts_are_loaded(tmp_path, points):
    released = TfanNetwork(points)
    state = {f"module.{name}": value for name, value in released.state_dict().items()}
    state["module.feature_network.classifier.weight"] = torch.zeros(3, 1280)
    torch.save(state, tmp_path / "tfan.pt")
    landmarker = ThermalLandmarker(tmp_path / "tfan.pt", "cpu")
    assert landmarker.n_landmarks == points
    assert landmarker.threshold == pytest.approx(6e-4**0.5)
    assert landmarker.process(SKIN).landmarks.shape == (1, points, 2)
    search = SearchSettings(min_window_fraction=1.0)
    searching = ThermalLandmarker(tmp_path / "tfan.pt", "cpu", threshold=10.0, search=search)
    assert searching.process(SKIN, sliding_window=True).landmarks.shape == (1, points, 2)
    with pytest.raises(ValueError, match=r"1 missing \['fc.bias'\]"):
        load_tfan({name: value for name, value in state.items() if not name.endswith("fc.bias")}, "tfan.pt")


def test_tfan_s_variance_becomes_a_deviation():
    network = TfanNetwork(2).eval()
    with torch.no_grad():
        network.fc.weight.zero_()
        network.fc.bias.copy_(torch.tensor((0.25, 0.75, 4e-4, 0.5, -0.5, -1.0)))
        found = network(torch.zeros(1, 3, 224, 224))[0]
    np.testing.assert_allclose(found[0], (0.25, 0.75, 0.02), atol=1e-6)
    np.testing.assert_allclose(found[1], (0.5, -0.005, 0.001), atol=1e-6)


def test_drawn_points_lie_on_their_pixels():
    faces = LandmarkDetections(
        np.array([[[10, 20], [40, 30]]], np.float32), np.full((1, 2), 0.1, np.float32), np.zeros(1)
    )
    drawn = draw_faces(np.full((48, 64), 20.0, np.float32), faces)
    factor = drawn.shape[1] // 64
    assert drawn.shape == (48 * factor, 64 * factor, 3)
    assert drawn[int(20.5 * factor), int(10.5 * factor)].max() > 150
    assert drawn[5, 5].max() == 0


def test_the_command_line_reads_images_folders_and_videos(tmp_path, weights, capsys):
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        cv2.imwrite(str(tmp_path / f"in/{name}.png"), encode_celsius(SKIN))
    out = tmp_path / "out.json"
    base = ["-w", str(weights), "-o", str(out), "--device", "cpu"]
    assert main([str(tmp_path / "in/a.png"), *base, "--draw", str(tmp_path / "drawn.png")]) == 0
    (entry,) = json.loads(out.read_text())["images"]
    assert entry["image"] == "a.png"
    assert len(entry["faces"][0]["landmarks"]) == len(entry["faces"][0]["sigma_pixels"]) == 70
    assert read_image(tmp_path / "drawn.png").ndim == 3
    assert main([str(tmp_path / "in"), *base, "--draw", str(tmp_path / "drawn")]) == 0
    assert [entry["image"] for entry in json.loads(out.read_text())["images"]] == ["a.png", "b.png"]
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["a.png", "b.png"]
    video = cv2.VideoWriter(str(tmp_path / "v.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for _ in range(3):
        video.write(np.full((48, 64, 3), 90, np.uint8))
    video.release()
    assert main([str(tmp_path / "v.avi"), *base, "--draw", str(tmp_path / "d.mp4")]) == 0
    assert [entry["image"] for entry in json.loads(out.read_text())["images"]] == ["000000", "000001", "000002"]
    assert (tmp_path / "d.mp4").stat().st_size > 0
    assert main([str(tmp_path / "none.png"), *base]) == 1
    assert "no such image" in capsys.readouterr().err
