"""landmarks.initial_weights: what a network takes over from a file, and what it refuses."""

import pytest
import torch

from tfake.landmarks.initial_weights import load_initial_weights
from tfake.landmarks.landmark_network import Calibration, LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmark_training import train_landmarks
from tfake.landmarks.landmarker_file import save_landmark_weights
from tfake.landmarks.release import save_release
from tfake.training.loop import RunControl
from tfake.training.weights_file import save_encoder, save_payload
from tiny_landmarks import CPU, make_faces, settings

pytestmark = pytest.mark.usefixtures("one_thread")


def build(landmarks=70, seed=0, **changes):
    torch.manual_seed(seed)
    known = {"backbone": "resnet10t", "image_pixels": 32} | changes
    return LandmarkNetwork(LandmarkArchitecture(landmarks, **known))


def agree(one, other, part):
    pairs = zip(one.body.state_dict().items(), other.body.state_dict().values(), strict=True)
    return {torch.equal(own, theirs) for (name, own), theirs in pairs if name.startswith(part)}


def test_an_encoder_gives_the_backbone_alone(tmp_path):
    given, network, before = build(seed=1), build(), build()
    save_encoder(tmp_path / "encoder.pt", "resnet10t", given.body.backbone)
    assert load_initial_weights(network, tmp_path / "encoder.pt") == ("backbone",)
    assert agree(network, given, "backbone") == {True}
    assert agree(network, before, "maps") == agree(network, before, "smooth") == {True}


@pytest.mark.parametrize("points", [70, 478])
def test_a_network_for_both_sets_gives_either_all_it_knows(tmp_path, points):
    given, network = build(548, seed=1), build(points)
    given.scale_sigma(3.0)
    save_landmark_weights(tmp_path / "weights.pt", given, Calibration(3.0))
    taken = load_initial_weights(network, tmp_path / "weights.pt")
    assert taken == ("backbone", "lateral", "smooth", "maps")
    assert agree(network, given.select(points), "") == {True}
    assert network.temperature == 1.0


def test_other_points_leave_the_last_layer_as_it_was(tmp_path):
    given, network, before = build(70, seed=1), build(478), build(478)
    save_landmark_weights(tmp_path / "weights.pt", given, Calibration())
    assert load_initial_weights(network, tmp_path / "weights.pt") == ("backbone", "lateral", "smooth")
    assert agree(network, before, "maps") == {True}
    assert agree(network, given, "smooth") == {True}


def test_a_shipped_landmarker_is_taken_to_half_a_step_of_its_scale(tmp_path):
    given, network = build(548, seed=1), build(70)
    save_release(tmp_path / "landmarker.pt", given, Calibration())
    assert load_initial_weights(network, tmp_path / "landmarker.pt")[-1] == "maps"
    expected, found = given.select(70).body.maps.weight, network.body.maps.weight
    assert (expected - found).abs().max() <= expected.abs().max() / 127 / 2 * 1.001


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbone": "resnet14t"}, "expected the backbone resnet14t, found resnet10t"),
        ({"head": "pooled"}, "expected the head pooled, found heatmap"),
    ],
)
def test_another_architecture_is_refused(tmp_path, changes, message):
    save_landmark_weights(tmp_path / "weights.pt", build(), Calibration())
    with pytest.raises(ValueError, match=message):
        load_initial_weights(build(**changes), tmp_path / "weights.pt")


def test_an_encoder_of_another_name_or_with_other_tensors_is_refused(tmp_path):
    save_encoder(tmp_path / "other.pt", "resnet14t", build(backbone="resnet14t").body.backbone)
    with pytest.raises(ValueError, match="expected resnet10t, found resnet14t"):
        load_initial_weights(build(), tmp_path / "other.pt")
    save_encoder(tmp_path / "false.pt", "resnet10t", build(backbone="resnet14t").body.backbone)
    with pytest.raises(ValueError, match="do not fit the encoder"):
        load_initial_weights(build(), tmp_path / "false.pt")


def test_what_holds_no_such_weights_is_refused(tmp_path):
    save_payload(tmp_path / "thermalizer.pt", {"format": "tfake-thermalizer-1"})
    with pytest.raises(ValueError, match="found 'tfake-thermalizer-1'"):
        load_initial_weights(build(), tmp_path / "thermalizer.pt")
    with pytest.raises(FileNotFoundError):
        load_initial_weights(build(), tmp_path / "absent.pt")


def test_a_training_begins_with_them(tmp_path):
    save_landmark_weights(tmp_path / "weights.pt", given := build(seed=1), Calibration())
    still = settings(steps=1, learning_rate=1e-12, weight_decay=0.0, thermal_stretch=False, thermal_mirror=False)
    faces = make_faces(3)
    trained = train_landmarks(still, faces, faces, 70, RunControl(CPU), initial=tmp_path / "weights.pt")
    pairs = zip(given.body.parameters(), trained.network.body.parameters(), strict=True)
    assert all(torch.allclose(own, theirs, atol=1e-6) for own, theirs in pairs)
