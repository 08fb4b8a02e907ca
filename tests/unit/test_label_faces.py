import numpy as np
import pytest
import zarr

from archives import PIXELS, write_samples
from create_faces_store import create_faces_store
from index_archive import index_archive
from label_faces import label_faces
from tfake.classes import FaceClass
from tfake.labels.correspondence import SHARED_70, SHARED_478, face_size, mesh_error
from tfake.labels.facemesh import FaceMesh
from tfake.labels.status import MeshStatus
from tfake.sources.procedural.scene import render_face
from tfake.sources.samples import SampleError, SampleStatus
from tfake.store.ids import decode_ids
from tfake.store.manifest import read_manifest


def label(folder, archive, shard=0, rows=(0, 3)):
    index_archive(str(folder / "index.parquet"), [str(archive)], images=3, image_pixels=PIXELS, threads=1)
    store = str(folder / "faces.zarr")
    create_faces_store(store, str(folder / "index.parquet"), PIXELS, shard_images=3, source_license="test")
    label_faces(str(folder / "0.json"), store, [str(archive)], str(folder / "index.parquet"), shard, rows, PIXELS, 0.5)
    return zarr.open_group(store, mode="r")


def test_a_bad_sample_is_a_row_that_says_so(tmp_path):
    store = label(tmp_path, write_samples(tmp_path / "a.zip", range(3), m000001_seg__png=None))
    assert list(decode_ids(store["image_id"][:])) == ["000000", "000001", "000002"]
    assert store["status"][:].tolist() == [0, SampleStatus.MISSING_MEMBER, 0]
    assert store["landmarks_478_status"][:].tolist() == [
        MeshStatus.NOT_FOUND,
        MeshStatus.NO_IMAGE,
        MeshStatus.NOT_FOUND,
    ]
    assert (store["segmentation"][1] == FaceClass.IGNORE).all()
    assert np.isnan(store["landmarks_70"][1]).all()
    assert np.isfinite(store["landmarks_70"][0]).all()
    manifest = read_manifest(tmp_path / "0.json")
    assert manifest.counts == {
        "source_ok": 2,
        "source_missing_member": 1,
        "mesh_not_found": 2,
        "mesh_no_image": 1,
    }
    assert len(manifest.files) == 6


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
            0.5,
        )


@pytest.mark.parametrize("image", [np.zeros((64, 64, 3), np.uint8), np.full((64, 64, 3), 255, np.uint8)])
def test_no_face_is_no_mesh(image):
    with FaceMesh(0.5) as face_mesh:
        assert face_mesh.find(image, np.ones((70, 2))) is None


def test_the_mesh_lies_on_the_exact_points_whatever_came_before():
    faces = [render_face(seed=3, face=face, setting="lab") for face in range(2)]
    with FaceMesh(0.5) as face_mesh:
        found = [face_mesh.find(face.rgb, face.landmarks_70) for face in faces]
        again = face_mesh.find(faces[0].rgb, faces[0].landmarks_70)
    assert found[0].shape == (478, 3)
    assert mesh_error(found[0], faces[0].landmarks_70) < 0.1
    np.testing.assert_array_equal(found[0], again)


def test_of_two_faces_the_labelled_one_is_taken():
    left, right = (render_face(seed=3, face=face, setting="lab") for face in range(2))
    scene = np.concatenate([left.rgb, right.rgb], axis=1)
    shifted = right.landmarks_70 + (left.rgb.shape[1], 0)
    with FaceMesh(0.5) as face_mesh:
        assert mesh_error(face_mesh.find(scene, left.landmarks_70), left.landmarks_70) < 0.1
        assert mesh_error(face_mesh.find(scene, shifted), shifted) < 0.1


def test_the_error_is_in_units_of_the_face():
    landmarks = np.random.default_rng(0).uniform(0, 100, (70, 2))
    mesh = np.zeros((478, 3))
    mesh[SHARED_478, :2] = landmarks[SHARED_70]
    assert mesh_error(mesh, landmarks) == pytest.approx(0)
    mesh[:, 0] += 0.1 * face_size(landmarks)
    assert mesh_error(mesh, landmarks) == pytest.approx(0.1)


def test_no_point_is_shared_twice():
    assert len(set(SHARED_70)) == len(SHARED_70) == len(set(SHARED_478)) == 54
