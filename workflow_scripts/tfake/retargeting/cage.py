"""The triangles that cover a picture of a face: FaceMesh's own, its three openings, a ring around the head, the border.

Which triangles there are is the same for every face; so are the pairs of lips and lids that touch when they close.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from tfake.mesh import template

_AROUND = len(template.FACE_OVAL)
#: Vertices: the mesh, the ring around the head, the picture's border; the last two run as the face's oval does.
MESH = slice(0, template.FACE_VERTICES)
RING = slice(MESH.stop, MESH.stop + _AROUND)
BORDER = slice(RING.stop, RING.stop + _AROUND)
VERTICES = BORDER.stop
#: The openings by name: upper and lower edge from their right to their left corner, both corners in both.
OPENINGS = {
    "mouth": (template.UPPER_LIP[3], template.LOWER_LIP[3]),
    "right": (template.UPPER_LID["right"], template.LOWER_LID["right"]),
    "left": (template.UPPER_LID["left"][::-1], template.LOWER_LID["left"][::-1]),
}
#: The ring: the mean face's oval by this factor about its middle, and so far (cm) behind it.
_RING_FACTOR, _RING_BEHIND_CM = 1.42, 3.5
#: Below the chin the ring lies on the neck and shoulders, which follow the head by this fraction only.
_NECK_FOLLOWS, _CHIN_CM, _THROAT_CM = 0.35, -7.0, -11.0


@dataclass(frozen=True)
class Cage:
    """What covers a picture.

    Attributes:
        triangles: (m, 3) int; of positive :func:`tfake.mesh.raster.signed_areas` where nothing is folded.
        opening: (m,) int8, which opening a triangle lies in: 0 mouth, 1 right eye, 2 left eye; -1 none.
        laplacian: (n, n) float64, degree less adjacency.
        ring_cm: (36, 3) the ring on the mean head, x to the image's right, y up, z towards the camera.
        ring_follows: (36,) fraction of the head's motion that the ring follows.
    """

    triangles: np.ndarray
    opening: np.ndarray
    laplacian: np.ndarray
    ring_cm: np.ndarray
    ring_follows: np.ndarray


def mean_face() -> np.ndarray:
    """The mean face (468, 3) cm: x to the image's right when it looks at the camera, y up, z towards the camera."""
    return template.face_vertices()[MESH]


@cache
def cage() -> Cage:
    """The cage, built once a process."""
    oval = np.array(template.FACE_OVAL)
    face = mean_face()
    middle = (face[oval].min(axis=0) + face[oval].max(axis=0)) / 2
    ring = face[oval].copy()
    ring[:, :2] = middle[:2] + _RING_FACTOR * (ring[:, :2] - middle[:2])
    ring[:, 2] -= _RING_BEHIND_CM
    openings = [_strip(*edges) for edges in OPENINGS.values()]
    around = [_band(oval, np.arange(VERTICES)[RING]), _band(np.arange(VERTICES)[RING], np.arange(VERTICES)[BORDER])]
    parts = [template.face_triangles(), *openings, *around]
    triangles = np.concatenate(parts)
    number = [-1, 0, 1, 2, -1, -1]
    opening = np.repeat(np.array(number, np.int8), [len(part) for part in parts])
    adjacency = np.zeros((VERTICES, VERTICES))
    for a, b in ((0, 1), (1, 2), (2, 0)):
        adjacency[triangles[:, a], triangles[:, b]] = adjacency[triangles[:, b], triangles[:, a]] = 1.0
    laplacian = np.diag(adjacency.sum(axis=1)) - adjacency
    depth = np.clip((_CHIN_CM - ring[:, 1]) / (_CHIN_CM - _THROAT_CM), 0.0, 1.0)
    return Cage(triangles, opening, laplacian, ring, 1.0 - (1.0 - _NECK_FOLLOWS) * depth)


def _strip(upper: tuple[int, ...], lower: tuple[int, ...]) -> np.ndarray:
    """Triangles between two edges from right to left that share their ends."""
    found = [(upper[0], lower[1], upper[1]), (upper[-1], upper[-2], lower[-2])]
    for k in range(1, len(upper) - 2):
        found += [(upper[k], lower[k], upper[k + 1]), (upper[k + 1], lower[k], lower[k + 1])]
    return np.array(found)


def _band(inner: np.ndarray, outer: np.ndarray) -> np.ndarray:
    """Triangles between two closed loops of as many vertices."""
    after = np.roll(np.arange(len(inner)), -1)
    return np.concatenate(
        [
            np.stack([inner, inner[after], outer], axis=1),
            np.stack([inner[after], outer[after], outer], axis=1),
        ]
    )


def border_points(centre: np.ndarray, ring: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The border's vertices: where rays from the ring's middle through it leave the picture, corners among them.

    Args:
        centre: (2,) pixels, in the picture.
        ring: (36, 2) pixels, convex around the centre.
        shape: (height, width).

    Returns:
        (36, 2) on the outline of all pixels, which is half a pixel outside the outermost centres.
    """
    high = np.array(shape[::-1], float) - 0.5
    low = np.array([-0.5, -0.5])
    way = ring - centre
    with np.errstate(divide="ignore"):
        reach = np.where(way > 0.0, (high - centre) / way, np.where(way < 0.0, (low - centre) / way, np.inf))
    points = centre + way * reach.min(axis=1, keepdims=True)
    side = reach.argmin(axis=1)
    rows = np.arange(len(points))
    points[rows, side] = np.where(way[rows, side] > 0.0, high[side], low[side])
    left = list(range(len(points)))
    for corner in ((low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])):
        nearest = min(left, key=lambda place, corner=corner: float(np.hypot(*(points[place] - corner))))
        points[nearest] = corner
        left.remove(nearest)
    return points
