"""Which of the 478 points can be seen: from the mesh's own depth, and from the class map."""

from functools import cache

import numpy as np

from tfake.core.classes import FaceClass
from tfake.core.codes import PointState
from tfake.labels.shape import mesh_shape

#: State by class id, (256,): what is not listed here covers nothing.
_STATES = np.full(256, PointState.VISIBLE, dtype=np.uint8)
_STATES[FaceClass.HAIR] = PointState.HAIR
_STATES[FaceClass.GLASSES] = PointState.GLASSES
_STATES[FaceClass.HEADWEAR] = PointState.HEADWEAR
_STATES[FaceClass.FACEWEAR] = PointState.FACEWEAR
_STATES[FaceClass.CLOTHING] = PointState.CLOTHING
#: A surface hides what lies farther from the camera than this, as a fraction of the mesh's width and height together.
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
        (478,) uint8 codes of :class:`tfake.core.codes.PointState`.
    """
    height, width = classes.shape
    points = mesh.astype(np.float64)
    facing = _facing(points)
    columns, rows = np.rint(points[:, :2]).astype(int).T
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    seen = classes[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
    states = _STATES[seen]
    states[(seen == FaceClass.BACKGROUND) & (facing > _INSIDE)] = PointState.FACEWEAR
    states[(facing <= 0.0) | _behind(points, facing)] = PointState.SELF_OCCLUDED
    states[~inside] = PointState.OUTSIDE
    return states


def _facing(points: np.ndarray) -> np.ndarray:
    """Cosine between each point's normal and the direction to the camera, (478,)."""
    a, b, c = points[mesh_shape().triangles.T]
    u, v = (b - a).T, (c - a).T
    # Written out: np.cross takes several times as long.
    normals = np.stack([u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]], axis=1)
    sums = np.bincount(_corner_places(), np.repeat(normals, 3, axis=0).ravel(), minlength=points.size)
    sums = sums.reshape(points.shape)
    loose, neighbours = _loose_points()
    sums[loose] = sums[neighbours].sum(axis=1)
    return -sums[:, 2] / np.maximum(np.linalg.norm(sums, axis=1), 1e-12)


@cache
def _corner_places() -> np.ndarray:
    """Where the three components of each triangle's normal go, for each corner, in a flat (478, 3) array."""
    return (3 * mesh_shape().triangles[:, :, None] + np.arange(3)).ravel()


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
    margin = _DEPTH_MARGIN * np.ptp(points[:, :2], axis=0).sum()
    # What faces away is hidden already, and hides nothing that another side of the face does not.
    asked = np.flatnonzero(facing > 0.0)
    corners = points.astype(np.float32)[mesh_shape().triangles.T]
    a, b, c = corners
    corners = corners[:, _cross(b - a, c - a) < 0.0]
    low, high = corners.min(axis=0), corners.max(axis=0)
    here = points[asked].astype(np.float32)
    # Boxes first: of some 300,000 pairs a few thousand are left for the exact test. The points within a triangle's
    # columns are neighbours in their order from left to right.
    order = np.argsort(here[:, 0])
    x, y, z = here[order].T.copy()
    first, stop = np.searchsorted(x, low[:, 0], "right"), np.searchsorted(x, high[:, 0], "left")
    counts = np.maximum(stop - first, 0)
    ends = np.cumsum(counts)
    place = np.arange(counts.sum()) - np.repeat(ends - counts - first, counts)
    height = y[place]
    pairs = np.flatnonzero((np.repeat(low[:, 1], counts) < height) & (height < np.repeat(high[:, 1], counts)))
    place, triangle = place[pairs], np.searchsorted(ends, pairs, "right")
    deeper = low[triangle, 2] < z[place] - margin
    point, triangle = order[place[deeper]], triangle[deeper]
    a, b, c = corners[:, triangle]
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
