"""Paired sets in folders and zips, and every way in which one can be wrong."""

import numpy as np
import pytest

from tfake.archive.pairs import open_pairs
from tfake.core.radiometry import encode_celsius
from thermal_sets import HEIGHT, WIDTH, celsius, gray, same, visible, write_set, zipped


def write(folder, name, image):
    write_set(folder, {name: image})


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "set"
    write(folder, "b_v.png", visible(3))
    write(folder, "b_t.png", gray())
    write(folder, "S1/a_v.jpg", visible())
    write(folder, "S1/a_t.png", gray())
    (folder / "readme.txt").write_text("no image")
    return folder


@pytest.mark.parametrize("pack", [same, zipped])
def test_relative_pairs_of_a_folder_or_zip(folder, pack):
    pairs = open_pairs(pack(folder), "relative")
    assert (len(pairs), pairs.values, pairs.names) == (2, "relative", ["S1/a", "b"])
    pair = pairs[1]
    assert pair.name == "b"
    np.testing.assert_array_equal(pair.rgb, visible(3))
    np.testing.assert_array_equal(pair.thermal, gray().astype(np.float32))
    assert pair.thermal.dtype == np.float32
    assert pair.classes is None
    assert pairs[0].rgb.shape == (HEIGHT, WIDTH, 3)


def test_counts_become_celsius(tmp_path):
    write(tmp_path, "a_v.png", visible())
    write(tmp_path, "a_t.png", encode_celsius(celsius()))
    np.testing.assert_allclose(open_pairs(tmp_path, "celsius")[0].thermal, celsius(), atol=0.006)


def test_float_degrees_are_taken_as_they_are(tmp_path):
    write(tmp_path, "a_v.png", visible())
    write(tmp_path, "a_t.tiff", celsius())
    np.testing.assert_array_equal(open_pairs(tmp_path, "celsius")[0].thermal, celsius())


def test_a_segmentation_is_read_if_there_is_one(folder):
    classes = np.full((HEIGHT, WIDTH), 13, np.uint8)
    write(folder, "b_seg.png", classes)
    pairs = open_pairs(folder, "relative")
    assert pairs[0].classes is None
    np.testing.assert_array_equal(pairs[1].classes, classes)


def mesh(points=478):
    return np.random.default_rng(0).uniform(0, 20, (points, 3))


@pytest.mark.parametrize("pack", [same, zipped])
def test_a_mesh_is_read_if_there_is_one(folder, pack):
    np.save(folder / "b_mesh.npy", mesh(468))
    pairs = open_pairs(pack(folder), "relative")
    assert pairs[0].points is None
    np.testing.assert_array_equal(pairs[1].points, mesh(468).astype(np.float32))


def test_layouts_name_the_mesh_in_their_way(tmp_path):
    for name, image in (("visible/p/a.png", visible()), ("thermal/p/a.png", gray())):
        write(tmp_path / "one", name, image)
    for name, image in (("p/a_rgb.png", visible()), ("p/a_thermal.png", gray())):
        write(tmp_path / "two", name, image)
    (tmp_path / "one/mesh/p").mkdir(parents=True)
    np.save(tmp_path / "one/mesh/p/a.npy", mesh())
    np.save(tmp_path / "two/p/a_mesh.npy", mesh())
    for folder, layout in (("one", "folders"), ("two", "tfake")):
        assert open_pairs(tmp_path / folder, "relative", layout)[0].points.shape == (478, 3)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (mesh(70), "expected (478, 3) or (468, 3) numbers, found float64 (70, 3)"),
        (mesh()[:, :2], "found float64 (478, 2)"),
        (mesh().astype(str), "found <U"),
        (np.full((478, 3), np.nan), "not finite; leave out the mesh"),
    ],
)
def test_a_mesh_that_is_none_is_named(folder, points, message):
    np.save(folder / "b_mesh.npy", points)
    assert_refused(folder, "relative", "b_mesh.npy", message)


def test_a_mesh_that_cannot_be_read_is_named(folder):
    (folder / "b_mesh.npy").write_bytes(b"no array")
    assert_refused(folder, "relative", "b_mesh.npy cannot be decoded")


def test_a_three_channel_thermal_image_is_its_first_channel(tmp_path):
    write(tmp_path, "a_v.png", visible())
    write(tmp_path, "a_t.png", np.repeat(gray()[..., None], 3, axis=2))
    np.testing.assert_array_equal(open_pairs(tmp_path, "relative")[0].thermal, gray().astype(np.float32))


def assert_refused(path, values, *parts, error=ValueError):
    with pytest.raises(error) as caught:
        open_pairs(path, values)
    for part in (str(path), *parts):
        assert part in str(caught.value)


def test_a_file_without_partner_is_named(folder):
    write(folder, "lonely_v.png", visible())
    assert_refused(folder, "relative", "no partner", "lonely_v.png")
    (folder / "lonely_v.png").rename(folder / "lonely_t.png")
    assert_refused(folder, "relative", "no partner", "lonely_t.png")


def test_two_files_for_one_place_are_named(folder):
    write(folder, "b_v.jpg", visible())
    assert_refused(folder, "relative", "b_v.jpg", "b_v.png")


def test_an_empty_set_is_refused(tmp_path):
    assert_refused(tmp_path, "relative", "no pairs")


def test_sizes_that_differ_are_named_with_both_files(folder):
    write(folder, "b_t.png", gray()[:, :-3])
    assert_refused(folder, "relative", "b_v.png", "b_t.png", "30x20", "27x20")


def test_a_segmentation_of_another_size_is_named(folder):
    write(folder, "b_seg.png", np.zeros((5, 6), np.uint8))
    assert_refused(folder, "relative", "b_seg.png", "6x5")


def test_eight_bits_are_no_celsius(folder):
    assert_refused(folder, "celsius", "S1/a_t.png", "8 bits")


@pytest.mark.parametrize("name", ["b_v.png", "b_t.png"])
def test_an_undecodable_file_is_named(folder, name):
    (folder / name).write_bytes(b"no image at all")
    assert_refused(folder, "relative", name, "cannot be decoded")


def test_an_image_cut_short_is_named_when_it_is_read(folder):
    whole = (folder / "b_t.png").read_bytes()
    (folder / "b_t.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"b_t\.png cannot be decoded"):
        open_pairs(folder, "relative")[1]


def test_unknown_classes_are_named(folder):
    write(folder, "b_seg.png", np.full((HEIGHT, WIDTH), 77, np.uint8))
    with pytest.raises(ValueError, match=r"b_seg\.png"):
        open_pairs(folder, "relative")[1]


def test_a_pixel_without_temperature_is_named(tmp_path):
    counts = encode_celsius(celsius())
    counts[3, 4] = 0
    write(tmp_path, "a_v.png", visible())
    write(tmp_path, "a_t.png", counts)
    with pytest.raises(ValueError, match=r"a_t\.png has 1 pixels without a temperature"):
        open_pairs(tmp_path, "celsius")[0]


def test_wrong_paths_and_values(tmp_path):
    assert_refused(tmp_path / "nowhere", "relative", "no such", error=FileNotFoundError)
    file = tmp_path / "file.zip"
    file.write_bytes(b"no zip")
    assert_refused(file, "relative", "neither a folder nor a zip")
    with pytest.raises(ValueError, match="rankine"):
        open_pairs(tmp_path, "rankine")
