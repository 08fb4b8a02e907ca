"""Thermal images in each number format, where the person is in them, and every way in which a set can be wrong."""

import re

import numpy as np
import pytest

from tfake.archive.pairs import open_pairs
from tfake.archive.thermal_images import ThermalsOfPairs, open_thermal_images
from tfake.core.radiometry import encode_celsius
from tfake.imaging.foreground import estimate_foreground
from thermal_sets import HEIGHT, WIDTH, celsius, encode, gray, same, visible, write_set, zipped

HEAD = np.zeros((HEIGHT, WIDTH), bool)
HEAD[4:18, 8:22] = True


@pytest.mark.parametrize("pack", [same, zipped])
def test_every_radiometric_format_becomes_celsius(tmp_path, pack):
    counts = np.full((HEIGHT, WIDTH), 30615, np.uint16)  # TLinear: 306.15 K
    counts[0] = 29315
    files = {"a.png": counts, "b.tiff": encode_celsius(celsius()), "c/d.tif": celsius(3), "e.npy": celsius(4)}
    images = open_thermal_images(pack(write_set(tmp_path / "set", files)), "celsius")
    assert images.names == ["a.png", "b.tiff", "c/d.tif", "e.npy"]
    thermal = [image for image, _ in images]
    assert all(image.dtype == np.float32 for image in thermal)
    np.testing.assert_allclose(thermal[0][1:], 33.0, atol=1e-4)
    np.testing.assert_allclose(thermal[0][0], 20.0, atol=1e-4)
    np.testing.assert_allclose(thermal[1], celsius(), atol=0.006)
    np.testing.assert_array_equal(thermal[2], celsius(3))
    np.testing.assert_array_equal(thermal[3], celsius(4))


def test_relative_images_keep_their_numbers(tmp_path):
    files = {"a.png": gray(), "b.jpg": np.repeat(gray()[..., None], 3, axis=2), "c.npy": gray(7)}
    images = open_thermal_images(write_set(tmp_path, files), "relative")
    np.testing.assert_array_equal(images[0][0], gray().astype(np.float32))
    assert images[1][0].shape == (HEIGHT, WIDTH)
    np.testing.assert_array_equal(images[2][0], gray(7).astype(np.float32))


def test_a_class_map_tells_the_foreground(tmp_path):
    classes = np.where(HEAD, 1, 0).astype(np.uint8)
    classes[10, 10] = 255
    images = open_thermal_images(write_set(tmp_path, {"a.npy": celsius(), "a_seg.png": classes}), "celsius")
    assert len(images) == 1
    np.testing.assert_array_equal(images[0][1], classes == 1)


def test_zeros_all_around_are_background(tmp_path):
    blanked = np.where(HEAD, np.maximum(gray(), 1), 0).astype(np.uint8)
    images = open_thermal_images(write_set(tmp_path, {"a.png": blanked}), "relative")
    np.testing.assert_array_equal(images[0][1], HEAD)


def test_a_neck_may_leave_a_blanked_image(tmp_path):
    neck = HEAD.copy()
    neck[18:, 12:18] = True
    images = open_thermal_images(write_set(tmp_path, {"a.png": np.where(neck, 90, 0).astype(np.uint8)}), "relative")
    np.testing.assert_array_equal(images[0][1], neck)


def test_else_the_warm_part_is_taken_for_the_person(tmp_path):
    warm = np.where(HEAD, 34.0, 21.0).astype(np.float32)
    warm[9:11, 12:14] = 22  # a lens: cold, but inside
    np.testing.assert_array_equal(estimate_foreground(warm), HEAD)
    images = open_thermal_images(write_set(tmp_path, {"a.npy": warm}), "celsius")
    np.testing.assert_array_equal(images[0][1], HEAD)


