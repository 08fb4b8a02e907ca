"""The gallery's parts: which rows, which colours, which pictures, which points."""

import base64
import itertools

import cv2
import numpy as np
import pytest

from tfake.core.classes import CLASS_COLOURS, FaceClass
from tfake.core.radiometry import NEVER_WRITTEN, NO_IMAGE, encode_celsius
from tfake.pages.page_images import (
    THUMBNAIL_PIXELS,
    TemperatureScale,
    classes_uri,
    fit_scale,
    photo_uri,
    points_path,
    thermal_uri,
)
from tfake.products.report.gallery import VariantImages, choose_rows

SCALE = TemperatureScale(20, 40)


def decode(uri):
    kind, data = uri.split(",", 1)
    assert kind == "data:image/webp;base64"
    image = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize(("rows", "wanted"), [(1, 1), (1, 5), (3, 3), (5, 9), (10, 4), (100_000, 24)])
def test_rows_are_spread_from_the_first_to_the_last(rows, wanted):
    chosen = choose_rows([], rows, wanted)
    assert len(chosen) == min(rows, wanted)
    assert chosen[0] == 0
    if wanted > 1:
        assert chosen[-1] == rows - 1
        gaps = [b - a for a, b in itertools.pairwise(chosen)]
        assert not gaps or max(gaps) - min(gaps) <= 1


def test_a_slice_is_shown_though_the_spread_may_miss_it():
    nothing = dict.fromkeys(("name", "counts", "unit", "missing", "segmentation", "landmarks_70", "landmarks_478"))
    variant = VariantImages(**nothing, scale=1.0, offset=0.0, source_to_image=None, span=(40_000, 40_100))
    chosen = choose_rows([variant], 100_000, 24)
    inside = [row for row in chosen if variant.covers(row)]
    assert (len(inside), inside[0], inside[-1]) == (24, 40_000, 40_099)
    assert len(chosen) == 48
    assert chosen == sorted(chosen)
    assert not variant.covers(40_100)


def test_the_scale_holds_the_data_in_whole_degrees():
    celsius = np.linspace(20.4, 36.7, 10_001)
    assert fit_scale([encode_celsius(celsius)]) == TemperatureScale(20, 37)


def test_a_hot_pixel_does_not_stretch_the_scale():
    counts = encode_celsius(np.full((100, 100), 30.5))
    counts[0, 0] = encode_celsius(90.0)
    counts[0, 1] = NO_IMAGE
    counts[0, 2] = NEVER_WRITTEN
    assert fit_scale([counts]) == TemperatureScale(30, 32)


def test_a_scale_without_data_is_a_scale():
    scale = fit_scale([np.full((4, 4), NO_IMAGE, dtype=np.uint16)])
    assert scale.high > scale.low


def test_colours_are_linear_in_temperature_and_end_at_the_ends():
    low, middle, high, cold, hot = SCALE.paint(np.array([[20.0, 30.0, 40.0, -5.0, 99.0]]))[0]
    assert (cold == low).all()
    assert (hot == high).all()
    # The ends and the middle of matplotlib's inferno.
    assert low.tolist() == [0, 0, 4]
    assert high.tolist() == [252, 255, 164]
    assert np.abs(middle.astype(int) - (188, 55, 84)).max() <= 2


def test_missing_temperatures_are_gray():
    assert SCALE.paint(np.array([[np.nan]]))[0, 0].tolist() == [128, 128, 128]


@pytest.mark.parametrize(("low", "high"), [(20, 22), (20, 37), (-10, 40), (0, 300)])
def test_ticks_are_whole_degrees_at_their_places(low, high):
    ticks = TemperatureScale(low, high).ticks()
    assert 2 <= len(ticks) <= 11
    for value, share in ticks:
        assert share == pytest.approx((value - low) / (high - low))
        assert 0 <= share <= 1


def test_thermal_pictures_are_lossless_and_shrunk():
    celsius = np.full((512, 512), 20.0)
    celsius[:, 256:] = 40.0
    picture = decode(thermal_uri(celsius, SCALE))
    assert picture.shape == (THUMBNAIL_PIXELS, THUMBNAIL_PIXELS, 3)
    assert picture[0, 0].tolist() == [0, 0, 4]
    assert picture[0, -1].tolist() == [252, 255, 164]


def test_class_maps_hold_only_the_classes_colours():
    rng = np.random.default_rng(0)
    picture = decode(classes_uri(rng.integers(0, 19, (512, 512)).astype(np.uint8)))
    found = {tuple(colour) for colour in picture.reshape(-1, 3).tolist()}
    assert found == set(CLASS_COLOURS)


def test_ignored_pixels_have_a_colour_of_their_own():
    picture = decode(classes_uri(np.full((8, 8), FaceClass.IGNORE, dtype=np.uint8)))
    assert tuple(picture[0, 0].tolist()) not in set(CLASS_COLOURS)


def test_small_photographs_keep_their_size():
    assert decode(photo_uri(np.zeros((64, 64, 3), dtype=np.uint8))).shape == (64, 64, 3)


def test_points_become_dots_and_missing_points_nothing():
    points = np.array([[10.04, 20.06, 5.0], [np.nan, np.nan, np.nan], [-3.0, 511.96, 0.0]], dtype=np.float32)
    assert points_path(points) == "M10 20.1h0M-3 512h0"
    assert points_path(np.full((70, 2), np.nan)) == ""
