"""Faces and labels fit: an independent detector finds the rendered faces where the exact points say they are."""

import numpy as np
import pytest

from heads.scene import render_face
from tfake.labels.correspondence import mesh_error


@pytest.fixture(scope="module")
def detector():
    solutions = pytest.importorskip("mediapipe").solutions
    with solutions.face_mesh.FaceMesh(
        static_image_mode=True, refine_landmarks=True, min_detection_confidence=0.5
    ) as mesh:
        yield mesh


def test_facemesh_finds_the_faces_where_the_labels_are(detector):
    errors, missed = [], 0
    for number in range(6):
        face = render_face(11, number)
        found = detector.process(face.rgb).multi_face_landmarks
        if found is None:
            missed += 1
            continue
        points = np.array([(p.x, p.y) for p in found[0].landmark]) * 512 - 0.5
        errors.append(mesh_error(points, face.landmarks_70))
    assert missed <= 1
    assert np.median(errors) < 0.03
