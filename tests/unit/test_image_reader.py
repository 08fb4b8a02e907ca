"""Images that are kept decoded: the same values as out of the archive for every reader, and never those of another."""

import pickle
import shutil

import numpy as np
import pytest
import zarr

from archives import LABELS, PIXELS, encode_png, flip_byte, write_samples
from faces.label_faces import label_faces
from source.decode_images import decode_images
from source.index_archive import index_archive
from stores.create_store import create_store
from stores.seal_store import seal_store
from stores.verify_store import verify_store
from tfake.archive.image_reader import ArchiveImages, SourceImages, StoredImages
from tfake.archive.index import read_index
from tfake.archive.samples import SampleError
from tfake.core.classes import FaceClass
from tfake.core.codes import SampleStatus
from tfake.store.manifest import read_manifest
from tfake.store.shards import StoreError
from tfake.variants.kinds import KINDS

IMAGES, SHARD, BROKEN = 5, 2, 3
SHARDS = {0: (0, 2), 1: (2, 4), 2: (4, 5)}


def source_of(folder, license):
    return {"index": str(folder / "index.parquet"), "image_pixels": PIXELS, "source_license": license}


def create(folder, archive, images=IMAGES):
    index_archive(str(folder / "index.parquet"), [str(archive)], images, PIXELS, threads=1)
    create_store(str(folder / "images.zarr"), KINDS["images"], SHARD, source_of(folder, "R-UDA-1.0"))


def decode(folder, archive, shard, threads=1):
    decode_images(
        manifest=str(folder / f"{shard}.json"),
        store=str(folder / "images.zarr"),
        archive=[str(archive)],
        index=str(folder / "index.parquet"),
        shard=shard,
        rows=SHARDS[shard],
        image_pixels=PIXELS,
        threads=threads,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An archive whose sample 3 is broken, its index and its images store, every shard of it."""
    folder = tmp_path_factory.mktemp("images")
    archive = write_samples(folder / "a.zip", range(IMAGES), m000003__png=b"broken")
    create(folder, archive)
    for shard in SHARDS:
        decode(folder, archive, shard)
    return folder


def stored(folder):
    return StoredImages(folder / "images.zarr", read_index(folder / "index.parquet").attrs["source_sha256"], PIXELS)


def test_the_store_holds_what_the_archive_does(made):
    table = read_index(made / "index.parquet")
    kept, archive = stored(made), ArchiveImages([made / "a.zip"], PIXELS)
    for record in table[table["status"] == SampleStatus.OK].itertuples():
        np.testing.assert_array_equal(kept.read_rgb(record), archive.read_rgb(record))
        np.testing.assert_array_equal(kept.read_classes(record), archive.read_classes(record))


def test_an_unusable_row_is_black_and_ignored_and_is_counted(made):
    group = zarr.open_group(made / "images.zarr", mode="r")
    assert (group["rgb"][BROKEN] == 0).all()
    assert (group["segmentation"][BROKEN] == FaceClass.IGNORE).all()
    assert (group["rgb"][BROKEN - 1] != 0).any()
    assert read_manifest(made / "1.json").counts == {"source_ok": 1, "source_undecodable_image": 1}


def test_the_store_is_sealed_and_verified_like_any_other_and_names_the_terms(made, tmp_path):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    store, sums = str(tmp_path / "images.zarr"), str(tmp_path / "SHA256SUMS")
    seal_store(sums, str(tmp_path / "summary.json"), store, [f"{tmp_path}/{n}.json" for n in SHARDS], (0, IMAGES))
    verify_store(str(tmp_path / "verified.json"), sums, store, threads=1)
    assert zarr.open_group(store, mode="r").attrs["license"] == "R-UDA-1.0"
    flip_byte(tmp_path / "images.zarr/rgb/c/1/0/0/0", 100)
    with pytest.raises(StoreError, match="rgb/c/1/0/0/0"):
        verify_store(str(tmp_path / "verified.json"), sums, store, threads=1)


def test_threads_change_no_byte(made, tmp_path):
    create(tmp_path, made / "a.zip")
    for shard in SHARDS:
        decode(tmp_path, made / "a.zip", shard, threads=3)
        assert read_manifest(tmp_path / f"{shard}.json") == read_manifest(made / f"{shard}.json")


def test_an_archive_that_has_changed_leaves_no_shard(tmp_path):
    archive = write_samples(tmp_path / "a.zip", range(2))
    create(tmp_path, archive, images=2)
    write_samples(archive, range(2), m000001__png=encode_png(np.zeros((PIXELS, PIXELS, 3), np.uint8)))
    with pytest.raises(SampleError, match="000001"):
        decode(tmp_path, archive, 0)
    assert not [path for path in tmp_path.rglob("c/*") if path.is_file()]
    assert not (tmp_path / "0.json").exists()


def test_another_source_is_refused(made):
    with pytest.raises(StoreError, match=r"from the source .*; expected abc"):
        StoredImages(made / "images.zarr", "abc", PIXELS)


def test_another_size_is_refused(made):
    with pytest.raises(StoreError, match=r"expected images of \(32, 32, 3\), found \(64, 64, 3\)"):
        StoredImages(made / "images.zarr", read_index(made / "index.parquet").attrs["source_sha256"], 32)


def test_a_damaged_shard_is_named(made, tmp_path):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    flip_byte(tmp_path / "images.zarr/rgb/c/0/0/0/0", -3)
    record = next(read_index(tmp_path / "index.parquet").itertuples())
    with pytest.raises(StoreError, match="rgb/c/0/0/0/0"):
        stored(tmp_path).read_rgb(record)


def test_a_reader_may_be_sent_to_another_process(made):
    record = next(read_index(made / "index.parquet").itertuples())
    for reader in (stored(made), ArchiveImages([made / "a.zip"], PIXELS)):
        before = reader.read_rgb(record)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(reader)).read_rgb(record), before)


def test_training_reads_the_store_and_needs_no_archive(made):
    table = read_index(made / "index.parquet")
    kept = SourceImages([], table, PIXELS, str(made / "images.zarr"))
    archive = SourceImages([str(made / "a.zip")], table, PIXELS)
    assert len(kept) == len(archive) == IMAGES - 1
    for (rgb, classes), (other, other_classes) in zip(kept, archive, strict=True):
        np.testing.assert_array_equal(rgb, other)
        np.testing.assert_array_equal(classes, other_classes)


def test_labels_are_the_same_from_either(made, tmp_path):
    shards = {}
    for name, images in (("archive", None), ("store", str(made / "images.zarr"))):
        store = tmp_path / name / "faces.zarr"
        create_store(str(store), KINDS["faces"], SHARD, source_of(made, "CC0-1.0"))
        label_faces(
            manifest=str(tmp_path / name / "0.json"),
            store=str(store),
            archive=[str(made / "a.zip")],
            index=str(made / "index.parquet"),
            shard=1,
            rows=SHARDS[1],
            image_pixels=PIXELS,
            labels=LABELS,
            model=None,
            threads=1,
            images=images,
        )
        shards[name] = [file.sha256 for file in read_manifest(tmp_path / name / "0.json").files]
    assert shards["store"] == shards["archive"]
