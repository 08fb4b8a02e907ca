"""The plain mapping between two landmark sets: shared points by index, the others carried along with the mean head.

What a learned adapter is measured against, and where it starts from. It commutes with shifts, scales and turns.
"""

from functools import cache

import numpy as np

from tfake.labels.correspondence import MESH_POINTS, SHARED_70, shared_places
from tfake.landmarks.conventions import Convention, convention, reference_face

#: Shares of one pupil: the four points of the eye's lids.
_EYES = {68: (37, 38, 40, 41), 69: (43, 44, 46, 47)}
_TOLERANCE = 1e-9
_POINTS_WITH_DEPTH = 12


@cache
def index_table(source: str, target: str) -> tuple[np.ndarray, np.ndarray]:
    """Which points of a target set a source set tells, and how.

    Args:
        source: name of a landmark set.
        target: name of a landmark set.

    Returns:
        (n_target, n_source) float64 mixtures, zero in rows that the source does not tell; (n_target,) bool which it
        does.
    """
    given, wanted = convention(source), convention(target)
    known = _known_places(given)
    table, told = np.zeros((wanted.points, given.points)), np.zeros(wanted.points, dtype=bool)
    for row, place in enumerate(wanted.places):
        parts = np.flatnonzero(place)
        if all(int(part) in known for part in parts):
            table[row] = sum(place[part] * known[int(part)] for part in parts)
            told[row] = True
    return table, told


def _known_places(given: Convention) -> dict[int, np.ndarray]:
    """Points of the reference that a set tells, each as a mixture of the set's points."""
    unit = np.eye(given.points)
    known = {
        int(place.argmax()): unit[row]
        for row, place in enumerate(given.places)
        if abs(place.max() - 1) < _TOLERANCE and np.count_nonzero(place) == 1
    }
    if given.name == "mesh478":
        mesh = np.eye(MESH_POINTS)
        known |= dict(zip(map(int, SHARED_70), shared_places(mesh), strict=True))
    for pupil, lids in _EYES.items():
        if pupil not in known and all(lid in known for lid in lids):
            known[pupil] = sum(known[lid] for lid in lids) / len(lids)
    return known


def faces_right(points: np.ndarray, source: str) -> bool:
    """Whether a face looks to the image's right, roll set aside.

    Args:
        points: (n, 2).
        source: their landmark set.
    """
    if source == "charlotte43":
        return bool(points[18:20, 0].mean() > points[:3, 0].mean())
    view = _view(convention(source).places @ reference_face(), points)
    # Where the nose points to, against a quarter turn of where the chin is: the one thing that a profile keeps.
    return bool(view[0, 2] * view[1, 1] - view[1, 2] * view[0, 1] > 0)


def plain_map(points: np.ndarray, source: str, target: str) -> np.ndarray:
    """Map points by index, and carry what has no counterpart with the mean face.

    Args:
        points: (n_source, 2) or (B, n_source, 2), finite.
        source: name of their landmark set.
        target: name of the wanted set.

    Returns:
        The target's points, float64 of the same leading shape.
    """
    if points.ndim == 3:
        return np.stack([plain_map(face, source, target) for face in points])
    if source == target:
        return points.astype(np.float64)
    flipped = "charlotte43" in (source, target) and faces_right(points, source)
    flat = flip(points, source) if flipped else points.astype(np.float64)
    table, told = index_table(source, target)
    mapped = table @ flat
    if not told.all():
        mean = reference_face()
        view = _view(convention(source).places @ mean, flat)
        missing = convention(target).places[~told] @ mean
        mapped[~told] = np.column_stack((missing, np.ones(len(missing)))) @ view.T
    return flip(mapped, target) if flipped else mapped


def flip(points: np.ndarray, name: str) -> np.ndarray:
    """Mirror a face's points in x = 0; where the set has two sides, left and right change their names, too.

    Args:
        points: (…, n, 2).
        name: their landmark set.
    """
    partners = convention(name).partners
    mirrored = points * (-1.0, 1.0)
    return mirrored if partners is None else mirrored[..., partners, :]


def _view(mean: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The affine camera (2, 4) that sees the mean face's points (n, 3) where a face's points (n, 2) are.

    Few points do not tell a depth: their camera is one that sees a flat face.
    """
    outer = np.column_stack((mean, np.ones(len(mean))))
    if len(mean) < _POINTS_WITH_DEPTH:
        outer[:, 2] = 0.0
    return np.linalg.lstsq(outer, points, rcond=None)[0].T
