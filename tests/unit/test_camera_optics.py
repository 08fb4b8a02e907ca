"""Optics against closed forms, and labels that move exactly as the picture does."""

import numpy as np
import pytest
from scipy.stats import norm

from cameras import camera, face
from tfake.camera.optics import (
    View,
    choose_view,
    gather_weights,
    image_scene,
    source_to_image,
    transform_classes,
    transform_points,
)
from tfake.camera.recording import Recorder
from tfake.core.radiometry import decode_counts
from tfake.labels.correspondence import face_size

AMBIENT = 20.0


def shot(**changes):
    return Recorder(camera(**changes), AMBIENT).record("000001", **face())


def test_the_perfect_camera_changes_nothing():
    shown, seen = face(), shot()
    np.testing.assert_allclose(decode_counts(seen.thermal), shown["celsius"], atol=0.0051)
    np.testing.assert_array_equal(seen.segmentation, shown["classes"])
    np.testing.assert_allclose(seen.landmarks_70, shown["landmarks_70"], atol=1e-5)
    np.testing.assert_allclose(seen.landmarks_478, shown["landmarks_478"], atol=1e-5)
    np.testing.assert_allclose(seen.source_to_image, [[1, 0, 0], [0, 1, 0]], atol=1e-6)


def test_half_the_pixels_are_means_of_four():
    seen = decode_counts(shot(native_pixels=[32, 32]).thermal)
    means = face()["celsius"].reshape(32, 2, 32, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(seen, means, atol=0.0051)


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (0.37, 3.2), (2.6, -11.3)])
@pytest.mark.parametrize("blur", [0.0, 0.4, 2.0])
def test_every_source_pixel_is_gathered_once(scale, offset, blur):
    weights = gather_weights(64, 20, scale, offset + 12, blur)
    inside = weights[:, 3:17].sum(axis=0)
    expected = np.diff(np.clip(scale * np.arange(21) + offset + 12, 0, 64))[3:17]
    margin = blur == 0.0 or (scale * 3 + offset + 12 > 5 * blur and scale * 17 + offset + 12 < 64 - 5 * blur)
    if margin:
        np.testing.assert_allclose(inside, expected, atol=1e-5)
    assert weights.min() > -1e-12
    assert weights.sum(axis=1).max() < 1 + 1e-9


def test_an_edge_is_blurred_to_the_gaussian_integral():
    """A step at the middle of a fine source: the pixel's mean of the normal distribution function."""
    sigma, step = 1.7, 20
    weights = gather_weights(40, 40, 1.0, 0.0, sigma, continues=True)
    seen = weights[:, step:].sum(axis=1)
    edges = np.arange(41) - step
    integral = edges * norm.cdf(edges / sigma) + sigma * norm.pdf(edges / sigma)
    np.testing.assert_allclose(seen, np.diff(integral), atol=1e-9)


def test_the_blurs_transfer_function_is_gaussian():
    """A sine loses the factor exp(-2 (pi f s)^2) of the optics and sinc(f) of each of two pixels' areas."""
    frequency, sigma, pixels = 0.125, 0.8, 256
    wave = np.cos(2 * np.pi * frequency * np.arange(pixels))
    seen = (gather_weights(pixels, pixels, 1.0, 0.0, sigma) @ wave)[64:192]
    amplitude = 2 * np.mean(seen * wave[64:192])
    assert amplitude == pytest.approx(np.exp(-2 * (np.pi * frequency * sigma) ** 2) * np.sinc(frequency) ** 2, rel=1e-3)


def test_a_pixel_at_the_outline_sees_both():
    classes = np.zeros((8, 8), np.uint8)
    classes[:, 4:] = 1
    celsius = np.where(classes, np.float32(36.0), np.float32(99.0))
    room = np.full((4, 4), 20.0, np.float32)
    seen = image_scene(celsius, classes, View(0.5, (0.5, 0.0)), (4, 4), 0.0, room)
    np.testing.assert_allclose(seen[:, 1:], [[20.0, 28.0, 36.0]] * 4, atol=1e-5)