def test_pairs_lend_their_thermal_images(tmp_path):
    warm = np.where(HEAD, 200, 40).astype(np.uint8)
    classes = np.full((HEIGHT, WIDTH), 13, np.uint8)
    classes[:5] = 0
    files = {"a_v.png": visible(), "a_t.png": warm, "b_v.png": visible(), "b_t.png": warm, "b_seg.png": classes}
    images = ThermalsOfPairs(open_pairs(write_set(tmp_path, files), "relative"))
    assert (len(images), images.values) == (2, "relative")
    np.testing.assert_array_equal(images[0][1], HEAD)
    np.testing.assert_array_equal(images[1][1], classes == 13)
    np.testing.assert_array_equal(images[1][0], warm)


def refused(path, values, *parts, read=False):
    with pytest.raises(ValueError, match=re.escape(str(path))) as caught:
        (list if read else len)(open_thermal_images(path, values))
    for part in parts:
        assert part in str(caught.value)


def test_what_is_wrong_is_named(tmp_path):
    a, b, c, d, e, f, g = (tmp_path / name for name in "abcdefg")
    refused(write_set(a, {"x.png": gray()}), "celsius", "x.png", "8 bits")
    refused(write_set(b, {"x.txt": "nothing"}), "relative", "no thermal images", "1 files")
    refused(write_set(c, {"x.png": b"no image"}), "relative", "x.png cannot be decoded")
    refused(write_set(d, {"x.npy": b"no array"}), "celsius", "x.npy cannot be decoded")
    refused(write_set(e, {"x.npy": np.zeros((2, 3, 4, 5), np.float32)}), "celsius", "x.npy", "(2, 3, 4, 5)")
    refused(write_set(f, {"x.npy": gray()}), "celsius", "x.npy", "uint8")
    refused(write_set(g, {"x.png": gray(), "x_seg.png": np.zeros((5, 6), np.uint8)}), "relative", "x_seg.png", "6x5")


def test_what_only_pixels_tell_is_named_when_they_are_read(tmp_path):
    a, b, c, d, e = (tmp_path / name for name in "abcde")
    refused(write_set(a, {"x.png": encode(gray(), ".png")[:-200]}), "relative", "x.png cannot be decoded", read=True)
    refused(write_set(b, {"x.png": visible()}), "relative", "x.png", "a picture in colours", read=True)
    hole = celsius()
    hole[0, 0] = np.nan
    refused(write_set(c, {"x.npy": hole}), "celsius", "x.npy has 1 pixels without a temperature", read=True)
    refused(write_set(d, {"x.png": gray(), "x_seg.png": gray()}), "relative", "x_seg.png", "class ids", read=True)
    refused(write_set(e, {"x.tiff": np.full((3, 4), -5, np.int32)}), "celsius", "x.tiff", "int32", read=True)


@pytest.mark.parametrize("name", ["x_seg.PNG", "x_SEG.png"])
def test_a_class_map_is_no_image_in_any_case(tmp_path, name):
    write_set(tmp_path / "set", {"x.png": gray(), name: np.ones((HEIGHT, WIDTH), np.uint8)})
    images = open_thermal_images(tmp_path / "set", "relative")
    assert images.names == ["x.png"]
    assert images[0][1].all()


def test_a_class_map_belongs_to_one_image(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    refused(write_set(a, {"x.png": gray(), "y_seg.png": gray()}), "relative", "y_seg.png", "found 0")
    refused(write_set(b, {"x.png": gray(), "x.npy": gray(), "x_seg.png": gray()}), "relative", "x_seg.png", "found 2")


def test_wrong_paths_and_values(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder or zip of thermal images"):
        open_thermal_images(tmp_path / "nowhere", "relative")
    with pytest.raises(ValueError, match="rankine"):
        open_thermal_images(tmp_path, "rankine")


def test_real_faces_lie_on_their_blanked_background(request):
    folder = request.config.rootpath / "../shared/data/lwir_faces"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/lwir_faces")
    images = open_thermal_images(folder, "relative")
    assert len(images) == 100
    for thermal, foreground in images:
        assert thermal.shape == foreground.shape == (240, 206)
        assert 0.1 < foreground.mean() < 0.6
        assert thermal[foreground].min() > 0
        assert foreground[100:140, 90:120].all()
