"""Finding the face that the exact points belong to, and judging what was found."""

import numpy as np
import pytest

from heads.scene import render_face
from tfake.archive.samples import Sample
from tfake.core.codes import Attempt, MeshStatus
from tfake.labels.correspondence import mesh_error
from tfake.labels.detection import Detection, LabelSettings, mirror, mirror_mesh, view_of
from tfake.labels.facemesh import FaceMesh
from tfake.labels.head_geometry import head_rotation
from tfake.labels.labelling import find_mesh, label_face
from tfake.labels.shape import fit_shape, mesh_partners

SETTINGS = LabelSettings("facemesh", None, 0.5, 0.5, 0.025, 0.06, fit_missing=True)


@pytest.fixture(scope="module")
def faces():
    return [render_face(seed=3, face=face, setting="lab") for face in range(2)]


@pytest.fixture(scope="module")
def finder():
    with FaceMesh(0.5, 0.5) as finder:
        yield finder


class Stub:
    """A backend whose answers are given: an attempt to its meshes."""

    attempts = (Attempt.GUIDED, Attempt.WIDE, Attempt.FULL)

    def __init__(self, **answers):
        self.answers, self.asked = answers, 0

    def find(self, rgb, view):
        attempt = self.attempts[self.asked]
        self.asked += 1
        return [Detection(mesh) for mesh in self.answers.get(attempt.name.lower(), [])]


def sample_of(face):
    return Sample(face.rgb, face.surface.classes, face.landmarks_70.astype(np.float32))


def good_mesh(face):
    return fit_shape(face.landmarks_70, head_rotation(face.landmarks_70, face.rgb.shape[1]))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((256, 256, 3), np.uint8),
        np.full((256, 256, 3), 255, np.uint8),
        np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8),
    ],
    ids=["black", "white", "noise"],
)
def test_no_face_is_no_mesh(finder, faces, image):
    assert find_mesh(finder, image, faces[0].landmarks_70 / 2, 0.025) is None


def test_the_mesh_lies_on_the_exact_points_whatever_came_before(finder, faces):
    found = [find_mesh(finder, face.rgb, face.landmarks_70, 0.025) for face in faces]
    again = find_mesh(finder, faces[0].rgb, faces[0].landmarks_70, 0.025)
    assert found[0].detection.mesh.shape == (478, 3)
    assert max(one.error for one in found) < 0.04
    np.testing.assert_array_equal(found[0].detection.mesh, again.detection.mesh)


@pytest.mark.parametrize("attempt", [attempt for attempt in Attempt if attempt is not Attempt.NONE])
def test_every_attempt_gives_pixels_of_the_image_as_it_is(finder, faces, attempt):
    face = faces[0]
    (found,) = finder.find(face.rgb, view_of(attempt, face.landmarks_70))
    assert mesh_error(found.mesh, face.landmarks_70) < 0.04


def test_of_two_faces_the_labelled_one_is_taken(finder, faces):
    left, right = faces
    scene = np.concatenate([left.rgb, right.rgb], axis=1)
    shifted = right.landmarks_70 + (left.rgb.shape[1], 0)
    for points in (left.landmarks_70, shifted):
        meshes = [detection.mesh for detection in finder.find(scene, None)]
        assert len(meshes) == 2
        found = find_mesh(finder, scene, points, 0.025)
        assert found.error < 0.04
        assert sorted(mesh_error(mesh, points) < 0.06 for mesh in meshes) == [False, True]


def test_a_distractor_is_never_taken(finder, faces):
    face, other = faces
    scene = np.concatenate([np.zeros_like(face.rgb), other.rgb], axis=1)
    labels = label_face(Sample(scene, np.zeros(scene.shape[:2], np.uint8), face.landmarks_70), finder, SETTINGS)
    assert labels.landmarks_478_status is MeshStatus.FITTED
    assert labels.landmarks_478_error is None or labels.landmarks_478_error > SETTINGS.reject_above
    assert mesh_error(labels.landmarks_478, face.landmarks_70) < 0.02


def test_the_first_mesh_that_agrees_ends_the_search(faces):
    face = faces[0]
    far, near = good_mesh(face) + 40, good_mesh(face)
    finder = Stub(guided=[far], wide=[far, near], full=[near])
    found = find_mesh(finder, face.rgb, face.landmarks_70, 0.025)
    assert (found.attempt, found.first, finder.asked) == (Attempt.WIDE, False, 2)


def test_every_status_is_reached(faces):
    face = faces[0]
    sample, good = sample_of(face), good_mesh(face)

    def status(settings, **answers):
        return label_face(sample, Stub(**answers), settings).landmarks_478_status

    bare = LabelSettings("facemesh", None, 0.5, 0.5, 0.025, 0.06, fit_missing=False)
    assert status(SETTINGS, guided=[good]) is MeshStatus.OK
    assert status(SETTINGS, full=[good]) is MeshStatus.RETRIED
    assert status(SETTINGS, guided=[good + 100]) is MeshStatus.FITTED
    assert status(SETTINGS) is MeshStatus.FITTED
    assert status(bare, guided=[good + 100]) is MeshStatus.REJECTED
    assert status(bare) is MeshStatus.NOT_FOUND


def test_a_rejected_mesh_is_kept_as_it_was_found(faces):
    face = faces[0]
    labels = label_face(sample_of(face), Stub(guided=[good_mesh(face) + 100]), SETTINGS)
    np.testing.assert_array_equal(labels.landmarks_478_raw, good_mesh(face) + 100)
    assert labels.landmarks_478_error > SETTINGS.reject_above
    assert mesh_error(labels.landmarks_478, face.landmarks_70) < 0.02


def test_a_mirrored_mirror_is_as_before(faces):
    view = view_of(Attempt.GUIDED, faces[0].landmarks_70)
    again = mirror(mirror(view, 512), 512)
    assert (*again.centre, again.size, again.roll) == pytest.approx((*view.centre, view.size, view.roll))
    mesh = good_mesh(faces[0])
    np.testing.assert_allclose(
        mirror_mesh(mirror_mesh(mesh, 512, mesh_partners()), 512, mesh_partners()), mesh, atol=1e-3
    )


def test_settings_are_checked():
    with pytest.raises(ValueError, match="must be one of"):
        LabelSettings("dlib", None, 0.5, 0.5, 0.02, 0.06, fit_missing=True)
    with pytest.raises(ValueError, match="needs a model"):
        LabelSettings("face_landmarker", None, 0.5, 0.5, 0.02, 0.06, fit_missing=True)
