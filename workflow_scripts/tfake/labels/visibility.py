"""Which of the 478 points can be seen: from the mesh's own depth, and from the class map."""

from functools import cache

import numpy as np

from tfake.classes import FaceClass
from tfake.labels.shape import mesh_shape
from tfake.labels.status import PointState

_COVERS = {
    FaceClass.HAIR: PointState.HAIR,
    FaceClass.GLASSES: PointState.GLASSES,
    FaceClass.HEADWEAR: PointState.HEADWEAR,
    FaceClass.FACEWEAR: PointState.FACEWEAR,
    FaceClass.CLOTHING: PointState.CLOTHING,
}
#: A surface hides what lies further behind it than this, as a share of the mesh's width and height together.
_DEPTH_MARGIN = 0.01
#: Cosine to the camera above which a point lies well inside the outline.
_INSIDE = 0.35


def point_states(mesh: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Tell what can be seen of each point.

    A beard does not count as a cover: it grows on the point. The released FaceSynthetics maps have background where
    there is a face mask; so background well inside the outline counts as facewear.

    Args:
        mesh: (478, 3) pixels, z smaller nearer the camera, on the scale of x.
        classes: (H, W) uint8 class map.

    Returns:
        (478,) uint8 codes of :class:`tfake.labels.status.PointState`.
    """
    height, width = classes.shape
    points = mesh.astype(np.float64)
    facing = _facing(points)
    columns, rows = np.rint(points[:, :2]).astype(int).T
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    seen = classes[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
    states = np.full(len(mesh), PointState.VISIBLE, dtype=np.uint8)
    for face_class, state in _COVERS.items():
        states[seen == face_class] = state
    states[(seen == FaceClass.BACKGROUND) & (facing > _INSIDE)] = PointState.FACEWEAR
    states[(facing <= 0.0) | _behind(points, facing)] = PointState.SELF_OCCLUDED
    states[~inside] = PointState.OUTSIDE
    return states


def _facing(points: np.ndarray) -> np.ndarray:
    """Cosine between each point's normal and the direction to the camera, (478,)."""
    triangles = mesh_shape().triangles
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    u, v = b - a, c - a
    # Written out: np.cross takes several times as long.
    normals = u[:, [1, 2, 0]] * v[:, [2, 0, 1]] - u[:, [2, 0, 1]] * v[:, [1, 2, 0]]
    sums = np.zeros_like(points)
    for axis in range(3):
        sums[:, axis] = np.bincount(triangles.ravel(), np.repeat(normals[:, axis], 3), minlength=len(points))
    loose, neighbours = _loose_points()
    sums[loose] = sums[neighbours].sum(axis=1)
    return -sums[:, 2] / np.maximum(np.linalg.norm(sums, axis=1), 1e-12)


@cache
def _loose_points() -> tuple[np.ndarray, np.ndarray]:
    """The points (10,) of the irises, which no triangle has, and the 8 points of the mesh nearest to each."""
    shape = mesh_shape()
    bound = np.unique(shape.triangles)
    loose = np.setdiff1d(np.arange(len(shape.mean)), bound)
    apart = np.linalg.norm(shape.mean[loose, None] - shape.mean[None, bound], axis=2)
    return loose, bound[np.argsort(apart, axis=1)[:, :8]]


def _behind(points: np.ndarray, facing: np.ndarray) -> np.ndarray:
    """Whether a triangle lies between each point and the camera, (478,) bool."""
    corners = points[mesh_shape().triangles].astype(np.float32)
    margin = _DEPTH_MARGIN * np.ptp(points[:, :2], axis=0).sum()
    # What faces away is hidden already, and hides nothing that another side of the face does not.
    asked = np.flatnonzero(facing > 0.0)
    a, b, c = np.moveaxis(corners, 1, 0)
    corners = corners[_cross(b - a, c - a) < 0.0]
    here = points[asked].astype(np.float32)
    # Coordinates apart, each in one piece: the comparisons then run many pairs at a time.
    low, high = (np.ascontiguousarray(edge.T) for edge in (corners.min(axis=1), corners.max(axis=1)))
    x, y = here[:, None, 0], here[:, None, 1]
    # Boxes first: of some 300,000 pairs a few thousand are left for the exact test.
    near = low[0] < x
    near &= x < high[0]
    near &= low[1] < y
    near &= y < high[1]
    point, triangle = np.divmod(np.flatnonzero(near), len(corners))
    deeper = low[2, triangle] < here[point, 2] - margin
    point, triangle = point[deeper], triangle[deeper]
    a, b, c = np.moveaxis(corners[triangle], 1, 0)
    area = _cross(b - a, c - a)
    over_b = _cross(here[point] - a, c - a) / area
    over_c = _cross(b - a, here[point] - a) / area
    depth = a[:, 2] + over_b * (b - a)[:, 2] + over_c * (c - a)[:, 2]
    hides = (over_b > 0) & (over_c > 0) & (over_b + over_c < 1) & (depth < here[point, 2] - margin)
    hidden = np.zeros(len(points), dtype=bool)
    hidden[asked[point[hides]]] = True
    return hidden


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
