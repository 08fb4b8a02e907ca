"""Finding faces by uncertainty, with a network that is sure where it sees a bright disc in its middle."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tfake.landmarks.landmark_network import LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.network_finder import NetworkFinder
from tfake.landmarks.search import SearchSettings, find_windows, score_windows

CPU = torch.device("cpu")
PIXELS = 64


class DiscNetwork:
    """Nine points around the bright pixels of a window; the less sure, the further they are from filling its middle."""

    architecture = SimpleNamespace(image_pixels=PIXELS, landmarks=9, thermal_stretch=False)
    stride = 8

    def encode(self, images):
        return torch.nn.functional.avg_pool2d(images[:, :1], 8)

    def decode(self, encoded):
        edge = encoded.shape[-1]
        grid = (torch.arange(edge) + 0.5) / edge
        bright = encoded[:, 0] * (encoded[:, 0] > 0.5)
        mass = bright.sum((1, 2)).clamp(min=1e-6)
        x = (bright.sum(1) * grid).sum(1) / mass
        y = (bright.sum(2) * grid).sum(1) / mass
        radius = (mass / edge**2 / torch.pi).sqrt()
        off = (x - 0.5).abs() + (y - 0.5).abs() + (radius - 0.36).abs()
        sigma = torch.where(bright.sum((1, 2)) > 0, 0.01 + off, torch.ones(()))
        turns = torch.linspace(0, 2 * torch.pi, 9)
        points = torch.stack(
            (x[:, None] + radius[:, None] * turns.cos(), y[:, None] + radius[:, None] * turns.sin()), 2
        )
        return torch.cat((points, sigma[:, None, None].expand(-1, 9, 1)), 2)

    def __call__(self, images):
        return self.decode(self.encode(images))


DISCS = NetworkFinder(DiscNetwork(), CPU)


def scene(*discs, shape=(200, 260)):
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros((*shape, 3), np.float32)
    for column, row, radius in discs:
        image[(x - column) ** 2 + (y - row) ** 2 < radius**2] = 1
    return image


@pytest.mark.parametrize("nominated", [24, None])
def test_a_face_is_found_where_it_is(nominated):
    squares = find_windows(DISCS, scene((150, 90, 30)), 0.4, False, SearchSettings(nominated=nominated))
    assert squares.shape == (1, 3)
    left, top, edge = squares[0]
    assert (left + edge / 2, top + edge / 2) == (pytest.approx(150, abs=4), pytest.approx(90, abs=4))
    assert edge == pytest.approx(2 * 30 * 1.25, rel=0.15)


def test_several_faces_are_found_once_each():
    image = scene((60, 60, 28), (190, 120, 40))
    squares = find_windows(DISCS, image, 0.4, True)
    centres = sorted((left + edge / 2, top + edge / 2) for left, top, edge in squares)
    assert len(centres) == 2
    np.testing.assert_allclose(centres, [(60, 60), (190, 120)], atol=5)
    assert len(find_windows(DISCS, image, 0.4, False)) == 1


def test_nothing_is_found_where_there_is_nothing():
    assert find_windows(DISCS, scene(), 0.4, True).shape == (0, 3)
    assert find_windows(DISCS, scene((150, 90, 30)), 0.0, True).shape == (0, 3)


@pytest.mark.parametrize("shape", [(40, 300), (65, 65), (64, 64), (30, 20)])
def test_any_shape_is_covered(shape):
    squares, found = score_windows(DISCS, scene(shape=shape), SearchSettings(nominated=None))
    assert len(squares) == len(found) > 0
    # The largest window is as long as the image.
    assert squares[:, 2].max() == pytest.approx(max(shape), rel=0.02)


def test_batched_windows_are_the_windows_one_by_one():
    torch.manual_seed(0)
    finder = NetworkFinder(LandmarkNetwork(LandmarkArchitecture(70, "resnet10t", "heatmap", PIXELS)).eval(), CPU)
    image = np.random.default_rng(0).random((90, 120, 3), dtype=np.float32)
    squares, found = score_windows(finder, image, SearchSettings(nominated=None, min_window_fraction=0.7))
    assert len(squares) > 3
    nominated, again = score_windows(finder, image, SearchSettings(nominated=5, min_window_fraction=0.7))
    assert len(nominated) == 5
    for square, answer in zip(nominated, again, strict=True):
        place = np.flatnonzero((squares == square).all(1))[0]
        np.testing.assert_allclose(answer, found[place], atol=1e-5)
