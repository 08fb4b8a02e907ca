"""Breath out of a film: a nose that wanders under its points, and nostrils that pulse by a tenth of what that does."""

import numpy as np
import pytest

from tfake.labels.conventions import reference_face
from tfake.landmarks.nostril_signal import HEIGHT, WIDTH, breath_signal, hold_still, nose_patch, signal_rate

RATE = 8
POINTS = reference_face()[:70, :2] * 30 + 48


def nose(right=0.0, down=0.0, breath=0.0):
    """A patch of °C: a cool nose with soft edges on a cheek, moved by some pixels, and two nostrils that pulse."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    x, y = columns - (WIDTH - 1) / 2 - right, rows - (HEIGHT - 1) / 2 - down
    patch = 34 - 2 * np.exp(-((x / 9) ** 2) - (np.minimum(y - 2, 0) / 14) ** 2 - (np.maximum(y - 2, 0) / 2) ** 2)
    patch += 0.02 * x + 0.03 * y
    for side in (-5, 5):
        patch += 0.12 * breath * np.exp(-(((x - side) / 2) ** 2) - ((y + 1) / 2) ** 2)
    return patch


def film(rate, seconds=32, wander=1.0, noise=0.05, breathes=1.0, seed=0):
    """Times and patches; the wander is slow, and not of one rate."""
    rng = np.random.default_rng(seed)
    times = np.arange(seconds * RATE) / RATE
    moves = rng.normal(0, 1, (2, len(times) + 32))
    kernel = np.exp(-((np.arange(-16, 17) / 6) ** 2))
    moves = np.array([np.convolve(move, kernel / np.linalg.norm(kernel), "valid") for move in moves]) * wander
    breath = breathes * np.sin(2 * np.pi * rate / 60 * times)
    patches = np.stack([nose(*move, own) for *move, own in zip(*moves, breath, strict=True)])
    return times, (patches + rng.normal(0, noise, patches.shape)).astype(np.float32), moves


@pytest.mark.parametrize(("rate", "seed"), [(12.6, 0), (18.9, 1)])
def test_a_breath_is_read_through_noise_of_50_millikelvin_and_a_nose_that_wanders(rate, seed):
    times, patches, _ = film(rate, seed=seed)
    found = signal_rate(times, breath_signal(times, patches))
    assert found.valid, found
    assert found.breaths_per_minute == pytest.approx(rate, abs=0.5)
    # Where the points have the nostrils alone it is not there to be read.
    still = patches[:, 18:24, 20:25].mean(axis=(1, 2))
    assert signal_rate(times, still).peak_share < 0.6 < found.peak_share


def test_noise_and_wander_are_no_breath():
    for wander in (0.0, 1.0):
        times, patches, _ = film(15.0, wander=wander, breathes=0.0)
        assert not signal_rate(times, breath_signal(times, patches)).valid


def test_patches_are_moved_back_to_where_they_were():
    _, patches, moves = film(15.0, seconds=8, noise=0.0, breathes=0.0)
    still, found = hold_still(patches)
    assert still.std(axis=0)[4:-4, 4:-4].max() < 0.2 * patches.std(axis=0)[4:-4, 4:-4].max()
    for own, move in zip(found[:, :2].T, moves, strict=True):
        assert np.corrcoef(own, move)[0, 1] > 0.99


def test_a_patch_is_upright_and_of_one_size():
    """The same picture twice as large, and turned by a quarter, is the same patch."""
    rows, columns = np.mgrid[:96, :96].astype(np.float32)
    image = 33 + np.sin(columns / 9) + np.cos(rows / 7)
    patch = nose_patch(image, POINTS)
    assert patch.shape == (HEIGHT, WIDTH)
    rows, columns = np.mgrid[:192, :192].astype(np.float32)
    large = nose_patch(33 + np.sin(columns / 18) + np.cos(rows / 14), 2 * POINTS)
    np.testing.assert_allclose(large, patch, atol=0.02)
    turned = nose_patch(np.rot90(image).copy(), np.stack((POINTS[:, 1], 95 - POINTS[:, 0]), axis=1))
    np.testing.assert_allclose(turned, patch, atol=0.01)
    image[3, 5] = np.nan
    np.testing.assert_allclose(nose_patch(image, POINTS), patch, atol=1e-3)


def test_a_short_clip_has_no_rate():
    times, patches, _ = film(15.0, seconds=2)
    assert np.isfinite(breath_signal(times, patches)).all()
    times, patches, _ = film(15.0, seconds=20)
    found = signal_rate(times, breath_signal(times, patches))
    assert not found.valid
    assert "shorter than 25 s" in found.reason


def test_pictures_too_far_apart_for_a_breath_have_no_rate():
    _, patches, _ = film(15.0, seconds=4)
    times = np.arange(len(patches)) * 10.0
    found = signal_rate(times, breath_signal(times, patches))
    assert not found.valid
    assert "too few for a breath" in found.reason
