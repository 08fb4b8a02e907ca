"""A still's mesh made ready to move: the head's pose in it, and a cage over the picture that folds nowhere.

The triangles of a face that is turned away from the camera overlap in the picture. Of the overlapping ones the vertices
are let go: they are put where the mean of their neighbours is (Tutte 1963), over and over, until no triangle is folded.
A cage without a folded triangle, whose border is the picture's, covers every pixel exactly once; so a motion of it that
folds nothing is a one-to-one map.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from tfake.mesh.raster import signed_areas
from tfake.retargeting.cage import BORDER, MESH, OPENINGS, RING, VERTICES, border_points, cage, mean_face

#: Lips and lids that touch are this far apart in a cage, over the face's size, so that they can part.
CONTACT = 0.004
#: A triangle of less than this twice its area, over the square of the face's size, is taken for folded.
LEAST_AREA = 1e-6
_ROUNDS, _ALL_EVERY = 40, 4
#: The ring is held where it is so far inside the picture, over the face's size.
_MARGIN = 0.04
#: More of the mesh than this let go, and little of the face is seen.
_MOST_HIDDEN = 0.5
#: So that motions do not fold, so much more of the mesh may be let go: less of it does then what was asked.
_MOST_EASED = 0.12
#: A motion that folds more than this of the triangles is not one to be eased.
_TORN = 0.04
#: From an image (x right, y down, z away) to a camera (x right, y up, z towards it), and back.
TO_CAMERA = np.array([1.0, -1.0, -1.0])


class StillError(ValueError):
    """A still that no cage can be laid over; the message says why."""


@dataclass(frozen=True)
class Similarity:
    """A head's pose, seen from far away: a point p of the mean head is at ``scale * rotation @ p + origin``.

    Attributes:
        scale: pixels a cm.
        rotation: (3, 3) from the head's frame to the camera's.
        origin: (3,) pixels in the camera's axes, of the head frame's origin between the ears.
    """

    scale: float
    rotation: np.ndarray
    origin: np.ndarray

    def place(self, points: np.ndarray) -> np.ndarray:
        """Points (n, 3) cm of the head in the camera's axes, pixels."""
        return self.scale * points @ self.rotation.T + self.origin

    def carry(
        self, points: np.ndarray, turn: np.ndarray, scale: float = 1.0, shift_cm: tuple[float, float] = (0.0, 0.0)
    ) -> np.ndarray:
        """Take points (n, 3) in the camera's axes along with the head: turned about the ears, grown, shifted."""
        turned = self.origin + scale * (points - self.origin) @ turn.T
        return turned + (*(self.scale * np.array(shift_cm)), 0.0)

    def bring_back(self, points: np.ndarray) -> np.ndarray:
        """The inverse of :meth:`place`."""
        return (points - self.origin) @ self.rotation / self.scale


@dataclass(frozen=True)
class Still:
    """A still that can be moved.

    Attributes:
        shape: (height, width) of the picture.
        points: (468, 3) float64 the mesh in the camera's axes, pixels; lips and lids a little apart.
        pose: of the head.
        cage: (n, 2) pixels, the cage's vertices in the picture.
        held: (n,) bool, the vertices whose motion is their own; the others follow them.
        given: (n, 2) pixels, all vertices as they were found, hidden or not.
        gaps: of each opening, (k,) pixels between its pairs.
        size: of the mesh, sqrt(w h), pixels.
        follow: (f, h) float64, each of the vertices that are not held as a mixture of those that are.
    """

    shape: tuple[int, int]
    points: np.ndarray
    pose: Similarity
    cage: np.ndarray
    held: np.ndarray
    given: np.ndarray
    gaps: dict[str, np.ndarray]
    size: float
    follow: np.ndarray = field(default_factory=lambda: np.zeros((0, VERTICES)))

    def complete(self, vertices: np.ndarray) -> np.ndarray:
        """Put the vertices that are not held where those that are take them: (n, 2), in place."""
        vertices[~self.held] = self.follow @ vertices[self.held]
        return vertices


def down_of(rotation: np.ndarray) -> np.ndarray:
    """The direction from brow to chin of a head in this pose, (2,) in the picture, y down."""
    way = -rotation[:2, 1] * (1.0, -1.0)
    return way / max(float(np.hypot(*way)), 1e-9)


def fit_similarity(model: np.ndarray, points: np.ndarray) -> Similarity:
    """The similarity that takes a model to points with the least squares (Umeyama 1991).

    Args:
        model: (n, 3).
        points: (n, 3).
    """
    middle, there = model.mean(axis=0), points.mean(axis=0)
    a, b = model - middle, points - there
    u, strength, v = np.linalg.svd(b.T @ a)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ v))])
    rotation = (u * sign) @ v
    scale = float((strength * sign).sum() / (a**2).sum())
    return Similarity(scale, rotation, there - scale * rotation @ middle)


def open_contacts(points: np.ndarray, down: np.ndarray, least: dict[str, np.ndarray]) -> np.ndarray:
    """Part lips and lids that are closer than something, each by half of what is missing.

    Args:
        points: (468, 2) or (468, 3) pixels, y down in the first two columns; changed in place.
        down: (2,) direction from brow to chin.
        least: of each opening, (k,) pixels that its pairs are apart at least.

    Returns:
        The points.
    """
    for name, (upper, lower) in OPENINGS.items():
        above, below = np.array(upper[1:-1]), np.array(lower[1:-1])
        missing = least[name] - (points[below, :2] - points[above, :2]) @ down
        half = 0.5 * np.maximum(missing, 0.0)[:, None] * down
        points[above, :2] -= half
        points[below, :2] += half
    return points


