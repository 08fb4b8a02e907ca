"""Crops of a face: labels move with the image, and what lies outside it is missing."""

import numpy as np
import pytest

import tfake
from tfake.reader.face import Square, around_face, crop_face
from tiny_dataset import BAD, PIXELS, make_dataset


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("crops") / "results")


@pytest.fixture(scope="module")
def faces(results):
    return tfake.open_dataset(results)


def test_a_crop_moves_labels_with_the_image(faces):
    face = faces[0]
    same = crop_face(face, Square(-0.5, -0.5, PIXELS), PIXELS)
    np.testing.assert_array_equal(same.thermal["warm"], face.thermal["warm"])
    np.testing.assert_array_equal(same.segmentation, face.segmentation)
    np.testing.assert_allclose(same.landmarks_70, face.landmarks_70, atol=1e-5)
    # The square of pixels 10..29 at half size: each pixel is the mean of four, and pixel centres stay in their places.
    half = crop_face(face, Square(9.5, 9.5, 20), 10)
    mean = face.thermal["warm"][10:30, 10:30].reshape(10, 2, 10, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(half.thermal["warm"], mean, atol=1e-4)
    np.testing.assert_allclose(half.landmarks_478, (face.landmarks_478 - 9.5) / 2 - 0.5, atol=1e-4)
    np.testing.assert_allclose(half.landmarks_478_depth, face.landmarks_478_depth / 2, rtol=1e-6)


def test_crops_around_faces_hold_their_points(results):
    pixels = 32
    cropped = tfake.open_dataset(results, statuses=None, crop=around_face(pixels, margin=1.2))
    for face in cropped:
        assert face.thermal["warm"].shape == face.segmentation.shape == (pixels, pixels)
        if face.row != BAD:
            assert (face.landmarks_70 > -0.5).all()
            assert (face.landmarks_70 < pixels - 0.5).all()
    outside = crop_face(cropped[0], Square(-pixels - 0.5, 0, pixels), pixels)
    assert np.isnan(outside.thermal["warm"]).all()
    assert (outside.segmentation == 255).all()
