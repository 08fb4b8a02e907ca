"""Temperatures of a face: planted ones are read back, and what cannot be read says why; breath by its rate."""

import numpy as np
import pytest

from tfake.core.radiometry import encode_celsius
from tfake.labels.conventions import reference_face
from tfake.landmarks.breathing import breathing_rate
from tfake.landmarks.temperatures import MIN_PIXELS, PLACES, face_scale, read_temperatures

REFERENCE = reference_face()


def face(count, scale=60.0, centre=(120.0, 120.0), yaw=0.0):
    """A face's 70, 478 or 548 points, turned to its left by degrees."""
    angle = np.radians(yaw)
    turned = REFERENCE @ np.array([[np.cos(angle), 0.0], [0.0, 1.0], [np.sin(angle), 0.0]])
    points = turned * scale + centre
    return {70: points[:70], 478: points[70:], 548: points}[count]


def read(image, points, sigma=0.5):
    found = read_temperatures(image, points, np.full(len(points), sigma))
    assert [reading.place for reading in found] == [place.name for place in PLACES]
    return {reading.place: reading for reading in found}


def paint(image, centre, radius, celsius):
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    image[np.hypot(columns - centre[0], rows - centre[1]) <= radius] = celsius


@pytest.mark.parametrize("count", [70, 478, 548])
@pytest.mark.parametrize("encode", [lambda celsius: celsius, encode_celsius], ids=["celsius", "counts"])
def test_planted_temperatures_are_read_back(count, encode):
    image, both = np.full((240, 240), 31.0, np.float32), face(548)
    scale = face_scale(both)
    planted = {
        "right_inner_canthus": (both[39], 35.5),
        "left_inner_canthus": (both[42], 35.9),
        "nose_tip": (both[30], 29.0),
        "right_cheek": (both[[70 + 50, 70 + 205]].mean(axis=0), 32.5),
        "left_cheek": (both[[70 + 280, 70 + 425]].mean(axis=0), 33.0),
        "chin": (both[[8, 57]].mean(axis=0), 32.0),
    }
    for centre, celsius in planted.values():
        paint(image, centre, 0.13 * scale, celsius)
    top, brows = both[70 + 10, 1], both[70 + 9, 1]
    image[int(top) : int(brows), 60:180] = 34.25
    found = read(encode(image), face(count))
    for place, (_, celsius) in planted.items():
        assert found[place].celsius == pytest.approx(celsius, abs=0.01)
        assert found[place].valid
        assert found[place].pixels >= MIN_PIXELS
    assert found["forehead"].celsius == pytest.approx(34.25, abs=0.01)
    assert found["face_max"].celsius == pytest.approx(35.9, abs=0.01)
    assert found["face_median"].celsius < 34.3
    assert found["chin"].sigma == pytest.approx(0.5)


def test_a_canthus_is_its_warmest_pixel_and_a_forehead_its_median():
    image, points = np.full((240, 240), 31.0, np.float32), face(70)
    column, row = np.round(points[39]).astype(int)
    image[row, column] = 36.0
    image[int(face(548)[70 + 151, 1]), 110:112] = 39.0
    found = read(image, points)
    assert found["right_inner_canthus"].celsius == 36.0
    assert found["left_inner_canthus"].celsius == 31.0
    assert found["forehead"].celsius == 31.0


def test_right_is_the_person_s_right():
    image = np.full((240, 240), 30.0, np.float32)
    image[:, :120] = 34.0
    found = read(image, face(478))
    assert found["right_cheek"].celsius == found["right_nostril"].celsius == 34.0
    assert found["left_cheek"].celsius == found["left_nostril"].celsius == 30.0


@pytest.mark.parametrize(
    ("points", "sigma", "place", "reason"),
    [
        (face(70, scale=6.0), 0.1, "right_inner_canthus", f"pixels with a temperature, fewer than {MIN_PIXELS}"),
        (face(70, centre=(52.0, 120.0)), 0.5, "right_cheek", "cut by the edge"),
        (face(478, yaw=50.0), 0.5, "left_cheek", "turned away"),
        (face(478, yaw=-50.0), 0.5, "right_cheek", "turned away"),
        (face(70), 9.0, "nose_tip", "uncertain by 9.0 pixels"),
    ],
)
def test_what_cannot_be_trusted_says_why(points, sigma, place, reason):
    found = read(np.full((240, 240), 30.0, np.float32), points, sigma)[place]
    assert not found.valid
    assert reason in found.reason
    assert np.isnan(found.celsius) == ("fewer" in reason)


def test_a_turned_head_has_one_side():
    found = read(np.full((240, 240), 30.0, np.float32), face(478, yaw=50.0))
    assert found["right_cheek"].valid
    assert found["right_inner_canthus"].valid


def test_pixels_without_a_temperature_do_not_count():
    image = np.full((240, 240), 31.0, np.float32)
    points = face(70)
    paint(image, points[30], 20, np.nan)
    found = read(image, points)
    assert np.isnan(found["nose_tip"].celsius)
    assert found["nose_tip"].pixels == 0
    assert found["face_median"].celsius == 31.0


@pytest.mark.parametrize("image", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3), np.float32)])
def test_pictures_without_temperatures_are_refused(image):
    with pytest.raises(ValueError, match=rf"expected temperatures.*found {image.dtype} of shape \(9, 9"):
        read_temperatures(image, face(70), np.ones(70))


@pytest.mark.parametrize("rate", [9.0, 15.0, 27.0])
def test_a_breath_s_rate(rate):
    """With the camera's noise, a slow drift and a tenth of the frames missing."""
    rng = np.random.default_rng(5)
    seconds = np.arange(0, 30, 1 / 9)
    celsius = 33 + 0.2 * np.sin(2 * np.pi * rate / 60 * seconds) + 0.01 * seconds + rng.normal(0, 0.05, len(seconds))
    celsius[rng.random(len(seconds)) < 0.1] = np.nan
    found = breathing_rate(seconds, celsius)
    assert found.valid
    assert found.breaths_per_minute == pytest.approx(rate, abs=0.3)


@pytest.mark.parametrize(
    ("length", "signal", "reason"),
    [
        (10, lambda t: np.sin(t * 1.5), "shorter than 15 s"),
        (30, lambda t: np.random.default_rng(6).normal(0, 0.3, len(t)), "of the power"),
        (30, lambda t: 0.001 * np.sin(t * 1.5), "moves by"),
        (30, lambda t: np.where((t > 10) & (t < 20), np.nan, np.sin(t * 1.5)), "is missing"),
        (30, lambda t: np.full(len(t), np.nan), "fewer than 2"),
    ],
)
def test_what_is_no_breath_says_so(length, signal, reason):
    seconds = np.arange(0, length, 1 / 9)
    found = breathing_rate(seconds, signal(seconds))
    assert not found.valid
    assert reason in found.reason
