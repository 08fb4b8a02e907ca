"""Rows that are not there: each variant's own, and the ones that all have; nothing without an image is served."""

import json
import shutil

import numpy as np
import pytest
import torch
import zarr
from test_dataset import zip_folder
from test_import_faces import bring_in

import cameras
import tfake
from products.export_variant import export_variant
from stores.create_store import create_store
from stores.seal_store import seal_store
from tfake.core.classes import FaceClass
from tfake.products.exports.tfake_layout import write_tfake
from tfake.reader.dataset_store import DatasetError
from tfake.reader.presence import ImageStatus
from tfake.store.layouts import UNUSED_CODE
from tfake.variants.kinds import KINDS
from tiny_dataset import BAD, PIXELS, ROWS, SHARD, make_dataset
from variants.record_faces import record_faces

#: Rows whose image was not published.
UNPUBLISHED = (3, 4)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Warm and cold, and the warm images as somebody published them, but for two."""
    folder = tmp_path_factory.mktemp("presence")
    results = make_dataset(folder / "results")
    files = folder / "files"
    files.mkdir()
    write_tfake(files, tfake.open_dataset(results, ["warm"]))
    for row in UNPUBLISHED:
        (files / f"{row:06d}_thermal.png").unlink()
    bring_in(results, "published", files, None)
    return results


@pytest.fixture
def results(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "results")


def take_shards(results, variant, shards):
    """Make a variant one of a slice: what lies outside is not written, and its summary says so."""
    folder = results / "variants" / variant
    summary = json.loads((folder / "summary.json").read_text())
    summary["shards"] = [shard for shard in summary["shards"] if shard["shard"] in shards]
    (folder / "summary.json").write_text(json.dumps(summary))
    for number in range(3):
        if number not in shards:
            (folder / f"thermal.zarr/thermal/c/{number}/0/0").unlink(missing_ok=True)


def usable(*without):
    return [row for row in range(ROWS) if row not in (BAD, *without)]


def test_a_training_sees_no_image_that_was_not_published(whole):
    faces = tfake.open_dataset(whole, ["warm", "published"])
    assert faces.rows.tolist() == usable(*UNPUBLISHED)
    for batch in torch.utils.data.DataLoader(faces.torch(), batch_size=3):
        assert all(torch.isfinite(images).all() for images in batch["thermal"].values())
        assert not torch.cat(list(batch["thermal_status"].values())).any()
    assert tfake.open_dataset(whole, ["warm"]).rows.tolist() == usable()
    assert tfake.open_dataset(whole, ["published"]).rows.tolist() == usable(*UNPUBLISHED)


def test_every_row_is_there_when_asked_for_and_says_what_it_lacks(whole):
    faces = tfake.open_dataset(whole, ["warm", "published"], statuses=None, rows="all")
    assert faces.rows.tolist() == list(range(ROWS))
    for face in faces:
        expected = ImageStatus.NOT_PUBLISHED if face.row in UNPUBLISHED else ImageStatus.OK
        expected = ImageStatus.NO_SAMPLE if face.row == BAD else expected
        assert face.thermal_status["published"] is expected
        for name, celsius in face.thermal.items():
            assert np.isfinite(celsius).all() == (face.thermal_status[name] is ImageStatus.OK)
    assert faces.where(images=["published"]).rows.tolist() == usable(*UNPUBLISHED)
    assert faces.where(images="warm").rows.tolist() == usable()
    with pytest.raises(DatasetError, match="'cold' is no variant that is read; they are warm, published"):
        faces.where(images=["cold"])
    with pytest.raises(DatasetError, match="rows is one of common, all; found 'outer'"):
        tfake.open_dataset(whole, rows="outer")


def test_an_export_holds_what_was_published(whole, tmp_path):
    export_variant(str(tmp_path / "png/SHA256SUMS"), str(whole), "published", "png")
    found = sorted(int(path.stem) for path in (tmp_path / "png/thermal").iterdir())
    assert found == usable(*UNPUBLISHED)


def test_slices_have_their_rows_and_together_the_common_ones(results):
    take_shards(results, "warm", {0, 1})
    take_shards(results, "cold", {1, 2})
    assert tfake.open_dataset(results, ["warm"], statuses=None).rows.tolist() == list(range(8))
    assert tfake.open_dataset(results, ["warm", "cold"], statuses=None).rows.tolist() == [4, 5, 6, 7]
    assert tfake.open_dataset(results, ["warm", "cold", "published"]).rows.tolist() == [5, 7]
    every = tfake.open_dataset(results, ["warm", "cold"], rows="all")
    assert every.rows.tolist() == usable()
    assert every[0].thermal_status == {"warm": ImageStatus.OK, "cold": ImageStatus.NOT_MADE}
    take_shards(results, "cold", {2})
    message = r"no row is in every variant \(warm has 8 rows between 0 and 7; cold has 2 rows between 8 and 9\)"
    with pytest.raises(DatasetError, match=message):
        tfake.open_dataset(results, ["warm", "cold"])


def test_a_run_that_was_cut_gives_what_it_has_made(results):
    folder = results / "variants/warm"
    for name in ("summary.json", "SHA256SUMS", "verified.json", "thermal.zarr/thermal/c/2/0/0"):
        (folder / name).unlink()
    assert tfake.open_dataset(results, ["warm"]).rows.tolist() == [0, 1, 2, 3, 4, 5, 7]
    shutil.rmtree(folder / "thermal.zarr/thermal/c")
    with pytest.raises(DatasetError, match="warm has none"):
        tfake.open_dataset(results, ["warm"])
    # One that was only begun does not hide what the others have.
    assert tfake.open_dataset(results).variants == ("cold", "published")


def test_faces_that_are_not_labelled_yet_are_not_there(results):
    status = zarr.open_array(results / "faces/faces.zarr/status", mode="r+")
    ids = zarr.open_array(results / "faces/faces.zarr/image_id", mode="r+")
    status[8:], ids[8:] = UNUSED_CODE, 255
    assert tfake.open_dataset(results, ["warm"]).rows.tolist() == [row for row in usable() if row < 8]
    assert len(tfake.open_dataset(results, ["warm"], statuses=None, rows="all")) == 8


@pytest.mark.parametrize("values", ["radiometric", "agc_minmax"])
def test_a_camera_records_what_its_base_has(results, values):
    folder = results / "variants/camera"
    faces, base = results / "faces/faces.zarr", results / "variants/published/thermal.zarr"
    store = folder / "thermal.zarr"
    camera = cameras.settings(native_pixels=[24, 24], values=values)
    given = {"variant": "camera", "of": "published", "base_root": str(base / "zarr.json"), "camera": camera}
    create_store(str(store), KINDS["recorded"], SHARD, given)
    zarr.open_group(base).attrs["thermalizer_sha256"] = zarr.open_group(store).attrs["thermalizer_sha256"] = "7" * 64
    manifests = []
    for shard, start in enumerate(range(0, ROWS, SHARD)):
        manifests.append(str(folder / f"manifests/{shard}.json"))
        (folder / "manifests").mkdir(exist_ok=True)
        rows = (start, min(start + SHARD, ROWS))
        record_faces(manifests[-1], str(store), str(base), str(faces), shard, rows, "published", camera)
    seal_store(str(folder / "SHA256SUMS"), str(folder / "summary.json"), str(store), manifests, (0, ROWS))
    opened = tfake.open_dataset(results, ["camera"])
    assert opened.rows.tolist() == usable(*UNPUBLISHED)
    assert opened[0].thermal["camera"].shape == (24, 24)
    # As a slice: labels of the rows outside are missing, not what fills an array that was not written.
    take_shards(results, "camera", {1})
    for array in ("segmentation", "landmarks_70", "landmarks_478"):
        shutil.rmtree(store / array / "c/0")
    outside = tfake.open_dataset(results, ["camera"], rows="all")[0]
    assert outside.thermal_status["camera"] is ImageStatus.NOT_MADE
    assert np.isnan(outside.landmarks_70).all()
    assert np.isnan(outside.landmarks_478).all()
    assert (outside.segmentation == FaceClass.IGNORE).all()


def test_what_is_not_there_is_known_in_zips_and_at_urls_too(whole, tmp_path):
    import fsspec

    fsspec.filesystem("memory").put(str(whole), "/presence/results", recursive=True)
    for address in (zip_folder(whole, tmp_path / "results.zip"), "memory://presence/results"):
        assert tfake.open_dataset(address, ["warm", "published"]).rows.tolist() == usable(*UNPUBLISHED)


def test_an_array_of_another_layout_is_looked_at_row_by_row(results):
    store = results / "variants/published/thermal.zarr"
    counts = zarr.open_array(store / "thermal", mode="r")
    values, attributes = counts[:], counts.attrs.asdict()
    shutil.rmtree(store / "thermal")
    group = zarr.open_group(store, mode="r+")
    group.create_array("thermal", data=values, chunks=(2, PIXELS, PIXELS), attributes=attributes)
    assert tfake.open_dataset(results, ["published"]).rows.tolist() == usable(*UNPUBLISHED)


def test_a_variant_of_another_source_is_refused(results):
    attributes = zarr.open_group(results / "variants/warm/thermal.zarr").attrs
    attributes["source_sha256"] = "6" * 64
    with pytest.raises(DatasetError, match=r"variants/warm/thermal.zarr was made from the source 6+, faces/faces.zarr"):
        tfake.open_dataset(results)
    assert len(tfake.open_dataset(results, ["cold"])) == ROWS - 1
    group = zarr.open_group(results / "variants/cold/thermal.zarr", mode="r+")
    group.create_array("thermal", data=np.zeros((3, 4, 4), np.uint16), overwrite=True)
    with pytest.raises(DatasetError, match=r"variants/cold/thermal.zarr has 3 rows, faces/faces.zarr 10"):
        tfake.open_dataset(results, ["cold"])


@pytest.mark.parametrize("content", ["", "{", "[]", '{"shards": [{}]}'])
def test_a_damaged_summary_is_named(results, content):
    (results / "variants/warm/summary.json").write_text(content)
    with pytest.raises(DatasetError, match=r"variants/warm/summary.json is no summary of a store .* run again"):
        tfake.open_dataset(results)
