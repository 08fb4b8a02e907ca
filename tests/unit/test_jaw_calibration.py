"""The jaw's places are read back from projections of a head whose places are known."""

import cv2
import numpy as np
import pytest

from heads import features
from heads.person import place_landmarks
from tfake.labels.head_geometry import FLIP, camera_matrix
from tfake.mesh.head import head_mesh
from tfake.studies.jaw_calibration import fit_jaw

_PIXELS = 256


def _projections(jaw_shift=(0.0, 0.0, 0.0)):
    pupils = np.stack([features.EYE_CENTRE[side] for side in ("right", "left")])
    points = place_landmarks(head_mesh().rest, pupils)
    sides = np.sign(points[:17, :1])
    points[:17] += np.array(jaw_shift) * np.concatenate([sides, np.ones((17, 2))], axis=1)
    seen = []
    for yaw, pitch in ((0, 0), (35, 0), (-35, 5), (15, -20), (-20, 15)):
        turn = cv2.Rodrigues(np.radians([pitch, yaw, 0.0]))[0]
        seen.append(cv2.projectPoints(points @ FLIP, turn, np.array([0.0, 0.0, 90.0]), camera_matrix(_PIXELS), None)[0])
    return np.array(seen)[:, :, 0], points[:17]


def _places(table):
    corners = table[[f"point_{name}" for name in "abc"]].to_numpy()
    weights = table[[f"weight_{name}" for name in "abc"]].to_numpy()
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-9)
    assert (weights >= 0).all()
    return np.einsum("pc,pcd->pd", weights, head_mesh().rest[corners])


def test_known_places_are_read_back():
    seen, jaw = _projections()
    table = fit_jaw(seen, _PIXELS)
    assert table["landmark"].tolist() == [*range(8), *range(9, 17)]
    np.testing.assert_allclose(_places(table), np.delete(jaw, 8, axis=0), atol=0.12)


def test_a_jaw_labelled_lower_moves_the_places_down():
    seen, jaw = _projections(jaw_shift=(0.0, -1.0, 0.0))
    lowered = _places(fit_jaw(seen, _PIXELS))[:4, 1] - jaw[:4, 1]
    np.testing.assert_allclose(lowered, 0.0, atol=0.25)  # both say where the lower points are
    assert (jaw[:4, 1] < _projections()[1][:4, 1] - 0.9).all()


def test_faces_that_fit_no_head_are_refused():
    noise = np.random.default_rng(0).uniform(0, _PIXELS, (3, 70, 2))
    with pytest.raises(ValueError, match="found none of 3"):
        fit_jaw(noise, _PIXELS)