def gaps_of(points: np.ndarray, down: np.ndarray) -> dict[str, np.ndarray]:
    """How far the pairs of each opening are apart, pixels, along ``down``."""
    return {
        name: (points[list(lower[1:-1]), :2] - points[list(upper[1:-1]), :2]) @ down
        for name, (upper, lower) in OPENINGS.items()
    }


def prepare_still(mesh: np.ndarray, shape: tuple[int, int]) -> Still:
    """Lay a cage over a picture.

    Args:
        mesh: (478, 3) or (468, 3) FaceMesh's points, pixels, z on the scale of x and smaller nearer the camera.
        shape: (height, width) of the picture.

    Raises:
        StillError: the mesh leaves the picture, or too much of it is hidden to be laid out flat.
    """
    points = mesh[MESH].astype(np.float64)
    size = float(np.sqrt(np.prod(np.ptp(points[:, :2], axis=0))))
    high = np.array(shape[::-1]) - 1.0
    if (points[:, :2] < 0.0).any() or (points[:, :2] > high).any():
        raise StillError(f"expected the mesh in the picture of {shape[1]} x {shape[0]} pixels; it leaves it")
    pose = fit_similarity(mean_face(), points * TO_CAMERA)
    down = down_of(pose.rotation)
    closed = {name: np.full(len(edges[0]) - 2, CONTACT * size) for name, edges in OPENINGS.items()}
    open_contacts(points, down, closed)
    ring = (pose.place(cage().ring_cm) * TO_CAMERA)[:, :2]
    border = border_points(np.clip(ring.mean(axis=0), 1.0, high - 1.0), ring, shape)
    held = np.ones(VERTICES, bool)
    margin = _MARGIN * size
    held[RING] = ((ring > margin) & (ring < high - margin)).all(axis=1)
    given = np.concatenate([points[:, :2], ring, border])
    still = Still(shape, points * TO_CAMERA, pose, given, held, given, gaps_of(points, down), size)
    held, folded = _unfold(still, given[None], _MOST_HIDDEN)
    if folded:
        hidden = np.count_nonzero(~held[MESH])
        raise StillError(
            f"expected a face that can be laid out flat; {hidden} of {MESH.stop} points hide behind others"
        )
    return _with_held(still, held)


def ease(still: Still, placed: np.ndarray) -> Still:
    """Let go of what would fold when the still's vertices are taken to other places.

    Args:
        still: the still.
        placed: (k, n, 2) where motions would take its vertices.

    Returns:
        The still with less of it held, so that as few of the k as can be had are folded.
    """
    torn = [np.mean(signed_areas(still.complete(each.copy()), cage().triangles) <= 0.0) > _TORN for each in placed]
    placed = placed[~np.array(torn)]
    most = np.count_nonzero(~still.held[MESH]) / MESH.stop + _MOST_EASED
    held, _ = _unfold(still, np.concatenate([still.given[None], placed]), most)
    return _with_held(still, held)


def carried_ring(pose: Similarity, turn: np.ndarray, scale: float, shift_cm: tuple[float, float]) -> np.ndarray:
    """The ring (36, 2) pixels of a picture after the head has moved; on the neck it stays behind."""
    ring = pose.place(cage().ring_cm)
    moved = pose.carry(ring, turn, scale, shift_cm)
    return ((ring + cage().ring_follows[:, None] * (moved - ring)) * TO_CAMERA)[:, :2]


def _with_held(still: Still, held: np.ndarray) -> Still:
    follow = _followers(held)
    vertices = still.given.copy()
    vertices[~held] = follow @ vertices[held]
    return replace(still, cage=vertices, held=held, follow=follow)


def _followers(held: np.ndarray) -> np.ndarray:
    """Each vertex that is not held as a mixture of those that are: the mean of its neighbours, theirs included."""
    laplacian, free = cage().laplacian, ~held
    return -np.linalg.solve(laplacian[np.ix_(free, free)], laplacian[np.ix_(free, held)])


def _unfold(still: Still, placed: np.ndarray, most_hidden: float) -> tuple[np.ndarray, int]:
    """Let go of vertices until nothing is folded, or too much would be let go.

    Args:
        still: the still; what it does not hold stays so.
        placed: (k, n, 2) places of the vertices.
        most_hidden: fraction of the mesh that may be let go.

    Returns:
        What is held (n,) and how many of the k are folded then; of several trials the one with fewest.
    """
    triangles, laplacian = cage().triangles, cage().laplacian
    least = LEAST_AREA * still.size**2
    # The ring is behind all of the face, and the border stays.
    nearness = np.full(VERTICES, 1e6)
    nearness[MESH], nearness[RING] = still.points[:, 2], -1e6
    held = still.held.copy()
    best, fewest = held, len(placed) + 1
    for number in range(_ROUNDS):
        vertices = placed.copy()
        vertices[:, ~held] = _followers(held) @ placed[:, held]
        folded = np.array([signed_areas(each, triangles) <= least for each in vertices])
        count = int(folded.any(axis=1).sum())
        # The still itself, the first, is never folded.
        if count < fewest and not folded[0].any():
            best, fewest = held.copy(), count
        if not count:
            break
        corners = triangles[folded.any(axis=0)]
        if number >= _ROUNDS // 2:
            # What letting go of the folded ones alone has not mended, their neighbours may.
            loose = np.flatnonzero((laplacian[np.unique(corners)] != 0.0).any(axis=0))
        elif number % _ALL_EVERY == _ALL_EVERY - 1:
            loose = np.unique(corners)
        else:
            # Of each triangle the vertex that is farthest from the camera.
            loose = corners[np.arange(len(corners)), np.where(held[corners], nearness[corners], np.inf).argmin(axis=1)]
        held[loose] = False
        held[BORDER] = True
        if np.count_nonzero(~held[MESH]) > most_hidden * MESH.stop:
            break
    return best, fewest
