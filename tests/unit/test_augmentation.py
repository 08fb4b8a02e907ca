"""Colours: what OpenCV does in a few passes is what torchvision's transforms do one after the other."""

import cv2
import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as F

from tfake.imaging.augmentation import augment_rgb, autocontrast, cast_shadow, colour_jitter, to_gray


@pytest.fixture
def image():
    """A smooth image in colour, of every brightness."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    return autocontrast(cv2.GaussianBlur(noise, (0, 0), 3))


def tensor(image):
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def differences(image, expected):
    return np.abs(image.astype(int) - expected.numpy().transpose(1, 2, 0))


@pytest.mark.parametrize(
    ("brightness", "contrast", "saturation", "gains"),
    [(1.5, 0.7, 1.4, [1.0, 0.9, 1.1]), (0.6, 1.5, 0.6, [1.2, 0.8, 1.0]), (1.0, 1.0, 1.0, [1.0, 1.0, 1.0])],
)
def test_jitter_is_four_transforms_of_torchvision(image, brightness, contrast, saturation, gains):
    expected = F.adjust_contrast(F.adjust_brightness(tensor(image), brightness), contrast)
    expected = F.adjust_saturation(expected, saturation) * torch.tensor(gains)[:, None, None]
    found = differences(colour_jitter(image, brightness, contrast, saturation, gains), expected.clamp(0, 255))
    # torchvision cuts off after each of them, OpenCV rounds.
    assert found.max() <= 6
    assert found.mean() <= 2


def test_stretch_is_autocontrast(image):
    half = image // 2
    assert differences(autocontrast(half), F.autocontrast(tensor(half))).max() <= 1
    flat = np.full_like(image, 9)
    np.testing.assert_array_equal(autocontrast(flat), flat)


def test_gray_has_three_equal_channels(image):
    gray = to_gray(image)
    assert (gray == gray[..., :1]).all()
    assert differences(gray, F.rgb_to_grayscale(tensor(image), 3)).max() <= 1


def test_a_shadow_darkens_one_side_and_nothing_else():
    white = np.full((64, 64, 3), 200, np.uint8)
    for seed in range(20):
        shadow = cast_shadow(white, np.random.default_rng(seed))
        assert (shadow == shadow[..., :1]).all()
        assert shadow.max() <= 200
        assert 0.3 * 200 - 1 <= shadow.min() <= 0.7 * 200 + 30
    np.testing.assert_array_equal(white, 200)


def test_the_image_that_is_given_is_not_written_to(image):
    before = image.copy()
    for seed in range(30):
        augment_rgb(image, np.random.default_rng(seed), 1.0)
    np.testing.assert_array_equal(image, before)
