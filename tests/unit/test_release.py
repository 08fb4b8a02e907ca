"""A network for both landmark sets, and the small file that it is shipped in."""

import json

import numpy as np
import pytest
import torch

import tfake
from landmarks.pack_landmarker import pack_landmarker
from tfake.core.codes import BOTH_POINTS, LANDMARKS, MESH_POINTS
from tfake.detector.detector_file import save_detector
from tfake.detector.detector_network import DetectorArchitecture, DetectorNetwork
from tfake.detector.face_detector import ScoreCalibration
from tfake.landmarks.landmark_network import HEADS, Calibration, LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmarker_file import save_landmark_weights
from tfake.landmarks.release import load_release, pack_tensors, save_release, unpack_tensors

CALIBRATION = Calibration(1.25, 0.5)


def both(head="heatmap"):
    torch.manual_seed(0)
    return LandmarkNetwork(LandmarkArchitecture(BOTH_POINTS, "resnet10t", head, 32)).eval()


def detector():
    torch.manual_seed(1)
    return DetectorNetwork(DetectorArchitecture(search_pixels=96)).eval(), ScoreCalibration(1.5, -0.25)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(("landmarks", "rows"), [(LANDMARKS, slice(70)), (MESH_POINTS, slice(70, 548))])
def test_a_part_of_a_network_answers_as_the_whole(head, landmarks, rows):
    network, images = both(head), torch.rand(2, 3, 32, 32)
    network.scale_sigma(1.5)
    part = network.select(landmarks)
    with torch.inference_mode():
        torch.testing.assert_close(part(images), network(images)[:, rows])
    assert part.architecture.landmarks == landmarks
    assert part.select(landmarks) is part
    with pytest.raises(ValueError, match=f"found one for {landmarks}"):
        part.select(BOTH_POINTS - landmarks)


def test_filters_come_back_to_half_a_step_and_all_else_as_it_was():
    state = {"filter": torch.randn(64, 8, 3, 3), "zero": torch.zeros(64, 32), "bias": torch.randn(64)}
    packed = pack_tensors(state)
    back = unpack_tensors(packed)
    assert torch.equal(back["bias"], state["bias"])
    assert torch.equal(back["zero"], state["zero"])
    step = state["filter"].flatten(1).abs().amax(1) / 127
    assert ((back["filter"] - state["filter"]).flatten(1).abs() <= 0.5001 * step[:, None]).all()
    assert packed["filter"]["levels"].dtype == torch.int8


def test_a_release_is_small_and_gives_the_answers_of_the_weights(tmp_path):
    network = both()
    weights, provenance = tmp_path / "weights.pt", tmp_path / "provenance.json"
    save_landmark_weights(weights, network, CALIBRATION)
    provenance.write_text(json.dumps({"task": "joint_548"}))
    finds_faces, scores = detector()
    save_detector(tmp_path / "detector.pt", finds_faces, scores)
    packed, record = tmp_path / "landmarker.pt", tmp_path / "record.json"
    pack_landmarker(
        str(weights), str(provenance), str(tmp_path / "detector.pt"), str(provenance), str(packed), str(record)
    )
    made = json.loads(record.read_text())
    assert made["landmarks"] == made["detector"] == {"task": "joint_548"}
    assert made["bytes"] == packed.stat().st_size < weights.stat().st_size / 3
    back, calibration, (found, found_scores) = load_release(packed)
    assert (calibration, found_scores) == (CALIBRATION, scores)
    picture = torch.rand(1, 3, 96, 96)
    with torch.inference_mode():
        torch.testing.assert_close(found(picture), finds_faces(picture), atol=0.1, rtol=0.05)
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        assert (back(images) - network(images)).abs().max() < 0.02
    assert save_release(tmp_path / "again.pt", network, CALIBRATION, (finds_faces, scores)) == made["sha256"]
    files = (weights, provenance, tmp_path / "detector.pt", provenance, tmp_path / "wider.pt", record)
    pack_landmarker(*map(str, files), sigma_factor=1.5)
    wider, widened, _ = load_release(tmp_path / "wider.pt")
    assert widened.threshold == pytest.approx(1.5 * CALIBRATION.threshold)
    with torch.inference_mode():
        torch.testing.assert_close(wider(images)[..., 2], 1.5 * back(images)[..., 2])
        assert torch.equal(wider(images)[..., :2], back(images)[..., :2])
    assert tfake.ThermalLandmarker(packed, "cpu").detector is not None


def test_one_file_finds_either_set(tmp_path):
    path = tmp_path / "landmarker.pt"
    save_release(path, both(), CALIBRATION)
    image = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    boxes = [(10, 10, 50, 50)]
    points = {n: tfake.ThermalLandmarker(path, "cpu", n_landmarks=n).process(image, boxes=boxes) for n in (70, 478)}
    assert points[70].landmarks.shape == (1, 70, 2)
    assert points[478].landmarks.shape == (1, 478, 2)
    plain = tfake.ThermalLandmarker(path, "cpu")
    assert (plain.n_landmarks, plain.detector) == (70, None)
    save_landmark_weights(tmp_path / "seventy.pt", both().select(70), CALIBRATION)
    with pytest.raises(ValueError, match="expected a network for 478 points, found one for 70"):
        tfake.ThermalLandmarker(tmp_path / "seventy.pt", "cpu", n_landmarks=478)


def test_what_is_no_release_is_refused(tmp_path):
    torch.save({"format": "another"}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match=r"tfake-landmarker-1.*found 'another'"):
        load_release(tmp_path / "other.pt")
