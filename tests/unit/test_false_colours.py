"""Pictures in false colours: the palette is found, the numbers come back, and the rest is masked or refused."""

import cv2
import numpy as np
import pytest

from camera_files import CELSIUS
from tfake.thermal_io import ThermalFileError, read_thermal
from tfake.thermal_io.false_colours import filled, is_gray, looks_false, palettes, recover

HEIGHT, WIDTH = 120, 160


def scene():
    """A warm head before a cold room: (H, W) float32 in 0..1, smooth, with every shade in it."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    head = np.exp(-(((rows - 65) / 38) ** 2 + ((columns - 70) / 30) ** 2))
    return (0.08 + 0.86 * head + 0.05 * np.sin(columns / 9) * np.cos(rows / 7) * head).astype(np.float32)


def coloured(values, name):
    return palettes()[name].colours[np.rint(values * 255).astype(int)]


def as_jpeg(image, quality=85):
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


@pytest.mark.parametrize("name", list(palettes()))
@pytest.mark.parametrize("quality", [None, 85])
def test_every_palette_comes_back_as_itself(name, quality):
    image = coloured(scene(), name)
    found = recover(image if quality is None else as_jpeg(image, quality))
    assert found.palette == name
    assert np.isnan(found.values).mean() < 0.12
    assert np.nanmean(np.abs(found.values - scene())) < (0.004 if quality is None else 0.02)


def test_writing_and_the_scale_bar_are_masked():
    values = scene()
    image = coloured(values, "iron").copy()
    image[10:110, 148:156] = coloured(np.repeat(np.linspace(1, 0, 100)[:, None], 8, axis=1), "iron")
    cv2.putText(image, "36.5", (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    cv2.putText(image, "X", (60, 70), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 255, 0), 2)
    found = recover(as_jpeg(image, 92))
    assert np.isnan(found.values[12:108, 149:155]).mean() > 0.9
    green = (image == (0, 255, 0)).all(axis=-1)
    assert np.isnan(found.values[green]).mean() > 0.9
    kept = ~np.isnan(found.values)
    assert np.abs(found.values - values)[kept].mean() < 0.02
    assert kept[30:100, 40:100].mean() > 0.7
    whole = filled(found.values)
    assert np.isfinite(whole).all()
    np.testing.assert_array_equal(whole[kept], found.values[kept])


def test_a_program_s_window_is_masked():
    window = np.full((HEIGHT + 60, WIDTH + 80, 3), 200, np.uint8)
    window[30:-30, 40:-40] = coloured(scene(), "inferno")
    found = recover(window)
    assert found.palette == "inferno"
    assert np.isnan(found.values[:25]).all()
    assert np.nanmean(np.abs(found.values[30:-30, 40:-40] - scene())) < 0.01


def test_two_places_of_one_colour_are_no_place():
    name = "black and iron"  # its gray half passes shades that its hot half does not, but both pass black
    found = recover(coloured(scene(), name))
    points = palettes()[name].colours.astype(float)
    for place in (0.1, 0.3, 0.8):
        distance = np.linalg.norm(points - points[round(place * 255)], axis=1)
        twin = (distance <= 14) & (np.abs(np.arange(256) / 255 - place) > 0.1)
        near = np.abs(scene() - place) < 0.002
        if near.any():
            assert np.isnan(found.values[near]).all() == twin.any()


def test_pictures_in_visible_light_are_none():
    rng = np.random.default_rng(0)
    # Skin, cloth and a wall under uneven light, with texture: colours that fill a volume, not a curve.
    light = cv2.GaussianBlur(rng.uniform(0.3, 1.2, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 15)[..., None]
    image = np.full((HEIGHT, WIDTH, 3), (150, 140, 120), np.float32)
    cv2.ellipse(image, (80, 55), (30, 40), 0, 0, 360, (120, 150, 205), -1)
    cv2.rectangle(image, (40, 95), (120, 119), (120, 60, 40), -1)
    image = np.clip(image * light * 1.3 + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)
    assert recover(image) is None
    assert not looks_false(image)
    assert not is_gray(image)


def test_unknown_palettes_look_false_and_are_refused_as_thermal():
    for colormap in (cv2.COLORMAP_COOL, cv2.COLORMAP_SPRING, cv2.COLORMAP_WINTER):
        image = cv2.applyColorMap(np.rint(scene() * 255).astype(np.uint8), colormap)
        assert recover(image) is None
        assert looks_false(image)
        with pytest.raises(ThermalFileError, match="no palette that is known"):
            read_thermal(cv2.imencode(".png", image)[1].tobytes(), name="a.png")


def test_a_dark_or_an_even_picture_is_no_palette_s():
    assert recover(np.full((20, 20, 3), (3, 0, 8), np.uint8)) is None
    assert recover(np.full((20, 20, 3), palettes()["iron"].colours[140], np.uint8)) is None


def test_false_colours_are_read_as_relative_and_never_as_celsius():
    data = cv2.imencode(".png", coloured(scene(), "iron"))[1].tobytes()
    image = read_thermal(data, name="a.png")
    assert image.meaning == "relative"
    assert "palette iron" in image.assumed[0]
    assert np.nanmean(np.abs(image.values - scene())) < 0.004
    with pytest.raises(ThermalFileError, match="declared celsius, but found false colours"):
        read_thermal(data, "celsius", "a.png")


def test_nothing_but_masked_pixels_is_refused():
    with pytest.raises(ThermalFileError, match="masked"):
        filled(np.full((3, 4), np.nan, np.float32))
    np.testing.assert_array_equal(filled(np.array([[1.0, np.nan]], np.float32)), [[1, 1]])


def test_a_gray_picture_with_a_coloured_marker_is_gray():
    image = np.repeat(np.rint(CELSIUS).astype(np.uint8)[..., None], 3, axis=2)
    image = np.tile(image, (4, 4, 1))
    image[5, 5] = (0, 255, 0)
    assert is_gray(image)