def test_the_torso_goes_on_below_the_picture_with_its_class():
    seen = shot(native_pixels=[64, 128], face_pixels=[8.0, 8.0], face_position="centre")
    torso = seen.segmentation[-1] == 15
    assert torso.any()
    warm = decode_counts(seen.thermal)[-1]
    assert (np.abs(warm[1:-1][torso[1:-1] & torso[2:] & torso[:-2]] - 29.0) < 0.5).all()
    np.testing.assert_allclose(warm[:4], AMBIENT, atol=0.0051)


@pytest.mark.parametrize("size", [6.0, 17.0, 40.0])
def test_the_face_has_the_size_that_was_asked_for(size):
    seen = shot(native_pixels=[160, 120], face_pixels=[size, size], face_position="anywhere")
    assert face_size(seen.landmarks_70) == pytest.approx(size, rel=1e-5)
    assert (seen.landmarks_70 >= -0.5).all()
    assert (seen.landmarks_70 <= [159.5, 119.5]).all()


def test_every_distance_is_equally_likely():
    asked = camera(face_pixels=[20.0, 130.0], native_pixels=[320, 240])
    rng = np.random.default_rng(0)
    points = face()["landmarks_70"]
    sizes = np.array([choose_view(points, 64, asked, rng).scale * face_size(points) for _ in range(4000)])
    distances = (1 / sizes - 1 / 130) / (1 / 20 - 1 / 130)
    assert distances.min() >= 0
    assert distances.max() <= 1
    np.testing.assert_allclose(np.quantile(distances, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.03)


def test_labels_follow_the_picture_through_an_enlarging_camera():
    """The class under each pixel, and each point, against the map that the store keeps."""
    seen = shot(native_pixels=[48, 40], output_pixels=[96, 80], face_pixels=[13.0, 13.0], face_position="anywhere")
    affine, shown = seen.source_to_image.astype(float), face()
    for name in ("landmarks_70", "landmarks_478"):
        points = shown[name].astype(float)
        np.testing.assert_allclose(
            seen.__dict__[name][:, :2], points[:, :2] @ affine[:, :2].T + affine[:, 2], atol=1e-3
        )
    np.testing.assert_allclose(seen.landmarks_478[:, 2], shown["landmarks_478"][:, 2] * affine[0, 0], atol=1e-4)
    for y in range(0, 80, 7):
        for x in range(0, 96, 5):
            column = int(np.floor((x - affine[0, 2]) / affine[0, 0] + 0.5))
            row = int(np.floor((y - affine[1, 2]) / affine[1, 1] + 0.5))
            expected = shown["classes"][min(row, 63), column] if row >= 0 and 0 <= column < 64 else 0
            assert seen.segmentation[y, x] == expected


def test_temperature_and_class_agree_wherever_the_camera_points():
    """Away from outlines a pixel's temperature is its class's: nothing is shifted against anything."""
    for seed in range(5):
        seen = shot(native_pixels=[80, 60], face_pixels=[9.0, 30.0], face_position="anywhere", seed=seed)
        celsius, classes = decode_counts(seen.thermal), seen.segmentation
        for face_class, warmth in ((1, 34.0), (15, 29.0), (0, 20.0)):
            inner = classes == face_class
            for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
                inner &= np.roll(classes, step, axis) == face_class
            inner[[0, -1]] = inner[:, [0, -1]] = False
            assert inner.any()
            assert np.abs(celsius[inner] - warmth).max() < 0.52


def test_missing_points_stay_missing():
    affine = source_to_image(View(0.5, (3.0, 1.0)), camera())
    moved = transform_points(np.full((478, 3), np.nan, np.float32), affine)
    assert np.isnan(moved).all()
    assert moved.shape == (478, 3)


def test_beside_and_above_the_source_is_background():
    classes = np.full((8, 8), 13, np.uint8)
    affine = np.array([[1.0, 0, 4.0], [0, 1.0, 4.0]])
    seen = transform_classes(classes, affine, (16, 16))
    assert (seen[:4] == 0).all()
    assert (seen[:, :4] == 0).all()
    assert (seen[:, 12:] == 0).all()
    assert (seen[4:, 4:12] == 13).all()


def test_a_camera_with_a_wrong_key_or_range_is_refused():
    with pytest.raises(ValueError, match="nedt_kelvin"):
        camera(nedt_kelvin=0.1)
    with pytest.raises(ValueError, match="face_pixels"):
        camera(face_pixels=[50.0, 20.0])
