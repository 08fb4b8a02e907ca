"""Which faces are near-identical: the same face again, moved, scaled, turned, mirrored, or in another picture.

FaceSynthetics documents no identities: every face is drawn anew. What can slip through a split is the same geometry
twice. So faces are compared by the shape of their 70 exact points, which a relit, recoloured, cropped, turned or
mirrored copy keeps, and which no image has to be read for.
"""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

#: Root mean square distance of two shapes' points, over their own root mean square size, up to which they are one face.
#: Half a pixel of noise on every point of a 512-pixel face gives .006 to .014, a hundredth of a pixel (how archives
#: round) .0003; the closest two of the 60 public FaceSynthetics faces at hand are .057 apart, of the demo's 96, .052.
#: Of 30,000 shapes drawn from a normal distribution with the 60 faces' covariance no two were grouped by chance.
NEAR_IDENTICAL = 0.01
#: Coordinates of a shape that neighbours are looked for in; distances in fewer dimensions are never longer.
_SEARCHED = 8


def near_identical_groups(landmarks_70: np.ndarray) -> np.ndarray:
    """Group the faces whose shapes agree, directly or by way of others.

    Args:
        landmarks_70: (N, 70, 2) exact points, pixels; rows with NaN are like no other.

    Returns:
        (N,) int, the group of each face, numbered by first appearance.
    """
    known = np.flatnonzero(np.isfinite(landmarks_70).all(axis=(1, 2)))
    groups = np.arange(len(landmarks_70))
    if len(known):
        points = landmarks_70[known].astype(np.float64)
        shapes = _shapes(points)
        mirrored = _shapes((points * [-1.0, 1.0])[:, _partners()])
        pairs = np.concatenate([_close_pairs(shapes, shapes), _close_pairs(shapes, mirrored)])
        graph = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(known), len(known)))
        _, found = connected_components(graph, directed=False)
        _, first = np.unique(found, return_index=True)
        groups[known] = known[first[found]]
    return groups


def _shapes(points: np.ndarray) -> np.ndarray:
    """Points freed of place, size and turn: (N, 70, 2) to (N, 140), of unit length."""
    planar = points[..., 0] + 1j * points[..., 1]
    planar -= planar.mean(axis=1, keepdims=True)
    # Turned so that the line from the mean of the right half to that of the left half lies level: a symmetric choice.
    axis = (planar * _sides()).sum(axis=1, keepdims=True)
    planar *= np.conj(axis) / np.abs(axis)
    planar /= np.linalg.norm(planar, axis=1, keepdims=True)
    return np.concatenate([planar.real, planar.imag], axis=1)


def _partners() -> np.ndarray:
    """The point that each of the 70 becomes in a mirror: (70,) int."""
    partners = np.arange(70)
    for start, stop in ((0, 17), (17, 27), (31, 36), (48, 55), (55, 60), (60, 65), (65, 68), (68, 70)):
        partners[start:stop] = partners[start:stop][::-1]
    right = np.array([36, 37, 38, 39, 40, 41])
    left = np.array([45, 44, 43, 42, 47, 46])
    partners[right], partners[left] = left, right
    return partners


def _sides() -> np.ndarray:
    """+1 for points of the image's right half of a frontal face, -1 for those of the left, 0 between: (70,)."""
    partners, own = _partners(), np.arange(70)
    sides = np.sign(own - partners).astype(np.float64)
    # In every mirrored run of iBUG's order the higher number lies further right, but for the lower lip's two.
    for start, stop in ((55, 60), (65, 68)):
        sides[start:stop] *= -1
    return sides


def _close_pairs(shapes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Places (i in ``shapes``, j in ``others``) whose distance is at most ``NEAR_IDENTICAL``: (pairs, 2) int."""
    # The commonest ways to differ, so that few that are far apart look near in so few coordinates.
    _, axes = np.linalg.eigh(np.cov(shapes, rowvar=False)) if len(shapes) > 1 else (None, np.eye(shapes.shape[1]))
    few = axes[:, -_SEARCHED:]
    near = cKDTree(shapes @ few).query_ball_tree(cKDTree(others @ few), NEAR_IDENTICAL)
    pairs = np.array([(i, j) for i, neighbours in enumerate(near) for j in neighbours], dtype=np.intp).reshape(-1, 2)
    distances = np.linalg.norm(shapes[pairs[:, 0]] - others[pairs[:, 1]], axis=1)
    return pairs[distances <= NEAR_IDENTICAL]
