"""Pairs of landmark sets out of the faces store, which has 70 exact points and 478 found ones for every face.

Where people annotated no set of ours, its points are made from these two by the places of
:mod:`tfake.landmarks.conventions`: exact where the place is one of the 70, the mesh's own where it is on the mesh.
"""

import numpy as np

from tfake.dataset import open_dataset
from tfake.landmarks.adaptation.plain import faces_right, flip
from tfake.landmarks.adaptation.training import PairedPoints
from tfake.landmarks.conventions import convention


def pairs_of_stores(results: str, source: str, target: str) -> PairedPoints:
    """Read both sets of every face that has them.

    Args:
        results: the folder, or zip, that holds ``faces``.
        source: name of a landmark set.
        target: name of a landmark set.

    Returns:
        The pairs; near-identical faces are one group.

    Raises:
        ValueError: there is no such landmark set, or no face with both.
    """
    convention(source), convention(target)
    rows = open_dataset(results, (), fields=("landmarks_70", "landmarks_478"))
    faces = list(rows)
    both = np.array([np.concatenate((face.landmarks_70, face.landmarks_478)) for face in faces], dtype=np.float64)
    usable = np.isfinite(both).all(axis=(1, 2)) if len(faces) else np.zeros(0, dtype=bool)
    if not usable.any():
        raise ValueError(f"{results}: no face has both 70 and 478 points")
    both = both[usable]
    groups = rows.columns.groups[rows.rows][usable]
    return PairedPoints(source, target, points_of(both, source), points_of(both, target), groups)


def points_of(both: np.ndarray, name: str) -> np.ndarray:
    """A landmark set's points on faces whose 70 and 478 are known.

    Args:
        both: (N, 548, 2) the 70 points, then the 478.
        name: of the set.

    Returns:
        (N, n, 2) pixels.
    """
    places = convention(name).places
    if name != "charlotte43":
        return places @ both
    # The set shows the near half of the face; its places are those of a face that looks to the image's left.
    right = np.array([faces_right(face[:70], "face70") for face in both], dtype=bool)
    turned = both.copy()
    turned[right] = np.concatenate((flip(both[right, :70], "face70"), flip(both[right, 70:], "mesh478")), axis=1)
    points = places @ turned
    points[right] = flip(points[right], name)
    return points
