"""Exports with the source's own images: in each format, with the terms, and only where they can be had."""

import io
import json
import tarfile

import cv2
import numpy as np
import pytest

import tfake
from archives import sample_members, write_archive
from products.export_variant import export_variant
from tfake.archive.index import build_index
from tfake.products.exports.export_formats import FORMATS
from tfake.reader.dataset_store import DatasetError
from tfake.reader.face import FIELDS
from tiny_dataset import BAD, PIXELS, ROWS, make_dataset

USABLE = [f"{row:06d}" for row in range(ROWS) if row != BAD]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    members = {}
    for number in range(ROWS):
        members |= sample_members(number, PIXELS)
    return str(write_archive(tmp_path_factory.mktemp("source") / "a.zip", members))


@pytest.fixture(scope="module")
def results(archive, tmp_path_factory):
    source = build_index([archive], ROWS, PIXELS).attrs["source_sha256"]
    return make_dataset(tmp_path_factory.mktemp("rgb") / "results", "R-UDA-1.0", source)


@pytest.fixture(scope="module")
def exported(results, archive, tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    for name in FORMATS:
        export_variant(str(folder / name / "SHA256SUMS"), str(results), "warm", name, rgb=True, archive=[archive])
    return folder


def read_png(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)


def coco_images(folder):
    content = json.loads((folder / "keypoints_70.json").read_text())
    return {image["file_name"][7:-4]: (folder / image["rgb_file_name"]).read_bytes() for image in content["images"]}


def webdataset_images(folder):
    with tarfile.open(fileobj=io.BytesIO((folder / "000000.tar").read_bytes())) as tar:
        names = [name for name in tar.getnames() if name.endswith(".rgb.png")]
        return {name.split(".")[0]: tar.extractfile(name).read() for name in names}


READ = {
    "coco": coco_images,
    "png": lambda folder: {path.stem: path.read_bytes() for path in (folder / "rgb").iterdir()},
    "tfake": lambda folder: {name: (folder / f"{name}.png").read_bytes() for name in USABLE},
    "webdataset": webdataset_images,
}


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_holds_the_sources_pixels(exported, results, archive, name):
    faces = tfake.open_dataset(results, ["warm"], fields=(*FIELDS, "rgb"), archive=archive)
    found = READ[name](exported / name)
    assert sorted(found) == USABLE
    for face in faces:
        np.testing.assert_array_equal(read_png(found[face.image_id]), face.rgb)


@pytest.mark.parametrize("name", FORMATS)
def test_terms_go_along_and_say_that_the_images_are_the_sources(exported, name):
    assert "The RGB images are the source's own, unchanged." in (exported / name / "ATTRIBUTION.txt").read_text()
    assert "Redistribution of Data" in (exported / name / "LICENSE.txt").read_text()


@pytest.mark.parametrize("name", FORMATS)
def test_without_being_asked_for_there_are_none(results, tmp_path, name):
    export_variant(str(tmp_path / "SHA256SUMS"), str(results), "warm", name)
    names = (tmp_path / "SHA256SUMS").read_text()
    assert "rgb" not in names
    assert not set(names.split()) & {f"{image_id}.png" for image_id in USABLE}
    assert "RGB" not in (tmp_path / "ATTRIBUTION.txt").read_text()


def test_where_there_is_none_nothing_is_replaced(results, tmp_path):
    (tmp_path / "before").touch()
    with pytest.raises(DatasetError, match="archive="):
        export_variant(str(tmp_path / "SHA256SUMS"), str(results), "warm", "png", rgb=True)
    assert (tmp_path / "before").exists()
