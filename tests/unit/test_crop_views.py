"""How crops are shown: stretched to the face whatever the camera's gain, and averaged over their mirror images."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tfake.landmarks.crop_views import _at, stretch, stretch_gray
from tfake.landmarks.landmark_network import Calibration, LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.landmarker_file import load_landmark_weights, save_landmark_weights
from tfake.landmarks.network_finder import NetworkFinder
from tfake.landmarks.point_finder import average_mirrored, predict
from tfake.training.weights_file import save_payload
from tiny_landmarks import CPU

GRAY = torch.rand(3, 1, 40, 40, generator=torch.Generator().manual_seed(0)).expand(-1, 3, -1, -1)


def test_a_ramp_is_stretched_between_its_percentiles():
    ramp = torch.linspace(0.3, 0.5, 200).reshape(1, 1, 1, 200).expand(1, 3, 200, 200)
    shown = stretch(ramp, 1.0)
    low, high = 0.3 + 0.2 * 0.02, 0.3 + 0.2 * 0.995
    expected = ((ramp - low) / (high - low)).clamp(0, 1)
    torch.testing.assert_close(shown, expected, atol=2e-3, rtol=0)


@pytest.mark.parametrize("quantile", [0.0, 0.02, 0.4999, 0.5, 0.51, 0.995, 1.0])
@pytest.mark.parametrize("count", [1, 2, 3, 777])
def test_a_quantile_is_that_of_sorted_values_to_the_bit(quantile, count):
    values = torch.randint(0, 50, (4, count), generator=torch.Generator().manual_seed(count)) / 7
    ordered = values.sort(1).values
    place = quantile * (count - 1)
    below, above = int(place), min(int(place) + 1, count - 1)
    assert torch.equal(_at(values, quantile), ordered[:, below].lerp(ordered[:, above], place - below))


def test_no_gain_or_offset_of_a_camera_is_left():
    torch.testing.assert_close(stretch(0.4 * GRAY + 0.3), stretch(GRAY), atol=1e-5, rtol=0)


def test_what_is_beside_the_face_sets_nothing():
    beside = GRAY.clone()
    beside[:, :, :3] = 9.0
    torch.testing.assert_close(stretch(beside)[:, :, 4:], stretch(GRAY)[:, :, 4:])


def test_a_flat_crop_stays_flat():
    flat = torch.full((1, 3, 20, 20), 0.5) + 1e-3 * torch.rand(1, 1, 20, 20)
    assert stretch(flat).std() < 0.1


def test_crops_in_colour_are_left_alone():
    images = GRAY.clone()
    images[1, 0] *= 0.5
    shown = stretch_gray(images)
    assert torch.equal(shown[1], images[1])
    torch.testing.assert_close(shown[[0, 2]], stretch(images)[[0, 2]])


def mirror_of(found):
    from tfake.landmarks.crop_sampling import mirror_order

    return found[:, mirror_order(70)] * (-1, 1, 1) + (1, 0, 0)


def test_two_answers_that_agree_are_one():
    found = np.random.default_rng(0).uniform(0.1, 0.9, (2, 70, 3))
    np.testing.assert_allclose(average_mirrored(found, mirror_of(found)), found, atol=1e-6)


def test_the_average_is_the_mixture_of_both_gaussians():
    """Drawn from either answer in turn, a coordinate has the mean and the variance that are given."""
    first = np.tile((0.4, 0.5, 0.03), (1, 70, 1))
    second = np.tile((0.5, 0.5, 0.01), (1, 70, 1))
    x, y, sigma = average_mirrored(first, mirror_of(second))[0, 5]
    rng = np.random.default_rng(0)
    drawn = np.concatenate([rng.normal((px, py), s, (200_000, 2)) for px, py, s in (first[0, 5], second[0, 5])])
    np.testing.assert_allclose((x, y), drawn.mean(0), atol=3e-4)
    assert sigma**2 == pytest.approx(drawn.var(0).mean(), rel=0.01)


class Fixed(torch.nn.Module):
    """Looks to the left of every crop; a mirror would have it look to the right."""

    def __init__(self, **architecture):
        super().__init__()
        self.architecture = SimpleNamespace(landmarks=70, **architecture)

    def forward(self, images):
        answer = torch.full((len(images), 70, 3), 0.1)
        answer[..., :2] = torch.tensor((0.3, 0.5))
        return answer


def test_gray_crops_are_averaged_where_the_file_says_so():
    crops = GRAY.clone().numpy()
    crops[1, 0] *= 0.5
    mirroring, plain = (NetworkFinder(Fixed(thermal_mirror=mirror), CPU) for mirror in (True, False))
    told = predict(mirroring, crops, mirrored=None)
    np.testing.assert_allclose(told[:, 0, 0], (0.5, 0.3, 0.5), atol=1e-6)
    np.testing.assert_allclose(predict(plain, crops, mirrored=None)[:, 0, 0], 0.3)
    np.testing.assert_allclose(predict(plain, crops, mirrored=True)[:, 0, 0], 0.5)


@pytest.fixture(scope="module")
def networks():
    made = []
    for stretched in (False, True):
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            made.append(LandmarkNetwork(LandmarkArchitecture(70, "resnet10t", "heatmap", 32, stretched)).eval())
    return made


def test_a_network_stretches_as_it_learnt(networks):
    plain, stretching = (NetworkFinder(network, CPU) for network in networks)
    crops = GRAY[:, :, :32, :32].numpy()
    learnt = predict(stretching, crops)
    np.testing.assert_allclose(learnt, predict(plain, crops, stretched=True), atol=1e-5)
    np.testing.assert_allclose(learnt, predict(stretching, 0.5 * crops + np.float32(0.2)), atol=1e-4)
    np.testing.assert_allclose(predict(stretching, crops, stretched=False), predict(plain, crops), atol=1e-5)
    assert np.abs(learnt - predict(plain, crops)).max() > 1e-4


def test_a_file_that_does_not_say_is_read_as_ever(tmp_path, networks):
    save_landmark_weights(tmp_path / "new.pt", networks[1], Calibration())
    assert load_landmark_weights(tmp_path / "new.pt")[0].architecture.thermal_stretch
    payload = torch.load(tmp_path / "new.pt", weights_only=True)
    payload["settings"] = {key: value for key, value in payload["settings"].items() if "thermal" not in key}
    save_payload(tmp_path / "old.pt", payload)
    old = load_landmark_weights(tmp_path / "old.pt")[0].architecture
    assert (old.thermal_stretch, old.thermal_mirror) == (False, False)


def test_the_landmarker_takes_the_options(tmp_path, networks):
    save_landmark_weights(tmp_path / "w.pt", networks[0], Calibration())
    landmarker = ThermalLandmarker(tmp_path / "w.pt", "cpu", threshold=10.0)
    image = (255 * GRAY[0, 0]).numpy().astype(np.uint8)
    box = [(5, 5, 30, 35)]
    plain = landmarker.process(image, boxes=box)
    own = landmarker.process(image, boxes=box, stretched=False, mirrored=False)
    np.testing.assert_array_equal(plain.landmarks, own.landmarks)
    assert np.abs(landmarker.process(image, boxes=box, stretched=True).landmarks - plain.landmarks).max() > 1e-3
    mirrored = landmarker.process(image[:, ::-1].copy(), boxes=[(9, 5, 34, 35)], mirrored=True)
    averaged = landmarker.process(image, boxes=box, mirrored=True)
    partners = mirror_of(averaged.landmarks[..., [0, 1, 0]])[..., 0]
    np.testing.assert_allclose(mirrored.landmarks[..., 0], partners + 38, atol=0.01)
    dimmer = landmarker.process(image // 2 + 60, boxes=box, stretched=True, sliding_window=False)
    np.testing.assert_allclose(
        dimmer.landmarks, landmarker.process(image, boxes=box, stretched=True).landmarks, atol=0.3
    )
    assert len(landmarker.process(image, sliding_window=True, stretched=True)) == 1
