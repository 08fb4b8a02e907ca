"""The landmark network: its shapes, its two halves, and deviations that are positive whatever it is shown."""

import pytest
import torch

from tfake.landmarks.landmark_network import HEADS, MIN_SIGMA, Calibration, LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmarker_file import load_landmark_weights, save_landmark_weights

pytestmark = pytest.mark.usefixtures("one_thread")


def build(head="heatmap", landmarks=70, backbone="resnet10t", pixels=64):
    torch.manual_seed(0)
    return LandmarkNetwork(LandmarkArchitecture(landmarks, backbone, head, pixels)).eval()


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("landmarks", [70, 478])
def test_points_with_positive_deviations(head, landmarks):
    network = build(head, landmarks)
    with torch.no_grad():
        found = network(torch.rand(2, 3, 64, 64))
        extreme = network(1e3 * torch.randn(2, 3, 64, 64))
    assert found.shape == (2, landmarks, 3)
    assert found.dtype == torch.float32
    assert (extreme[..., 2] >= MIN_SIGMA).all()


@pytest.mark.parametrize("head", HEADS)
def test_an_untrained_network_says_that_it_does_not_know(head):
    with torch.no_grad():
        found = build(head)(torch.rand(2, 3, 64, 64))
    assert found[..., :2].mean().item() == pytest.approx(0.5, abs=0.15)
    assert found[..., 2].mean().item() == pytest.approx(0.31, abs=0.1)


@pytest.mark.parametrize("head", HEADS)
def test_the_halves_make_the_whole(head):
    network, images = build(head), torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        encoded = network.encode(images)
        torch.testing.assert_close(network.decode(encoded), network(images))
    assert encoded.shape[2:] == (64 // network.stride,) * 2


def test_a_heatmap_gives_the_place_of_its_peak():
    network = build(landmarks=1)
    maps = torch.full((1, 2, 8, 8), 0.0)
    maps[0, 0, 2, 5] = 50.0
    x, y, _ = network.decode(maps)[0, 0].tolist()
    assert (x - 0.5, y - 0.5) == (pytest.approx(1.25 * (5.5 / 8 - 0.5)), pytest.approx(1.25 * (2.5 / 8 - 0.5)))


def test_the_temperature_scales_deviations_and_is_kept(tmp_path):
    network, images = build(), torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        before = network(images)
        network.scale_sigma(0.5)
        after = network(images)
    torch.testing.assert_close(after[..., 2], 0.5 * before[..., 2])
    torch.testing.assert_close(after[..., :2], before[..., :2])
    digests = [save_landmark_weights(tmp_path / name, network, Calibration(0.5, 0.07)) for name in ("a.pt", "b.pt")]
    assert digests[0] == digests[1]
    loaded, calibration = load_landmark_weights(tmp_path / "a.pt")
    assert calibration == Calibration(0.5, 0.07)
    with torch.no_grad():
        assert torch.equal(loaded(images), after)


def test_what_cannot_be_built_is_named(tmp_path):
    with pytest.raises(ValueError, match="head must be one of"):
        build("fc")
    with pytest.raises(ValueError, match="multiple of 32"):
        build(pixels=100)
    with pytest.raises(ValueError, match="timm has no model 'mobilenet_v9'"):
        build(backbone="mobilenet_v9")
    torch.save({"format": "other"}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match=r"other.pt.*landmark network.*'other'"):
        load_landmark_weights(tmp_path / "other.pt")
