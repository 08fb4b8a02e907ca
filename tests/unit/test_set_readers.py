"""Banks, pairs and test sets read by the same readers: one rule for orientation, false colours, stacks, and colours."""

import io

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from camera_files import CELSIUS, COUNTS, GRAY, film, npy, radiometric_jpeg, table, tiff
from landmark_command import save_random_weights
from tfake.archive.file_trees import open_tree
from tfake.archive.pairs import open_pairs
from tfake.archive.thermal_images import open_thermal_images
from tfake.imaging.crops import CropSettings
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.preprocessing import preprocess
from tfake.studies.landmark_methods import landmarker_methods
from tfake.test_sets.annotated_faces import AnnotatedFace
from tfake.test_sets.set_images import reader
from tfake.thermal_io.false_colours import palettes
from tfake.thermalizer.pair_sampling import PairSampler
from thermal_sets import write_set

CLASSES = np.where(CELSIUS > 30, 1, 0).astype(np.uint8)
VISIBLE = np.stack((GRAY, GRAY // 2, 255 - GRAY), axis=-1)


def with_tag(pixels, kind, tag):
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[274] = tag
    Image.fromarray(pixels).save(buffer, kind, exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize("tag", range(1, 9))
def test_thermal_visible_and_class_map_agree_as_stored(tmp_path, tag):
    files = {
        "a_v.png": with_tag(VISIBLE, "PNG", tag),
        "a_t.tiff": tiff(COUNTS, orientation=tag),
        "a_seg.png": CLASSES,
        "b_v.tiff": tiff(VISIBLE, orientation=tag),
        "b_t.png": with_tag(COUNTS, "PNG", tag),
        "b_seg.png": with_tag(CLASSES, "PNG", tag),
    }
    for pair in open_pairs(write_set(tmp_path, files), "celsius"):
        np.testing.assert_allclose(pair.thermal, CELSIUS, atol=0.0051)
        np.testing.assert_array_equal(pair.rgb, VISIBLE)
        np.testing.assert_array_equal(pair.classes, CLASSES)
    tree = open_tree(tmp_path, "images")
    np.testing.assert_array_equal(reader(tree)("a_t.tiff"), COUNTS)
    np.testing.assert_array_equal(reader(tree)("a_v.png"), VISIBLE[..., ::-1])


def test_visible_partners_of_every_kind_are_rgb(tmp_path):
    deep = (VISIBLE.astype(np.uint16) << 8) + 7
    files = {
        "a_v.tiff": tiff(VISIBLE),
        "b_v.tiff": tiff(deep),
        "c_v.png": cv2.imencode(".png", deep[..., ::-1])[1].tobytes(),
        "d_v.bmp": cv2.imencode(".bmp", np.ascontiguousarray(VISIBLE[..., ::-1]))[1].tobytes(),
        "e_v.png": np.dstack([VISIBLE[..., ::-1], GRAY]),
        **{f"{stem}_t.npy": npy(CELSIUS) for stem in "abcde"},
    }
    files["e_v.png"] = cv2.imencode(".png", files["e_v.png"])[1].tobytes()
    for pair in open_pairs(write_set(tmp_path, files), "celsius"):
        np.testing.assert_array_equal(pair.rgb, VISIBLE, err_msg=pair.name)


def big(image):
    return np.ascontiguousarray(np.repeat(np.repeat(image, 4, 0), 4, 1))


def test_false_colours_are_pairs_and_their_overlays_count_nowhere(tmp_path):
    gray = cv2.GaussianBlur(big(GRAY), (0, 0), 4)
    picture = palettes()["iron"].colours[gray].copy()
    picture[40:60, 30:50] = (0, 255, 0)
    files = {"a_v.png": big(VISIBLE), "a_t.png": picture[..., ::-1], "b_v.png": big(VISIBLE), "b_t.png": gray}
    pairs = open_pairs(write_set(tmp_path, files), "relative")
    coloured, plain = pairs
    assert plain.known is None
    assert not coloured.known[42:58, 32:48].any()
    assert coloured.known.mean() > 0.8
    assert np.isfinite(coloured.thermal).all()
    np.testing.assert_allclose(coloured.thermal[coloured.known], gray[coloured.known] / 255, atol=0.01)
    # What is masked is in no loss: neither in its mask nor in the foreground.
    sampler = PairSampler([coloured], CropSettings(64, 1.0, 0.0, 0.0, 0.0), 2, 0, 22.0)
    whole = PairSampler([plain], CropSettings(64, 1.0, 0.0, 0.0, 0.0), 2, 0, 22.0)
    masked, unmasked = sampler.batch(0).mask.float().mean(), whole.batch(0).mask.float().mean()
    assert masked < unmasked
    with pytest.raises(ValueError, match=r"a_t\.png"):
        open_pairs(tmp_path, "celsius")


def test_a_bank_of_all_that_cameras_write(tmp_path):
    for module in ("av", "flyr"):
        pytest.importorskip(module, reason="the extra cameras is not installed")
    write_set(
        tmp_path,
        {
            "a.jpg": radiometric_jpeg(CELSIUS, GRAY),
            "b.tiff": tiff(COUNTS, COUNTS + 100),
            "c.npy": npy(np.stack([CELSIUS, CELSIUS + 1, CELSIUS + 2])),
            "notes.csv": "name;what\na;b\n",
        },
    )
    film(tmp_path / "d.mkv", [COUNTS, COUNTS], "ffv1", "gray16le")
    images = open_thermal_images(tmp_path, "celsius")
    assert images.names == [
        "a.jpg",
        *(f"b.tiff#{frame:06d}" for frame in range(2)),
        *(f"c.npy#{frame:06d}" for frame in range(3)),
        *(f"d.mkv#{frame:06d}" for frame in range(2)),
    ]
    added = [round(float((thermal - CELSIUS).mean()), 2) for thermal, _ in images]
    assert added == [0, 0, 1, 0, 1, 2, 0, 0]


def test_a_bank_of_tables(tmp_path):
    write_set(tmp_path, {"a.csv": table(CELSIUS), "b.csv": table(CELSIUS * 1.8 + 32, header="°F\n")})
    images = open_thermal_images(tmp_path, "celsius")
    for thermal, _ in images:
        np.testing.assert_allclose(thermal, CELSIUS, atol=0.0051)


def test_a_film_that_stops_early_is_no_bank(tmp_path):
    pytest.importorskip("av", reason="the extra cameras is not installed")
    noise = np.random.default_rng(0).integers(0, 100, (9, *COUNTS.shape), dtype=np.uint16)
    path = film(tmp_path / "d.avi", list(COUNTS + noise), "ffv1", "gray16le")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 8 // 10])
    with pytest.raises(ValueError, match=r"d\.avi .*read [1-8] of 9 frames"):
        open_thermal_images(tmp_path, "celsius")


def test_a_pair_s_file_holds_one_image(tmp_path):
    write_set(tmp_path, {"a_v.png": VISIBLE, "a_t.tiff": tiff(COUNTS, COUNTS)})
    with pytest.raises(ValueError, match=r"a_t\.tiff: expected one image, found 2"):
        open_pairs(tmp_path, "celsius")


def test_a_colour_image_is_scored_in_its_colours(tmp_path):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)  # RGB, as it looks
    picture[..., 0] |= 128
    write_set(tmp_path, {"face.png": picture})
    image = reader(open_tree(tmp_path, "images"))("face.png")
    np.testing.assert_allclose(preprocess(image), picture / np.float32(255), atol=1e-6)
    landmarker = ThermalLandmarker(save_random_weights(tmp_path / "w.pt"), "cpu")
    face = AnnotatedFace("face", "face.png", "face70", np.zeros((70, 2)), (4.0, 4.0, 40.0, 40.0))
    _, in_boxes = landmarker_methods("net", landmarker)
    with torch.inference_mode():
        scored = in_boxes.detect(image, [face]).landmarks
        expected = landmarker.process(picture[..., ::-1].copy(), boxes=[face.box]).landmarks
        swapped = landmarker.process(picture.copy(), boxes=[face.box]).landmarks
    np.testing.assert_array_equal(scored, expected)
    assert np.abs(scored - swapped).max() > 1e-3


def test_a_test_set_s_false_colours_are_shown_in_gray(tmp_path):
    gray = cv2.GaussianBlur(big(GRAY), (0, 0), 4)
    write_set(tmp_path, {"a.png": palettes()["jet"].colours[gray][..., ::-1], "b.tiff": tiff(COUNTS, COUNTS)})
    read = reader(open_tree(tmp_path, "images"))
    assert np.abs(read("a.png").astype(int) - gray).mean() < 1
    with pytest.raises(ValueError, match=r"b\.tiff: expected one image, found 2"):
        read("b.tiff")
