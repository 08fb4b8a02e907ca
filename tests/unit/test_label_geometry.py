"""The mean face, correspondence, correction, pose, openings and visibility: closed forms, and the renderer."""

import numpy as np
import pytest

from heads.person import draw_person
from heads.viewpoint import rotation
from tfake.core.classes import FaceClass
from tfake.core.codes import PointState
from tfake.labels.correspondence import JAW_70, SHARED_70, face_size, jaw_places, mesh_error, residuals, shared_places
from tfake.labels.head_geometry import angles, head_rotation, openings
from tfake.labels.shape import correct, fit_shape, left_out_error, mesh_partners, mesh_shape
from tfake.labels.visibility import point_states

MEAN = mesh_shape().mean
SIZE = 512


def posed(yaw=0.0, pitch=0.0, roll=0.0, scale=80.0):
    """The mean face as FaceMesh would give it, and the 70 points that lie exactly on it."""
    mesh = MEAN @ rotation(yaw, pitch, roll).T * (1, -1, -1) * scale + (255.5, 255.5, 0.0)
    points = np.zeros((70, 2))
    points[SHARED_70] = shared_places(mesh)[:, :2]
    points[JAW_70] = jaw_places(mesh)[:, :2]
    hidden = np.setdiff1d(np.arange(70), np.concatenate([SHARED_70, JAW_70]))
    points[hidden] = points[8]
    return mesh, points


def test_no_point_is_shared_twice():
    assert len(set(SHARED_70)) == 54
    assert JAW_70.tolist() == [5, 6, 7, 9, 10, 11]
    assert not set(SHARED_70) & set(JAW_70)


def test_places_are_mixtures():
    constant = np.full((478, 2), 400.0)
    np.testing.assert_allclose(shared_places(constant), 400.0)
    np.testing.assert_allclose(jaw_places(constant), 400.0)


def test_the_error_is_in_units_of_the_face():
    mesh, points = posed()
    assert mesh_error(mesh, points) == pytest.approx(0)
    shifted = mesh + (0.1 * face_size(points), 0, 0)
    assert mesh_error(shifted, points) == pytest.approx(0.1)
    np.testing.assert_allclose(residuals(shifted, points), np.tile([-0.1, 0.0], (54, 1)), atol=1e-9)


def test_the_mean_face_is_symmetric_and_its_normals_point_outwards():
    partners = mesh_partners()
    np.testing.assert_array_equal(partners[partners], np.arange(478))
    np.testing.assert_allclose(MEAN[partners] * (-1, 1, 1), MEAN, atol=2e-4)
    a, b, c = np.moveaxis(MEAN[mesh_shape().triangles], 1, 0)
    assert len(a) == 852
    assert (np.cross(b - a, c - a)[:, 2] > 0).mean() > 0.95


@pytest.mark.parametrize("angle", [(0, 0, 0), (40, 10, -20), (-70, -15, 10)])
def test_a_face_fitted_to_its_own_points_is_itself(angle):
    mesh, points = posed(*angle)
    fitted = fit_shape(points, rotation(*np.add(angle, (6, -5, 3))))
    assert mesh_error(fitted, points) < 2e-3
    assert np.linalg.norm(fitted[:, :2] - mesh[:, :2], axis=1).max() / face_size(points) < 0.03


def test_correction_moves_smooth_errors_out():
    mesh, points = posed(20)
    size = face_size(points)
    bent = mesh.copy()
    bent[:, 0] += 0.03 * size * np.sin(2 * MEAN[:, 1])
    bent[:, 1] += 0.02 * size
    corrected = correct(bent, points, yaw=20)
    assert mesh_error(corrected, points) < 0.1 * mesh_error(bent, points)
    assert left_out_error(lambda _: residuals(bent, points)) < 0.35 * mesh_error(bent, points)
    apart = np.linalg.norm(corrected[:, :2] - mesh[:, :2], axis=1) / size
    assert np.median(apart) < 0.005
    np.testing.assert_array_equal(corrected[:, 2], bent[:, 2].astype(np.float32))


