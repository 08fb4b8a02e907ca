"""The lens: a Gaussian's step response, noise of the stated size, and nothing that shards or order could change."""

from math import erf, sqrt

import numpy as np
import pytest

from tfake.camera.detector import RngStream, exposure_rng
from tfake.camera.lens import REFERENCE_PIXELS, Lens

STEP = np.where(np.arange(512) < 256, np.float32(20), np.float32(34))[None].repeat(64, axis=0)


@pytest.mark.parametrize("width", [512, 256])
def test_a_step_becomes_the_gaussians_integral(width):
    sharp = STEP[:, 256 - width // 2 : 256 + width // 2]
    seen = Lens(3.0, 0.0).look(sharp, "a", 0, 20.0)
    sigma = 3.0 * width / REFERENCE_PIXELS
    at = np.arange(width) - width / 2 + 0.5
    expected = 20 + 14 * (1 + np.array([erf(x / sigma / sqrt(2)) for x in at])) / 2
    # A kernel of whole pixels, cut at four standard deviations.
    np.testing.assert_allclose(seen[32], expected, atol=0.2)
    assert seen.mean() == pytest.approx(sharp.mean(), abs=1e-3)


def test_noise_has_the_size_that_is_asked_for():
    flat = np.full((256, 256), 30, np.float32)
    seen = Lens(0.0, 0.05).look(flat, "a", 0, 20.0)
    assert np.std(seen - flat) == pytest.approx(0.05, rel=0.02)
    assert np.mean(seen - flat) == pytest.approx(0.0, abs=0.001)


def test_noise_follows_from_seed_id_and_room_alone():
    flat = np.full((64, 64), 30, np.float32)
    lens = Lens(0.0, 0.05)
    first = lens.look(flat, "a", 0, 20.0)
    assert (first == lens.look(flat, "a", 0, 20.0)).all()
    for seed, image_id, ambient in ((1, "a", 20.0), (0, "b", 20.0), (0, "a", 21.0)):
        assert np.corrcoef(first.ravel(), lens.look(flat, image_id, seed, ambient).ravel())[0, 1] < 0.1
    assert first.dtype == np.float32
    camera = exposure_rng(0, RngStream.NOISE, "a", 20.0).standard_normal(flat.shape, dtype=np.float32)
    assert np.corrcoef((first - flat).ravel(), camera.ravel())[0, 1] < 0.1


def test_no_blur_and_no_noise_change_nothing_and_the_image_is_left():
    before = STEP.copy()
    assert (Lens(0.0, 0.0).look(STEP, "a", 0, 20.0) == before).all()
    Lens(2.0, 0.1).look(STEP, "a", 0, 20.0)
    assert (before == STEP).all()
