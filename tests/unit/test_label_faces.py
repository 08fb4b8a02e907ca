import zipfile

import numpy as np
import pytest
import zarr

from archives import LABELS, PIXELS, encode_png, write_archive, write_samples
from faces.label_faces import label_faces
from heads.writing import write_faces
from source.index_archive import index_archive
from stores.create_store import create_store
from tfake.archive.samples import SampleError
from tfake.core.classes import FaceClass
from tfake.core.codes import Attempt, MeshStatus, PointState, SampleStatus, decode_ids
from tfake.store.layouts import faces_layout
from tfake.store.manifest import read_manifest
from tfake.variants.kinds import KINDS


def label(folder, archive, images=3, pixels=PIXELS, threads=1, **changes):
    folder.mkdir(exist_ok=True)
    index_archive(str(folder / "index.parquet"), [str(archive)], images=images, image_pixels=pixels, threads=1)
    store = str(folder / "faces.zarr")
    given = {"index": str(folder / "index.parquet"), "image_pixels": pixels, "source_license": "test"}
    create_store(store, KINDS["faces"], images, given)
    label_faces(
        manifest=str(folder / "0.json"),
        store=store,
        archive=[str(archive)],
        index=str(folder / "index.parquet"),
        shard=0,
        rows=(0, images),
        image_pixels=pixels,
        labels=LABELS | changes,
        model=None,
        threads=threads,
    )
    return zarr.open_group(store, mode="r")


def test_a_bad_sample_is_a_row_that_says_so(tmp_path):
    store = label(tmp_path, write_samples(tmp_path / "a.zip", range(3), m000001_seg__png=None))
    assert list(decode_ids(store["image_id"][:])) == ["000000", "000001", "000002"]
    assert store["status"][:].tolist() == [0, SampleStatus.MISSING_MEMBER, 0]
    # An image of noise with points at random: nothing is found, and nothing can be fitted to such points.
    assert store["landmarks_478_status"][:].tolist() == [
        MeshStatus.NOT_FOUND,
        MeshStatus.NO_IMAGE,
        MeshStatus.NOT_FOUND,
    ]
    assert (store["landmarks_478_attempt"][:] == Attempt.NONE).all()
    assert (store["landmarks_478_visibility"][:] == PointState.UNKNOWN).all()
    assert (store["segmentation"][1] == FaceClass.IGNORE).all()
    assert np.isnan(store["landmarks_70"][1]).all()
    assert np.isfinite(store["landmarks_70"][0]).all()
    manifest = read_manifest(tmp_path / "0.json")
    assert manifest.counts == {
        "source_ok": 2,
        "source_missing_member": 1,
        "mesh_not_found": 2,
        "mesh_no_image": 1,
        "attempt_none": 3,
    }
    assert len(manifest.files) == len(faces_layout(PIXELS))


def test_an_archive_that_changed_since_it_was_indexed_stops_the_job(tmp_path):
    archive = write_samples(tmp_path / "a.zip", range(3))
    label(tmp_path, archive)
    write_samples(archive, range(3), m000000__png=b"other")
    with pytest.raises(SampleError, match=r"000000"):
        label_faces(
            str(tmp_path / "0.json"),
            str(tmp_path / "faces.zarr"),
            [str(archive)],
            str(tmp_path / "index.parquet"),
            0,
            (0, 3),
            PIXELS,
            LABELS,
            None,
            1,
        )


def test_settings_that_contradict_one_another_stop_the_job(tmp_path):
    with pytest.raises(ValueError, match="must not be below"):
        label(tmp_path, write_samples(tmp_path / "a.zip", range(3)), retry_above=0.1)


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    write_faces(folder / "faces.zip", seed=5, images=5, pixels=256, processes=1)
    return folder / "faces.zip"


def test_two_processes_give_what_one_gives(faces, tmp_path):
    one = label(tmp_path / "one", faces, images=5, pixels=256)
    two = label(tmp_path / "two", faces, images=5, pixels=256, threads=2)
    for name in one.array_keys():
        assert one[name][:].tobytes() == two[name][:].tobytes(), name
    assert (one["landmarks_478_status"][:] <= MeshStatus.FITTED).all()
    assert np.isfinite(one["landmarks_478"][:]).all()
    assert np.isfinite(one["head_pose"][:]).all()


def test_a_face_that_the_image_hides_is_fitted_or_said_to_be_missing(faces, tmp_path):
    members = {name: data for name, data in _members(zipfile.ZipFile(faces)) if name.startswith("000000")}
    members["000000.png"] = encode_png(np.zeros((256, 256, 3), np.uint8))
    dark = write_archive(tmp_path / "dark.zip", members)
    fitted = label(tmp_path / "fitted", dark, images=1, pixels=256)
    assert fitted["landmarks_478_status"][0] == MeshStatus.FITTED
    assert np.isnan(fitted["landmarks_478_raw"][:]).all()
    assert np.isnan(fitted["landmarks_478_error"][0])
    assert fitted["landmarks_478_left_out_error"][0] < 0.03
    left = label(tmp_path / "left", dark, images=1, pixels=256, fit_missing=False)
    assert left["landmarks_478_status"][0] == MeshStatus.NOT_FOUND
    assert np.isnan(left["landmarks_478"][:]).all()


def _members(archive):
    return [(name, archive.read(name)) for name in archive.namelist()]
