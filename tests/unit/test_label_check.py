"""The check of moved labels: what FaceMesh says is compared point by point with what it says of the still."""

import numpy as np
import pytest

from still_faces import still_picture
from tfake.core.codes import MESH_POINTS, PointState
from tfake.labels.correspondence import face_size
from tfake.labels.detection import Detection
from tfake.retargeting.label_check import LabelledPicture, compare_labels, find_points, motion_name, summarise

VISIBLE = np.full(MESH_POINTS, PointState.VISIBLE)


@pytest.fixture(scope="module")
def still():
    picture = still_picture()
    return LabelledPicture(picture.rgb, picture.landmarks_70, picture.landmarks_478, VISIBLE)


def moved_by(still: LabelledPicture, way) -> LabelledPicture:
    points = still.landmarks_478 + np.array([*way, 0.0])
    return LabelledPicture(still.rgb, still.landmarks_70 + np.array(way), points, still.visibility)


def test_an_error_that_moves_along_is_no_change(still):
    error = np.random.default_rng(0).normal(0.0, 2.0, (MESH_POINTS, 2))
    moved = moved_by(still, (5.0, -3.0))
    found = compare_labels(still, still.landmarks_478[:, :2] + error, moved, moved.landmarks_478[:, :2] + error)
    size = face_size(still.landmarks_70)
    assert found.change == pytest.approx(0.0, abs=1e-6)
    assert found.still == found.moved == pytest.approx(np.linalg.norm(error, axis=1).mean() / size)
    assert found.travel == pytest.approx(np.hypot(5.0, 3.0) / size)


def test_labels_that_stay_behind_are_found(still):
    size = face_size(still.landmarks_70)
    moved = moved_by(still, (0.0, 0.0))
    found = compare_labels(still, still.landmarks_478[:, :2], moved, still.landmarks_478[:, :2] + (0.03 * size, 0.0))
    assert (found.change, found.drift) == (pytest.approx(0.03), pytest.approx(0.03))
    # What is covered does not count.
    behind = still.landmarks_478[:, :2].copy()
    behind[:100] += 50.0
    covered = VISIBLE.copy()
    covered[:100] = PointState.HAIR
    moved = LabelledPicture(still.rgb, still.landmarks_70, still.landmarks_478, covered)
    assert compare_labels(still, still.landmarks_478[:, :2], moved, behind).change == 0.0


def test_figures_are_means_and_percentiles(still):
    size = face_size(still.landmarks_70)
    changes = [
        compare_labels(still, still.landmarks_478[:, :2], still, still.landmarks_478[:, :2] + (shift * size, 0.0))
        for shift in (0.0, 0.005, 0.02, 0.03)
    ]
    figures = summarise({"smile": changes[:2], "talk": changes[2:], "none": []}, bound=0.01)
    assert figures.keys() == {"smile", "talk", "all"}
    assert figures["all"]["change"] == pytest.approx(0.01375)
    assert [figures[name]["within"] for name in ("smile", "talk", "all")] == [1.0, 0.0, 0.5]
    assert figures["all"]["frames"] == 4


def test_a_film_that_is_named_as_an_expression_is_none():
    assert motion_name("s0003_l00_rest_smile", "s0003", "smile") == "smile"
    assert motion_name("s0003_smile", "s0003", "talk") == "drivers/smile"
    assert motion_name("s0003_of_all", "s0003", "smile") == "drivers/of_all"


def test_a_face_that_is_not_found_is_none(still):
    class Blind:
        attempts = ()

        def find(self, rgb, view):
            return []

    class Sees(Blind):
        attempts = (0,)

        def find(self, rgb, view):
            return [Detection(still.landmarks_478)]

    assert find_points(Blind(), still, 0.04) is None
    np.testing.assert_allclose(find_points(Sees(), still, 0.04), still.landmarks_478[:, :2])
