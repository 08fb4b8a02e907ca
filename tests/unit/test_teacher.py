"""The teacher: points in the picture's pixels, believed where its answers agree, and left out for a reason."""

import numpy as np
import pytest

from blob_teacher import BlobTeacher, ellipse, mean_face
from tfake.labels.teacher import TeacherSettings, Verdict, find_boxes, teach

CENTRE, HALF = np.array((70.0, 50.0)), np.array((20.0, 26.0))
THERMAL = ellipse((100, 160), CENTRE, HALF)
BOX = (*(CENTRE - HALF), *(CENTRE + HALF))
SETTINGS = TeacherSettings()


@pytest.mark.parametrize("scale", [1.0, 40.0])
def test_points_come_back_in_the_picture_s_pixels(scale):
    """Whatever the picture's unit: what is shown is stretched to the face."""
    taught = teach(BlobTeacher(), scale * THERMAL - 7, BOX, SETTINGS)
    assert taught.verdict is Verdict.SURE
    np.testing.assert_allclose(taught.mesh, CENTRE + mean_face() * HALF, atol=0.7)
    assert taught.mesh.dtype == np.float32
    assert taught.disagreement < 0.005


@pytest.mark.parametrize(("bias", "verdict"), [(0.01, Verdict.SURE), (0.02, Verdict.DISAGREE)])
def test_disagreement_is_the_distance_between_the_answers_over_the_size(bias, verdict):
    taught = teach(BlobTeacher(bias), THERMAL, BOX, SETTINGS)
    width, height = 2 * HALF
    assert taught.disagreement == pytest.approx(2 * bias * width / np.sqrt(width * height), rel=0.1)
    assert taught.verdict is verdict
    # The mean of both answers has no bias left.
    np.testing.assert_allclose(taught.mesh, CENTRE + mean_face() * HALF, atol=0.7)


def test_what_is_left_out_says_why():
    assert teach(BlobTeacher(), np.full_like(THERMAL, 20.0), BOX, SETTINGS).verdict is Verdict.NOT_FOUND
    small = teach(BlobTeacher(), THERMAL, BOX, TeacherSettings(least_pixels=60.0))
    assert small.verdict is Verdict.TOO_SMALL
    assert small.mesh is not None


def partner(offset=(0.0, 0.0)):
    gray = ellipse(THERMAL.shape, CENTRE + offset, HALF, 220, 20).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=2)


def test_a_partner_is_asked_in_place_of_the_thermal_picture():
    cold = np.full_like(THERMAL, 20.0)
    taught = teach(BlobTeacher(), cold, BOX, SETTINGS, partner())
    assert taught.verdict is Verdict.SURE
    np.testing.assert_allclose(taught.mesh, CENTRE + mean_face() * HALF, atol=0.7)
    parallax = teach(BlobTeacher(), THERMAL, BOX, SETTINGS, partner((3, 0)))
    assert parallax.verdict is Verdict.SURE
    assert teach(BlobTeacher(), THERMAL, BOX, SETTINGS, partner((14, 0))).verdict is Verdict.NOT_REGISTERED


def test_faces_are_found_in_windows():
    (box,) = find_boxes(BlobTeacher(), THERMAL)
    np.testing.assert_allclose(box, BOX, atol=1)
    two = np.maximum(THERMAL, ellipse(THERMAL.shape, (120, 50), (18, 24)))
    assert len(find_boxes(BlobTeacher(), two)) == 2
    assert find_boxes(BlobTeacher(), np.full_like(THERMAL, 20.0)) == []


def test_smaller_windows_are_looked_at_where_larger_ones_show_nothing():
    class Near(BlobTeacher):
        """Sees whole faces that fill a third of what is shown alone."""

        def _find_faces(self, rgb):
            found = [face for face in super()._find_faces(rgb) if np.ptp(face.mesh[:, 1]) > rgb.shape[0] / 3]
            return [face for face in found if face.mesh[:, :2].min() > 2 and face.mesh[:, :2].max() < len(rgb) - 3]

    small = ellipse((100, 160), (130.0, 20.0), (8.0, 10.0))
    backend = Near()
    (box,) = find_boxes(backend, small)
    np.testing.assert_allclose(box, (122, 10, 138, 30), atol=1)
    assert len(backend.shown) > 2
