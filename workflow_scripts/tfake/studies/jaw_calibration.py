"""Where the source's jaw points lie on the procedural head, from the 70 exact points of real FaceSynthetics faces.

FaceSynthetics draws its jaw line on a 3D head, so a picture shows it in perspective, hidden or not. Each face's pose
follows from the shared points that no expression moves far, as places on the mean head (perspective-n-point). Over all
faces, a jaw point's place is then the 3D point whose projections miss its labels least (soft L1, both sides mirrored
onto one), brought to the nearest point of the head's surface.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import pandas as pd
from scipy.optimize import least_squares
from scipy.spatial import cKDTree

from tfake.labels.correspondence import SHARED_70, face_size, shared_places
from tfake.labels.head_geometry import FLIP, camera_matrix
from tfake.mesh.head import head_mesh
from tfake.mesh.template import FACE_VERTICES

#: The jaw's points on the subject's right, and the number that a point and its partner on the left add up to.
_RIGHT_JAW, _BOTH_SIDES = range(8), 16
#: Shared points that stay where they are on the bone: brows, nose, eyes and the upper lip.
_STEADY = (*range(17, 55), *range(60, 65))
_LARGEST_ERROR, _SOFT = 0.05, 0.03


def fit_jaw(landmarks_70: np.ndarray, pixels: int) -> pd.DataFrame:
    """Fit the ``head`` part of the table.

    Args:
        landmarks_70: (F, 70, 2) pixels of faces in images of pixels x pixels.
        pixels: width of the images.

    Returns:
        ``landmark``, ``use`` and three times ``point_x`` and ``weight_x``: corners of the fine head mesh.

    Raises:
        ValueError: no face's shared points fit the mean head.
    """
    mesh = head_mesh()
    poses = [pose for points in landmarks_70 if (pose := _pose(points, mesh.rest, pixels)) is not None]
    if not poses:
        raise ValueError(f"expected faces whose shared points fit the mean head; found none of {len(landmarks_70)}")
    mirror = cKDTree(mesh.rest).query(mesh.rest * (-1.0, 1.0, 1.0))[1]
    rows = []
    for landmark in _RIGHT_JAW:
        place = _common_place(landmark, poses, pixels)
        corners, weights = _on_surface(place, mesh.rest, mesh.triangles)
        rows.append(table_row(landmark, "head", corners, weights))
        rows.append(table_row(_BOTH_SIDES - landmark, "head", mirror[corners], weights))
    return pd.DataFrame(rows).sort_values("landmark")


def _pose(points: np.ndarray, rest: np.ndarray, pixels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Rotation (3, 3) and shift (3,) into OpenCV's camera, and the 70 points; None where the mean head does not fit."""
    steady = np.isin(SHARED_70, _STEADY)
    irises = np.zeros((10, 3))  # FaceMesh's last points: no steady place is on them
    places = shared_places(np.concatenate([rest[:FACE_VERTICES], irises]))[steady] @ FLIP
    goal, camera = points[SHARED_70[steady]].astype(np.float64), camera_matrix(pixels)
    _, turn, shift = cv2.solvePnP(places, goal, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    turn, shift = cv2.solvePnPRefineLM(places, goal, camera, None, turn, shift)
    shown = cv2.projectPoints(places, turn, shift, camera, None)[0][:, 0]
    if np.linalg.norm(shown - goal, axis=1).mean() > _LARGEST_ERROR * face_size(points):
        return None
    return cv2.Rodrigues(turn)[0], shift[:, 0], points


def _common_place(landmark: int, poses: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], pixels: int) -> np.ndarray:
    """The place (3,) cm, in the head's frame, whose projections miss a jaw point and its partner least."""
    camera = camera_matrix(pixels)

    def misses(place: np.ndarray) -> np.ndarray:
        found = []
        for rotation, shift, points in poses:
            for number, side in ((landmark, place), (_BOTH_SIDES - landmark, place * (-1.0, 1.0, 1.0))):
                x, y, depth = camera @ (rotation @ FLIP @ side + shift)
                found.append((np.array([x, y]) / depth - points[number]) / face_size(points))
        return np.concatenate(found)

    start = np.array([-6.5 + 0.5 * landmark, 2.0 - 1.4 * landmark, 2.0 + 0.7 * landmark])
    return least_squares(misses, start, loss="soft_l1", f_scale=_SOFT).x


def _on_surface(place: np.ndarray, rest: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The corners (3,) and weights (3,) of the surface point nearest to a place, of the triangles at its vertex."""
    nearest = int(np.linalg.norm(rest - place, axis=1).argmin())
    around = triangles[(triangles == nearest).any(axis=1)]
    best = (np.inf, around[0], np.array([1.0, 0.0, 0.0]))
    for corners in around:
        a, b, c = rest[corners]
        along = np.stack([b - a, c - a], axis=1)
        u, v = np.clip(np.linalg.lstsq(along, place - a, rcond=None)[0], 0.0, 1.0)
        weights = np.array([max(1.0 - u - v, 0.0), u, v])
        weights /= weights.sum()
        apart = float(np.linalg.norm(weights @ rest[corners] - place))
        if apart < best[0]:
            best = (apart, corners, weights)
    return best[1], best[2]


def table_row(landmark: int, use: str, corners: np.ndarray, weights: np.ndarray) -> dict[str, object]:
    """A row of the table of places: three corners and their weights.

    The weights are rounded so that they still add up to 1: they multiply coordinates of hundreds of pixels.
    """
    rounded = [*np.round(weights[:2], 3).tolist(), round(1.0 - np.round(weights[:2], 3).sum(), 3)]
    pairs = zip("abc", corners.tolist(), rounded, strict=True)
    mixture = {key: value for name, c, w in pairs for key, value in ((f"point_{name}", c), (f"weight_{name}", w))}
    return {"landmark": landmark, "use": use, **mixture}
