"""What part of a picture a network looks at: around all points that it learnt, of which some are known."""

import numpy as np

from tfake.core.codes import BOTH_POINTS, ROWS_OF_BOTH
from tfake.labels.conventions import reference_face
from tfake.landmarks.framing import growth_to_whole_face, to_whole_face


def _box(points):
    return np.array([(*points.min(axis=0), *points.max(axis=0))])


def test_a_box_of_some_points_of_the_mean_face_grows_to_that_of_all():
    face = 40 * reference_face()[:, :2] + (120.0, 90.0)
    for points in (70, 478):
        grown = to_whole_face(_box(face[ROWS_OF_BOTH[points]]), points, BOTH_POINTS)
        np.testing.assert_allclose(grown, _box(face))
    assert growth_to_whole_face(70, BOTH_POINTS)[1] > 0.1  # up to the hair
    assert min(growth_to_whole_face(70, BOTH_POINTS)) >= 0.0


def test_a_network_that_learnt_the_points_alone_looks_around_them():
    boxes = np.array([[1.0, 2.0, 11.0, 22.0]])
    for points in (70, 478):
        np.testing.assert_array_equal(to_whole_face(boxes, points, points), boxes)
    assert to_whole_face(np.empty((0, 4)), 70, BOTH_POINTS).shape == (0, 4)