def test_what_is_left_out_is_not_looked_at():
    mesh, points = posed()
    noise = np.random.default_rng(0).normal(0, 5, (70, 2))
    blind = left_out_error(lambda _: residuals(mesh, points + noise))
    assert blind > 0.9 * mesh_error(mesh, points + noise)


def test_a_hidden_jaw_does_not_pull():
    mesh, points = posed(45)
    wrong = points.copy()
    wrong[JAW_70[JAW_70 > 8]] += (-30, 0)
    np.testing.assert_array_equal(correct(mesh, wrong, 45), correct(mesh, points, 45))
    wrong = points.copy()
    wrong[JAW_70[JAW_70 < 8]] += (-30, 0)
    assert np.abs(correct(mesh, wrong, 45) - correct(mesh, points, 45)).max() > 5


@pytest.mark.parametrize("angle", [(0, 0, 0), (30, -10, 15), (-75, 10, -20)])
def test_the_pose_is_the_renderers(angle):
    errors = []
    for number in range(4):

        def stream(name, number=number):
            return np.random.default_rng([9, number, *name.encode()])

        points = draw_person(stream, lab=True).landmarks @ rotation(*angle).T + (0, 0, -90)
        flat = 255.5 + 1126.4 * points[:, :2] * (1, -1) / -points[:, 2:]
        errors.append(angles(head_rotation(flat, SIZE)) - angle)
    assert np.abs(errors).max() < 5
    assert np.abs(np.mean(errors, axis=0)).max() < 3


def test_angles_undo_rotations():
    for angle in np.random.default_rng(1).uniform(-60, 60, (20, 3)):
        np.testing.assert_allclose(angles(rotation(*angle)), angle, atol=1e-3)


def test_openings_do_not_change_when_the_head_turns():
    straight, _ = posed()
    turned, _ = posed(50, 10, -20, scale=33)
    np.testing.assert_allclose(openings(turned), openings(straight), rtol=1e-4)
    shut = straight.copy()
    for upper, lower in ((81, 178), (13, 14), (311, 402), (160, 144), (158, 153)):
        shut[upper] = shut[lower]
    right, left, mouth = openings(shut)
    assert (right, mouth) == pytest.approx((0, 0))
    assert left == pytest.approx(openings(straight)[1])


def test_a_face_that_looks_ahead_hides_little_of_itself_and_a_profile_half():
    classes = np.full((SIZE, SIZE), FaceClass.SKIN, np.uint8)
    ahead = point_states(posed()[0], classes)
    assert (ahead == PointState.VISIBLE).mean() > 0.9
    profile = point_states(posed(80)[0], classes)
    hidden = profile == PointState.SELF_OCCLUDED
    assert 0.3 < hidden.mean() < 0.6
    # Turned to the image's right, it shows the points at the image's left.
    assert hidden[MEAN[:, 0] > 0.5].mean() > 0.9
    assert hidden[MEAN[:, 0] < -0.5].mean() < 0.2


@pytest.mark.parametrize(
    ("face_class", "state"),
    [
        (FaceClass.HAIR, PointState.HAIR),
        (FaceClass.GLASSES, PointState.GLASSES),
        (FaceClass.HEADWEAR, PointState.HEADWEAR),
        (FaceClass.FACEWEAR, PointState.FACEWEAR),
        (FaceClass.BACKGROUND, PointState.FACEWEAR),
        (FaceClass.BEARD, PointState.VISIBLE),
    ],
)
def test_what_the_class_map_shows_covers(face_class, state):
    mesh, _ = posed()
    classes = np.full((SIZE, SIZE), FaceClass.SKIN, np.uint8)
    x, y = np.rint(mesh[1, :2]).astype(int)
    classes[y - 20 : y + 20, x - 20 : x + 20] = face_class
    states = point_states(mesh, classes)
    assert states[1] == state
    assert states[152] == PointState.VISIBLE


def test_points_outside_the_image_are_told():
    states = point_states(posed()[0] - (300, 0, 0), np.full((SIZE, SIZE), FaceClass.SKIN, np.uint8))
    assert (states == PointState.OUTSIDE).mean() > 0.5
