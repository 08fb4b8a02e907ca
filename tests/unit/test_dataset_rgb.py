"""The visible images of a dataset's rows: out of its own store or the archive, the same either way, or refused."""

import pickle
import shutil

import numpy as np
import pytest
import zarr

import tfake
from archives import sample_members, write_archive
from tfake.archive.image_reader import ArchiveImages
from tfake.archive.index import build_index
from tfake.reader.dataset_store import DatasetError
from tfake.reader.face import FIELDS, Square, crop_face
from tfake.store.layouts import images_layout
from tiny_dataset import BAD, PIXELS, ROWS, make_dataset, write_store

WITH_RGB = (*FIELDS, "rgb")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    members = {}
    for number in range(ROWS):
        members |= sample_members(number, PIXELS)
    return write_archive(tmp_path_factory.mktemp("source") / "a.zip", members)


@pytest.fixture(scope="module")
def images(archive):
    """What the archive holds: (N, H, W, 3), black in the bad row."""
    reader = ArchiveImages([archive], PIXELS)
    rgb = np.stack([reader.read_rgb(record) for record in build_index([archive], ROWS, PIXELS).itertuples()])
    rgb[BAD] = 0
    return rgb


@pytest.fixture(scope="module")
def bare(archive, tmp_path_factory):
    """A dataset of that archive which keeps no image."""
    source = build_index([archive], ROWS, PIXELS).attrs["source_sha256"]
    return make_dataset(tmp_path_factory.mktemp("bare") / "results", source_sha256=source)


@pytest.fixture
def kept(bare, images, tmp_path):
    """A copy of it which keeps them."""
    results = tmp_path / "results"
    shutil.copytree(bare, results)
    (results / "images").mkdir()
    source = zarr.open_group(bare / "faces/faces.zarr", mode="r").attrs["source_sha256"]
    classes = np.zeros((ROWS, PIXELS, PIXELS), np.uint8)
    values = {"rgb": images, "segmentation": classes}
    write_store(results / "images", "images.zarr", images_layout(PIXELS), values, {"source_sha256": source})
    return results


def test_it_comes_from_the_archive_that_is_named(bare, archive, images):
    for named in (archive, str(archive), [str(archive)]):
        faces = tfake.open_dataset(bare, statuses=None, rows="all", fields=WITH_RGB, archive=named)
        assert len(faces) == ROWS
        np.testing.assert_array_equal([face.rgb for face in faces.batch([7, BAD, 0])], images[[7, BAD, 0]])


def test_it_comes_from_the_dataset_where_that_keeps_it(kept, images):
    faces = tfake.open_dataset(kept, statuses=None, rows="all", fields=WITH_RGB)
    np.testing.assert_array_equal([face.rgb for face in faces], images)
    zipped = shutil.make_archive(str(kept), "zip", kept)
    np.testing.assert_array_equal(tfake.open_dataset(zipped, fields=WITH_RGB)[3].rgb, images[3])


def test_without_being_asked_for_it_is_not_read(kept):
    face = tfake.open_dataset(kept)[0]
    assert face.rgb is None
    assert "rgb" not in tfake.open_dataset(kept).torch()[0]


def test_where_there_is_none_both_ways_to_it_are_named(bare):
    with pytest.raises(DatasetError, match=r"(?s)archive='.*'.*store\.rgb: kept"):
        tfake.open_dataset(bare, fields=WITH_RGB)


def test_images_that_are_not_complete_are_not_taken(kept):
    (kept / "images/SHA256SUMS").unlink()
    with pytest.raises(DatasetError, match="does not keep"):
        tfake.open_dataset(kept, fields=WITH_RGB)


def test_images_of_another_source_are_not_taken(kept):
    zarr.open_group(kept / "images/images.zarr", mode="r+").attrs["source_sha256"] = "6" * 64
    with pytest.raises(DatasetError, match="does not keep"):
        tfake.open_dataset(kept, fields=WITH_RGB)


def test_another_archive_is_refused(bare, tmp_path):
    members = {}
    for number in range(ROWS):
        members |= sample_members(number + (number == ROWS - 1), PIXELS)
    other = write_archive(tmp_path / "other.zip", members)
    with pytest.raises(DatasetError, match="is not the archive"):
        tfake.open_dataset(bare, fields=WITH_RGB, archive=other)


def test_a_variant_of_another_geometry_has_none(kept):
    shutil.copytree(kept / "faces/faces.zarr/segmentation", kept / "variants/warm/thermal.zarr/segmentation")
    with pytest.raises(DatasetError, match="geometry of its own"):
        tfake.open_dataset(kept, ["warm"], fields=WITH_RGB)


def test_choosing_rows_and_other_processes_keep_it(bare, archive, images):
    faces = tfake.open_dataset(bare, fields=WITH_RGB, archive=archive)[2:5].where(statuses="ok")
    sent = pickle.loads(pickle.dumps(faces))
    np.testing.assert_array_equal([face.rgb for face in sent], images[2:5])


def test_torch_has_it_channels_first(kept, images):
    tensor = tfake.open_dataset(kept, fields=WITH_RGB).torch()[1]["rgb"]
    np.testing.assert_array_equal(tensor.numpy(), np.moveaxis(images[1], -1, 0))


def test_a_crop_moves_it_along(kept, images):
    face = tfake.open_dataset(kept, fields=WITH_RGB)[0]
    inside = crop_face(face, Square(9.5, 4.5, 16.0), 16)
    np.testing.assert_array_equal(inside.rgb, images[0][5:21, 10:26])
    outside = crop_face(face, Square(-0.5 - PIXELS, -0.5, float(PIXELS)), 8)
    assert (outside.rgb == 0).all()
